/* SPDX-License-Identifier: ISC
 *
 * ARP's machine in virtual time, from RFC 826, RFC 5227 and RFC 1122, 2.3.2. We are 10.0.0.2/8 unless said otherwise.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <platform.h>

#include "lib/net/arp.h"
#include "lib/net/wire.h"

enum { REQUEST = 1, REPLY = 2, SENT_MAX = 4096 };
enum { US = 0x0a000002, GATEWAY = 0x0a000001, NEIGHBOUR = 0x0a000007 };

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 0x02 };
static const uint8_t their_mac[6] = { 2, 0, 0, 0, 0, 0x07 };
static const uint8_t all_mac[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t no_mac[6];

static struct world {
	struct arp_link link;
	struct ipv4_locals locals;
	struct arp *arp;
	uint64_t drops[DROP_REASONS];
	uint64_t now;
	struct {
		uint8_t to[6], packet[ARP_PACKET];
	} sent[SENT_MAX];
	size_t sent_count, looked_at;
	unsigned resolved_count, failed_count;
	uint32_t resolved_address;
	uint8_t delivered[64];
	size_t delivered_len;
	unsigned probed_count;
	bool in_use;
} w;

static void sent(struct arp_link *link, const uint8_t to[6], const uint8_t packet[ARP_PACKET])
{
	assert_ptr_equal(link, &w.link);
	assert_true(w.sent_count < SENT_MAX);
	memcpy(w.sent[w.sent_count].to, to, 6);
	memcpy(w.sent[w.sent_count++].packet, packet, ARP_PACKET);
}

static void resolved(struct arp_link *link, uint32_t address, const uint8_t *mac, const void *waiting, size_t len)
{
	assert_ptr_equal(link, &w.link);
	w.resolved_address = address;
	w.delivered_len = len;
	if (len)
		memcpy(w.delivered, waiting, len);
	if (mac)
		w.resolved_count++;
	else
		w.failed_count++;
}

static void probed(struct arp_link *link, bool in_use)
{
	assert_ptr_equal(link, &w.link);
	w.probed_count++;
	w.in_use = in_use;
}

static void set_address(size_t index, uint32_t address, uint8_t prefix_len)
{
	w.locals.all[index] = (struct ipv4_local){ address, ipv4_mask(prefix_len) };
	arp_set_address(w.arp, index, w.now);
}

static void open_with_none(void)
{
	struct arp_config config = { .link = &w.link, .drops = w.drops, .locals = &w.locals };

	memset(&w, 0, sizeof w);
	w.link = (struct arp_link){ sent, resolved, probed };
	w.now = SECOND(1000);
	memcpy(config.mac, our_mac, 6);
	assert_int_equal(arp_open(&config, &w.arp), 0);
}

static void open_with(uint8_t prefix_len)
{
	open_with_none();
	set_address(0, US, prefix_len);
}

/* As above, its announcements over. */
static int setup(void **state)
{
	(void)state;
	open_with(8);
	w.now += ARP_ANNOUNCE_NS;
	arp_expire(w.arp, w.now);
	w.looked_at = w.sent_count;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	arp_close(w.arp);
	return 0;
}

/* Time passes, with the timer called exactly when it is due. */
static void pass(uint64_t ns)
{
	uint64_t end = w.now + ns, due;

	while ((due = arp_deadline(w.arp)) <= end) {
		w.now = due > w.now ? due : w.now;
		arp_expire(w.arp, w.now);
		assert_true(arp_deadline(w.arp) > w.now); /* it makes progress */
	}
	w.now = end;
}

static void build(uint8_t packet[ARP_PACKET], uint16_t operation, const uint8_t *mac, uint32_t sender, uint32_t target)
{
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4 };

	memset(packet, 0, ARP_PACKET);
	memcpy(packet, head, sizeof head);
	wire_put16(packet + 6, operation);
	memcpy(packet + 8, mac, 6);
	wire_put32(packet + 14, sender);
	if (operation == REPLY)
		memcpy(packet + 18, our_mac, 6);
	wire_put32(packet + 24, target);
}

