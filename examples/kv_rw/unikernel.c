/* SPDX-License-Identifier: ISC
 *
 * Sets a value and reads it back, by whatever store it was configured with, and counts its starts there.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/kv.h>
#include <skerry/log.h>
#include <skerry/text.h>

LOG_SOURCE(application);

enum { LINE_BYTES = 16 };

/* One line of bytes, in hexadecimal by two and as characters. */
static void dump_line(const char *key, size_t at, const uint8_t *bytes, size_t len)
{
	char hex[LINE_BYTES / 2 * 5 + 1] = "", characters[LINE_BYTES + 1] = "";
	size_t end = 0;

	for (size_t i = 0; i < len; i++) {
		end += text_format(hex + end, sizeof hex - end, i % 2 ? "%02x " : "%02x", bytes[i]);
		characters[i] = bytes[i] >= ' ' && bytes[i] <= '~' ? (char)bytes[i] : '.';
	}
	while (end < sizeof hex - 1)
		hex[end++] = ' ';
	log_info("%s: %08zx: %s %s", key, at, hex, characters);
}

static int dump(struct kv *store, const char *key)
{
	uint8_t *value;
	size_t len;
	int err = kv_get(store, key, &value, &len);

	if (err < 0)
		return err;
	for (size_t at = 0; at < len; at += LINE_BYTES)
		dump_line(key, at, value + at, len - at < LINE_BYTES ? len - at : LINE_BYTES);
	free(value);
	return 0;
}

/* The value "starts" is a number, in decimal. */
static int count_start(struct kv *store)
{
	uint8_t *value;
	size_t len;
	long starts = 1;
	char text[24];
	int err = kv_get(store, "starts", &value, &len);

	if (err == 0) {
		starts += strtol((const char *)value, NULL, 10);
		free(value);
	} else if (err != -ENOENT) {
		return err;
	}
	text_format(text, sizeof text, "%ld", starts);
	err = kv_set(store, "starts", text, strlen(text));
	if (err == 0)
		log_info("start %s", text);
	return err;
}

int start(struct kv *store)
{
	static const char hello[] = "Hello World!";
	int err = count_start(store);

	if (err == 0)
		err = kv_set(store, "/foo", hello, strlen(hello));
	return err ? err : dump(store, "foo");
}
