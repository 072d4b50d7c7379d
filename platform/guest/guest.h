/* SPDX-License-Identifier: ISC
 *
 * What freestanding targets share: setting up the C environment before platform_main().
 */
#ifndef GUEST_H
#define GUEST_H

#include <stddef.h>

/* The part of memory below its end that the boot stack may use; the heap ends there. */
enum { GUEST_BOOT_STACK_BYTES = 256 * 1024 };

/* Fills the thread block with a random stack canary. Returns its address, for the fs register. */
void *guest_thread_init(void);

/* Makes malloc() serve from this memory. Called once, before anything allocates. */
void guest_heap_init(void *start, size_t size);

/* Splits the command line into words, as a shell quotes: '...', "..." and \. argv[0] is empty until the unikernel's
 * name is known. Returns argc, or the negative exit status after printing what is wrong. */
int guest_arguments(const char *line, char ***argv);

#endif
