/* SPDX-License-Identifier: ISC
 *
 * Reads at address 0 or, with an argument, at that one: must be killed for all that is unmapped.
 */
#include <stdint.h>
#include <stdlib.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	uintptr_t address = argc > 1 ? strtoul(argv[1], NULL, 0) : 0;

	say("before");
	/* The compiler must not see that this is a null pointer, or it takes the right to do anything. */
	__asm__("" : "+r"(address));
	(void)*(volatile char *)address;
	say("after");
	return 0;
}
