/* SPDX-License-Identifier: ISC
 *
 * Neighbours, routers and redirects of a whole stack (RFC 4861, with 6980, 7559, 8106 and 4191), clause by clause.
 */
#include <stdio.h>
#include <unistd.h>

#include <skerry/stack.h>
#include <skerry/udp.h>

#include "lib/net/test/cable6.h"

#define US            "2001:db8::2"
#define OTHER         "2001:db8::7"
#define FAR           "2001:db8:1::9"
#define ROUTER        "fe80::1"
#define SECOND_ROUTER "fe80::5"
#define ALL_NODES     "ff02::1"

static const uint8_t other_mac[6] = { 0x02, 0, 0, 0, 0, 0x07 };
static const uint8_t new_mac[6] = { 0x02, 0, 0, 0, 0, 0x77 };
static struct cable *cable;
static struct packet packet;

static int setup_with(bool accept)
{
	const struct stack_config config = {
		.ipv6_address = ipv6_key(US, 64), .ipv6_secret = "test", .accept_router_advertisements = accept
	};

	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, &config), 0);
	pass(SECOND(3));
	drop_sent(cable);
	return 0;
}

static int setup(void **state)
{
	(void)state;
	return setup_with(true);
}

static int setup_deaf(void **state)
{
	(void)state;
	return setup_with(false);
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

static const struct ndp_neighbour *entry_of(const char *text)
{
	struct ip_address address = ip6(text);

	for (size_t i = 0; i < NDP_NEIGHBOURS; i++) {
		const struct ndp_neighbour *entry = &machine_of(cable)->neighbours.entries[i];

		if (entry->state != NDP_FREE && ip_equal(&entry->address, &address))
			return entry;
	}
	return NULL;
}

static void expect_state(const char *text, enum ndp_state state, const uint8_t *mac)
{
	assert_non_null(entry_of(text));
	assert_int_equal(entry_of(text)->state, state);
	if (mac)
		assert_memory_equal(entry_of(text)->mac, mac, 6);
}

static void expect_silence(void)
{
	assert_null(take6(cable));
}

/* Sends a datagram without waiting for anything. */
static int send_now(const char *to, uint8_t mark)
{
	const struct platform_piece piece = { &mark, 1 };
	struct ip_sending sending = { .destination = ip6(to), .protocol = 253, .pieces = &piece, .count = 1, .len = 1 };
	uint16_t mtu;
	int err = ip_route(own_of(cable), &sending.destination, &sending.source, &mtu);

	return err < 0 ? err : ip_send(own_of(cable), &sending);
}

static void expect_datagram(uint8_t mark, const uint8_t mac[6])
{
	const struct frame *frame = take6(cable);

	assert_non_null(frame);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_NEXT_HEADER], 253);
	assert_int_equal(frame->bytes[HEADERS_6], mark);
	assert_memory_equal(frame->bytes, mac, 6);
}

/* The next packet asks for this neighbour: by multicast, or at mac alone. */
static void expect_question(const char *target, const uint8_t *mac)
{
	const struct frame *frame = expect_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION);
	const uint8_t *message = body_of(frame);
	struct ip_address address = ip6(target), group = ipv6_solicited_node(&address);
	struct ip_address to = destination_of(frame);

	assert_memory_equal(message + NS_TARGET, address.bytes, 16);
	assert_true(ip_equal(&to, mac ? &address : &group));
	if (mac)
		assert_memory_equal(frame->bytes, mac, 6);
	else
		assert_memory_equal(frame->bytes, "\x33\x33\xff", 3);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 255);
	assert_int_equal(message[NS_OPTIONS], NDP_OPTION_SOURCE_MAC);
	assert_memory_equal(message + NS_OPTIONS + 2, our_mac, 6);
}

/* A neighbour that is reachable: OTHER at other_mac. */
static void make_reachable(void)
{
	(void)send_now(OTHER, 0);
	give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED | NA_OVERRIDE, other_mac);
	expect_state(OTHER, NDP_REACHABLE, other_mac);
	drop_sent(cable);
}

/* Router advertisements ------------------------------------------------------------------------------------------ */

struct advertised {
	uint8_t hop_limit, flags;
	uint16_t lifetime_seconds;
	uint32_t reachable_ms, retrans_ms;
};

static void put_router(const char *from, const struct advertised *advertised)
{
	uint8_t times[8];

	wire_put32(times, advertised->reachable_ms);
	wire_put32(times + 4, advertised->retrans_ms);
	put_icmp6(&packet, from, ALL_NODES, NDP_ROUTER_ADVERTISEMENT, 0,
		(uint32_t)advertised->hop_limit << 24 | (uint32_t)advertised->flags << 16 |
			advertised->lifetime_seconds,
		times, sizeof times);
}

