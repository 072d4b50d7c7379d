/* SPDX-License-Identifier: ISC
 *
 * Writes to its own code: must be killed.
 */
#include <stdint.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("before");
	*(volatile char *)(uintptr_t)platform_main = 0;
	say("after");
	return 0;
}
