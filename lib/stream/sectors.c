/* SPDX-License-Identifier: ISC
 *
 * A stream of the sectors of a block device, as many at a time as a buffer holds.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/stream.h>

static size_t sectors_at_once(const struct block *block)
{
	size_t count = STREAM_BUFFER_BYTES / block->info.sector_bytes;

	return count > 0 ? count : 1;
}

static int sectors_init(struct source *source)
{
	struct source_block *range = (struct source_block *)source;

	range->buf = malloc(sectors_at_once(range->block) * range->block->info.sector_bytes);
	return range->buf ? 0 : -ENOMEM;
}

static ssize_t sectors_pull(struct source *source, const void **data, uint64_t deadline)
{
	struct source_block *range = (struct source_block *)source;
	size_t count = sectors_at_once(range->block);
	int err;

	(void)deadline;
	if (count > range->left)
		count = (size_t)range->left;
	if (count == 0)
		return 0;
	err = block_read(range->block, range->next, count, range->buf);
	if (err < 0)
		return err;
	range->next += count;
	range->left -= count;
	*data = range->buf;
	return (ssize_t)(count * range->block->info.sector_bytes);
}

static void sectors_stop(struct source *source, int error)
{
	struct source_block *range = (struct source_block *)source;

	(void)error;
	free(range->buf);
}

static const struct source_ops sectors_ops = { sectors_init, sectors_pull, sectors_stop };

struct source *source_block(struct source_block *range, struct block *block, uint64_t first, uint64_t count)
{
	*range = (struct source_block){ .source.ops = &sectors_ops, .block = block, .next = first, .left = count };
	return &range->source;
}
