/* SPDX-License-Identifier: ISC
 *
 * Writes to a store for ever, and says what it has done; at its start it says what it finds. Entry n is set as
 * "draft/SLOT" and then moved to "kept/SLOT", SLOT being n modulo SLOTS, over the entry that was there. A draft that is
 * found is set again.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include <skerry/kv.h>
#include <skerry/log.h>
#include <skerry/text.h>

LOG_SOURCE(ledger);

enum { SLOTS = 11, NUMBERS_MAX = 700 };

/* Entry n is its number, over and over. */
static size_t length_of(uint32_t number)
{
	return (1 + number * 40503u % NUMBERS_MAX) * sizeof number;
}

static int set_entry(struct kv *kv, const char *key, uint32_t number)
{
	static uint32_t value[NUMBERS_MAX];

	for (size_t i = 0; i < length_of(number) / sizeof number; i++)
		value[i] = number;
	return kv_set(kv, key, value, length_of(number));
}

/* An entry's number, when it is whole. */
static int get_entry(struct kv *kv, const char *key, uint32_t *number)
{
	const uint32_t *value;
	uint8_t *bytes;
	size_t len;
	int err = kv_get(kv, key, &bytes, &len);

	if (err)
		return err;
	value = (const uint32_t *)(const void *)bytes;
	err = len < sizeof *number || len != length_of(value[0]) ? -EBADMSG : 0;
	for (size_t i = 0; err == 0 && i < len / sizeof *number; i++)
		err = value[i] == value[0] ? 0 : -EBADMSG;
	*number = err ? 0 : value[0];
	free(bytes);
	return err;
}

static int say_entries(struct kv *kv, const char *dictionary, uint32_t *last)
{
	struct kv_list list;
	int err = kv_list(kv, dictionary, &list);

	if (err)
		return err == -ENOENT ? 0 : err;
	for (size_t i = 0; err == 0 && i < list.count; i++) {
		char key[32];
		uint32_t number;

		text_format(key, sizeof key, "%s/%s", dictionary, list.entries[i].name);
		err = get_entry(kv, key, &number);
		if (err == 0)
			log_info("found %s %" PRIu32, key, number);
		*last = err == 0 && number > *last ? number : *last;
	}
	kv_list_free(&list);
	return err;
}

int start(struct kv *kv)
{
	uint32_t number = 0, draft_number = 0;
	int err = say_entries(kv, "kept", &number);

	if (err == 0)
		err = say_entries(kv, "draft", &draft_number);
	log_info("found all");
	while (err == 0) {
		char draft[32], kept[32];

		number++;
		text_format(draft, sizeof draft, "draft/%" PRIu32, number % SLOTS);
		text_format(kept, sizeof kept, "kept/%" PRIu32, number % SLOTS);
		err = set_entry(kv, draft, number);
		if (err == 0)
			log_info("set %" PRIu32, number);
		if (err == 0)
			err = kv_rename(kv, draft, kept);
		if (err == 0)
			log_info("kept %" PRIu32, number);
	}
	return err;
}
