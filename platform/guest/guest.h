/* SPDX-License-Identifier: ISC
 *
 * What every guest target has in common, called by its entry point.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>
#include <stdint.h>

enum {
	GUEST_BOOT_STACK_BYTES = 65536, /* at the end of memory: the scheduler's, when all is up */
	GUEST_STATUS_ABORT = 255,
	GUEST_STATUS_USAGE = 64, /* EX_USAGE of BSD's sysexits */
};

/* Fills in the thread's block, static data and random canary included. The caller loads %fs with what it returns; until
 * then no function that was compiled with a stack protector may run, so neither has the caller one. */
void *guest_thread_init(void);

/* Makes the heap of [begin, end), splits the command line, runs constructors, platform_main() and destructors. */
_Noreturn void guest_run(uintptr_t begin, uintptr_t end, const char *cmdline);

/* Gives malloc() its memory. -ENOMEM when that is too small for any. */
int guest_heap_init(uintptr_t begin, uintptr_t end);

/* Splits a command line into words as a shell does, quoting with '...', "..." and \. The words and the table, which
 * ends with NULL and begins with the unikernel's name, are allocated and live for ever. 0; -EINVAL when a quote is not
 * closed: *unclosed is where it begins; -ENOMEM. */
int guest_arguments(const char *cmdline, int *argc, char ***argv, const char **unclosed);

/* Reports a fault that leaves nothing to be trusted, in one line, and ends with GUEST_STATUS_ABORT. */
_Noreturn void guest_fatal(const char *what);

#endif
