/* SPDX-License-Identifier: ISC
 *
 * Inside the spt platform: the boot structure and the system calls that the tender allows.
 */
#ifndef SPT_H
#define SPT_H

#include <sys/syscall.h>
#include <stdbool.h>
#include <stdint.h>

#include <platform.h>

#include "abi/note.h"
#include "abi/spt.h"

extern const struct spt_boot_info *spt_boot;

/* The one system call instruction of the image (system_call.S). Returns the kernel's result: a negative errno on
 * failure. Its sixth argument is the call's number, so that the others stay where the kernel wants them. */
long spt_system_call(long a, long b, long c, long d, long e, long number);

#endif
