/* SPDX-License-Identifier: ISC
 *
 * Splitting a command line into words, as a shell does.
 *
 * Outside quotes white space separates words and \ takes the next character as it is. Between '...' everything is
 * taken as it is; between "..." all but \" and \\. So the plain forms that other tenders' users know stay what they
 * are.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "guest.h"

/* Moves *from behind what is quoted there, and *to behind its copy. False if its end is missing. */
static bool copy_quoted(const char **from, char **to)
{
	const char *in = *from;
	char *out = *to;
	char quote = *in++;

	if (quote == '\\') {
		if (*in == '\0')
			return false;
		*out++ = *in++;
	} else {
		for (; *in != quote; *out++ = *in++) {
			if (*in == '\0')
				return false;
			if (quote == '"' && *in == '\\' && (in[1] == '"' || in[1] == '\\'))
				in++;
		}
		in++;
	}
	*from = in;
	*to = out;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\n';
}

/* Copies the words of line to text, each with a NUL, and puts them into argv. Returns their count, or -1 with *unclosed
 * at a quote that has no end. */
static int split(const char *line, char *text, char **argv, const char **unclosed)
{
	int count = 0;

	for (;;) {
		while (is_space(*line))
			line++;
		if (*line == '\0')
			return count;
		argv[count++] = text;
		while (*line != '\0' && !is_space(*line)) {
			if (*line != '\'' && *line != '"' && *line != '\\') {
				*text++ = *line++;
			} else if (!copy_quoted(&line, &text)) {
				*unclosed = line;
				return -1;
			}
		}
		*text++ = '\0';
	}
}

int guest_arguments(const char *cmdline, int *argc, char ***argv, const char **unclosed)
{
	static char name[] = "unikernel";
	size_t len = strlen(cmdline);
	/* A word and its NUL take two characters at least; beside the words there are the name and NULL. */
	char **words = malloc((len / 2 + 3) * sizeof *words);
	char *text = malloc(len + 2);
	int count;

	if (!words || !text) {
		free(words);
		free(text);
		return -ENOMEM;
	}
	words[0] = name;
	count = split(cmdline, text, words + 1, unclosed);
	if (count < 0) {
		free(words);
		free(text);
		return -EINVAL;
	}
	words[count + 1] = NULL;
	*argc = count + 1;
	*argv = realloc(words, (size_t)(count + 2) * sizeof *words); /* shrinks in place: cannot fail */
	return 0;
}
