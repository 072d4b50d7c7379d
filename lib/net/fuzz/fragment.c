/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: fragments of both families in any order, beside a model that keeps a flag for each byte. What is put
 * together is exactly what was sent; what contradicts itself is dropped, and so is what is too much or too late.
 *
 * The input is a list of records of 6 bytes:
 *	0	bits 0 to 5: of which datagram (number 63: time passes instead); 6: it is not the last fragment;
 *		7: its bytes are not those of the datagram
 *	1	length of its header
 *	2, 3	its offset in units of 8 bytes; or the time, in units of 16 ms
 *	4, 5	its length
 * Datagrams 0 to 2 never want more memory than there is, so the model knows what becomes of each of their fragments.
 * With any others, datagrams are pushed out; then only those without false bytes are checked.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/net/fragment.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RECORD = 6,
	EXACT = 3,
	NUMBERS = 63,
	PAUSE = 63,
	NUMBER_MASK = 63,
	MORE = 64,
	FALSE_BYTES = 128,
	DATAGRAM_MAX = 1 << 16
};
enum { PAYLOAD_MAX_4 = 65515, PAYLOAD_MAX_6 = 65535, HEADER_MIN = 20, TICK_MS = 16 };

struct model {
	bool begun, has_end;
	size_t end, highest, header_len, first_len;
	uint64_t deadline;
	bool have[DATAGRAM_MAX];
	uint8_t bytes[DATAGRAM_MAX];
};

static struct model models[EXACT];
static uint8_t original[DATAGRAM_MAX + NUMBERS], wrong[DATAGRAM_MAX + NUMBERS], header[FRAGMENT_HEADER_MAX];
static struct fragments fragments;
static uint64_t drops[FRAGMENT_DROP_TIMEOUT + 1];
static uint64_t now;
static bool exact;  /* nothing was pushed out so far */
static bool honest; /* no false bytes came so far */

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static struct ip_address address_of(unsigned number, uint8_t last)
{
	struct ip_address address = { { [0] = 0x20, [1] = 0x01, [15] = last } };

	if (number % 2 == 0)
		address = (struct ip_address){ { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = last } };
	return address;
}

/* Without its payload. */
static struct fragment fragment_of(const uint8_t *record)
{
	unsigned number = record[0] & NUMBER_MASK;
	struct fragment fragment = {
		.source = address_of(number, 1),
		.destination = address_of(number, 2),
		.id = number / 2,
		.protocol = number % 2 ? 0 : 17,
		.more = record[0] & MORE,
		.offset = (size_t)((record[2] << 8 | record[3]) & 0x1fff) * FRAGMENT_UNIT,
		.payload_max = number % 2 ? PAYLOAD_MAX_6 : PAYLOAD_MAX_4,
		.header = header,
		.header_len = HEADER_MIN + record[1] % (FRAGMENT_HEADER_MAX - HEADER_MIN + 1),
		.len = (size_t)(record[4] << 8 | record[5]),
	};

	if (fragment.offset + fragment.len > DATAGRAM_MAX)
		fragment.len = DATAGRAM_MAX - fragment.offset;
	return fragment;
}

/* The model ------------------------------------------------------------------------------------------------------ */

static void forget(struct model *model)
{
	memset(model, 0, sizeof *model);
}

/* How many of a fragment's bytes are there already, and how many of these are the same. */
static void compare(const struct model *model, const struct fragment *fragment, size_t *there, size_t *same)
{
	*there = *same = 0;
	for (size_t i = 0; i < fragment->len; i++) {
		*there += model->have[fragment->offset + i];
		*same +=
			model->have[fragment->offset + i] && model->bytes[fragment->offset + i] == fragment->payload[i];
	}
}

static bool contradicts_end(const struct model *model, const struct fragment *fragment)
{
	size_t end = fragment->offset + fragment->len;

	if (model->has_end)
		return fragment->more ? end > model->end : end != model->end;
	return !fragment->more && end < model->highest;
}

static void keep(struct model *model, const struct fragment *fragment)
{
	size_t end = fragment->offset + fragment->len;

	memset(model->have + fragment->offset, true, fragment->len);
	memcpy(model->bytes + fragment->offset, fragment->payload, fragment->len);
	if (end > model->highest)
		model->highest = end;
	if (!fragment->more) {
		model->has_end = true;
		model->end = end;
	}
	if (fragment->offset == 0) {
		model->header_len = fragment->header_len;
		model->first_len = fragment->len;
	}
}

static bool is_complete(const struct model *model)
{
	return model->has_end && !memchr(model->have, false, model->end);
}

