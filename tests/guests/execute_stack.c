/* SPDX-License-Identifier: ISC
 *
 * Jumps into its stack: must be killed.
 */
#include <stdint.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	volatile char code[] = { (char)0xc3 }; /* ret */

	(void)argc;
	(void)argv;
	say("before");
	((void (*)(void))(uintptr_t)code)();
	say("after");
	return 0;
}
