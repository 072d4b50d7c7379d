/* SPDX-License-Identifier: ISC
 *
 * Keys: reads the boot arguments into typed values.
 */
/* All of this is off the hot paths and in every image: size counts. */
#pragma GCC optimize("Os", "no-jump-tables")

#include <errno.h>
#include <string.h>

#include <skerry/key.h>
#include <skerry/log.h>
#include <skerry/text.h>

#include "console.h"

enum {
	KEYS_MAX = 64,      /* with the built-in ones */
	NAME_MAX_LEN = 32,  /* longer names get no suggestion */
	NEAR = 2,           /* edits that still make a suggestion */
	PROBLEM_SIZE = 320, /* what is wrong with a value, in words */
	BUILT_IN = 4,
	DELAY_MAX = 1000000, /* seconds: eleven days */
};

/* One call of key_parse(). */
struct parse {
	const char *program;
	const struct key *keys;
	size_t count;
	uint64_t given; /* a bit for each key */
};

struct key_boot key_boot;

/* What it says goes to the log at once. */
static const struct key_type logs = { .placeholder = "=[SOURCE:]LEVEL,...",
	.expected = "log levels, such as *:debug or tcp:debug,*:info" };

static const struct key built_in[BUILT_IN] = {
	{ .name = "help", .type = &key_type_flag, .doc = "Print this and end." },
	{ .name = "logs", .letter = 'l', .type = &logs, .doc = "Log levels, such as *:debug or tcp:debug,*:info." },
	{ .name = "delay",
		.type = &key_type_int,
		.doc = "Seconds to wait before the start.",
		.value = &key_boot.delay_s,
		.max = DELAY_MAX },
	{ .name = "name", .type = &key_type_string, .doc = "What this instance is called.", .value = &key_boot.name },
};

static const struct key *key_at(const struct parse *parse, size_t index)
{
	return index < parse->count ? &parse->keys[index] : &built_in[index - parse->count];
}

/* Values ---------------------------------------------------------------------------------------------------- */

static bool has_bounds(const struct key *key)
{
	return key->min != 0 || key->max != 0;
}

/* Says what the key takes. */
static void describe_expected(const struct key *key, char *problem, size_t size)
{
	if (has_bounds(key))
		text_format(problem, size, "expected %s from %lld to %lld", key->type->expected, (long long)key->min,
			(long long)key->max);
	else
		text_format(problem, size, "expected %s", key->choices ? key->choices : key->type->expected);
}

int key_set(const struct key *key, const char *text, char *problem, size_t size)
{
	int err;

	if (key->type == &logs)
		return log_configure(text, problem, size);
	err = key->type->store(key, text);
	if (err == -ENOMEM)
		text_format(problem, size, "no memory");
	else if (err < 0)
		describe_expected(key, problem, size);
	return err;
}

static int set_defaults(const struct parse *parse)
{
	char problem[PROBLEM_SIZE];

	for (size_t i = 0; i < parse->count + BUILT_IN; i++) {
		const struct key *key = key_at(parse, i);

		if (key->value)
			memset(key->value, 0, key->type->size);
		if (key->choices)
			*(int *)key->value = -1;
		if (!key->initial || key_set(key, key->initial, problem, sizeof problem) == 0)
			continue;
		console_line("%s: default of --%s, \"%s\": %s", parse->program, key->name, key->initial, problem);
		return EXIT_BAD_ARGUMENT;
	}
	return 0;
}

/* Help ------------------------------------------------------------------------------------------------------ */

static void print_help(const struct parse *parse)
{
	console_line("usage: %s [--KEY=VALUE]...", parse->program);
	for (size_t i = 0; i < parse->count + BUILT_IN; i++) {
		const struct key *key = key_at(parse, i);
		char letter[8] = "    ", range[64] = "";

		if (key->fixed)
			continue;
		if (key->letter)
			text_format(letter, sizeof letter, "-%c, ", key->letter);
		if (has_bounds(key))
			text_format(range, sizeof range, " %lld to %lld.", (long long)key->min, (long long)key->max);
		console_line(
			"  %s--%s%s%s", letter, key->name, key->type->placeholder, key->choices ? key->choices : "");
		console_line("            %s%s%s%s", key->doc, range, key->initial ? " Default: " : "",
			key->initial    ? key->initial
			: key->required ? " Required."
					: "");
	}
}

/* Arguments ------------------------------------------------------------------------------------------------- */