static void append_prefix(const char *prefix, uint8_t len, uint8_t flags, uint32_t valid, uint32_t preferred)
{
	uint8_t option[32] = { NDP_OPTION_PREFIX, 4, len, flags };

	wire_put32(option + 4, valid);
	wire_put32(option + 8, preferred);
	memcpy(option + 16, ip6(prefix).bytes, 16);
	append_icmp6(&packet, option, sizeof option);
}

static void give_router(const char *from, uint16_t lifetime_seconds, const uint8_t *mac)
{
	put_router(from, &(struct advertised){ .lifetime_seconds = lifetime_seconds });
	if (mac)
		append_mac(&packet, NDP_OPTION_SOURCE_MAC, mac);
	give_packet(cable, &packet);
}

/* Asking: 7.2.2 ---------------------------------------------------------------------------------------------------- */

static void an_unknown_neighbour_is_asked_for_and_gets_what_waited(void **state)
{
	(void)state;
	assert_int_equal(send_now(OTHER, 1), 0);
	expect_question(OTHER, NULL);
	assert_int_equal(send_now(OTHER, 2), 0);
	expect_silence();
	give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED | NA_OVERRIDE, other_mac);
	expect_datagram(1, other_mac);
	expect_datagram(2, other_mac);
	expect_silence();
}

static void of_many_packets_the_latest_three_wait(void **state)
{
	(void)state;
	for (uint8_t mark = 1; mark <= 10; mark++)
		assert_int_equal(send_now(OTHER, mark), 0);
	expect_question(OTHER, NULL);
	give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED | NA_OVERRIDE, other_mac);
	for (uint8_t mark = 8; mark <= 10; mark++)
		expect_datagram(mark, other_mac);
	expect_silence();
}

static void it_is_asked_three_times_a_second_apart_and_then_unreachable(void **state)
{
	(void)state;
	assert_int_equal(send_now(OTHER, 1), 0);
	for (int i = 0; i < 3; i++) {
		expect_question(OTHER, NULL);
		expect_silence();
		pass(SECOND(1));
	}
	expect_silence();
	assert_int_equal(send_now(OTHER, 2), -EHOSTUNREACH);
	pass(NDP_FAILED_NS);
	assert_int_equal(send_now(OTHER, 3), 0);
	expect_question(OTHER, NULL);
}

static void a_flood_of_questions_is_bounded(void **state)
{
	char text[64];
	size_t questions = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(text, sizeof text, "2001:db8::1:%x", i);
		(void)send_now(text, 1);
	}
	while (take6(cable))
		questions++;
	assert_int_equal(questions, NDP_ASKING_MAX);
	assert_true(machine_of(cable)->neighbours.waiting_bytes <= NDP_WAITING_BYTES);
}

/* RFC 6583: forged neighbours */
static void ten_thousand_neighbours_push_out_none_that_is_in_use(void **state)
{
	char text[64];

	(void)state;
	make_reachable();
	for (unsigned i = 0; i < 10000; i++) {
		snprintf(text, sizeof text, "2001:db8::2:%x", i + 1);
		give_solicitation(cable, text, US, US, new_mac);
		if (cable->sent_count > CABLE_FRAMES / 2)
			drop_sent(cable);
	}
	assert_int_equal(machine_of(cable)->neighbours.count, NDP_NEIGHBOURS);
	expect_state(OTHER, NDP_REACHABLE, other_mac);
}

/* Answering: 7.2.3 and 7.2.4 --------------------------------------------------------------------------------------- */

static void a_question_is_answered_and_tells_who_asked(void **state)
{
	const struct frame *frame;
	const uint8_t *message;
	struct ip_address to, from;

	(void)state;
	give_solicitation(cable, OTHER, "ff02::1:ff00:2", US, other_mac);
	frame = expect_icmp6(cable, NDP_NEIGHBOUR_ADVERTISEMENT);
	message = body_of(frame);
	from = source_of(frame);
	to = destination_of(frame);
	assert_address(&from, US);
	assert_address(&to, OTHER);
	assert_memory_equal(frame->bytes, other_mac, 6);
	assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 255);
	assert_int_equal(message[NA_FLAGS], NA_SOLICITED | NA_OVERRIDE);
	assert_memory_equal(message + NA_TARGET, ip6(US).bytes, 16);
	assert_int_equal(message[NA_OPTIONS], NDP_OPTION_TARGET_MAC);
	assert_memory_equal(message + NA_OPTIONS + 2, our_mac, 6);
	expect_state(OTHER, NDP_STALE, other_mac);
	expect_silence();
}

/* 7.2.4: unsolicited, to all */
static void a_probe_of_our_address_is_answered_to_all(void **state)
{
	const struct frame *frame;
	struct ip_address to;

	(void)state;
	give_solicitation(cable, "::", "ff02::1:ff00:2", US, NULL);
	frame = expect_icmp6(cable, NDP_NEIGHBOUR_ADVERTISEMENT);
	to = destination_of(frame);
	assert_address(&to, ALL_NODES);
	assert_int_equal(body_of(frame)[NA_FLAGS], NA_OVERRIDE);
	expect_silence();
}

