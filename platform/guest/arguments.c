/* SPDX-License-Identifier: ISC
 *
 * From the tender's command line, one string, to argv: words are split and quoted as in a shell.
 */
#include <stdbool.h>
#include <string.h>

#include <platform.h>

#include "guest.h"

enum { ARGUMENTS_MAX = 256, LINE_MAX_BYTES = 8192, EXIT_BAD_ARGUMENT = 64 };

static char words[LINE_MAX_BYTES + 1];
static char *vector[ARGUMENTS_MAX + 2];

static int refuse(const char *why)
{
	platform_console_write(why, strlen(why));
	return -EXIT_BAD_ARGUMENT;
}

/* Copies one word without its quotes, moving both positions on. False: a quote is not closed. */
static bool take_word(const char **from, char **to)
{
	char quote = 0;

	for (; **from && (quote || **from != ' '); ++*from) {
		char c = **from;

		if (c == quote) {
			quote = 0;
		} else if (!quote && (c == '"' || c == '\'')) {
			quote = c;
		} else {
			if (c == '\\' && quote != '\'' && (*from)[1])
				c = *++*from;
			*(*to)++ = c;
		}
	}
	*(*to)++ = '\0';
	return quote == 0;
}

int guest_arguments(const char *line, char ***argv)
{
	static char no_name[] = "";
	char *to = words;
	int argc = 0;

	vector[argc++] = no_name;
	if (strlen(line) >= LINE_MAX_BYTES)
		return refuse("the command line is longer than 8191 characters\n");
	for (;;) {
		while (*line == ' ')
			line++;
		if (!*line)
			break;
		if (argc > ARGUMENTS_MAX)
			return refuse("the command line has more than 256 arguments\n");
		vector[argc++] = to;
		if (!take_word(&line, &to))
			return refuse("the command line ends inside quotes\n");
	}
	*argv = vector;
	return argc;
}
