/* SPDX-License-Identifier: ISC
 *
 * More devices than some machines have places for: says the first line of each disk, in the manifest's order.
 */
#include "guest.h"

enum { DISKS = 9, SECTOR_MAX = 4096 };

int platform_main(int argc, char **argv)
{
	static char sector[SECTOR_MAX];

	(void)argc;
	(void)argv;
	for (char digit = '0'; digit < '0' + DISKS; digit++) {
		char name[] = { 'd', 'i', 's', 'k', digit, '\0' };
		struct platform_block_info info;
		int handle = platform_block_open(name, &info);

		expect(handle >= 0 && info.sector_bytes <= sizeof sector);
		expect(platform_block_read(handle, 0, sector) == 0);
		sector[sizeof sector - 1] = '\0';
		say(strtok(sector, "\n"));
	}
	return 0;
}
