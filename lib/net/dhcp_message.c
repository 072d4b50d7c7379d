/* SPDX-License-Identifier: ISC
 *
 * DHCP messages: parsed in two steps (all lengths once, then accessors that cannot fail), and built.
 */
#include <errno.h>
#include <string.h>

#include "dhcp_message.h"
#include "wire.h"

/* Where the fields lie (RFC 2131, 2). */
enum {
	OP = 0,
	HTYPE = 1,
	HLEN = 2,
	HOPS = 3,
	XID = 4,
	SECS = 8,
	FLAGS = 10,
	CIADDR = 12,
	YIADDR = 16,
	SIADDR = 20,
	GIADDR = 24,
	CHADDR = 28,
	SNAME = 44,
	SNAME_LEN = 64,
	FILE_NAME = 108,
	FILE_NAME_LEN = 128,
	COOKIE = 236,
};
enum { ETHERNET = 1, PAD = 0, END = 255, OPTION_HEADER = 2, OPTION_MAX = 255 };
enum { OVERLOADS_FILE = 1, OVERLOADS_SNAME = 2 };

static const uint8_t cookie[4] = { 99, 130, 83, 99 };

/* Options ------------------------------------------------------------------------------------------------------ */

int dhcp_options_add(struct dhcp_options *options, uint8_t code, const void *value, size_t len)
{
	size_t parts = len ? (len + OPTION_MAX - 1) / OPTION_MAX : 1, at = 0;

	if (len > DHCP_OPTIONS_MAX || len + parts * OPTION_HEADER > DHCP_OPTIONS_MAX - options->len)
		return -EMSGSIZE;
	do {
		size_t part = len - at < OPTION_MAX ? len - at : OPTION_MAX;

		options->bytes[options->len++] = code;
		options->bytes[options->len++] = (uint8_t)part;
		if (part)
			memcpy(options->bytes + options->len, (const uint8_t *)value + at, part);
		options->len += part;
		at += part;
	} while (at < len);
	return 0;
}

ssize_t dhcp_options_get(const struct dhcp_options *options, uint8_t code, void *buf, size_t size)
{
	size_t total = 0;
	bool found = false;

	for (size_t at = 0; at < options->len; at += OPTION_HEADER + options->bytes[at + 1]) {
		size_t len = options->bytes[at + 1], fits;

		if (options->bytes[at] != code)
			continue;
		found = true;
		fits = total < size ? size - total : 0;
		fits = fits < len ? fits : len;
		if (fits)
			memcpy((uint8_t *)buf + total, options->bytes + at + OPTION_HEADER, fits);
		total += len;
	}
	return found ? (ssize_t)total : -ENOENT;
}

int dhcp_options_add8(struct dhcp_options *options, uint8_t code, uint8_t value)
{
	return dhcp_options_add(options, code, &value, 1);
}

int dhcp_options_add16(struct dhcp_options *options, uint8_t code, uint16_t value)
{
	uint8_t bytes[2];

	wire_put16(bytes, value);
	return dhcp_options_add(options, code, bytes, sizeof bytes);
}

int dhcp_options_add32(struct dhcp_options *options, uint8_t code, uint32_t value)
{
	uint8_t bytes[4];

	wire_put32(bytes, value);
	return dhcp_options_add(options, code, bytes, sizeof bytes);
}

bool dhcp_options_get16(const struct dhcp_options *options, uint8_t code, uint16_t *value)
{
	uint8_t bytes[2];

	if (dhcp_options_get(options, code, bytes, sizeof bytes) != sizeof bytes)
		return false;
	*value = wire_get16(bytes);
	return true;
}

bool dhcp_options_get32(const struct dhcp_options *options, uint8_t code, uint32_t *value)
{
	uint8_t bytes[4];

	if (dhcp_options_get(options, code, bytes, sizeof bytes) != sizeof bytes)
		return false;
	*value = wire_get32(bytes);
	return true;
}

/* Parsing ------------------------------------------------------------------------------------------------------ */

/* The options of one field, as they stand, without padding and end. false: one reaches beyond the field. */
static bool read_field(const uint8_t *field, size_t len, struct dhcp_options *options)
{
	size_t at = 0;

	while (at < len && field[at] != END) {
		if (field[at] == PAD) {
			at++;
			continue;
		}
		if (len - at < OPTION_HEADER || field[at + 1] > len - at - OPTION_HEADER)
			return false;
		if (dhcp_options_add(options, field[at], field + at + OPTION_HEADER, field[at + 1]) < 0)
			return false;
		at += OPTION_HEADER + field[at + 1];
	}
	return true;
}

/* An option of one byte, which is taken out. -ENOENT; -EBADMSG: it has another length, or is there twice. */
static int take_byte(struct dhcp_options *options, uint8_t code)
{
	size_t kept = 0;
	int value = -ENOENT;

	for (size_t at = 0, len; at < options->len; at += len) {
		len = OPTION_HEADER + options->bytes[at + 1];
		if (options->bytes[at] != code) {
			memmove(options->bytes + kept, options->bytes + at, len);
			kept += len;
		} else if (len != OPTION_HEADER + 1 || value != -ENOENT) {
			return -EBADMSG;
		} else {
			value = options->bytes[at + OPTION_HEADER];
		}
	}
	options->len = kept;
	return value;
}

