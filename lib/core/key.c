/* SPDX-License-Identifier: ISC
 *
 * Keys: reads the boot arguments into typed values.
 */
/* All of this is off the hot paths and in every image: size counts. */
#pragma GCC optimize("Os", "no-jump-tables")

#include <errno.h>
#include <stdlib.h>
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

static const struct key built_in[BUILT_IN] = {
	{ .name = "help", .type = KEY_FLAG, .doc = "Print this and end." },
	{ .name = "logs", .letter = 'l', .type = KEY_LOGS, .doc = "Log levels, such as *:debug or tcp:debug,*:info." },
	{ .name = "delay",
		.type = KEY_INT,
		.doc = "Seconds to wait before the start.",
		.value = &key_boot.delay_s,
		.max = DELAY_MAX },
	{ .name = "name", .type = KEY_STRING, .doc = "What this instance is called.", .value = &key_boot.name },
};

static const struct key *key_at(const struct parse *parse, size_t index)
{
	return index < parse->count ? &parse->keys[index] : &built_in[index - parse->count];
}

/* Values ---------------------------------------------------------------------------------------------------- */

static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return 16;
}

/* Reads the digits at the start of text up to max; returns where they end, text itself if there is no such number. */
static const char *parse_digits(const char *text, unsigned base, uint64_t max, uint64_t *number)
{
	const char *end = text;
	uint64_t sum = 0;

	for (; (unsigned)digit_of(*end) < base; end++) {
		unsigned digit = (unsigned)digit_of(*end);

		if (sum > (max - digit) / base)
			return text;
		sum = sum * base + digit;
	}
	*number = sum;
	return end;
}

static int parse_int(const struct key *key, const char *text)
{
	bool negative = *text == '-';
	const char *digits = text + negative, *end;
	bool hex = digits[0] == '0' && (digits[1] == 'x' || digits[1] == 'X');
	uint64_t number = 0;
	int64_t value;

	digits += hex ? 2 : 0;
	end = parse_digits(digits, hex ? 16 : 10, (uint64_t)INT64_MAX + negative, &number);
	if (end == digits || *end)
		return -EINVAL;
	/* -number in two steps, since INT64_MIN has no positive twin. */
	value = negative && number ? -(int64_t)(number - 1) - 1 : (int64_t)number;
	if ((key->min != 0 || key->max != 0) && (value < key->min || value > key->max))
		return -EINVAL;
	*(int64_t *)key->value = value;
	return 0;
}

static int parse_bool(const struct key *key, const char *text)
{
	bool yes = strcmp(text, "true") == 0;

	if (!yes && strcmp(text, "false") != 0)
		return -EINVAL;
	*(bool *)key->value = yes;
	return 0;
}

/* A number in decimal without needless zeros, which others would read as octal. */
static const char *parse_small(const char *text, uint64_t max, uint8_t *number)
{
	uint64_t parsed = 0;
	const char *end = parse_digits(text, 10, max, &parsed);

	*number = (uint8_t)parsed;
	return *text == '0' && end > text + 1 ? text : end;
}

/* Dotted quad, with "/LENGTH" for a prefix. */
static int parse_ipv4(const struct key *key, const char *text)
{
	struct key_ipv4 ip = { .prefix_len = 32, .set = true };
	const char *end;

	for (int i = 0; i < 4; i++, text = end) {
		if (i > 0 && *text++ != '.')
			return -EINVAL;
		end = parse_small(text, 255, &ip.address[i]);
		if (end == text)
			return -EINVAL;
	}
	if (key->type == KEY_PREFIX) {
		if (*text++ != '/')
			return -EINVAL;
		end = parse_small(text, 32, &ip.prefix_len);
		if (end == text)
			return -EINVAL;
		text = end;
	}
	if (*text)
		return -EINVAL;
	*(struct key_ipv4 *)key->value = ip;
	return 0;
}

static int parse_enum(const struct key *key, const char *text)
{
	size_t len = strlen(text);
	int index = 0;

	for (const char *choice = key->choices;; choice++, index++) {
		size_t choice_len = (size_t)(strchrnul(choice, '|') - choice);

		if (choice_len == len && memcmp(choice, text, len) == 0) {
			*(int *)key->value = index;
			return 0;
		}
		choice += choice_len;
		if (!*choice)
			return -EINVAL;
	}
}

/* An empty text is an empty list; else no item may be empty. Items and their text are one allocation. */
static int parse_list(const struct key *key, const char *text)
{
	struct key_list *list = key->value;
	size_t len = strlen(text), count = len > 0;
	const char **items;
	char *copy;

	for (const char *comma = strchr(text, ','); comma; comma = strchr(comma + 1, ','))
		count++;
	items = malloc(count * sizeof *items + len + 1);
	if (!items)
		return -ENOMEM;
	copy = memcpy(items + count, text, len + 1);
	for (size_t i = 0; i < count; i++) {
		size_t item_len = (size_t)(strchrnul(copy, ',') - copy);

		if (item_len == 0) {
			free(items);
			return -EINVAL;
		}
		items[i] = copy;
		copy += item_len;
		*copy++ = '\0';
	}
	free((void *)(uintptr_t)list->items);
	*list = (struct key_list){ items, count };
	return 0;
}

