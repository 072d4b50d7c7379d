/* SPDX-License-Identifier: ISC
 *
 * Names in FAT's directories: short ones of 8 and 3 bytes, long ones in UTF-16, 13 units an entry; and times.
 */
#include <string.h>

#include <skerry/clock.h>

#include "fat_name.h"

enum { UNITS = 13, LAST = 0x40, NUMBERS = 0x3f, LOWER_BASE = 0x08, LOWER_EXTENSION = 0x10 };

static uint16_t get16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

void fat_long_name_add(struct fat_long_name *name, const uint8_t *entry)
{
	static const uint8_t places[UNITS] = { 1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30 };
	unsigned number = entry[0] & NUMBERS;

	if (entry[0] & LAST) {
		memset(name, 0, sizeof *name);
		name->begun = number >= 1 && number <= FAT_UNITS_MAX / UNITS;
		name->next = number;
		name->sum = entry[13];
	}
	if (!name->begun || number != name->next || number == 0 || entry[13] != name->sum) {
		name->begun = false;
		return;
	}
	name->next = number - 1;
	for (size_t i = 0; i < UNITS; i++)
		name->units[(number - 1) * UNITS + i] = get16(entry + places[i]);
}

static uint8_t short_name_sum(const uint8_t *entry)
{
	uint8_t sum = 0;

	for (size_t i = 0; i < 11; i++)
		sum = (uint8_t)((sum >> 1 | sum << 7) + entry[i]);
	return sum;
}

static char *put_utf8(char *out, uint32_t point)
{
	if (point < 0x80) {
		*out++ = (char)point;
	} else if (point < 0x800) {
		*out++ = (char)(0xc0 | point >> 6);
		*out++ = (char)(0x80 | (point & 0x3f));
	} else {
		if (point < 0x10000) {
			*out++ = (char)(0xe0 | point >> 12);
		} else {
			*out++ = (char)(0xf0 | point >> 18);
			*out++ = (char)(0x80 | (point >> 12 & 0x3f));
		}
		*out++ = (char)(0x80 | (point >> 6 & 0x3f));
		*out++ = (char)(0x80 | (point & 0x3f));
	}
	return out;
}

static bool is_between(uint32_t unit, uint32_t low, uint32_t high)
{
	return unit >= low && unit <= high;
}

/* RFC 2781; half of a pair becomes U+FFFD. */
static char *put_long(char *out, const uint16_t *units)
{
	for (size_t i = 0; i < FAT_UNITS_MAX && units[i]; i++) {
		uint32_t point = units[i], second = i + 1 < FAT_UNITS_MAX ? units[i + 1] : 0;

		if (is_between(point, 0xd800, 0xdbff) && is_between(second, 0xdc00, 0xdfff)) {
			point = 0x10000 + ((point - 0xd800) << 10) + (second - 0xdc00);
			i++;
		} else if (is_between(point, 0xd800, 0xdfff)) {
			point = 0xfffd;
		}
		out = put_utf8(out, point);
	}
	return out;
}

/* Code page 850 from 0x80 on. The image does not say which one its short names are in; this is what mtools writes, and
 * in letters of Western Europe it is as code page 437, which Linux takes for granted. */