static void a_question_for_another_is_not_answered_and_teaches_nothing(void **state)
{
	(void)state;
	give_solicitation(cable, OTHER, ALL_NODES, "2001:db8::99", other_mac);
	expect_silence();
	assert_null(entry_of(OTHER));
}

/* 6.1, 7.1, 8.1: what is not valid is not even looked at. A receiver counts it. */
static void a_hop_limit_below_255_comes_from_another_link(void **state)
{
	(void)state;
	for (unsigned type = NDP_ROUTER_SOLICITATION; type <= NDP_REDIRECT; type++) {
		uint64_t before = counted(cable).drops[DROP_ICMP6_DISCOVERY];

		put_icmp6(&packet, ROUTER, US, (uint8_t)type, 0, 0, "12345678123456781234567812345678", 32);
		packet.bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT] = 254;
		give_packet(cable, &packet);
		assert_int_equal(counted(cable).drops[DROP_ICMP6_DISCOVERY], before + 1);
	}
	expect_silence();
}

static void expect_refused(void)
{
	uint64_t before = counted(cable).drops[DROP_ICMP6_DISCOVERY];

	give_packet(cable, &packet);
	assert_int_equal(counted(cable).drops[DROP_ICMP6_DISCOVERY], before + 1);
	expect_silence();
}

static void invalid_messages_are_dropped(void **state)
{
	struct ip_address us = ip6(US), group = ip6("ff02::1:ff00:9");

	(void)state;
	/* Too short; a code; an option of length 0, and one that ends behind the message. */
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 15);
	expect_refused();
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 1, 0, us.bytes, 16);
	expect_refused();
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	append_icmp6(&packet, "\1\0\0\0\0\0\0\0", 8);
	expect_refused();
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	append_icmp6(&packet, "\1\2\0\0\0\0\0\0", 8);
	expect_refused();
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	append_icmp6(&packet, "\1\1\0\0", 4);
	expect_refused();
	/* 7.1.1: a group as target; a probe that is not sent to the solicited-node group, or that says where it is */
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, group.bytes, 16);
	expect_refused();
	put_icmp6(&packet, "::", ALL_NODES, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	expect_refused();
	put_icmp6(&packet, "::", "ff02::1:ff00:2", NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, other_mac);
	expect_refused();
	/* 7.1.2: solicited, but to all */
	put_icmp6(
		&packet, OTHER, ALL_NODES, NDP_NEIGHBOUR_ADVERTISEMENT, 0, (uint32_t)NA_SOLICITED << 24, us.bytes, 16);
	expect_refused();
	/* 6.1.2 and 8.1: not from a link-local address */
	put_icmp6(&packet, OTHER, ALL_NODES, NDP_ROUTER_ADVERTISEMENT, 0, 1800, "\0\0\0\0\0\0\0\0", 8);
	expect_refused();
	put_icmp6(&packet, OTHER, US, NDP_REDIRECT, 0, 0, "12345678123456781234567812345678", 32);
	expect_refused();
}

/* RFC 6980 */
static void fragmented_discovery_is_dropped(void **state)
{
	uint8_t payload[8 + 32] = { IP_PROTOCOL_ICMPV6 };
	struct ip_address us = ip6(US);

	(void)state;
	put_icmp6(&packet, OTHER, US, NDP_NEIGHBOUR_SOLICITATION, 0, 0, us.bytes, 16);
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, other_mac);
	memcpy(payload + 8, packet.bytes + HEADERS_6, 32);
	put_ip6(&packet, OTHER, US, IPV6_FRAGMENT, payload, sizeof payload);
	packet.bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT] = 255;
	expect_refused();
	assert_null(entry_of(OTHER));
}

static void a_mac_address_that_no_host_has_is_not_learned(void **state)
{
	(void)state;
	give_solicitation(cable, OTHER, US, US, (const uint8_t[]){ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff });
	expect_state(OTHER, NDP_INCOMPLETE, NULL); /* asked for, as it is to be answered */
	give_solicitation(cable, OTHER, US, US, (const uint8_t[6]){ 0 });
	expect_state(OTHER, NDP_INCOMPLETE, NULL);
}

/* Advertisements: 7.2.5 and appendix C ---------------------------------------------------------------------------- */

static void an_advertisement_that_nobody_asked_for_teaches_nothing(void **state)
{
	(void)state;
	give_advertisement(cable, OTHER, ALL_NODES, OTHER, NA_OVERRIDE, other_mac);
	assert_null(entry_of(OTHER));
}

static void an_answer_without_a_mac_address_is_none(void **state)
{
	(void)state;
	(void)send_now(OTHER, 1);
	give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED, NULL);
	expect_state(OTHER, NDP_INCOMPLETE, NULL);
}

static void an_unsolicited_answer_is_stale(void **state)
{
	(void)state;
	(void)send_now(OTHER, 1);
	give_advertisement(cable, OTHER, ALL_NODES, OTHER, NA_OVERRIDE, other_mac);
	expect_state(OTHER, NDP_STALE, other_mac);
}

