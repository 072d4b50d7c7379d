/* SPDX-License-Identifier: ISC
 *
 * How a run fails.
 */
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void fail(const char *format, ...)
{
	va_list arguments;

	fflush(stdout);
	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	fflush(stderr);
	_exit(1); /* what the run still holds is no leak */
}
