/* SPDX-License-Identifier: ISC
 *
 * A block device: says what it is, and copies its first sector, each byte counted up, to its last.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	struct platform_block_info info, again;
	struct platform_source source = { NULL };
	struct platform_net_info net;
	unsigned char *sector;
	uint64_t last;
	int handle = platform_block_open("disk", &info);

	(void)argc;
	(void)argv;
	expect(handle >= 0);
	expect(platform_block_open("disk", &again) == -EBUSY && platform_block_open("other", &again) == -ENODEV);
	expect(platform_net_open("disk", &source, &net) == -ENODEV);
	printf("%" PRIu64 " %" PRIu32 "\n", info.capacity_bytes, info.sector_bytes);
	sector = malloc(info.sector_bytes);
	expect(sector);
	last = info.capacity_bytes - info.sector_bytes;
	expect(platform_block_read(handle, info.capacity_bytes, sector) == -ERANGE);
	expect(platform_block_read(handle, UINT64_MAX - info.sector_bytes + 1, sector) == -ERANGE);
	expect(platform_block_write(handle, last + 1, sector) == -ERANGE);
	expect(platform_block_read(handle, 0, sector) == 0);
	for (uint32_t i = 0; i < info.sector_bytes; i++)
		sector[i]++;
	if (info.read_only) {
		expect(platform_block_write(handle, last, sector) == -EROFS);
		puts("read only");
	} else {
		expect(platform_block_write(handle, last, sector) == 0 && platform_block_flush(handle) == 0);
	}
	platform_block_close(handle);
	expect(platform_block_open("disk", &again) >= 0);
	return 0;
}