static int hear(uint16_t operation, const uint8_t *mac, uint32_t sender, uint32_t target)
{
	uint8_t packet[ARP_PACKET];

	build(packet, operation, mac, sender, target);
	return arp_receive(w.arp, packet, sizeof packet, w.now);
}

static int find(uint32_t address)
{
	uint8_t mac[6];
	int err = arp_find(w.arp, address, w.now, mac);

	if (err == 0 && address == NEIGHBOUR)
		assert_memory_equal(mac, their_mac, 6);
	return err;
}

static void expect_sent(uint16_t operation, const uint8_t *to, const uint8_t *target_mac, uint32_t target)
{
	const uint8_t *packet = w.sent[w.looked_at].packet;
	static const uint8_t head[] = { 0, 1, 8, 0, 6, 4 };

	assert_true(w.looked_at < w.sent_count);
	assert_memory_equal(w.sent[w.looked_at++].to, to, 6);
	assert_memory_equal(packet, head, sizeof head);
	assert_int_equal(wire_get16(packet + 6), operation);
	assert_memory_equal(packet + 8, our_mac, 6);
	assert_int_equal(wire_get32(packet + 14), US);
	assert_memory_equal(packet + 18, target_mac, 6);
	assert_int_equal(wire_get32(packet + 24), target);
}

static void expect_silence(void)
{
	assert_int_equal(w.looked_at, w.sent_count);
}

static int keep(const char *text)
{
	const struct platform_piece pieces[] = { { text, 2 }, { text + 2, strlen(text) - 2 } };

	return arp_keep(w.arp, NEIGHBOUR, pieces, 2);
}

/* RFC 5227, 2.3 */
static void opening_announces_twice_two_seconds_apart(void **state)
{
	(void)state;
	teardown(state);
	open_with(24);
	expect_sent(REQUEST, all_mac, no_mac, US);
	pass(ARP_ANNOUNCE_NS - 1);
	expect_silence();
	pass(1);
	expect_sent(REQUEST, all_mac, no_mac, US);
	assert_true(arp_deadline(w.arp) == FOREVER);
	pass(SECOND(100));
	expect_silence();
}

static void a_request_for_us_is_answered_and_its_sender_learned(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, US), 0);
	expect_sent(REPLY, their_mac, their_mac, NEIGHBOUR);
	assert_int_equal(find(NEIGHBOUR), 0);
	expect_silence();
}

static void a_request_for_another_teaches_nothing_about_a_stranger(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, GATEWAY), 0);
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, GATEWAY), 0);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, NEIGHBOUR), 0); /* an announcement */
	expect_silence();
	assert_int_equal(arp_count(w.arp), 0);
}

/* RFC 826: "if the pair is already in my translation table, update the sender hardware address" */
static void any_packet_of_a_known_neighbour_updates_it(void **state)
{
	static const uint8_t old_mac[6] = { 2, 9, 9, 9, 9, 9 };

	(void)state;
	assert_int_equal(hear(REQUEST, old_mac, NEIGHBOUR, US), 0);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, NEIGHBOUR), 0);
	assert_int_equal(find(NEIGHBOUR), 0);
	assert_int_equal(arp_count(w.arp), 1);
}

/* RFC 5227, 2.1.1: a probe's sender address is 0 */
static void a_probe_is_answered_and_teaches_nothing(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, their_mac, 0, US), 0);
	expect_sent(REPLY, their_mac, their_mac, 0);
	assert_int_equal(arp_count(w.arp), 0);
}

static void who_cannot_be_a_neighbour_is_not_learned(void **state)
{
	static const uint32_t strangers[] = { 0x0b000001, 0xc0000201, 0x7f000001, 0xe0000001, 0xffffffff, 0x00000001,
		0x0affffff, 0x0a000000, 0xf0000001 };

	(void)state;
	for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++)
		assert_int_equal(hear(REPLY, their_mac, strangers[i], US), 0);
	assert_int_equal(arp_count(w.arp), 0);
}

