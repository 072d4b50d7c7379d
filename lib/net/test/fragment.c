/* SPDX-License-Identifier: ISC
 *
 * Reassembly in virtual time, from RFC 791 (3.2), RFC 1122 (3.3.2), RFC 5722 and the attacks that are known.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/fragment.h"

enum { UDP = 17, PAYLOAD_MAX = 65515 };

static const struct ip_address source = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 } };
static const struct ip_address us = { { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 2 } };

static struct fragments f;
static uint64_t drops[FRAGMENT_DROP_TIMEOUT + 1];
static struct fragment whole;
static uint8_t bytes[1 << 17];
static const uint8_t header[FRAGMENT_HEADER_MAX] = { 0x45, 1, 2, 3 };

static int setup(void **state)
{
	(void)state;
	memset(&f, 0, sizeof f);
	memset(drops, 0, sizeof drops);
	f.drops = drops;
	srand(1);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)rand();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fragments_fini(&f);
	assert_null(f.oldest);
	assert_int_equal(f.count, 0);
	assert_int_equal(f.bytes, 0);
	return 0;
}

static struct fragment part(uint16_t id, size_t offset, size_t len, bool more)
{
	return (struct fragment){ .source = source,
		.destination = us,
		.id = id,
		.protocol = UDP,
		.more = more,
		.offset = offset,
		.header = header,
		.header_len = 20,
		.payload_max = PAYLOAD_MAX,
		.payload = bytes + offset,
		.len = len };
}

/* A fragment arrives: on the heap at its exact length. */
static int arrive(struct fragment fragment, uint64_t now)
{
	uint8_t *copy = malloc(fragment.len ? fragment.len : 1);
	int done;

	memcpy(copy, fragment.payload, fragment.len);
	fragment.payload = copy;
	done = fragments_add(&f, &fragment, now, &whole);
	free(copy);
	assert_true(f.count <= FRAGMENT_DATAGRAMS && f.bytes <= FRAGMENT_BYTES);
	return done;
}

static int give(uint16_t id, size_t offset, size_t len, bool more)
{
	return arrive(part(id, offset, len, more), 0);
}

static void expect_whole(size_t len)
{
	assert_int_equal(whole.len, len);
	assert_memory_equal(whole.payload, bytes, len);
	assert_int_equal(whole.header_len, 20);
	assert_memory_equal(whole.header, header, 20);
	assert_int_equal(whole.protocol, UDP);
	assert_int_equal(whole.offset, 0);
	assert_false(whole.more);
	fragments_release(&f);
	assert_int_equal(f.count, 0);
}

static void fragments_in_order_make_a_whole(void **state)
{
	(void)state;
	assert_int_equal(give(1, 0, 1480, true), 0);
	assert_int_equal(give(1, 1480, 1480, true), 0);
	assert_int_equal(give(1, 2960, 5, false), 1);
	expect_whole(2965);
}

static void fragments_in_any_order_make_a_whole(void **state)
{
	enum { PARTS = 12, EACH = 64 };

	(void)state;
	for (int round = 0; round < 200; round++) {
		unsigned order[PARTS];
		int done = 0;

		for (unsigned i = 0; i < PARTS; i++) {
			unsigned other = (unsigned)rand() % (i + 1);

			order[i] = order[other];
			order[other] = i;
		}
		for (unsigned i = 0; i < PARTS; i++) {
			bool last = order[i] == PARTS - 1;

			done = give(7, order[i] * EACH, last ? 3 : EACH, !last);
			assert_int_equal(done, i == PARTS - 1);
		}
		expect_whole((PARTS - 1) * EACH + 3);
	}
}

static void the_largest_datagram_is_put_together(void **state)
{
	size_t at = 0;

	(void)state;
	for (; at + 1480 < PAYLOAD_MAX; at += 1480)
		assert_int_equal(give(1, at, 1480, true), 0);
	assert_int_equal(give(1, at, PAYLOAD_MAX - at, false), 1);
	expect_whole(PAYLOAD_MAX);
}

