/* SPDX-License-Identifier: ISC
 *
 * The command line of a tender, as Solo5's: the same for every front end that starts from one.
 */
#ifndef TENDER_COMMON_OPTIONS_H
#define TENDER_COMMON_OPTIONS_H

#include <stdio.h>

#include "tender/common/tender.h"

/* What the options say of one device. */
struct tender_device_option {
	char name[MANIFEST_NAME_SIZE];
	enum manifest_type type;
	const char *backend; /* IFACE, @FD, user...; PATH. NULL: only properties were given */
	uint32_t sector_bytes;
	const char *capture; /* NULL: none */
	bool has_mac;
	uint8_t mac[6];
};

enum tender_action { TENDER_RUN, TENDER_HELP, TENDER_SHOW_VERSION };

struct tender_options {
	enum tender_action action; /* with the others, the rest is not valid */
	uint64_t mem_bytes;
	bool trace;
	uint16_t gdb_port;          /* 0: none */
	const char *core_directory; /* NULL: none */
	const char *jail_user;      /* NULL: none */
	const char *image_path;
	char cmdline[SPT_CMDLINE_SIZE];
	size_t device_count;
	struct tender_device_option devices[TENDER_DEVICES_MAX]; /* each with a backend */
};

/* Reads argv[1] on, as the tender of this target does; the strings stay borrowed. -EINVAL, -E2BIG (ARGS longer than
 * 8191 characters). */
int tender_options_parse(
	int argc, char **argv, enum abi_target target, struct tender_options *options, struct tender_error *error);

/* Describes the options, for `program --help`. */
void tender_options_print(FILE *out, const char *program, enum abi_target target);

/* Opens one device as its option says; name stays borrowed from the option. Errors: see tender_open_*. */
int tender_option_open(
	const struct tender_device_option *option, struct tender_device *device, struct tender_error *error);

/* "NAME=..." alone: a decimal number from min to max and nothing else. */
bool tender_number_parse(const char *text, uint32_t min, uint32_t max, uint32_t *number);

#endif
