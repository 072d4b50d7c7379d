/* SPDX-License-Identifier: ISC
 *
 * Error lines: what a failing function leaves in its caller's buffer.
 */
#include <stdarg.h>
#include <stdio.h>

#include "tender/common/tender.h"

int tender_fail(struct tender_error *error, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(error->text, sizeof error->text, format, args);
	va_end(args);
	/* File names and images decide part of the text: it must neither break the line nor drive a terminal. */
	for (char *c = error->text; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	return code;
}
