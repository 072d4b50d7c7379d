/* SPDX-License-Identifier: ISC
 *
 * Jumps into its data: must be killed.
 */
#include <stdint.h>

#include "guest.h"

static char code[] = { (char)0xc3 }; /* ret */

int platform_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("before");
	((void (*)(void))(uintptr_t)code)();
	say("after");
	return 0;
}
