/* SPDX-License-Identifier: ISC
 *
 * Addresses as text: dotted decimal, IPv6 text of any form (RFC 4291, 2.2), and its one canonical form (RFC 5952).
 */
#include <errno.h>
#include <string.h>

#include <skerry/address.h>
#include <skerry/text.h>

#include "wire.h"

enum { V4_OFFSET = 12, V6_GROUPS = 8 };

const struct ip_address ip_unspecified;

static const uint8_t v4_prefix[V4_OFFSET] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

struct ip_address ip_from_v4(const uint8_t v4[4])
{
	static const uint8_t any[4];
	struct ip_address address = ip_unspecified;

	if (memcmp(v4, any, sizeof any) != 0) {
		memcpy(address.bytes, v4_prefix, V4_OFFSET);
		memcpy(address.bytes + V4_OFFSET, v4, 4);
	}
	return address;
}

/* By words: these two are asked several times for each packet, and a guest's memcmp goes by bytes. */
static inline uint64_t word_at(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof word);
	return word;
}

bool ip_is_v4(const struct ip_address *address)
{
	/* The prefix has 12 bytes: its two words overlap. */
	return word_at(address->bytes) == 0 && word_at(address->bytes + V4_OFFSET - sizeof(uint64_t)) ==
						       word_at(v4_prefix + V4_OFFSET - sizeof(uint64_t));
}

bool ip_equal(const struct ip_address *a, const struct ip_address *b)
{
	return word_at(a->bytes) == word_at(b->bytes) && word_at(a->bytes + 8) == word_at(b->bytes + 8);
}

/* Four parts, 0 to 255, no leading zero: what some read as octal is refused rather than guessed at. The text must end
 * with the last part. */
static int parse_v4(const char *text, uint8_t v4[4])
{
	for (int part = 0; part < 4; part++) {
		unsigned value = 0;
		int digits = 0;

		for (; *text >= '0' && *text <= '9'; text++) {
			if (++digits > 3 || (digits == 2 && value == 0))
				return -EINVAL;
			value = value * 10 + (unsigned)(*text - '0');
		}
		if (digits == 0 || value > 255 || *text != (part < 3 ? '.' : '\0'))
			return -EINVAL;
		text++;
		v4[part] = (uint8_t)value;
	}
	return 0;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Reads one to four hexadecimal digits. How many, or 0. */
static int parse_group(const char *text, uint16_t *group)
{
	int digits = 0;

	*group = 0;
	while (digits < 4 && hex_value(text[digits]) >= 0)
		*group = (uint16_t)(*group << 4 | hex_value(text[digits++]));
	return digits;
}

/* Reads groups up to the text's end or "::". How many bytes they fill, or -EINVAL; *text is moved on. A colon must be
 * followed by a group; dotted decimal may take the place of the last two. */
static int parse_groups(const char **text, uint8_t *bytes, int room)
{
	int filled = 0;

	for (;;) {
		uint16_t group;
		int digits = parse_group(*text, &group);

		if (digits > 0 && (*text)[digits] == '.') {
			if (filled + 4 > room || parse_v4(*text, bytes + filled) < 0)
				return -EINVAL;
			*text += strlen(*text);
			return filled + 4;
		}
		if (digits == 0 || filled + 2 > room)
			return -EINVAL;
		wire_put16(bytes + filled, group);
		filled += 2;
		*text += digits;
		if (**text == '\0' || ((*text)[0] == ':' && (*text)[1] == ':'))
			return filled;
		if (*(*text)++ != ':')
			return -EINVAL;
	}
}

static int parse_v6(const char *text, uint8_t bytes[16])
{
	uint8_t tail[16];
	int head_len = 0, tail_len = 0;

	memset(bytes, 0, 16);
	if (strncmp(text, "::", 2) != 0) {
		head_len = parse_groups(&text, bytes, 16);
		if (head_len < 0 || *text == '\0')
			return head_len == 16 ? 0 : -EINVAL;
	}
	text += 2; /* the "::", which stands for at least one group */
	if (*text != '\0')
		tail_len = parse_groups(&text, tail, 14 - head_len);
	if (tail_len < 0 || *text != '\0' || head_len + tail_len > 14)
		return -EINVAL;
	memcpy(bytes + 16 - tail_len, tail, (size_t)tail_len);
	return 0;
}

int ip_parse(const char *text, struct ip_address *address)
{
	struct ip_address v6;
	uint8_t v4[4];

	if (parse_v4(text, v4) == 0) {
		*address = ip_from_v4(v4);
		return 0;
	}
	if (parse_v6(text, v6.bytes) < 0)
		return -EINVAL;
	*address = v6;
	return 0;
}

/* Where the longest run of two or more zero groups begins, the first of several; -1: there is none. */
static int longest_zero_run(const struct ip_address *address, int *run_len)
{
	int best = -1, best_len = 1;

	for (int i = 0; i < V6_GROUPS; i++) {
		int len = 0;

		while (i + len < V6_GROUPS && wire_get16(address->bytes + 2 * (i + len)) == 0)
			len++;
		if (len > best_len) {
			best = i;
			best_len = len;
		}
		i += len;
	}
	*run_len = best_len;
	return best;
}

char *ip_format(const struct ip_address *address, char text[IP_TEXT_MAX])
{
	const uint8_t *v4 = address->bytes + V4_OFFSET;
	int run_len, run;
	char *at = text;

	if (ip_is_v4(address)) {
		text_format(text, IP_TEXT_MAX, "%u.%u.%u.%u", v4[0], v4[1], v4[2], v4[3]);
		return text;
	}
	run = longest_zero_run(address, &run_len);
	*at = '\0';
	for (int i = 0; i < V6_GROUPS; i++) {
		if (i == run) {
			at += text_format(at, (size_t)(text + IP_TEXT_MAX - at), "::");
			i += run_len - 1;
			continue;
		}
		at += text_format(at, (size_t)(text + IP_TEXT_MAX - at), "%s%x", i > 0 && at[-1] != ':' ? ":" : "",
			wire_get16(address->bytes + 2 * i));
	}
	return text;
}

char *ip_endpoint_format(const struct ip_endpoint *endpoint, char text[IP_ENDPOINT_TEXT_MAX])
{
	char address[IP_TEXT_MAX];

	ip_format(&endpoint->address, address);
	text_format(text, IP_ENDPOINT_TEXT_MAX, ip_is_v4(&endpoint->address) ? "%s:%u" : "[%s]:%u", address,
		endpoint->port);
	return text;
}
