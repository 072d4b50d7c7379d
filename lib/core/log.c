/* SPDX-License-Identifier: ISC
 *
 * The log: sources and their levels, lines, and the panic.
 *
 * The sources of an image are the entries of its section log_sources, which the linker bounds by two symbols. It
 * keeps that section under --gc-sections because the symbols are used here. An entry's size is a multiple of its
 * alignment (asserted below), and compilers put no redzones into sections whose name is an identifier, so the section
 * is an array under the address sanitizer too.
 */
/* All of this is off the hot paths and in every image: size counts. */
#pragma GCC optimize("Os", "no-jump-tables")

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <platform.h>
#include <skerry/clock.h>
#include <skerry/log.h>
#include <skerry/text.h>

#include "console.h"

_Static_assert(sizeof(struct log_source) == 16, "the section would have gaps between its entries");

/* Weak: an image without any source has no such section, and both are NULL. */
extern struct log_source first_source[] __asm__("__start_log_sources") __attribute__((weak, visibility("hidden")));
extern struct log_source end_of_sources[] __asm__("__stop_log_sources") __attribute__((weak, visibility("hidden")));

static const struct {
	const char name[8], tag[4];
} levels[] = {
	[LOG_QUIET] = { "quiet", "" },
	[LOG_APP] = { "app", "APP" },
	[LOG_ERROR] = { "error", "ERR" },
	[LOG_WARNING] = { "warning", "WRN" },
	[LOG_INFO] = { "info", "INF" },
	[LOG_DEBUG] = { "debug", "DBG" },
};

void log_write(const struct log_source *source, enum log_level level, const char *format, ...)
{
	char prefix[96];
	struct clock_date date;
	va_list args;

	clock_date(clock_wall(), &date);
	text_format(prefix, sizeof prefix, "%04d-%02d-%02d %02d:%02d:%02d -00:00: %s [%s] ", date.year, date.month,
		date.day, date.hour, date.minute, date.second, levels[level].tag, source->name);
	va_start(args, format);
	console_vline(prefix, format, args);
	va_end(args);
}

void log_panic(const char *file, int line, const char *format, ...)
{
	char prefix[128];
	va_list args;

	text_format(prefix, sizeof prefix, "%s:%d: ", file, line);
	va_start(args, format);
	console_vline(prefix, format, args);
	va_end(args);
	platform_abort();
}

/* Configuration --------------------------------------------------------------------------------------------- */

/* A part of the specification; not terminated. */
struct word {
	const char *text;
	size_t len;
};

static bool word_is(struct word word, const char *text)
{
	return strlen(text) == word.len && memcmp(text, word.text, word.len) == 0;
}

static bool is_first_of_its_name(const struct log_source *source)
{
	for (const struct log_source *other = first_source; other < source; other++)
		if (strcmp(other->name, source->name) == 0)
			return false;
	return true;
}

static bool find_level(struct word word, enum log_level *level)
{
	for (unsigned i = 0; i < sizeof levels / sizeof *levels; i++)
		if (word_is(word, levels[i].name)) {
			*level = (enum log_level)i;
			return true;
		}
	return false;
}

/* Sets the sources that the word names, only looks when apply is false. Returns whether there are any. */
static bool set_sources(struct word name, enum log_level level, bool apply)
{
	bool all = word_is(name, "*"), found = all;

	for (struct log_source *source = first_source; source < end_of_sources; source++)
		if (all || word_is(name, source->name)) {
			found = true;
			if (apply)
				source->level = level;
		}
	return found;
}

static void list_sources(struct word unknown, char *error, size_t error_size)
{
	size_t len = text_format(
		error, error_size, "there is no log source \"%.*s\"; known are *", (int)unknown.len, unknown.text);

	for (struct log_source *source = first_source; source < end_of_sources; source++)
		if (len < error_size && is_first_of_its_name(source))
			len += text_format(error + len, error_size - len, ", %s", source->name);
}

/* Handles the item from text to its end; 0 or -EINVAL. */
static int configure_item(struct word item, bool apply, char *error, size_t error_size)
{
	const char *colon = memchr(item.text, ':', item.len);
	struct word name = { "*", 1 }, level_name = item;
	enum log_level level;

	if (colon) {
		name = (struct word){ item.text, (size_t)(colon - item.text) };
		level_name = (struct word){ colon + 1, item.len - name.len - 1 };
	}
	if (!find_level(level_name, &level)) {
		text_format(error, error_size,
			"in \"%.*s\", \"%.*s\" is not one of the log levels quiet, app, error, warning, info and debug",
			(int)item.len, item.text, (int)level_name.len, level_name.text);
		return -EINVAL;
	}
	if (!set_sources(name, level, apply)) {
		list_sources(name, error, error_size);
		return -EINVAL;
	}
	return 0;
}

static int configure_items(const char *spec, bool apply, char *error, size_t error_size)
{
	size_t len;

	for (const char *text = spec;; text += len + 1) {
		int err;

		len = (size_t)(strchrnul(text, ',') - text);
		err = configure_item((struct word){ text, len }, apply, error, error_size);
		if (err < 0 || text[len] == 0)
			return err;
	}
}

int log_configure(const char *spec, char *error, size_t error_size)
{
	/* The first pass only looks, so that a mistake late in the list leaves all as it was. */
	int err = configure_items(spec, false, error, error_size);

	return err < 0 ? err : configure_items(spec, true, error, error_size);
}
