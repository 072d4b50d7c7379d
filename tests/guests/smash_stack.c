/* SPDX-License-Identifier: ISC
 *
 * Writes beyond an array on its stack: the stack protector must find it when the function returns. With an argument it
 * says the canary instead, which must be another in each run and hold a zero byte.
 */
#include <inttypes.h>

#include "guest.h"

__attribute__((noinline)) static void fill(size_t len)
{
	volatile char buf[8];
	volatile char *at = buf;

	for (size_t i = 0; i < len; i++)
		at[i] = 'A';
}

int platform_main(int argc, char **argv)
{
	uint64_t canary;

	(void)argv;
	if (argc > 1) {
		__asm__("movq %%fs:0x28, %0" : "=r"(canary));
		printf("%016" PRIx64 "\n", canary);
		return 0;
	}
	fill(8);
	say("before");
	fill(32);
	say("after");
	return 0;
}
