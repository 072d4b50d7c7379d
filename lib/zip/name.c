/* SPDX-License-Identifier: ISC
 *
 * Names of files as strangers send them, made safe for whoever unpacks the archive.
 */
#include <stdbool.h>
#include <string.h>

#include <skerry/zip.h>

enum {
	NUMBER_ROOM = 8,                       /* " (65535)" */
	SAFE_MAX = ZIP_NAME_MAX - NUMBER_ROOM, /* so a number never needs a cut, and two cuts never collide */
	EXTENSION_MAX = 16,
	NO_CHARACTER = -1,
};

/* Reads one character of UTF-8 (RFC 3629): its code point and length; NO_CHARACTER and 1 when there is none. */
static int32_t utf8_read(const char *text, size_t *len)
{
	static const int32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	const unsigned char *byte = (const unsigned char *)text;
	size_t count = byte[0] < 0x80   ? 1
		       : byte[0] < 0xc0 ? 0
		       : byte[0] < 0xe0 ? 2
		       : byte[0] < 0xf0 ? 3
		       : byte[0] < 0xf8 ? 4
					: 0;
	int32_t code = count == 1 ? byte[0] : byte[0] & (0x7f >> count);
	*len = 1;
	for (size_t i = 1; i < count; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return NO_CHARACTER;
		code = code << 6 | (byte[i] & 0x3f);
	}
	if (count == 0 || code < least[count] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return NO_CHARACTER;
	*len = count;
	return code;
}

/* Controls (C0, DEL, C1), line separators, and what turns the direction of text: "exe.txt" may be "txt.exe". */
static bool is_control(int32_t code)
{
	return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* The last component of a path of either system. */
static const char *base_name(const char *name)
{
	for (const char *p = name; *p != '\0'; p++)
		if (*p == '/' || *p == '\\')
			name = p + 1;
	return name;
}

/* Drive letters go after all that could hide one is gone. */
static void drop_drives(char *name)
{
	const char *rest = name;
	while (((rest[0] >= 'a' && rest[0] <= 'z') || (rest[0] >= 'A' && rest[0] <= 'Z')) && rest[1] == ':')
		rest += 2;
	memmove(name, rest, strlen(rest) + 1);
}

/* Copies the characters that are safe, at most size bytes of them; returns how many bytes that made. */
static size_t copy_safe(char *to, size_t size, const char *name, const char *end)
{
	size_t used = 0, len;
	for (; name < end; name += len) {
		int32_t code = utf8_read(name, &len);
		const char *from = code == NO_CHARACTER ? "\xef\xbf\xbd" : name;
		size_t count = code == NO_CHARACTER ? 3 : len;
		if (code != NO_CHARACTER && is_control(code))
			continue;
		if (count > size - used)
			break;
		memcpy(to + used, from, count);
		used += count;
	}
	return used;
}

void zip_safe_name(const char *name, char *safe)
{
	const char *base = base_name(name), *end = base + strlen(base);
	const char *dot = strrchr(base, '.');
	char extension[EXTENSION_MAX];
	size_t extension_len = 0;
	if (dot != NULL && dot != base && (size_t)(end - dot) <= EXTENSION_MAX)
		extension_len = copy_safe(extension, sizeof extension, dot, end);
	else
		dot = end;
	size_t len = copy_safe(safe, SAFE_MAX - extension_len, base, dot);
	memcpy(safe + len, extension, extension_len);
	safe[len + extension_len] = '\0';
	drop_drives(safe);
	if (safe[0] == '\0' || strcmp(safe, ".") == 0 || strcmp(safe, "..") == 0)
		strcpy(safe, "file");
}