/* A gateway need not be of our subnet. */
static void a_neighbour_off_the_subnet_is_known_once_it_was_asked_for(void **state)
{
	teardown(state);
	open_with(32);
	assert_int_equal(hear(REPLY, their_mac, 0xc0000201, US), 0);
	assert_int_equal(arp_count(w.arp), 0);
	assert_int_equal(find(0xc0000201), -EAGAIN);
	assert_int_equal(hear(REPLY, their_mac, 0xc0000201, US), 0);
	assert_int_equal(find(0xc0000201), 0);
}

static void both_addresses_of_a_subnet_of_two_are_hosts(void **state)
{
	teardown(state);
	open_with(31);
	assert_int_equal(hear(REPLY, their_mac, 0x0a000003, US), 0);
	assert_int_equal(arp_count(w.arp), 1);
}

static void other_protocols_and_broken_packets_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = { { 0, 1 }, { 1, 6 }, { 2, 0x86 }, { 3, 1 }, { 4, 5 }, { 4, 255 }, { 5, 16 }, { 5, 0 }, { 6, 1 },
		{ 7, 0 }, { 7, 3 }, { 8, 0x01 }, { 8, 0xff } };
	uint8_t packet[ARP_PACKET];

	(void)state;
	for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
		build(packet, REQUEST, their_mac, NEIGHBOUR, US);
		packet[changes[i].at] = changes[i].value;
		assert_int_equal(arp_receive(w.arp, packet, sizeof packet, w.now), -EBADMSG);
	}
	build(packet, REQUEST, no_mac, NEIGHBOUR, US);
	assert_int_equal(arp_receive(w.arp, packet, sizeof packet, w.now), -EBADMSG);
	build(packet, REQUEST, their_mac, NEIGHBOUR, US);
	for (size_t len = 0; len < ARP_PACKET; len++) {
		uint8_t *cut = malloc(len ? len : 1);

		memcpy(cut, packet, len);
		assert_int_equal(arp_receive(w.arp, cut, len, w.now), -EBADMSG);
		free(cut);
	}
	expect_silence();
	assert_int_equal(arp_count(w.arp), 0);
}

/* RFC 5227, 2.4 */
static void a_claim_to_our_address_is_defended_once_in_ten_seconds(void **state)
{
	uint8_t packet[ARP_PACKET];

	(void)state;
	build(packet, REQUEST, their_mac, US, US);
	assert_int_equal(arp_receive(w.arp, packet, sizeof packet, w.now), -EADDRINUSE);
	expect_sent(REQUEST, all_mac, no_mac, US);
	w.now += ARP_DEFEND_NS - 1;
	assert_int_equal(hear(REPLY, their_mac, US, NEIGHBOUR), -EALREADY);
	expect_silence();
	w.now += 1;
	assert_int_equal(hear(REPLY, their_mac, US, US), -EADDRINUSE);
	expect_sent(REQUEST, all_mac, no_mac, US);
	assert_int_equal(arp_count(w.arp), 0);
}

static void our_own_packet_come_back_is_no_conflict(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, our_mac, US, US), 0);
	expect_silence();
}

static void an_unknown_neighbour_is_asked_for_and_then_known(void **state)
{
	(void)state;
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	expect_sent(REQUEST, all_mac, no_mac, NEIGHBOUR);
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(w.resolved_count, 1);
	assert_int_equal(w.resolved_address, NEIGHBOUR);
	assert_int_equal(w.delivered_len, 0);
	assert_int_equal(find(NEIGHBOUR), 0);
	assert_true(arp_deadline(w.arp) == FOREVER);
	expect_silence();
}

