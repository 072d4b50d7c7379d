/* SPDX-License-Identifier: ISC
 *
 * Keys: what their values can be, and how text becomes one.
 */
#pragma GCC optimize("Os")

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/key.h>

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

static int store_string(const struct key *key, const char *text)
{
	*(const char **)key->value = text;
	return 0;
}

static int store_int(const struct key *key, const char *text)
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

static int store_bool(const struct key *key, const char *text)
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

/* A dotted quad; where it ends, or NULL. */
static const char *parse_quad(const char *text, uint8_t address[4])
{
	for (int i = 0; i < 4; i++) {
		const char *end;

		if (i > 0 && *text++ != '.')
			return NULL;
		end = parse_small(text, 255, &address[i]);
		if (end == text)
			return NULL;
		text = end;
	}
	return text;
}

static int store_ipv4(const struct key *key, const char *text)
{
	struct key_ipv4 ip = { .prefix_len = 32, .set = true };
	const char *end = parse_quad(text, ip.address);

	if (!end || *end)
		return -EINVAL;
	*(struct key_ipv4 *)key->value = ip;
	return 0;
}

static int store_prefix(const struct key *key, const char *text)
{
	struct key_ipv4 ip = { .set = true };
	const char *slash = parse_quad(text, ip.address), *end;

	if (!slash || *slash != '/')
		return -EINVAL;
	end = parse_small(slash + 1, 32, &ip.prefix_len);
	if (end == slash + 1 || *end)
		return -EINVAL;
	*(struct key_ipv4 *)key->value = ip;
	return 0;
}

static int store_choice(const struct key *key, const char *text)
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
static int store_list(const struct key *key, const char *text)
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

/* The types */

const struct key_type key_type_string = { store_string, sizeof(const char *), "=TEXT", "text" };
const struct key_type key_type_int = { store_int, sizeof(int64_t), "=NUMBER", "a whole number" };
const struct key_type key_type_bool = { store_bool, sizeof(bool), "=true|false", "true or false" };
const struct key_type key_type_flag = { store_bool, sizeof(bool), "", "no value" };
const struct key_type key_type_ipv4 = { store_ipv4, sizeof(struct key_ipv4), "=ADDRESS",
	"an IPv4 address, such as 10.0.0.1" };
const struct key_type key_type_prefix = { store_prefix, sizeof(struct key_ipv4), "=ADDRESS/LENGTH",
	"an IPv4 address with its prefix length, such as 10.0.0.2/24" };
const struct key_type key_type_choice = { store_choice, sizeof(int), "=", "a choice" };
const struct key_type key_type_list = { store_list, sizeof(struct key_list), "=ITEM,...",
	"items with commas between them" };
