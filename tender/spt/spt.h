/* SPDX-License-Identifier: ISC
 *
 * The steps that turn the spt tender's process into its guest, in the order in which tender_spt_run takes them.
 */
#ifndef TENDER_SPT_SPT_H
#define TENDER_SPT_SPT_H

#include "tender/common/tender.h"

/* Maps the guest's memory, [SPT_MEMORY_BASE, mem_bytes), and loads the image into it, each segment with its own
 * protection. Heap and stack can be read and written; whatever else is in it is inaccessible. */
int spt_memory_map(const struct tender_image *image, const struct tender_layout *layout, uint64_t mem_bytes,
	struct tender_error *error);

/* Puts the boot structure, with command line and manifest behind it, where the guest looks for it, read-only. */
int spt_boot_write(const struct spt_boot_info *info, const char *cmdline, const struct tender_manifest *manifest,
	struct tender_error *error);

/* What a guest waits with. */
struct spt_poll {
	int epoll, timer, inquiry;
};

/* Makes the epoll set of the manifest's networks, the timer and the inquiry: SIGUSR1, which is blocked from now on. */
int spt_poll_open(const struct tender_manifest *manifest, struct spt_poll *poll, struct tender_error *error);

/* Sets no_new_privs and the filter of system calls: the last step, after which only those of abi/spt.h remain. */
int spt_filter_load(const struct tender_manifest *manifest, const struct spt_poll *poll, struct tender_error *error);

/* Jumps into the guest with clean registers. */
_Noreturn void spt_enter(uint64_t entry, uint64_t stack, uint64_t boot_info);

#endif