/* The order in which fields are joined is RFC 3396's: options, file, sname. */
static int read_options(const uint8_t *bytes, size_t len, struct dhcp_message *message)
{
	int overload, type;

	message->options.len = 0;
	if (!read_field(bytes + DHCP_FIXED, len - DHCP_FIXED, &message->options))
		return -EBADMSG;
	overload = take_byte(&message->options, DHCP_OVERLOAD);
	if (overload == -EBADMSG)
		return -EBADMSG;
	if (overload > 0 && overload & OVERLOADS_FILE &&
		!read_field(bytes + FILE_NAME, FILE_NAME_LEN, &message->options))
		return -EBADMSG;
	if (overload > 0 && overload & OVERLOADS_SNAME && !read_field(bytes + SNAME, SNAME_LEN, &message->options))
		return -EBADMSG;
	if (take_byte(&message->options, DHCP_OVERLOAD) != -ENOENT) /* a field that is overloaded overloads none */
		return -EBADMSG;
	type = take_byte(&message->options, DHCP_MESSAGE_TYPE);
	if (type < DHCP_DISCOVER || type > DHCP_INFORM)
		return -EBADMSG;
	message->type = (uint8_t)type;
	return 0;
}

int dhcp_message_parse(const uint8_t *bytes, size_t len, struct dhcp_message *message)
{
	if (len < DHCP_FIXED || len > DHCP_MESSAGE_MAX || memcmp(bytes + COOKIE, cookie, sizeof cookie) != 0)
		return -EBADMSG;
	if ((bytes[OP] != DHCP_FROM_CLIENT && bytes[OP] != DHCP_FROM_SERVER) || bytes[HTYPE] != ETHERNET ||
		bytes[HLEN] != sizeof message->mac)
		return -EBADMSG;
	message->op = bytes[OP];
	message->hops = bytes[HOPS];
	message->xid = wire_get32(bytes + XID);
	message->secs = wire_get16(bytes + SECS);
	message->flags = wire_get16(bytes + FLAGS);
	message->client = wire_get32(bytes + CIADDR);
	message->yours = wire_get32(bytes + YIADDR);
	message->server = wire_get32(bytes + SIADDR);
	message->relay = wire_get32(bytes + GIADDR);
	memcpy(message->mac, bytes + CHADDR, sizeof message->mac);
	return read_options(bytes, len, message);
}

/* Building ----------------------------------------------------------------------------------------------------- */

/* Moves as many whole options from *at on as leave room for an end into a field. The bytes written, with the end. */
static size_t fill_field(const struct dhcp_options *options, size_t *at, uint8_t *field, size_t len)
{
	size_t from = *at, used;

	while (*at < options->len) {
		size_t next = *at + OPTION_HEADER + options->bytes[*at + 1];

		if (next - from + 1 > len)
			break;
		*at = next;
	}
	used = *at - from;
	memcpy(field, options->bytes + from, used);
	field[used] = END;
	return used + 1;
}

/* The end of the options, or 0. */
static size_t write_options(const struct dhcp_message *message, uint8_t *bytes, size_t max)
{
	const struct dhcp_options *options = &message->options;
	uint8_t *field = bytes + DHCP_FIXED;
	size_t type_len = OPTION_HEADER + 1, overload_len = type_len, at = 0, len;
	uint8_t overload = 0;

	field[0] = DHCP_MESSAGE_TYPE;
	field[1] = 1;
	field[2] = message->type;
	field += type_len;
	if (DHCP_FIXED + type_len + options->len + 1 <= max)
		return DHCP_FIXED + type_len + fill_field(options, &at, field, options->len + 1);
	field += overload_len;
	len = DHCP_FIXED + type_len + overload_len;
	len += fill_field(options, &at, field, max - len);
	if (at < options->len) {
		overload = OVERLOADS_FILE;
		fill_field(options, &at, bytes + FILE_NAME, FILE_NAME_LEN);
	}
	if (at < options->len) {
		overload |= OVERLOADS_SNAME;
		fill_field(options, &at, bytes + SNAME, SNAME_LEN);
	}
	field[-3] = DHCP_OVERLOAD;
	field[-2] = 1;
	field[-1] = overload;
	return at < options->len ? 0 : len;
}

size_t dhcp_message_build(const struct dhcp_message *message, uint8_t *bytes, size_t max)
{
	size_t len;

	memset(bytes, 0, max);
	bytes[OP] = message->op;
	bytes[HTYPE] = ETHERNET;
	bytes[HLEN] = sizeof message->mac;
	bytes[HOPS] = message->hops;
	wire_put32(bytes + XID, message->xid);
	wire_put16(bytes + SECS, message->secs);
	wire_put16(bytes + FLAGS, message->flags);
	wire_put32(bytes + CIADDR, message->client);
	wire_put32(bytes + YIADDR, message->yours);
	wire_put32(bytes + SIADDR, message->server);
	wire_put32(bytes + GIADDR, message->relay);
	memcpy(bytes + CHADDR, message->mac, sizeof message->mac);
	memcpy(bytes + COOKIE, cookie, sizeof cookie);
	len = write_options(message, bytes, max);
	return len > 0 && len < DHCP_MESSAGE_MIN ? DHCP_MESSAGE_MIN : len;
}

const char *dhcp_type_name(uint8_t type)
{
	static const char *const names[] = { [DHCP_DISCOVER] = "DISCOVER",
		[DHCP_OFFER] = "OFFER",
		[DHCP_REQUEST] = "REQUEST",
		[DHCP_DECLINE] = "DECLINE",
		[DHCP_ACK] = "ACK",
		[DHCP_NAK] = "NAK",
		[DHCP_RELEASE] = "RELEASE",
		[DHCP_INFORM] = "INFORM" };

	return type >= DHCP_DISCOVER && type <= DHCP_INFORM ? names[type] : "unknown";
}