/* What was said about a fragment of a datagram that is modelled is right, and the model follows. */
static void follow(struct model *model, const struct fragment *fragment, int said, const struct fragment *whole)
{
	size_t there, same;

	if (fragment->len == 0 || fragment->offset + fragment->len > fragment->payload_max ||
		(fragment->more && fragment->len % FRAGMENT_UNIT != 0)) {
		must_hold(said == -EBADMSG);
		return;
	}
	if (!model->begun) {
		model->begun = true;
		model->deadline = now + FRAGMENT_LIFETIME_NS;
	}
	compare(model, fragment, &there, &same);
	if (contradicts_end(model, fragment) || same < there || (there > 0 && there < fragment->len)) {
		must_hold(said == -EBADMSG);
		forget(model);
		return;
	}
	if (there > 0) {
		must_hold(said == 0);
		return;
	}
	keep(model, fragment);
	must_hold(said == is_complete(model));
	if (said == 1) {
		must_hold(whole->len == model->end && memcmp(whole->payload, model->bytes, whole->len) == 0);
		must_hold(whole->header_len == model->header_len);
		forget(model);
	}
}

/* The machine ---------------------------------------------------------------------------------------------------- */

static void add(const uint8_t *record)
{
	unsigned number = record[0] & NUMBER_MASK;
	struct fragment fragment = fragment_of(record), whole = { .len = 0 };
	uint8_t *payload = malloc(fragment.len ? fragment.len : 1); /* exactly: a read beyond it is seen */
	int said;

	must_hold(payload);
	memcpy(payload, (record[0] & FALSE_BYTES ? wrong : original) + number + fragment.offset, fragment.len);
	fragment.payload = payload;
	exact = exact && number < EXACT;
	honest = honest && !(record[0] & FALSE_BYTES);
	said = fragments_add(&fragments, &fragment, now, &whole);
	if (exact)
		follow(&models[number], &fragment, said, &whole);
	if (said == 1) {
		must_hold(whole.id == fragment.id && whole.protocol == fragment.protocol && !whole.more);
		must_hold(ip_equal(&whole.source, &fragment.source) && whole.offset == 0);
		must_hold(!honest || memcmp(whole.payload, original + number, whole.len) == 0);
		fragments_release(&fragments);
	}
	free(payload);
}

static struct model *model_of(const struct fragment *fragment)
{
	return &models[fragment->id * 2 + (fragment->protocol == 0)];
}

static void pass(const uint8_t *record)
{
	struct fragment first;
	bool has_first;

	now += MSEC((uint64_t)(record[2] << 8 | record[3]) * TICK_MS);
	while (fragments_expire(&fragments, now, &first, &has_first)) {
		if (exact) {
			struct model *model = model_of(&first);

			must_hold(model->begun && model->deadline <= now && has_first == (model->first_len > 0));
			must_hold(!has_first || (first.len == model->first_len &&
							memcmp(first.payload, model->bytes, first.len) == 0));
			forget(model);
		}
		fragments_release(&fragments);
	}
	must_hold(fragments_deadline(&fragments) > now);
}

static void check_bounds(void)
{
	uint64_t earliest = FOREVER;
	size_t count = 0;

	must_hold(fragments.count <= FRAGMENT_DATAGRAMS && fragments.bytes <= FRAGMENT_BYTES);
	for (size_t i = 0; i < EXACT; i++) {
		count += models[i].begun;
		if (models[i].begun && models[i].deadline < earliest)
			earliest = models[i].deadline;
	}
	must_hold(!exact || (count == fragments.count && earliest == fragments_deadline(&fragments)));
}

static void make_datagrams(void)
{
	static bool made;

	for (size_t i = 0; !made && i < sizeof original; i++) {
		original[i] = (uint8_t)(i * 2654435761u >> 24);
		wrong[i] = (uint8_t)(original[i] ^ 0x5a);
	}
	made = true;
}

static void begin(void)
{
	make_datagrams();
	for (size_t i = 0; i < EXACT; i++)
		if (models[i].begun)
			forget(&models[i]);
	fragments = (struct fragments){ .drops = drops };
	now = 0;
	exact = honest = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	begin();
	for (size_t at = 0; size - at >= RECORD; at += RECORD) {
		if ((data[at] & NUMBER_MASK) == PAUSE)
			pass(data + at);
		else
			add(data + at);
		check_bounds();
	}
	fragments_fini(&fragments);
	must_hold(fragments.count == 0 && fragments.bytes == 0 && !fragments.oldest);
	return 0;
}
