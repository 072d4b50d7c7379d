/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: lines are names, each followed by a line of content. Every name must come out safe, and safe names stay
 * as they are; the archive must hold as many different names and as many bytes as went in, by its own directory.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/zip.h>

enum { NAMES_MAX = 256, DIRECTORY_HEADER = 46 };

struct archive {
	size_t len;
	uint8_t bytes[1 << 20];
};

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static int keep(void *context, const void *data, size_t len)
{
	struct archive *archive = context;
	must_hold(len <= sizeof archive->bytes - archive->len);
	memcpy(archive->bytes + archive->len, data, len);
	archive->len += len;
	return 0;
}

static void check_safe(const char *name)
{
	char safe[ZIP_NAME_MAX + 1], again[ZIP_NAME_MAX + 1];
	zip_safe_name(name, safe);
	must_hold(memchr(safe, '\0', sizeof safe) != NULL && safe[0] != '\0');
	must_hold(strcmp(safe, ".") != 0 && strcmp(safe, "..") != 0);
	must_hold(strpbrk(safe, "/\\") == NULL);
	for (const char *p = safe; *p != '\0'; p++)
		must_hold((unsigned char)*p >= 0x20 && *p != 0x7f);
	zip_safe_name(safe, again);
	must_hold(strcmp(safe, again) == 0);
}

static uint64_t number(const uint8_t *bytes, size_t size)
{
	uint64_t value = 0;
	while (size-- > 0)
		value = value << 8 | bytes[size];
	return value;
}

static void check_directory(const struct archive *archive, size_t count, uint64_t bytes)
{
	const uint8_t *zip64 = archive->bytes + archive->len - 98, *names[NAMES_MAX];
	const uint8_t *at = archive->bytes + number(zip64 + 48, 8);
	must_hold(number(zip64 + 24, 8) == count);
	for (size_t i = 0; i < count; i++) {
		size_t len = number(at + 28, 2);
		names[i] = at;
		bytes -= number(at + DIRECTORY_HEADER + len + 4, 8);
		for (size_t other = 0; other < i; other++)
			must_hold(number(names[other] + 28, 2) != len ||
				  memcmp(names[other] + DIRECTORY_HEADER, at + DIRECTORY_HEADER, len) != 0);
		at += DIRECTORY_HEADER + len + number(at + 30, 2);
	}
	must_hold(at == zip64 && bytes == 0);
}

/* Cuts the next line off, as a string of its own. */
static char *next_line(const uint8_t **data, size_t *size)
{
	const uint8_t *lf = memchr(*data, '\n', *size);
	size_t len = lf != NULL ? (size_t)(lf - *data) : *size;
	char *line = malloc(len + 1);
	must_hold(line != NULL);
	memcpy(line, *data, len);
	line[len] = '\0';
	*data += len + (lf != NULL);
	*size -= len + (lf != NULL);
	return line;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct archive archive;
	archive.len = 0;
	struct zip *zip = zip_new(1, keep, &archive);
	size_t count = 0;
	uint64_t bytes = 0;
	must_hold(zip != NULL);
	for (; size > 0 && count < NAMES_MAX; count++) {
		char *name = next_line(&data, &size), *content = next_line(&data, &size);
		check_safe(name);
		must_hold(zip_begin(zip, name, count) == 0);
		must_hold(zip_write(zip, content, strlen(content)) == 0);
		must_hold(zip_end(zip) == 0);
		bytes += strlen(content);
		free(name);
		free(content);
	}
	must_hold(zip_finish(zip) == 0);
	zip_free(zip);
	check_directory(&archive, count, bytes);
	return 0;
}