/* RFC 1122, 2.3.2.1: no more than one request a second to one destination */
static void a_neighbour_is_asked_for_once_a_second_however_often_it_is_wanted(void **state)
{
	(void)state;
	for (int i = 0; i < 100; i++, pass(MSEC(10)))
		assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	expect_sent(REQUEST, all_mac, no_mac, NEIGHBOUR);
	expect_sent(REQUEST, all_mac, no_mac, NEIGHBOUR);
	expect_silence();
}

static void a_neighbour_that_does_not_answer_is_given_up_for_a_while(void **state)
{
	(void)state;
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(keep("hello"), 0);
	pass(ARP_TRIES * ARP_RETRY_NS - 1);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(w.failed_count, 0);
	pass(1);
	assert_int_equal(w.failed_count, 1);
	assert_int_equal(w.sent_count - w.looked_at, ARP_TRIES);
	w.looked_at = w.sent_count;
	assert_int_equal(find(NEIGHBOUR), -EHOSTUNREACH);
	pass(ARP_FAILED_NS - 1);
	assert_int_equal(find(NEIGHBOUR), -EHOSTUNREACH);
	expect_silence();
	pass(1);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	expect_sent(REQUEST, all_mac, no_mac, NEIGHBOUR);
}

static void a_neighbour_that_was_given_up_is_known_once_it_speaks(void **state)
{
	(void)state;
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	pass(ARP_TRIES * ARP_RETRY_NS);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, NEIGHBOUR), 0);
	assert_int_equal(find(NEIGHBOUR), 0);
}

/* RFC 1122, 2.3.2.2 */
static void the_latest_packet_waits_for_the_answer(void **state)
{
	(void)state;
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(keep("first"), 0);
	assert_int_equal(keep("second one"), 0);
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(w.delivered_len, 10);
	assert_memory_equal(w.delivered, "second one", 10);
	assert_int_equal(keep("late"), -ENOMEM);
}

static void what_waits_is_bounded_in_bytes(void **state)
{
	static const uint8_t large[60000];
	size_t kept = 0;

	(void)state;
	for (uint32_t i = 0; i < 20; i++) {
		const struct platform_piece piece = { large, sizeof large };

		assert_int_equal(find(NEIGHBOUR + i), -EAGAIN);
		if (arp_keep(w.arp, NEIGHBOUR + i, &piece, 1) == 0)
			kept += sizeof large;
	}
	assert_true(kept > ARP_WAITING_BYTES / 2 && kept <= ARP_WAITING_BYTES);
}

/* RFC 1122, 2.3.2.1: entries expire; and (2) unicast poll */
static void an_entry_in_use_is_confirmed_by_asking_that_neighbour_alone(void **state)
{
	(void)state;
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	pass(ARP_FRESH_NS - 1);
	assert_int_equal(find(NEIGHBOUR), 0);
	expect_silence();
	pass(1);
	for (int i = 0; i < 10; i++)
		assert_int_equal(find(NEIGHBOUR), 0);
	expect_sent(REQUEST, their_mac, no_mac, NEIGHBOUR);
	expect_silence();
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	pass(ARP_FRESH_NS - 1);
	assert_int_equal(find(NEIGHBOUR), 0);
	expect_silence();
}

static void an_entry_that_nobody_confirms_expires(void **state)
{
	(void)state;
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	pass(ARP_EXPIRE_NS - 1);
	assert_int_equal(find(NEIGHBOUR), 0);
	expect_sent(REQUEST, their_mac, no_mac, NEIGHBOUR);
	pass(1);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	pass(ARP_RETRY_NS);
	expect_sent(REQUEST, all_mac, no_mac, NEIGHBOUR);
	expect_silence();
}

static void ten_thousand_forged_neighbours_push_out_none_that_is_in_use(void **state)
{
	(void)state;
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(find(NEIGHBOUR), 0);
	for (uint32_t i = 0; i < 10000; i++) {
		assert_int_equal(hear(REPLY, their_mac, 0x0a010000 + i, US), 0);
		assert_true(arp_count(w.arp) <= ARP_ENTRIES);
	}
	assert_int_equal(find(NEIGHBOUR), 0);
	assert_int_equal(arp_count(w.arp), ARP_ENTRIES);
	assert_int_equal(find(0x0a010000 + 9999), 0); /* the latest forged one has pushed out an older */
	expect_silence();
}

