/* SPDX-License-Identifier: ISC
 *
 * Tar's header blocks and pax records, as POSIX.1-2017 has them (pax, "ustar Interchange Format" and "pax Extended
 * Header File Format"), with GNU's binary numbers.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tar_header.h"

/* A header's fields: offset and length. */
enum {
	NAME = 0,
	NAME_LEN = 100,
	SIZE = 124,
	MODIFIED = 136,
	NUMBER_LEN = 12,
	CHECKSUM = 148,
	CHECKSUM_LEN = 8,
	TYPE = 156,
	LINK = 157,
	MAGIC = 257,
	PREFIX = 345,
	PREFIX_LEN = 155,
};

static int decode_octal(const uint8_t *field, size_t len, uint64_t *number)
{
	uint64_t n = 0;
	size_t i = 0;

	while (i < len && field[i] == ' ')
		i++;
	for (; i < len && field[i] >= '0' && field[i] <= '7'; i++)
		n = n << 3 | (uint64_t)(field[i] - '0');
	if (i < len && field[i] != ' ' && field[i] != '\0')
		return -EBADMSG;
	*number = n;
	return 0;
}

/* GNU: the first bit says that the others are a binary number, the second that it is negative. */
static int decode_number(const uint8_t *field, uint64_t *number)
{
	uint64_t n = 0;

	if (!(field[0] & 0x80))
		return decode_octal(field, NUMBER_LEN, number);
	if (field[0] & 0x40) {
		*number = 0; /* a time before 1970; of a size it is caught below */
		return 0;
	}
	for (size_t i = 1; i < NUMBER_LEN; i++) {
		if (n >> 56)
			return -EBADMSG;
		n = n << 8 | field[i];
	}
	*number = n;
	return 0;
}

/* Old archives have sums of signed bytes. */
static bool checksum_fits(const uint8_t block[TAR_BLOCK])
{
	uint64_t stored;
	uint32_t sum = 0, signed_sum = 0;

	if (decode_octal(block + CHECKSUM, CHECKSUM_LEN, &stored) < 0)
		return false;
	for (size_t i = 0; i < TAR_BLOCK; i++) {
		uint8_t byte = i >= CHECKSUM && i < CHECKSUM + CHECKSUM_LEN ? ' ' : block[i];

		sum += byte;
		signed_sum += byte - (byte > 127 ? 256u : 0u);
	}
	return stored == sum || stored == signed_sum;
}

/* A field that a zero byte ends, if it is not full. Returns its length. */
static size_t copy_field(char *to, const uint8_t *field, size_t len)
{
	size_t used = strnlen((const char *)field, len);

	memcpy(to, field, used);
	to[used] = '\0';
	return used;
}

int tar_header_decode(const uint8_t block[TAR_BLOCK], struct tar_header *header)
{
	size_t len = 0;

	if (!checksum_fits(block) || (block[SIZE] & 0xc0) == 0xc0)
		return -EBADMSG;
	if (decode_number(block + SIZE, &header->size) < 0 || decode_number(block + MODIFIED, &header->modified_s) < 0)
		return -EBADMSG;
	header->type = (char)block[TYPE];
	/* GNU's magic has a blank here and other things in place of the prefix. */
	if (memcmp(block + MAGIC, "ustar", 6) == 0 && block[PREFIX]) {
		len = copy_field(header->name, block + PREFIX, PREFIX_LEN);
		header->name[len++] = '/';
	}
	len += copy_field(header->name + len, block + NAME, NAME_LEN);
	copy_field(header->link, block + LINK, NAME_LEN);
	/* Before ustar a directory was a file whose name ends so. */
	if ((header->type == '\0' || header->type == '0') && len > 0 && header->name[len - 1] == '/')
		header->type = '5';
	return 0;
}

bool tar_is_end(const uint8_t block[TAR_BLOCK])
{
	for (size_t i = 0; i < TAR_BLOCK; i++)
		if (block[i])
			return false;
	return true;
}

/* A decimal number at the start of the text, which ends at a byte that is none; the count of its digits, 0: no number.
 */
static size_t decode_decimal(const char *text, size_t len, uint64_t *number)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < len && text[i] >= '0' && text[i] <= '9'; i++) {
		if (n > (UINT64_MAX - 9) / 10)
			return 0;
		n = 10 * n + (uint64_t)(text[i] - '0');
	}
	*number = n;
	return i;
}

static int take_text(char **field, const char *value, size_t len)
{
	char *copy;

	if (memchr(value, '\0', len))
		return -EBADMSG;
	copy = strndup(value, len);
	if (!copy)
		return -ENOMEM;
	free(*field);
	*field = copy;
	return 0;
}

static int take_time(struct tar_extra *extra, const char *value, size_t len)
{
	extra->has_time = true;
	extra->modified_s = 0;
	if (len > 0 && value[0] == '-')
		return 0; /* before 1970 */
	return decode_decimal(value, len, &extra->modified_s) ? 0 : -EBADMSG;
}

static bool is_key(const char *key, size_t len, const char *name)
{
	return len == strlen(name) && memcmp(key, name, len) == 0;
}

static int take_record(struct tar_extra *extra, const char *key, size_t key_len, const char *value, size_t len)
{
	if (is_key(key, key_len, "path"))
		return take_text(&extra->path, value, len);
	if (is_key(key, key_len, "linkpath"))
		return take_text(&extra->link, value, len);
	if (is_key(key, key_len, "mtime"))
		return take_time(extra, value, len);
	if (is_key(key, key_len, "size")) {
		extra->has_size = true;
		return len > 0 && decode_decimal(value, len, &extra->size) == len ? 0 : -EBADMSG;
	}
	if (key_len >= 10 && memcmp(key, "GNU.sparse", 10) == 0)
		extra->sparse = true;
	return 0;
}

/* "LENGTH KEY=VALUE\n", where LENGTH counts the whole record. */
int tar_pax_decode(const char *text, size_t len, struct tar_extra *extra)
{
	while (len > 0) {
		const char *key, *equals;
		uint64_t record;
		size_t digits = decode_decimal(text, len, &record);
		int err;

		if (digits == 0 || record > len || record < digits + 3 || text[digits] != ' ' ||
			text[record - 1] != '\n')
			return -EBADMSG;
		key = text + digits + 1;
		equals = memchr(key, '=', (size_t)record - digits - 2);
		if (!equals)
			return -EBADMSG;
		err = take_record(
			extra, key, (size_t)(equals - key), equals + 1, (size_t)(text + record - 1 - (equals + 1)));
		if (err)
			return err;
		text += record;
		len -= (size_t)record;
	}
	return 0;
}

void tar_extra_fini(struct tar_extra *extra)
{
	free(extra->path);
	free(extra->link);
	*extra = (struct tar_extra){ 0 };
}
