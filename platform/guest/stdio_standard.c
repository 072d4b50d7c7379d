/* SPDX-License-Identifier: ISC
 *
 * The characters of the standard streams: apart from stdio.c, so that an image that prints nothing is linked without
 * these streams and their buffers.
 */
#include <stdio.h>

int putchar(int c)
{
	return putc_unlocked(c, stdout);
}

int getchar(void)
{
	return getc_unlocked(stdin);
}
