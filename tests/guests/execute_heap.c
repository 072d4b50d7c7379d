/* SPDX-License-Identifier: ISC
 *
 * Jumps into its heap: must be killed.
 */
#include <stdint.h>
#include <stdlib.h>

#include "guest.h"

int platform_main(int argc, char **argv)
{
	char *code = malloc(1);

	(void)argc;
	(void)argv;
	expect(code);
	*code = (char)0xc3; /* ret */
	say("before");
	((void (*)(void))(uintptr_t)code)();
	say("after");
	return 0;
}