/* RFC 791: "internet identification, source, destination, and protocol fields" tell datagrams apart */
static void fragments_of_different_datagrams_are_kept_apart(void **state)
{
	struct fragment others[] = { part(1, 8, 8, false), part(1, 8, 8, false), part(1, 8, 8, false),
		part(2, 8, 8, false) };

	(void)state;
	assert_int_equal(give(1, 0, 8, true), 0);
	others[0].source.bytes[15]++;
	others[1].destination.bytes[15]++;
	others[2].protocol = 1;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		assert_int_equal(arrive(others[i], 0), 0);
	assert_int_equal(f.count, 5);
	assert_int_equal(give(1, 8, 8, false), 1);
	assert_int_equal(whole.len, 16);
}

static void a_fragment_that_comes_twice_is_ignored(void **state)
{
	(void)state;
	assert_int_equal(give(1, 8, 16, true), 0);
	assert_int_equal(give(1, 8, 16, true), 0);
	assert_int_equal(give(1, 24, 5, false), 0);
	assert_int_equal(give(1, 24, 5, false), 0);
	assert_int_equal(give(1, 0, 8, true), 1);
	expect_whole(29);
}

/* RFC 5722: what overlaps is an attack */
static void an_overlap_drops_the_whole_datagram(void **state)
{
	static const struct {
		size_t offset, len;
		bool more;
	} second[] = { { 8, 16, true }, { 16, 16, true }, { 0, 32, true }, { 16, 3, false }, { 24, 16, true } };

	(void)state;
	for (size_t i = 0; i < sizeof second / sizeof *second; i++) {
		struct fragment fragment = part(1, second[i].offset, second[i].len, second[i].more);

		fragment.payload = bytes + 1000; /* other bytes */
		assert_int_equal(give(1, 8, 24, true), 0);
		assert_int_equal(arrive(fragment, 0), -EBADMSG);
		assert_int_equal(f.count, 0);
		assert_int_equal(drops[FRAGMENT_DROP_OVERLAP], i + 1);
	}
}

static void two_ends_or_a_part_beyond_the_end_drop_the_datagram(void **state)
{
	(void)state;
	assert_int_equal(give(1, 16, 8, false), 0);
	assert_int_equal(give(1, 32, 8, false), -EBADMSG);
	assert_int_equal(give(1, 16, 8, false), 0);
	assert_int_equal(give(1, 24, 8, true), -EBADMSG);
	assert_int_equal(give(1, 24, 8, true), 0);
	assert_int_equal(give(1, 16, 8, false), -EBADMSG);
	assert_int_equal(give(1, 16, 3, false), 0);
	assert_int_equal(give(1, 16, 8, true), -EBADMSG);
	assert_int_equal(f.count, 0);
}

/* Lengths that RFC 791 forbids, and the "ping of death" beyond 65535 bytes */
static void impossible_fragments_are_refused(void **state)
{
	(void)state;
	assert_int_equal(give(1, 0, 0, true), -EBADMSG);
	assert_int_equal(give(1, 8, 0, false), -EBADMSG);
	assert_int_equal(give(1, 0, 7, true), -EBADMSG);
	assert_int_equal(give(1, 0, 1481, true), -EBADMSG);
	assert_int_equal(give(1, 65528, 8, false), -EBADMSG);
	assert_int_equal(give(1, 65512, 4, false), -EBADMSG);
	assert_int_equal(give(1, 64800, 1480, true), -EBADMSG);
	assert_int_equal(f.count, 0);
	assert_int_equal(drops[FRAGMENT_DROP_IMPOSSIBLE], 7);
	assert_int_equal(give(1, 65512, 3, false), 0);
}

static void datagrams_are_bounded_in_count_and_the_oldest_goes(void **state)
{
	(void)state;
	for (uint16_t id = 0; id < 10 * FRAGMENT_DATAGRAMS; id++)
		assert_int_equal(give(id, 0, 8, true), 0);
	assert_int_equal(f.count, FRAGMENT_DATAGRAMS);
	assert_int_equal(drops[FRAGMENT_DROP_LIMIT], 9 * FRAGMENT_DATAGRAMS);
	assert_int_equal(give(10 * FRAGMENT_DATAGRAMS - 1, 8, 8, false), 1);
	fragments_release(&f);
	assert_int_equal(give(0, 8, 8, false), 0);
}