/* The table of appendix C for an entry that is REACHABLE. */
static void flags_decide_what_an_advertisement_changes(void **state)
{
	static const struct {
		uint8_t flags;
		const uint8_t *mac;
		enum ndp_state then;
		const uint8_t *then_mac;
	} cases[] = {
		{ 0, new_mac, NDP_STALE, other_mac }, /* the old one is kept, and doubted */
		{ NA_SOLICITED, new_mac, NDP_STALE, other_mac },
		{ NA_OVERRIDE, new_mac, NDP_STALE, new_mac },
		{ NA_SOLICITED | NA_OVERRIDE, new_mac, NDP_REACHABLE, new_mac },
		{ 0, other_mac, NDP_REACHABLE, other_mac },
		{ NA_OVERRIDE, other_mac, NDP_REACHABLE, other_mac },
		{ NA_SOLICITED, NULL, NDP_REACHABLE, other_mac },
		{ 0, NULL, NDP_REACHABLE, other_mac },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		bool solicited = cases[i].flags & NA_SOLICITED;

		make_reachable();
		give_advertisement(cable, OTHER, solicited ? US : ALL_NODES, OTHER, cases[i].flags, cases[i].mac);
		expect_state(OTHER, cases[i].then, cases[i].then_mac);
		give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED | NA_OVERRIDE, other_mac);
	}
}

/* Unreachability: 7.3.3 ------------------------------------------------------------------------------------------- */

static void a_neighbour_in_use_is_confirmed_by_asking_it_alone(void **state)
{
	(void)state;
	make_reachable();
	pass(SECOND(46)); /* beyond 1.5 * 30 s: whatever the random part was */
	assert_int_equal(send_now(OTHER, 1), 0);
	expect_datagram(1, other_mac);
	expect_state(OTHER, NDP_DELAY, other_mac);
	pass(SECOND(5));
	expect_question(OTHER, other_mac);
	give_advertisement(cable, OTHER, US, OTHER, NA_SOLICITED, NULL);
	expect_state(OTHER, NDP_REACHABLE, other_mac);
	pass(SECOND(10));
	expect_silence();
}

static void a_neighbour_that_is_not_used_is_not_asked(void **state)
{
	(void)state;
	make_reachable();
	pass(SECOND(600));
	assert_null(find_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION));
}

static void a_neighbour_that_is_gone_is_asked_three_times_and_forgotten(void **state)
{
	(void)state;
	make_reachable();
	pass(SECOND(46));
	drop_sent(cable);
	assert_int_equal(send_now(OTHER, 1), 0);
	expect_datagram(1, other_mac);
	pass(SECOND(5));
	for (int i = 0; i < 3; i++) {
		expect_question(OTHER, other_mac);
		expect_silence();
		pass(SECOND(1));
	}
	assert_null(entry_of(OTHER));
	assert_int_equal(send_now(OTHER, 2), 0);
	expect_question(OTHER, NULL);
}

/* 7.3.1: a transport's word is as good */
static void a_confirmation_from_above_spares_the_question(void **state)
{
	struct ip_address other = ip6(OTHER);

	(void)state;
	make_reachable();
	pass(SECOND(46));
	drop_sent(cable);
	assert_int_equal(send_now(OTHER, 1), 0);
	ip_confirm(own_of(cable), &other);
	expect_state(OTHER, NDP_REACHABLE, other_mac);
	pass(SECOND(10));
	assert_null(find_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION));
}

/* Routers: 6.3 ---------------------------------------------------------------------------------------------------- */

/* RFC 7559: each interval is twice the last, give or take a tenth */
static void routers_are_asked_for_until_one_is_heard(void **state)
{
	const struct frame *frame;
	uint64_t last = 0, interval = 0;
	struct ip_address from;

	(void)state;
	cable_close(cable);
	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, &(struct stack_config){ .accept_router_advertisements = true }), 0);
	pass(SECOND(130));
	for (unsigned i = 0; (frame = find_icmp6(cable, NDP_ROUTER_SOLICITATION)); i++) {
		from = source_of(frame);
		assert_true(ipv6_is_link_local(&from));
		assert_memory_equal(body_of(frame) + RS_OPTIONS + 2, our_mac, 6);
		if (i > 0)
			assert_in_range(frame->sent_at - last, interval - interval / 10, interval + interval / 10);
		interval = i > 0 ? 2 * interval : SECOND(4);
		last = frame->sent_at;
	}
	assert_true(interval >= SECOND(64));
	drop_sent(cable);
	give_router(ROUTER, 1800, their_mac);
	pass(SECOND(1000));
	assert_null(find_icmp6(cable, NDP_ROUTER_SOLICITATION));
}

static void who_does_not_accept_advertisements_asks_for_none(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	assert_int_equal(send_now(FAR, 1), -ENETUNREACH);
	pass(SECOND(60));
	assert_null(find_icmp6(cable, NDP_ROUTER_SOLICITATION));
}

