/* SPDX-License-Identifier: ISC
 *
 * The parts of `skerry run`: what its command line says, how that becomes the command line of a tender or a unikernel,
 * and how a unikernel is started again when its sources change, or under gdb.
 */
#ifndef TOOL_RUN_RUN_H
#define TOOL_RUN_RUN_H

#include "tool/command.h"
#include "tool/run/project.h"
#include "tool/start.h"

/* What the command line says, in its order. Words are borrowed from argv. */
struct run_options {
	const char *image; /* NULL: the unikernel of this directory */
	const char *mem;
	const char *core; /* directory; NULL: none */
	bool watch, print, gdb, strace;
	const char **nets, **blocks, **forwards, **captures, **arguments; /* each ends with NULL */
};

/* Each device of the project with what is attached to it. */
struct run_device {
	const struct project_device *device;
	char *attached; /* IFACE, @FD, user; PATH. NULL: nothing yet */
	char *forwards; /* of a user network: "A:B,C:D", or NULL */
	char *capture;  /* of a network: file for its frames, or NULL */
};

struct run_wiring {
	size_t count;
	struct run_device devices[TENDER_DEVICES_MAX];
};

/* Decides what is attached to which device. -EINVAL for a device that there is none of, one given twice, one without
 * anything, and forwards where there is no user network. */
int run_wire(struct project *project, const struct run_options *options, struct run_wiring *wiring,
	struct tender_error *error);
void run_wiring_free(struct run_wiring *wiring);

/* Makes the words to be executed, words[0] being the path of a program. On unix this opens user networks, which then
 * belong to this process. Says so on standard error when another target is run than was asked for. */
int run_words(const struct project *project, const struct run_options *options, struct run_wiring *wiring,
	struct start_words *words, struct tender_error *error);

/* For those who look for a fault. Whether the target, of the image that is run, has what they ask for: else -EINVAL,
 * with what to use instead. */
int run_debug_check(const struct run_options *options, const char *target, struct tender_error *error);
/* Adds the tender's options for it; then, when gdb is wanted, makes the words those of a gdb that runs them, with the
 * image's symbols and the guest at its beginning. */
void run_debug_options(
	const struct run_options *options, const struct run_wiring *wiring, uint16_t port, struct start_words *words);
int run_debug_port(const struct run_options *options, const char *target, uint16_t *port, struct tender_error *error);
void run_debug_gdb(const char *target, const char *image, uint16_t port, struct start_words *words);

/* Reads the project or the image, wires it and becomes it. Returns only with an error, or COMMAND_OK with --print. */
int run_once(const struct run_options *options);

/* Says why and runs `skerry build` if the unikernel of this directory must be built. 0, or an exit status. */
int run_build(const struct run_options *options);

/* The same, and starts it again whenever a source changes; returns the exit status. */
int run_watch(const struct run_options *options);

#endif