static void questions_for_ten_thousand_push_out_none_that_is_in_use_and_are_bounded(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 300; i++) {
		assert_int_equal(hear(REPLY, their_mac, 0x0a020000 + i, US), 0);
		assert_int_equal(find(0x0a020000 + i), 0);
	}
	for (uint32_t i = 0; i < 10000; i++)
		assert_true(find(0x0a010000 + i) == (i < ARP_ASKING_MAX ? -EAGAIN : -ENOMEM));
	assert_int_equal(w.sent_count - w.looked_at, ARP_ASKING_MAX);
	for (uint32_t i = 0; i < 300; i++)
		assert_int_equal(find(0x0a020000 + i), 0);
	/* A neighbour who shows himself is still learned, while all these questions are open. */
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(find(NEIGHBOUR), 0);
	pass(ARP_TRIES * ARP_RETRY_NS);
	assert_int_equal(w.failed_count, ARP_ASKING_MAX);
	assert_int_equal(find(0x0a030000), -EAGAIN);
}

static void when_all_are_in_use_a_question_waits_until_one_is_not(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < ARP_ENTRIES; i++) {
		assert_int_equal(hear(REPLY, their_mac, 0x0a020000 + i, US), 0);
		assert_int_equal(find(0x0a020000 + i), 0);
	}
	assert_int_equal(find(NEIGHBOUR), -ENOMEM);
	pass(ARP_IN_USE_NS);
	assert_int_equal(find(0x0a020000), 0);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(arp_count(w.arp), ARP_ENTRIES);
	assert_int_equal(find(0x0a020000), 0);
}

static void what_is_told_by_others_is_used_at_once(void **state)
{
	uint8_t mac[6];

	(void)state;
	arp_learn(w.arp, NEIGHBOUR, their_mac, w.now);
	assert_int_equal(arp_find(w.arp, NEIGHBOUR, w.now, mac), 0);
	assert_memory_equal(mac, their_mac, 6);
	arp_learn(w.arp, 0x0b000007, their_mac, w.now); /* of another subnet */
	arp_learn(w.arp, NEIGHBOUR + 1, all_mac, w.now);
	assert_int_equal(arp_count(w.arp), 1);
	assert_int_equal(w.sent_count, w.looked_at);
}

/* Probing (RFC 5227, 2.1) -------------------------------------------------------------------------------------- */

static int setup_without_address(void **state)
{
	(void)state;
	open_with_none();
	assert_true(arp_deadline(w.arp) == FOREVER);
	assert_int_equal(w.sent_count, 0);
	return 0;
}