static void an_advertised_router_takes_what_is_for_strangers(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, their_mac);
}

static void a_router_whose_lifetime_is_over_or_0_is_used_no_more(void **state)
{
	(void)state;
	give_router(ROUTER, 100, their_mac);
	pass(SECOND(99));
	assert_int_equal(send_now(FAR, 1), 0);
	pass(SECOND(2));
	assert_int_equal(send_now(FAR, 1), -ENETUNREACH);
	give_router(ROUTER, 100, their_mac);
	assert_int_equal(send_now(FAR, 1), 0);
	give_router(ROUTER, 0, their_mac);
	assert_int_equal(send_now(FAR, 1), -ENETUNREACH);
}

/* 6.3.6 */
static void when_a_router_is_silent_another_is_used(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	give_router(SECOND_ROUTER, 1800, other_mac);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, their_mac);
	pass(SECOND(5)); /* DELAY */
	expect_question(ROUTER, their_mac);
	pass(SECOND(4)); /* three probes */
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 2), 0);
	expect_datagram(2, other_mac);
}

static void of_routers_that_are_all_unknown_each_is_tried_in_turn(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, NULL);
	give_router(SECOND_ROUTER, 1800, NULL);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_question(ROUTER, NULL);
	pass(SECOND(3));
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 2), 0);
	expect_question(SECOND_ROUTER, NULL);
}

/* RFC 4191 */
static void a_preferred_router_is_used_first(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	put_router(SECOND_ROUTER, &(struct advertised){ .flags = 0x08, .lifetime_seconds = 1800 });
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, other_mac);
	give_packet(cable, &packet);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, other_mac);
}

/* lifetime in seconds; len in bits, of which the option holds held bytes */
static void give_route(const char *router, const uint8_t *mac, const char *prefix, uint8_t len, uint8_t held,
	uint8_t flags, uint32_t lifetime)
{
	uint8_t option[24] = { NDP_OPTION_ROUTE, (uint8_t)(1 + held / 8), len, flags };

	wire_put32(option + 4, lifetime);
	memcpy(option + 8, ip6(prefix).bytes, held);
	put_router(router, &(struct advertised){ 0 }); /* no default router */
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, mac);
	append_icmp6(&packet, option, 8u + held);
	give_packet(cable, &packet);
	pass(0);
}

/* RFC 4191, 2.3 and 3.2 */
static void a_router_may_be_for_some_destinations_only(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 48, 8, 0, 100);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, other_mac);
	assert_int_equal(send_now("2001:db8:2::9", 2), 0);
	expect_datagram(2, their_mac);
	/* The longer prefix wins; of one length the preferred router. */
	give_route("fe80::6", new_mac, "2001:db8:1::", 64, 8, 0, 100);
	assert_int_equal(send_now(FAR, 3), 0);
	expect_datagram(3, new_mac);
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 64, 16, 0x08, 100);
	assert_int_equal(send_now(FAR, 4), 0);
	expect_datagram(4, other_mac);
	/* A lifetime of 0 takes it back; the others end by themselves. */
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 64, 16, 0x08, 0);
	assert_int_equal(send_now(FAR, 5), 0);
	expect_datagram(5, new_mac);
	pass(SECOND(101));
	give_router(ROUTER, 1800, their_mac); /* who did not answer when asked */
	give_router(SECOND_ROUTER, 0, other_mac);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 6), 0);
	expect_datagram(6, their_mac);
}

static void a_route_is_used_without_a_default_router(void **state)
{
	(void)state;
	pass(NDP_PENDING_NS);
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 48, 8, 0, 100);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, other_mac);
	assert_int_equal(send_now("2001:db8:2::9", 2), -ENETUNREACH);
	give_advertisement(cable, SECOND_ROUTER, ALL_NODES, SECOND_ROUTER, NA_ROUTER | NA_OVERRIDE, other_mac);
	give_advertisement(cable, SECOND_ROUTER, ALL_NODES, SECOND_ROUTER, NA_OVERRIDE, other_mac); /* a host now */
	assert_int_equal(send_now(FAR, 1), -ENETUNREACH);
}

static void routes_that_cannot_be_are_ignored_and_all_are_bounded(void **state)
{
	char prefix[64];

	(void)state;
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 129, 16, 0, 100);
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 65, 8, 0, 100); /* more bits than it holds */
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 1, 0, 0, 100);
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 64, 8, 0x10, 100); /* a reserved preference */
	give_route(SECOND_ROUTER, other_mac, "2001:db8:1::", 64, 8, 0, 0);
	assert_int_equal(machine_of(cable)->routing.route_count, 0);
	for (unsigned i = 0; i < 100; i++) {
		snprintf(prefix, sizeof prefix, "2001:db8:%x::", i);
		give_route(SECOND_ROUTER, other_mac, prefix, 64, 8, 0, 100);
	}
	assert_int_equal(machine_of(cable)->routing.route_count, NDP_ROUTES);
}