/* Insertions, deletions and replacements from one name to the other; both up to NAME_MAX_LEN. */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
	uint8_t row[NAME_MAX_LEN + 1]; /* distances of the first i bytes of a to each start of b */

	for (size_t j = 0; j <= b_len; j++)
		row[j] = (uint8_t)j;
	for (size_t i = 1; i <= a_len; i++) {
		uint8_t diagonal = row[0];

		row[0] = (uint8_t)i;
		for (size_t j = 1; j <= b_len; j++) {
			uint8_t best = (uint8_t)(diagonal + (a[i - 1] != b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = (uint8_t)(row[j] + 1);
			if (row[j - 1] + 1 < best)
				best = (uint8_t)(row[j - 1] + 1);
			row[j] = best;
		}
	}
	return row[b_len];
}

static int refuse_unknown(const struct parse *parse, const char *arg, const char *name, size_t len)
{
	const char *nearest = NULL;
	size_t least = NEAR + 1;

	for (size_t i = 0; len <= NAME_MAX_LEN && i < parse->count + BUILT_IN; i++) {
		const struct key *key = key_at(parse, i);
		size_t key_len = strlen(key->name), distance;

		if (key_len > NAME_MAX_LEN)
			continue;
		distance = edit_distance(name, len, key->name, key_len);
		/* A name of which nothing is left is no near miss. */
		if (distance < least && distance < len && distance < key_len) {
			least = distance;
			nearest = key->name;
		}
	}
	console_line("%s: %.200s: there is no such key; %s%s%s--help lists all keys", parse->program, arg,
		nearest ? "did you mean --" : "", nearest ? nearest : "", nearest ? "? " : "");
	return EXIT_BAD_ARGUMENT;
}

static const struct key *find_name(const struct parse *parse, const char *name, size_t len)
{
	for (size_t i = 0; i < parse->count + BUILT_IN; i++)
		if (strlen(key_at(parse, i)->name) == len && memcmp(key_at(parse, i)->name, name, len) == 0)
			return key_at(parse, i);
	return NULL;
}

static const struct key *find_letter(const struct parse *parse, char letter)
{
	for (size_t i = 0; letter && i < parse->count + BUILT_IN; i++)
		if (key_at(parse, i)->letter == letter)
			return key_at(parse, i);
	return NULL;
}

/* An argument taken apart. value: NULL when it is not in the same word. */
struct argument {
	const struct key *key;
	const char *value;
	int name_len; /* of the part of the word that names the key */
};

static int read_argument(const struct parse *parse, const char *arg, struct argument *out)
{
	if (arg[0] == '-' && arg[1] == '-' && arg[2]) {
		size_t len = (size_t)(strchrnul(arg + 2, '=') - (arg + 2));

		out->key = find_name(parse, arg + 2, len);
		out->value = arg[2 + len] ? arg + 2 + len + 1 : NULL;
		out->name_len = (int)len + 2;
		return out->key ? 0 : refuse_unknown(parse, arg, arg + 2, len);
	}
	if (arg[0] == '-' && arg[1] && arg[1] != '-') {
		out->key = find_letter(parse, arg[1]);
		out->value = arg[2] ? arg + 2 : NULL;
		out->name_len = 2;
		return out->key ? 0 : refuse_unknown(parse, arg, arg + 1, 1);
	}
	console_line("%s: \"%.200s\": expected a key, --NAME=VALUE; --help lists all keys", parse->program, arg);
	return EXIT_BAD_ARGUMENT;
}

static bool starts_with(const char *text, const char *start)
{
	while (*start && *text == *start)
		text++, start++;
	return !*start;
}

static void note_given(struct parse *parse, const struct key *key)
{
	if (key >= parse->keys && key < parse->keys + parse->count)
		parse->given |= UINT64_C(1) << (key - parse->keys);
}

/* Whether all that is required was given, or has a default. */
static int check_required(const struct parse *parse)
{
	for (size_t i = 0; i < parse->count; i++) {
		const struct key *key = &parse->keys[i];

		if (!key->required || key->initial || parse->given >> i & 1)
			continue;
		console_line("%s: --%s%s%s is required: %s", parse->program, key->name, key->type->placeholder,
			key->choices ? key->choices : "", key->doc);
		return EXIT_BAD_ARGUMENT;
	}
	return 0;
}

/* Handles the argument at argv[*index], and the next if that is its value. 0 or an exit status. */
static int handle_argument(struct parse *parse, char **argv, int *index)
{
	const char *arg = argv[*index];
	struct argument in;
	char problem[PROBLEM_SIZE];
	int status = read_argument(parse, arg, &in);

	if (status != 0)
		return status;
	if (in.key->fixed) {
		console_line("%s: %.200s: was chosen when the unikernel was configured", parse->program, arg);
		return EXIT_BAD_ARGUMENT;
	}
	note_given(parse, in.key);
	if (in.key == &built_in[0] && !in.value) {
		print_help(parse);
		return EXIT_HELP;
	}
	if (!*in.key->type->placeholder && !in.value) {
		*(bool *)in.key->value = true;
		return 0;
	}
	if (!in.value && argv[*index + 1])
		in.value = argv[++*index];
	describe_expected(in.key, problem, sizeof problem);
	if (in.value && *in.key->type->placeholder && key_set(in.key, in.value, problem, sizeof problem) == 0)
		return 0;
	if (in.value)
		console_line("%s: %.*s \"%.200s\": %s", parse->program, in.name_len, arg, in.value, problem);
	else
		console_line("%s: %.*s: %s", parse->program, in.name_len, arg, problem);
	return EXIT_BAD_ARGUMENT;
}

int key_parse(const struct key *keys, size_t count, int argc, char **argv)
{
	struct parse parse = { argc > 0 ? argv[0] : "unikernel", keys, count, 0 };
	int index = 1, status;

	must(count <= KEYS_MAX - BUILT_IN);
	status = set_defaults(&parse);
	while (index < argc && starts_with(argv[index], "--solo5:"))
		index++;
	for (; status == 0 && index < argc; index++)
		status = handle_argument(&parse, argv, &index);
	return status ? status : check_required(&parse);
}