static void datagrams_are_bounded_in_bytes_and_the_oldest_goes(void **state)
{
	(void)state;
	for (uint16_t id = 0; id < 100; id++)
		assert_int_equal(give(id, 65000, 8, false), 0);
	assert_in_range(f.count, 2, FRAGMENT_BYTES / 65536);
	/* Old ones grow too, at the cost of others but never of themselves. */
	for (uint16_t id = 200; id < 220; id++)
		assert_int_equal(give(id, 0, 8, true), 0);
	for (uint16_t id = 200; id < 220; id++)
		assert_int_equal(give(id, 65000, 8, false), 0);
}

/* RFC 1122, 3.3.2 */
static void what_is_not_complete_in_time_is_dropped(void **state)
{
	struct fragment first;
	bool has_first;

	(void)state;
	assert_true(fragments_deadline(&f) == FOREVER);
	assert_int_equal(arrive(part(1, 0, 16, true), SECOND(1)), 0);
	assert_int_equal(arrive(part(2, 8, 16, true), SECOND(2)), 0);
	assert_int_equal(arrive(part(1, 24, 8, false), SECOND(3)), 0); /* later fragments do not prolong it */
	assert_true(fragments_deadline(&f) == SECOND(1) + FRAGMENT_LIFETIME_NS);
	assert_false(fragments_expire(&f, SECOND(1) + FRAGMENT_LIFETIME_NS - 1, &first, &has_first));
	assert_true(fragments_expire(&f, SECOND(1) + FRAGMENT_LIFETIME_NS, &first, &has_first));
	assert_true(has_first);
	assert_int_equal(first.len, 16);
	assert_memory_equal(first.payload, bytes, 16);
	assert_memory_equal(first.header, header, 20);
	assert_false(fragments_expire(&f, SECOND(1) + FRAGMENT_LIFETIME_NS, &first, &has_first));
	assert_true(fragments_expire(&f, SECOND(2) + FRAGMENT_LIFETIME_NS, &first, &has_first));
	assert_false(has_first);
	assert_false(fragments_expire(&f, SECOND(100), &first, &has_first));
	assert_int_equal(drops[FRAGMENT_DROP_TIMEOUT], 2);
}

/* Whatever comes, what is given out as whole is what was sent, and no bound is exceeded. */
static void random_fragments_yield_only_true_wholes(void **state)
{
	uint64_t now = 0;
	unsigned wholes = 0;

	(void)state;
	for (int i = 0; i < 200000; i++) {
		size_t offset = (size_t)(rand() % 6) * 8, len = (size_t)(rand() % 3 + 1) * 8;
		bool more = rand() % 4;
		struct fragment fragment = part((uint16_t)(rand() % 40), offset, more ? len : len - 3, more);
		struct fragment first;
		bool has_first;

		if (arrive(fragment, now) == 1) {
			wholes++;
			assert_memory_equal(whole.payload, bytes, whole.len);
		}
		now += MSEC(rand() % 100);
		while (fragments_expire(&f, now, &first, &has_first))
			;
	}
	assert_true(wholes > 1000);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(fragments_in_order_make_a_whole),
		TEST(fragments_in_any_order_make_a_whole),
		TEST(the_largest_datagram_is_put_together),
		TEST(fragments_of_different_datagrams_are_kept_apart),
		TEST(a_fragment_that_comes_twice_is_ignored),
		TEST(an_overlap_drops_the_whole_datagram),
		TEST(two_ends_or_a_part_beyond_the_end_drop_the_datagram),
		TEST(impossible_fragments_are_refused),
		TEST(datagrams_are_bounded_in_count_and_the_oldest_goes),
		TEST(datagrams_are_bounded_in_bytes_and_the_oldest_goes),
		TEST(what_is_not_complete_in_time_is_dropped),
		TEST(random_fragments_yield_only_true_wholes),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