/* 7.2.5: the Router flag */
static void a_router_that_says_it_is_a_host_is_one(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	give_advertisement(cable, ROUTER, ALL_NODES, ROUTER, NA_ROUTER | NA_OVERRIDE, their_mac);
	assert_int_equal(send_now(FAR, 1), 0);
	give_advertisement(cable, ROUTER, ALL_NODES, ROUTER, NA_OVERRIDE, their_mac);
	assert_int_equal(send_now(FAR, 1), -ENETUNREACH);
}

static void a_flood_of_routers_and_prefixes_is_bounded(void **state)
{
	char router[64], prefix[64];

	(void)state;
	for (unsigned i = 1; i <= 1000; i++) {
		snprintf(router, sizeof router, "fe80::%x", i);
		snprintf(prefix, sizeof prefix, "2001:db8:%x::", i);
		put_router(router, &(struct advertised){ .lifetime_seconds = 1800 });
		append_prefix(prefix, 64, 0xc0, 1800, 1800);
		give_packet(cable, &packet);
	}
	assert_int_equal(machine_of(cable)->routing.router_count, NDP_ROUTERS);
	assert_int_equal(machine_of(cable)->routing.prefix_count, NDP_PREFIXES);
	pass(SECOND(2));
	assert_in_range(machine_of(cable)->mld.count, 10, IPV6_GROUPS);
	drop_sent(cable);
}

/* Prefixes: 6.3.4 ------------------------------------------------------------------------------------------------- */

static void a_prefix_on_the_link_makes_neighbours_as_long_as_it_is_valid(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_prefix("2001:db8:1::", 48, 0x80, 100, 100);
	give_packet(cable, &packet);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_question(FAR, NULL);
	pass(SECOND(101));
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, their_mac);
}

/* RFC 5942, 4: an address made from a prefix says nothing about where others with that prefix are. */
static void a_prefix_for_addresses_alone_makes_no_neighbours(void **state)
{
	(void)state;
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, their_mac);
	append_prefix("2001:db8:1::", 64, 0x40, 1000, 1000);
	give_packet(cable, &packet);
	pass(SECOND(2));
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, their_mac);
}

static void prefixes_that_cannot_be_are_ignored(void **state)
{
	(void)state;
	for (unsigned len = 129; len < 256; len += 42) {
		put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
		append_prefix("2001:db8:1::", (uint8_t)len, 0xc0, 100, 100);
		give_packet(cable, &packet);
	}
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_prefix("fe80::", 64, 0xc0, 100, 100);
	append_prefix("ff02::", 16, 0xc0, 100, 100);
	append_prefix("2001:db8:1::", 64, 0x80, 0, 0);
	give_packet(cable, &packet);
	assert_int_equal(machine_of(cable)->routing.prefix_count, 1); /* the configured one's */
}

/* Parameters: 6.3.4 ----------------------------------------------------------------------------------------------- */

static void parameters_of_the_link_are_obeyed_and_0_says_nothing(void **state)
{
	struct ndp_routing *routing = &machine_of(cable)->routing;

	(void)state;
	put_router(ROUTER, &(struct advertised){ 32, 0, 1800, 60000, 2000 });
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, their_mac);
	append_icmp6(&packet, "\5\1\0\0\0\0\5\x14", 8); /* MTU 1300 */
	give_packet(cable, &packet);
	assert_int_equal(routing->hop_limit, 32);
	assert_in_range(routing->reachable_ns, SECOND(30), SECOND(90));
	assert_int_equal(routing->retrans_ns, SECOND(2));
	assert_int_equal(routing->mtu, 1300);
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 1), 0);
	assert_int_equal(take6(cable)->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 32);
	give_router(ROUTER, 1800, their_mac);
	assert_int_equal(routing->hop_limit, 32);
	assert_int_equal(routing->retrans_ns, SECOND(2));
	assert_int_equal(routing->mtu, 1300);
}

/* RFC 4861, 6.2.1 allows an hour; the lower limits are ours, so that a forger cannot have us ask without a pause. */
static void times_that_would_make_us_flood_the_link_or_never_ask_are_ignored(void **state)
{
	static const uint32_t reachable_ms[] = { 1, 999, 3600001, UINT32_MAX };
	static const uint32_t retrans_ms[] = { 1, 99, 60001, UINT32_MAX };
	const struct ndp_routing *routing = &machine_of(cable)->routing;

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		put_router(ROUTER, &(struct advertised){ 0, 0, 1800, reachable_ms[i], retrans_ms[i] });
		give_packet(cable, &packet);
		assert_int_equal(routing->reachable_base_ns, NDP_REACHABLE_NS);
		assert_int_equal(routing->retrans_ns, NDP_RETRANS_NS);
	}
}

