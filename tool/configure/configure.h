/* SPDX-License-Identifier: ISC
 *
 * The configure step from inside: what configure() of a config.c has declared, and the writers that turn it
 * into the generated files. Everything is held in small fixed tables; a declaration too many is an error that
 * says so.
 */
#ifndef CONFIGURE_H
#define CONFIGURE_H

#include <stdio.h>

#include <skerry/config.h>

enum {
	SOURCES_MAX = 64,
	FILES_MAX = 256,
	KEYS_MAX = 48,
	DEVICES_MAX = 63, /* handles of a manifest */
};

enum device_kind { DEVICE_NETWORK, DEVICE_BLOCK, DEVICE_STACK };

struct device {
	enum device_kind kind;
	const char *name;        /* in the manifest; of the network below for a stack; NULL: host sockets */
	const char *keys_prefix; /* of a stack's keys: "" for the first, "NAME-" for others */
};

struct unikernel {
	const char *target;
	bool direct; /* --net=direct: our own stack also on unix */
	const char *name;
	const char *sources[SOURCES_MAX];
	size_t source_count;
	struct {
		const char *symbol, *path;
	} files[FILES_MAX];
	size_t file_count;
	struct key_config keys[KEYS_MAX];
	size_t key_count;
	struct device devices[DEVICES_MAX];
	size_t device_count;
};

/* Prints "config.c: message" and exits with 1: a mistake in the configuration. */
_Noreturn void config_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The generated files. */
void write_keys_header(FILE *out, const struct unikernel *unikernel);
void write_main(FILE *out, const struct unikernel *unikernel);
void write_manifest(FILE *out, const struct unikernel *unikernel);
/* Shell assignments for the build: NAME, SOURCES, FILES ("SYMBOL:PATH ..."). */
void write_build(FILE *out, const struct unikernel *unikernel);

#endif