static void without_an_address_nothing_is_answered_or_learned(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, 0), 0);
	assert_int_equal(hear(REQUEST, their_mac, 0, 0), 0);
	assert_int_equal(hear(REPLY, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(w.sent_count, 0);
	assert_int_equal(arp_count(w.arp), 0);
}

static void an_address_is_probed_three_times_and_free_if_nobody_speaks(void **state)
{
	(void)state;
	arp_probe(w.arp, US, SECOND(1), w.now);
	for (size_t i = 0; i < ARP_PROBES; i++) {
		assert_int_equal(w.sent_count, i + 1);
		assert_memory_equal(w.sent[i].to, all_mac, 6);
		assert_int_equal(wire_get16(w.sent[i].packet + 6), REQUEST);
		assert_memory_equal(w.sent[i].packet + 8, our_mac, 6);
		assert_int_equal(wire_get32(w.sent[i].packet + 14), 0); /* so no cache is polluted */
		assert_memory_equal(w.sent[i].packet + 18, no_mac, 6);
		assert_int_equal(wire_get32(w.sent[i].packet + 24), US);
		assert_int_equal(w.probed_count, 0);
		pass(SECOND(1));
	}
	assert_int_equal(w.probed_count, 1);
	assert_false(w.in_use);
	pass(SECOND(10));
	assert_int_equal(w.probed_count, 1);
	assert_int_equal(w.sent_count, ARP_PROBES);
}

static void a_probe_ends_when_anybody_has_or_wants_the_address(void **state)
{
	static const struct {
		uint16_t operation;
		uint32_t sender, target;
		bool conflict;
	} cases[] = {
		{ REPLY, US, 0, true },
		{ REQUEST, US, US, true },
		{ REQUEST, US, NEIGHBOUR, true },
		{ REQUEST, 0, US, true }, /* he probes it, too */
		{ REQUEST, 0, NEIGHBOUR, false },
		{ REQUEST, NEIGHBOUR, US, false }, /* he only asks for it */
		{ REPLY, NEIGHBOUR, US, false },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		arp_probe(w.arp, US, SECOND(1), w.now);
		assert_int_equal(hear(cases[i].operation, our_mac, cases[i].sender, cases[i].target), 0);
		assert_int_equal(w.probed_count, 0); /* our own, come back */
		assert_int_equal(hear(cases[i].operation, their_mac, cases[i].sender, cases[i].target), 0);
		assert_int_equal(w.probed_count, cases[i].conflict);
		assert_int_equal(w.in_use, cases[i].conflict);
		assert_true(cases[i].conflict == (arp_deadline(w.arp) == FOREVER));
		arp_close(w.arp);
		assert_int_equal(setup_without_address(state), 0);
	}
}

static void an_address_that_is_set_is_announced_and_none_is_silent(void **state)
{
	(void)state;
	set_address(0, US, 24);
	assert_int_equal(w.sent_count, 1);
	assert_int_equal(wire_get32(w.sent[0].packet + 14), US);
	pass(SECOND(10));
	assert_int_equal(w.sent_count, ARP_ANNOUNCEMENTS);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(w.sent_count, ARP_ANNOUNCEMENTS + 1);
	set_address(0, 0, 32);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, US), 0);
	pass(SECOND(10));
	assert_int_equal(w.sent_count, ARP_ANNOUNCEMENTS + 1);
}

/* Several addresses ------------------------------------------------------------------------------------------- */

enum { SECOND_US = 0xac100005, SECOND_NEIGHBOUR = 0xac100009 };

static uint32_t sender_of_last(void)
{
	return wire_get32(w.sent[w.sent_count - 1].packet + ARP_SENDER_ADDRESS);
}

static void each_address_is_announced_and_answered_for(void **state)
{
	(void)state;
	set_address(3, SECOND_US, 24);
	assert_int_equal(w.sent_count, w.looked_at + 1);
	assert_int_equal(sender_of_last(), SECOND_US);
	pass(SECOND(10));
	assert_int_equal(w.sent_count, w.looked_at + ARP_ANNOUNCEMENTS);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, SECOND_US), 0);
	assert_int_equal(sender_of_last(), SECOND_US);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, US), 0);
	assert_int_equal(sender_of_last(), US);
	assert_int_equal(w.sent_count, w.looked_at + ARP_ANNOUNCEMENTS + 2);
	set_address(3, 0, 32);
	assert_int_equal(hear(REQUEST, their_mac, NEIGHBOUR, SECOND_US), 0);
	assert_int_equal(w.sent_count, w.looked_at + ARP_ANNOUNCEMENTS + 2);
}

static void each_address_is_defended_by_itself(void **state)
{
	(void)state;
	set_address(1, SECOND_US, 24);
	pass(SECOND(10));
	assert_int_equal(hear(REPLY, their_mac, US, US), -EADDRINUSE);
	assert_int_equal(sender_of_last(), US);
	assert_int_equal(hear(REPLY, their_mac, SECOND_US, SECOND_US), -EADDRINUSE);
	assert_int_equal(sender_of_last(), SECOND_US);
	assert_int_equal(hear(REPLY, their_mac, SECOND_US, SECOND_US), -EALREADY);
}

