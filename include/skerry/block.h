/* SPDX-License-Identifier: ISC
 *
 * A block device: sectors, read and written whole.
 */
#ifndef SKERRY_BLOCK_H
#define SKERRY_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include <platform.h>

struct block {
	struct platform_block_info info;
	const char *name;
	int handle;
};

/* Opens the platform's block device of this name, which is borrowed until it is closed. 0; -ENODEV if there is none, or
 * what was given for it is none, which the console says; -EBUSY, -ENOMEM. */
int block_open(const char *name, struct block **block);
void block_close(struct block *block);

/* Transfers count sectors from sector `first`. All or an error: -ERANGE (beyond the end), -EROFS, -EIO. */
int block_read(struct block *block, uint64_t first, size_t count, void *buf);
int block_write(struct block *block, uint64_t first, size_t count, const void *buf);
/* What was written is on stable storage: 0 or -EIO. On spt, which has no call for it, it is with the host. */
int block_flush(struct block *block);

#endif