static void an_mtu_below_1280_or_above_the_links_is_ignored(void **state)
{
	(void)state;
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_icmp6(&packet, "\5\1\0\0\0\0\4\xff", 8); /* 1279 */
	give_packet(cable, &packet);
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_icmp6(&packet, "\5\1\0\0\0\0\5\xdd", 8); /* 1501 */
	give_packet(cable, &packet);
	assert_int_equal(machine_of(cable)->routing.mtu, CABLE_MTU);
}

/* RFC 8106, 5.1 --------------------------------------------------------------------------------------------------- */

static void append_resolvers(uint32_t lifetime, const char *first, const char *second)
{
	uint8_t option[40] = { NDP_OPTION_RDNSS, 5 };

	wire_put32(option + 4, lifetime);
	memcpy(option + 8, ip6(first).bytes, 16);
	memcpy(option + 24, ip6(second).bytes, 16);
	append_icmp6(&packet, option, sizeof option);
}

static void name_servers_are_told_as_long_as_they_live(void **state)
{
	struct ip_address servers[8];

	(void)state;
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 8), 0);
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_resolvers(100, "2001:db8::53", "2001:db8::54");
	give_packet(cable, &packet);
	give_packet(cable, &packet);
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 8), 2);
	assert_address(&servers[0], "2001:db8::53");
	assert_address(&servers[1], "2001:db8::54");
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 1), 1);
	pass(SECOND(101));
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 8), 0);
	for (unsigned i = 0; i < 20; i++) {
		char text[64];

		snprintf(text, sizeof text, "2001:db8::5:%x", i);
		put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
		append_resolvers(100, text, "2001:db8::54");
		give_packet(cable, &packet);
	}
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 8), NDP_RESOLVERS);
	put_router(ROUTER, &(struct advertised){ .lifetime_seconds = 1800 });
	append_resolvers(0, "2001:db8::54", "2001:db8::5:1"); /* a lifetime of 0 takes them back */
	give_packet(cable, &packet);
	pass(0);
	assert_int_equal(stack_advertised_resolvers(cable->stack, servers, 8), NDP_RESOLVERS - 2);
}

/* Redirects: 8.1 and 8.3 ------------------------------------------------------------------------------------------- */

static void give_redirect(const char *from, const char *target, const char *destination, const uint8_t *mac)
{
	uint8_t addresses[32];

	memcpy(addresses, ip6(target).bytes, 16);
	memcpy(addresses + 16, ip6(destination).bytes, 16);
	put_icmp6(&packet, from, US, NDP_REDIRECT, 0, 0, addresses, sizeof addresses);
	if (mac)
		append_mac(&packet, NDP_OPTION_TARGET_MAC, mac);
	give_packet(cable, &packet);
}

static void a_redirect_of_the_router_in_use_is_obeyed(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	drop_sent(cable);
	give_redirect(ROUTER, SECOND_ROUTER, FAR, other_mac);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, other_mac);
	assert_int_equal(send_now("2001:db8:1::a", 2), 0);
	expect_datagram(2, their_mac);
	/* To the destination itself: it is on the link. */
	give_redirect(ROUTER, "2001:db8:1::b", "2001:db8:1::b", new_mac);
	assert_int_equal(send_now("2001:db8:1::b", 3), 0);
	expect_datagram(3, new_mac);
}

static void redirects_of_others_and_to_nonsense_are_ignored(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	drop_sent(cable);
	give_redirect(SECOND_ROUTER, SECOND_ROUTER, FAR, other_mac); /* not who FAR is sent by */
	give_redirect(ROUTER, "2001:db8::99", FAR, other_mac);       /* neither a router's address nor FAR */
	give_redirect(ROUTER, SECOND_ROUTER, "ff02::5", other_mac);
	give_redirect(ROUTER, US, FAR, other_mac);
	assert_int_equal(machine_of(cable)->path_count, 0);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_datagram(1, their_mac);
}

static void a_redirect_to_somebody_silent_is_forgotten(void **state)
{
	(void)state;
	give_router(ROUTER, 1800, their_mac);
	drop_sent(cable);
	give_redirect(ROUTER, SECOND_ROUTER, FAR, NULL);
	assert_int_equal(send_now(FAR, 1), 0);
	expect_question(SECOND_ROUTER, NULL);
	pass(SECOND(4));
	drop_sent(cable);
	assert_int_equal(send_now(FAR, 2), 0);
	expect_datagram(2, their_mac);
}

/* Runs what logs, and counts its lines. */
static size_t count_lines(void (*run)(void))
{
	static char text[1 << 20];
	FILE *file = tmpfile();
	int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
	size_t lines = 0, len;

	assert_non_null(file);
	fflush(stdout);
	fflush(stderr);
	dup2(fileno(file), STDOUT_FILENO);
	dup2(fileno(file), STDERR_FILENO);
	run();
	dup2(out, STDOUT_FILENO);
	dup2(err, STDERR_FILENO);
	close(out);
	close(err);
	rewind(file);
	len = fread(text, 1, sizeof text, file);
	fclose(file);
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	return lines;
}

