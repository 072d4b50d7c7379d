/* SPDX-License-Identifier: ISC
 *
 * Jumps to address 0: must be killed.
 */
#include <stdint.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	uintptr_t address = 0;

	(void)argc;
	(void)argv;
	say("before");
	__asm__("" : "+r"(address));
	((void (*)(void))address)();
	say("after");
	return 0;
}
