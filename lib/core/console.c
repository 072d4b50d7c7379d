/* SPDX-License-Identifier: ISC
 *
 * Text on the console, a line at a time. The line is built on the stack and written with one call, so that it works
 * when memory is out and lines do not mix.
 */
#include <stdbool.h>
#include <string.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/text.h>

#include "console.h"

/* C0, DEL, and C1 in its UTF-8 form (U+0080 to U+009F: C2 80 to C2 9F), which terminals obey as well. */
static bool is_control(unsigned char before, unsigned char byte)
{
	return byte < 0x20 || byte == 0x7f || (before == 0xc2 && byte >= 0x80 && byte <= 0x9f);
}

void console_vline(const char *prefix, const char *format, va_list args)
{
	char line[LOG_LINE_MAX];
	size_t max = sizeof line - 1; /* the last byte is for the newline */
	size_t len = strnlen(prefix, max);
	size_t text_len;

	memcpy(line, prefix, len);
	/* The terminating 0 may take the newline's place. */
	text_len = text_vformat(line + len, sizeof line - len, format, args);
	len = text_len < max - len ? len + text_len : max;
	for (size_t i = 0; i < len; i++)
		if (is_control(i ? (unsigned char)line[i - 1] : 0, (unsigned char)line[i]))
			line[i] = '?';
	line[len] = '\n';
	platform_console_write(line, len + 1);
}

void console_line(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	console_vline("", format, args);
	va_end(args);
}
