/* SPDX-License-Identifier: ISC
 *
 * In place of lib/core/log.c: the program gets each message, or nobody does.
 */
#include <stdio.h>
#include <stdlib.h>

#include <skerry/embed.h>
#include <skerry/text.h>

__attribute__((weak)) void stack_log(enum log_level level, const char *source, const char *message);

/* A message quotes what came from the network: it stays one line. */
static void replace_controls(char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

void log_write(const struct log_source *source, enum log_level level, const char *format, ...)
{
	char line[LOG_LINE_MAX];
	va_list args;

	if (!stack_log)
		return;
	va_start(args, format);
	text_vformat(line, sizeof line, format, args);
	va_end(args);
	replace_controls(line);
	stack_log(level, source->name, line);
}

_Noreturn void log_panic(const char *file, int line, const char *format, ...)
{
	char message[LOG_LINE_MAX];
	va_list args;

	va_start(args, format);
	text_vformat(message, sizeof message, format, args);
	va_end(args);
	fprintf(stderr, "%s:%d: %s\n", file, line, message);
	abort();
}