/* Says what the key takes. */
static void describe_expected(const struct key *key, char *problem, size_t size)
{
	static const char *const words[] = {
		[KEY_STRING] = "text",
		[KEY_INT] = "a whole number",
		[KEY_BOOL] = "true or false",
		[KEY_FLAG] = "no value",
		[KEY_IPV4] = "an IPv4 address, such as 10.0.0.1",
		[KEY_PREFIX] = "an IPv4 address with its prefix length, such as 10.0.0.2/24",
		[KEY_ENUM] = "",
		[KEY_LIST] = "items with commas between them",
		[KEY_LOGS] = "log levels, such as *:debug or tcp:debug,*:info",
	};
	size_t len = text_format(
		problem, size, "expected %s%s", words[key->type], key->type == KEY_ENUM ? key->choices : "");

	if (key->type == KEY_INT && (key->min != 0 || key->max != 0))
		text_format(problem + len, size - len, " from %lld to %lld", (long long)key->min, (long long)key->max);
}

int key_set(const struct key *key, const char *text, char *problem, size_t size)
{
	int err = 0;

	switch (key->type) {
	case KEY_STRING:
		*(const char **)key->value = text;
		break;
	case KEY_INT:
		err = parse_int(key, text);
		break;
	case KEY_BOOL:
	case KEY_FLAG:
		err = parse_bool(key, text);
		break;
	case KEY_IPV4:
	case KEY_PREFIX:
		err = parse_ipv4(key, text);
		break;
	case KEY_ENUM:
		err = parse_enum(key, text);
		break;
	case KEY_LIST:
		err = parse_list(key, text);
		break;
	case KEY_LOGS:
		return log_configure(text, problem, size);
	}
	if (err == -ENOMEM)
		text_format(problem, size, "no memory");
	else if (err < 0)
		describe_expected(key, problem, size);
	return err;
}

/* The value that a key has without a default: nothing. */
static void clear_value(const struct key *key)
{
	static const uint8_t sizes[] = {
		[KEY_STRING] = sizeof(const char *),
		[KEY_INT] = sizeof(int64_t),
		[KEY_BOOL] = sizeof(bool),
		[KEY_FLAG] = sizeof(bool),
		[KEY_IPV4] = sizeof(struct key_ipv4),
		[KEY_PREFIX] = sizeof(struct key_ipv4),
		[KEY_ENUM] = sizeof(int),
		[KEY_LIST] = sizeof(struct key_list),
	};

	if (key->value)
		memset(key->value, key->type == KEY_ENUM ? 0xff : 0, sizes[key->type]); /* an enum is -1 */
}

static int set_defaults(const struct parse *parse)
{
	char problem[PROBLEM_SIZE];

	for (size_t i = 0; i < parse->count + BUILT_IN; i++) {
		const struct key *key = key_at(parse, i);

		clear_value(key);
		if (!key->initial || key_set(key, key->initial, problem, sizeof problem) == 0)
			continue;
		console_line("%s: default of --%s, \"%s\": %s", parse->program, key->name, key->initial, problem);
		return EXIT_BAD_ARGUMENT;
	}
	return 0;
}

/* Help ------------------------------------------------------------------------------------------------------ */

static const char *placeholder(const struct key *key)
{
	static const char *const words[] = {
		[KEY_STRING] = "=TEXT",
		[KEY_INT] = "=NUMBER",
		[KEY_BOOL] = "=true|false",
		[KEY_FLAG] = "",
		[KEY_IPV4] = "=ADDRESS",
		[KEY_PREFIX] = "=ADDRESS/LENGTH",
		[KEY_ENUM] = "=",
		[KEY_LIST] = "=ITEM,...",
		[KEY_LOGS] = "=[SOURCE:]LEVEL,...",
	};

	return words[key->type];
}

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
		if (key->type == KEY_INT && (key->min != 0 || key->max != 0))
			text_format(range, sizeof range, " %lld to %lld.", (long long)key->min, (long long)key->max);
		console_line(
			"  %s--%s%s%s", letter, key->name, placeholder(key), key->type == KEY_ENUM ? key->choices : "");
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
		console_line("%s: --%s%s%s is required: %s", parse->program, key->name, placeholder(key),
			key->type == KEY_ENUM ? key->choices : "", key->doc);
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
	if (in.key->type == KEY_FLAG && !in.value) {
		*(bool *)in.key->value = true;
		return 0;
	}
	if (!in.value && argv[*index + 1])
		in.value = argv[++*index];
	describe_expected(in.key, problem, sizeof problem);
	if (in.value && in.key->type != KEY_FLAG && key_set(in.key, in.value, problem, sizeof problem) == 0)
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