static void come_and_go(void)
{
	for (int i = 0; i < 1000; i++) {
		give_router(ROUTER, 1800, their_mac);
		give_router(ROUTER, 0, their_mac);
		give_advertisement(cable, US, ALL_NODES, US, NA_OVERRIDE, other_mac);
	}
}

static void what_a_neighbour_does_cannot_fill_the_log(void **state)
{
	(void)state;
	assert_in_range(count_lines(come_and_go), 1, IPV6_TOLD_MAX);
	pass(IPV6_TOLD_NS);
	assert_in_range(count_lines(come_and_go), 1, IPV6_TOLD_MAX);
}

/* Random messages ------------------------------------------------------------------------------------------------- */

static void random_messages_do_no_harm(void **state)
{
	uint8_t data[120];

	(void)state;
	srand(1);
	for (int i = 0; i < 50000; i++) {
		for (size_t j = 0; j < sizeof data; j++)
			data[j] = (uint8_t)(rand() % 4 ? rand() % 6 : rand());
		put_icmp6(&packet, rand() % 2 ? ROUTER : OTHER, rand() % 2 ? US : ALL_NODES,
			(uint8_t)(MLD_QUERY + rand() % 8), 0, (uint32_t)rand(), data, (size_t)rand() % sizeof data);
		give_packet(cable, &packet);
		if (cable->sent_count > CABLE_FRAMES / 2)
			drop_sent(cable);
	}
}

#define TEST(name)      cmocka_unit_test_setup_teardown(name, setup, teardown)
#define LINK_TEST(name) cmocka_unit_test_setup_teardown(name, setup_deaf, teardown) /* without routers */

int main(void)
{
	const struct CMUnitTest tests[] = {
		LINK_TEST(an_unknown_neighbour_is_asked_for_and_gets_what_waited),
		LINK_TEST(of_many_packets_the_latest_three_wait),
		LINK_TEST(it_is_asked_three_times_a_second_apart_and_then_unreachable),
		LINK_TEST(a_flood_of_questions_is_bounded),
		LINK_TEST(ten_thousand_neighbours_push_out_none_that_is_in_use),
		LINK_TEST(a_question_is_answered_and_tells_who_asked),
		LINK_TEST(a_probe_of_our_address_is_answered_to_all),
		LINK_TEST(a_question_for_another_is_not_answered_and_teaches_nothing),
		LINK_TEST(a_hop_limit_below_255_comes_from_another_link),
		LINK_TEST(invalid_messages_are_dropped),
		LINK_TEST(fragmented_discovery_is_dropped),
		LINK_TEST(a_mac_address_that_no_host_has_is_not_learned),
		LINK_TEST(an_advertisement_that_nobody_asked_for_teaches_nothing),
		LINK_TEST(an_answer_without_a_mac_address_is_none),
		LINK_TEST(an_unsolicited_answer_is_stale),
		LINK_TEST(flags_decide_what_an_advertisement_changes),
		LINK_TEST(a_neighbour_in_use_is_confirmed_by_asking_it_alone),
		LINK_TEST(a_neighbour_that_is_not_used_is_not_asked),
		LINK_TEST(a_neighbour_that_is_gone_is_asked_three_times_and_forgotten),
		LINK_TEST(a_confirmation_from_above_spares_the_question),
		TEST(routers_are_asked_for_until_one_is_heard),
		LINK_TEST(who_does_not_accept_advertisements_asks_for_none),
		TEST(an_advertised_router_takes_what_is_for_strangers),
		TEST(a_router_whose_lifetime_is_over_or_0_is_used_no_more),
		TEST(when_a_router_is_silent_another_is_used),
		TEST(of_routers_that_are_all_unknown_each_is_tried_in_turn),
		TEST(a_preferred_router_is_used_first),
		TEST(a_router_may_be_for_some_destinations_only),
		TEST(a_route_is_used_without_a_default_router),
		TEST(routes_that_cannot_be_are_ignored_and_all_are_bounded),
		TEST(a_router_that_says_it_is_a_host_is_one),
		TEST(a_flood_of_routers_and_prefixes_is_bounded),
		TEST(a_prefix_on_the_link_makes_neighbours_as_long_as_it_is_valid),
		TEST(a_prefix_for_addresses_alone_makes_no_neighbours),
		TEST(prefixes_that_cannot_be_are_ignored),
		TEST(parameters_of_the_link_are_obeyed_and_0_says_nothing),
		TEST(times_that_would_make_us_flood_the_link_or_never_ask_are_ignored),
		TEST(an_mtu_below_1280_or_above_the_links_is_ignored),
		TEST(name_servers_are_told_as_long_as_they_live),
		TEST(a_redirect_of_the_router_in_use_is_obeyed),
		TEST(redirects_of_others_and_to_nonsense_are_ignored),
		TEST(a_redirect_to_somebody_silent_is_forgotten),
		TEST(what_a_neighbour_does_cannot_fill_the_log),
		TEST(random_messages_do_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
