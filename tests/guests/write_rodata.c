/* SPDX-License-Identifier: ISC
 *
 * Writes to a constant: must be killed.
 */
#include <stdint.h>

#include "guest.h"

static const char constant[] = "constant";

int platform_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("before");
	*(volatile char *)(uintptr_t)constant = 0;
	say("after");
	return 0;
}
