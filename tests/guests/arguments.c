/* SPDX-License-Identifier: ISC
 *
 * Says each of its arguments, between < and >.
 */
#include "guest.h"

int platform_main(int argc, char **argv)
{
	expect(argc > 0 && argv[argc] == NULL);
	for (int i = 1; i < argc; i++) {
		platform_console_write("<", 1);
		platform_console_write(argv[i], strlen(argv[i]));
		platform_console_write(">\n", 2);
	}
	return 0;
}