static const uint16_t code_page[128] = {
	0x00c7,
	0x00fc,
	0x00e9,
	0x00e2,
	0x00e4,
	0x00e0,
	0x00e5,
	0x00e7,
	0x00ea,
	0x00eb,
	0x00e8,
	0x00ef,
	0x00ee,
	0x00ec,
	0x00c4,
	0x00c5,
	0x00c9,
	0x00e6,
	0x00c6,
	0x00f4,
	0x00f6,
	0x00f2,
	0x00fb,
	0x00f9,
	0x00ff,
	0x00d6,
	0x00dc,
	0x00f8,
	0x00a3,
	0x00d8,
	0x00d7,
	0x0192,
	0x00e1,
	0x00ed,
	0x00f3,
	0x00fa,
	0x00f1,
	0x00d1,
	0x00aa,
	0x00ba,
	0x00bf,
	0x00ae,
	0x00ac,
	0x00bd,
	0x00bc,
	0x00a1,
	0x00ab,
	0x00bb,
	0x2591,
	0x2592,
	0x2593,
	0x2502,
	0x2524,
	0x00c1,
	0x00c2,
	0x00c0,
	0x00a9,
	0x2563,
	0x2551,
	0x2557,
	0x255d,
	0x00a2,
	0x00a5,
	0x2510,
	0x2514,
	0x2534,
	0x252c,
	0x251c,
	0x2500,
	0x253c,
	0x00e3,
	0x00c3,
	0x255a,
	0x2554,
	0x2569,
	0x2566,
	0x2560,
	0x2550,
	0x256c,
	0x00a4,
	0x00f0,
	0x00d0,
	0x00ca,
	0x00cb,
	0x00c8,
	0x0131,
	0x00cd,
	0x00ce,
	0x00cf,
	0x2518,
	0x250c,
	0x2588,
	0x2584,
	0x00a6,
	0x00cc,
	0x2580,
	0x00d3,
	0x00df,
	0x00d4,
	0x00d2,
	0x00f5,
	0x00d5,
	0x00b5,
	0x00fe,
	0x00de,
	0x00da,
	0x00db,
	0x00d9,
	0x00fd,
	0x00dd,
	0x00af,
	0x00b4,
	0x00ad,
	0x00b1,
	0x2017,
	0x00be,
	0x00b6,
	0x00a7,
	0x00f7,
	0x00b8,
	0x00b0,
	0x00a8,
	0x00b7,
	0x00b9,
	0x00b3,
	0x00b2,
	0x25a0,
	0x00a0,
};

/* NT's flags are for the letters of ASCII and Latin 1, which is all that the code page has of both cases. */
static uint32_t lower_case(uint32_t point)
{
	bool upper = is_between(point, 'A', 'Z') || (is_between(point, 0xc0, 0xde) && point != 0xd7);

	return upper ? point + 0x20 : point;
}

static char *put_short(char *out, const uint8_t *bytes, size_t len, bool lower)
{
	while (len > 0 && bytes[len - 1] == ' ')
		len--;
	for (size_t i = 0; i < len; i++) {
		uint8_t byte = bytes[i] == 0x05 ? 0xe5 : bytes[i]; /* since 0xe5 in the first place means: deleted */
		uint32_t point = byte < 0x80 ? byte : code_page[byte - 0x80];

		out = put_utf8(out, lower ? lower_case(point) : point);
	}
	return out;
}

void fat_name(const uint8_t *entry, const struct fat_long_name *long_name, char name[FAT_NAME_MAX + 1])
{
	char *out = name, *base;

	if (long_name->begun && long_name->next == 0 && long_name->sum == short_name_sum(entry)) {
		*put_long(out, long_name->units) = '\0';
		return;
	}
	out = base = put_short(out, entry, 8, entry[12] & LOWER_BASE);
	*out++ = '.';
	out = put_short(out, entry + 8, 3, entry[12] & LOWER_EXTENSION);
	if (out == base + 1)
		out = base;
	*out = '\0';
}

uint64_t fat_modified(const uint8_t *entry)
{
	static const uint16_t days_before[] = { 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334 };
	unsigned time = get16(entry + 22), date = get16(entry + 24);
	unsigned year = 1980 + (date >> 9), month = date >> 5 & 15, day = date & 31;
	uint64_t days;

	if (month < 1 || month > 12 || day < 1)
		return 0;
	/* Up to 2107: the days of the years before, a leap day each fourth but 2100, and of this year's months. */
	days = (year - 1970) * 365u + (year - 1969) / 4 - (year > 2100) + days_before[month - 1] + day - 1;
	days += month > 2 && year % 4 == 0 && year != 2100;
	return SECOND(days * 86400 + (time >> 11) * 3600 + (time >> 5 & 63) * 60 + (time & 31) * 2);
}
