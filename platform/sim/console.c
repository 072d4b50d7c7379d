/* SPDX-License-Identifier: ISC
 *
 * The console, and the ways out: an abort names the seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <platform.h>

#include "inside.h"

void platform_exit(int status)
{
	_exit(status);
}

void platform_abort(void)
{
	sim_write_seed();
	abort();
}

void platform_console_write(const char *text, size_t len)
{
	fwrite(text, 1, len, stdout);
	fflush(stdout);
}