/* RFC 1122, 3.3.4.3 */
static void a_neighbour_is_asked_for_from_the_address_of_its_subnet(void **state)
{
	(void)state;
	set_address(1, SECOND_US, 24);
	pass(SECOND(10));
	assert_int_equal(find(SECOND_NEIGHBOUR), -EAGAIN);
	assert_int_equal(sender_of_last(), SECOND_US);
	assert_int_equal(find(NEIGHBOUR), -EAGAIN);
	assert_int_equal(sender_of_last(), US);
	assert_int_equal(find(0xc0000201), -EAGAIN);
	assert_int_equal(sender_of_last(), US);
}

static void neighbours_of_each_subnet_are_learned(void **state)
{
	(void)state;
	assert_int_equal(hear(REQUEST, their_mac, SECOND_NEIGHBOUR, US), 0);
	assert_int_equal(arp_count(w.arp), 0);
	set_address(1, SECOND_US, 24);
	assert_int_equal(hear(REQUEST, their_mac, SECOND_NEIGHBOUR, SECOND_US), 0);
	assert_int_equal(arp_count(w.arp), 1);
	assert_int_equal(hear(REQUEST, their_mac, 0xac1000ff, SECOND_US), 0); /* the broadcast address */
	assert_int_equal(arp_count(w.arp), 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(opening_announces_twice_two_seconds_apart),
		TEST(a_request_for_us_is_answered_and_its_sender_learned),
		TEST(a_request_for_another_teaches_nothing_about_a_stranger),
		TEST(any_packet_of_a_known_neighbour_updates_it),
		TEST(a_probe_is_answered_and_teaches_nothing),
		TEST(who_cannot_be_a_neighbour_is_not_learned),
		TEST(a_neighbour_off_the_subnet_is_known_once_it_was_asked_for),
		TEST(both_addresses_of_a_subnet_of_two_are_hosts),
		TEST(other_protocols_and_broken_packets_are_refused),
		TEST(a_claim_to_our_address_is_defended_once_in_ten_seconds),
		TEST(our_own_packet_come_back_is_no_conflict),
		TEST(an_unknown_neighbour_is_asked_for_and_then_known),
		TEST(a_neighbour_is_asked_for_once_a_second_however_often_it_is_wanted),
		TEST(a_neighbour_that_does_not_answer_is_given_up_for_a_while),
		TEST(a_neighbour_that_was_given_up_is_known_once_it_speaks),
		TEST(the_latest_packet_waits_for_the_answer),
		TEST(what_waits_is_bounded_in_bytes),
		TEST(an_entry_in_use_is_confirmed_by_asking_that_neighbour_alone),
		TEST(an_entry_that_nobody_confirms_expires),
		TEST(ten_thousand_forged_neighbours_push_out_none_that_is_in_use),
		TEST(questions_for_ten_thousand_push_out_none_that_is_in_use_and_are_bounded),
		TEST(when_all_are_in_use_a_question_waits_until_one_is_not),
		TEST(what_is_told_by_others_is_used_at_once),
		cmocka_unit_test_setup_teardown(
			without_an_address_nothing_is_answered_or_learned, setup_without_address, teardown),
		cmocka_unit_test_setup_teardown(
			an_address_is_probed_three_times_and_free_if_nobody_speaks, setup_without_address, teardown),
		cmocka_unit_test_setup_teardown(
			a_probe_ends_when_anybody_has_or_wants_the_address, setup_without_address, teardown),
		cmocka_unit_test_setup_teardown(
			an_address_that_is_set_is_announced_and_none_is_silent, setup_without_address, teardown),
		TEST(each_address_is_announced_and_answered_for),
		TEST(each_address_is_defended_by_itself),
		TEST(a_neighbour_is_asked_for_from_the_address_of_its_subnet),
		TEST(neighbours_of_each_subnet_are_learned),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
