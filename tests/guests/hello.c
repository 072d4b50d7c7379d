/* SPDX-License-Identifier: ISC
 *
 * The least that runs: a line, and status 0.
 */
#include "guest.h"

int platform_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	say("hello");
	return 0;
}
