/* SPDX-License-Identifier: ISC
 *
 * Reading a subcommand's command line by its table.
 */
#include <stdarg.h>
#include <string.h>

#include "tool/command.h"

enum {
	NAME_LEN_MAX = 40, /* longer words get no suggestion */
	WORDS_SIZE = 2048, /* the names among which a suggestion is sought */
	DISTANCE_NEAR = 2, /* edits that still make a suggestion */
};

int command_fail(const struct command *command, const char *format, ...)
{
	va_list args;

	fflush(stdout); /* in the order in which things happened, also when both go to one file */
	fprintf(stderr, "skerry %s: ", command->name);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return COMMAND_FAILED;
}

/* Suggestions -------------------------------------------------------------------------------------------------- */

static size_t least(size_t a, size_t b, size_t c)
{
	size_t smaller = a < b ? a : b;

	return smaller < c ? smaller : c;
}

/* Insertions, deletions and replacements from one word to the other, which is up to NAME_LEN_MAX long. */
static size_t edit_distance(const char *a, const char *b, size_t b_len)
{
	size_t row[NAME_LEN_MAX + 1]; /* distances of what has been read of a to each start of b */

	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; a[i - 1]; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t best = least(diagonal + (a[i - 1] != b[j - 1]), row[j] + 1, row[j - 1] + 1);

			diagonal = row[j];
			row[j] = best;
		}
	}
	return row[b_len];
}

bool command_nearest(const char *word, const char *words, char *nearest, size_t size)
{
	size_t best = DISTANCE_NEAR + 1;

	for (const char *at = words + strspn(words, " "); *at; at += strspn(at, " ")) {
		size_t len = strcspn(at, " ");
		/* A name of which nothing is left is no near miss. */
		size_t distance = len <= NAME_LEN_MAX && len < size ? edit_distance(word, at, len) : best;

		if (distance < best && distance < len && distance < strlen(word)) {
			best = distance;
			memcpy(nearest, at, len);
			nearest[len] = '\0';
		}
		at += len;
	}
	return best <= DISTANCE_NEAR;
}

static void append_word(char words[WORDS_SIZE], const char *word)
{
	size_t used = strlen(words);

	snprintf(words + used, WORDS_SIZE - used, "%s ", word);
}

/* Finding ------------------------------------------------------------------------------------------------------ */

const struct command *command_find(const char *name)
{
	const struct command *found = NULL;
	char all[WORDS_SIZE] = "", matching[WORDS_SIZE] = "", nearest[NAME_LEN_MAX];
	size_t count = 0;

	for (size_t i = 0; commands[i]; i++) {
		append_word(all, commands[i]->name);
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
		if (*name && strncmp(commands[i]->name, name, strlen(name)) == 0) {
			append_word(matching, commands[i]->name);
			found = commands[i];
			count++;
		}
	}
	if (count == 1)
		return found;
	if (count > 1)
		fprintf(stderr, "skerry: \"%s\" can be each of: %s\n", name, matching);
	else if (command_nearest(name, all, nearest, sizeof nearest))
		fprintf(stderr, "skerry: unknown command \"%s\"; did you mean %s? skerry help lists all\n", name,
			nearest);
	else
		fprintf(stderr, "skerry: unknown command \"%s\"; skerry help lists all\n", name);
	return NULL;
}

static int stop(struct command_line *line, int status)
{
	line->status = status;
	return COMMAND_STOP;
}

static int refuse_unknown(struct command_line *line, const char *word)
{
	char names[WORDS_SIZE] = "--help ", name[NAME_LEN_MAX + 3], nearest[NAME_LEN_MAX + 3];
	size_t len = strcspn(word, "=");

	for (const struct command_option *option = line->command->options; option && option->id; option++) {
		snprintf(name, sizeof name, "--%s", option->name);
		append_word(names, name);
	}
	snprintf(name, sizeof name, "%.*s", (int)(len < NAME_LEN_MAX ? len : NAME_LEN_MAX), word);
	if (command_nearest(name, names, nearest, sizeof nearest) && strcmp(nearest, name) != 0)
		command_fail(line->command, "unknown option %s; did you mean %s? --help lists all", word, nearest);
	else
		command_fail(line->command, "unknown option %s; --help lists all", word);
	return stop(line, COMMAND_FAILED);
}

/* Reading ------------------------------------------------------------------------------------------------------ */

/* The value is what is in the word itself, if anything, else the next word. */
static int take_option(struct command_line *line, const struct command_option *option, const char *word,
	const char *inside, const char **value)
{
	int name_len = inside ? (int)(inside - word - (word[1] == '-')) : (int)strlen(word);

	*value = inside;
	if (!option->value && inside) {
		command_fail(line->command, "%.*s \"%s\": expected no value", name_len, word, inside);
		return stop(line, COMMAND_FAILED);
	}
	if (option->value && !inside)
		*value = *line->words ? *line->words++ : NULL;
	if (option->value && (!*value || !**value)) {
		command_fail(line->command, "%.*s: expected %s", name_len, word, option->value);
		return stop(line, COMMAND_FAILED);
	}
	return option->id;
}

static int next_long(struct command_line *line, char *word, const char **value)
{
	size_t len = strcspn(word + 2, "=");
	const char *inside = word[2 + len] ? word + 2 + len + 1 : NULL;

	if (strcmp(word, "--help") == 0) {
		command_print_help(stdout, line->command);
		return stop(line, COMMAND_OK);
	}
	for (const struct command_option *option = line->command->options; option && option->id; option++)
		if (strlen(option->name) == len && memcmp(option->name, word + 2, len) == 0)
			return take_option(line, option, word, inside, value);
	if (!line->command->takes_keys)
		return refuse_unknown(line, word);
	*value = word;
	return COMMAND_KEY;
}

static int next_short(struct command_line *line, char *word, const char **value)
{
	for (const struct command_option *option = line->command->options; option && option->id; option++)
		if (option->letter == word[1])
			return take_option(line, option, word, word[2] ? word + 2 : NULL, value);
	if (strcmp(word, "-h") != 0)
		return refuse_unknown(line, word);
	command_print_help(stdout, line->command);
	return stop(line, COMMAND_OK);
}

int command_next(struct command_line *line, const char **value)
{
	char *word;

	if (!line->behind_dashes && *line->words && strcmp(*line->words, "--") == 0) {
		line->behind_dashes = true;
		line->words++;
	}
	if (!*line->words)
		return COMMAND_END;
	word = *line->words++;
	/* "-" alone is a name, of standard input or output. */
	if (!line->behind_dashes && word[0] == '-' && word[1] == '-')
		return next_long(line, word, value);
	if (!line->behind_dashes && word[0] == '-' && word[1])
		return next_short(line, word, value);
	*value = word;
	return COMMAND_OPERAND;
}

int command_expect_end(struct command_line *line)
{
	const char *word;
	int option = command_next(line, &word);

	if (option != COMMAND_OPERAND)
		return option;
	command_fail(line->command, "\"%s\": expected no argument", word);
	return stop(line, COMMAND_FAILED);
}
