/* SPDX-License-Identifier: ISC
 *
 * A stack's own IPv6 addresses: made, probed, preferred, deprecated and gone (RFC 4862, 7217, 7527, 8981), and which of
 * them a packet has as its source (RFC 6724).
 */
#include <stdio.h>

#include <skerry/tcp.h>

#include "lib/net/test/cable6.h"

#define US        "2001:db8::2"
#define ROUTER    "fe80::1"
#define ALL_NODES "ff02::1"
#define PREFIX    "2001:db8:5::"

static const uint8_t other_mac[6] = { 0x02, 0, 0, 0, 0, 0x07 };
static struct cable *cable;
static struct packet packet;

static void open_with(const struct stack_config *config)
{
	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, config), 0);
}

static int setup(void **state)
{
	(void)state;
	open_with(&(struct stack_config){ .ipv6_secret = "test", .accept_router_advertisements = true });
	pass(SECOND(3));
	drop_sent(cable);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	cable_close(cable);
	return 0;
}

static void put_prefix(const char *prefix, uint8_t len, uint8_t flags, uint32_t valid, uint32_t preferred)
{
	uint8_t option[32] = { NDP_OPTION_PREFIX, 4, len, flags };

	wire_put32(option + 4, valid);
	wire_put32(option + 8, preferred);
	memcpy(option + 16, ip6(prefix).bytes, 16);
	put_icmp6(&packet, ROUTER, ALL_NODES, NDP_ROUTER_ADVERTISEMENT, 0, 1800, "\0\0\0\0\0\0\0\0", 8);
	append_mac(&packet, NDP_OPTION_SOURCE_MAC, their_mac);
	append_icmp6(&packet, option, sizeof option);
}

static void advertise(const char *prefix, uint32_t valid, uint32_t preferred)
{
	put_prefix(prefix, 64, 0xc0, valid, preferred);
	give_packet(cable, &packet);
}

/* How many addresses the stack uses with this prefix of 64 bits; the last of them. */
static size_t count_of(const char *prefix, struct ip_address *last)
{
	struct ip_address all[IPV6_ADDRESSES + 1], wanted = ip6(prefix);
	size_t count = stack_addresses(cable->stack, all, IPV6_ADDRESSES + 1), found = 0;

	for (size_t i = 0; i < count; i++) {
		if (ip_is_v4(&all[i]) || memcmp(all[i].bytes, wanted.bytes, 8) != 0)
			continue;
		found++;
		if (last)
			*last = all[i];
	}
	return found;
}

static bool is_probe(const struct frame *frame)
{
	struct ip_address from = source_of(frame);

	return ipv6_is_unspecified(&from);
}

static const struct frame *find_probe(void)
{
	const struct frame *frame;

	while ((frame = find_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION)) && !is_probe(frame))
		;
	return frame;
}

/* The start: RFC 4862, 5.3 and 5.4 ------------------------------------------------------------------------------- */

static void at_first_each_address_is_asked_for_within_a_second(void **state)
{
	const struct frame *frame;
	uint64_t opened;
	struct ip_address group, to, target;

	(void)state;
	opened = virtual_now;
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64) });
	pass(SECOND(4));
	for (int i = 0; i < 2; i++) {
		size_t len;
		const uint8_t *message;

		frame = find_probe();
		assert_non_null(frame);
		assert_in_range(frame->sent_at - opened, 0, NDP_START_NS);
		message = icmp6_of(frame, &len);
		target = ipv6_get(message + NS_TARGET);
		group = ipv6_solicited_node(&target);
		to = destination_of(frame);
		assert_true(ip_equal(&to, &group));
		assert_int_equal(frame->bytes[NET_ETHERNET_HEADER + IPV6_HOP_LIMIT], 255);
		/* RFC 7527, 4.1: a nonce, and no address of the link's */
		assert_int_equal(len, NS_OPTIONS + NDP_OPTION_NONCE_LEN);
		assert_int_equal(message[NS_OPTIONS], NDP_OPTION_NONCE);
	}
	assert_null(find_probe());
	cable_close(cable);
}

/* 5.4: "tentative": what is sent to it is not for us, and nothing is sent from it */
static void an_address_is_used_only_when_nobody_answered_for_a_second(void **state)
{
	(void)state;
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64) });
	pass(MSEC(1000)); /* asked by now */
	put_icmp6(&packet, "2001:db8::1", US, ICMPV6_ECHO_REQUEST, 0, 1, "abc", 3);
	give_packet(cable, &packet);
	assert_null(find_icmp6(cable, ICMPV6_ECHO_REPLY));
	give_solicitation(cable, "2001:db8::1", "ff02::1:ff00:2", US, other_mac);
	assert_null(find_icmp6(cable, NDP_NEIGHBOUR_ADVERTISEMENT));
	assert_int_equal(count_of("2001:db8::", NULL), 0);
	pass(MSEC(1001));
	give_packet(cable, &packet);
	assert_int_equal(count_of("2001:db8::", NULL), 1);
	give_solicitation(cable, "2001:db8::1", "ff02::1:ff00:2", US, other_mac);
	assert_non_null(find_icmp6(cable, NDP_NEIGHBOUR_ADVERTISEMENT));
	cable_close(cable);
}

/* Opens, and returns when the static address is being asked for. */
static void open_until_probed(void)
{
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64) });
	while (!machine_of(cable)->addresses[1].probed)
		pass(MSEC(10));
}

static void expect_duplicate(void)
{
	assert_int_equal(machine_of(cable)->addresses[1].state, IPV6_DUPLICATE);
	pass(SECOND(5));
	assert_int_equal(count_of("2001:db8::", NULL), 0);
	assert_int_equal(count_of("fe80::", NULL), 1);
	cable_close(cable);
}

/* 5.4.4 */
static void an_answer_of_another_host_makes_it_a_duplicate(void **state)
{
	(void)state;
	open_until_probed();
	give_advertisement(cable, US, ALL_NODES, US, NA_OVERRIDE, other_mac);
	expect_duplicate();
}

/* 5.4.3 */
static void two_hosts_that_ask_at_once_have_both_a_duplicate(void **state)
{
	(void)state;
	open_until_probed();
	give_solicitation(cable, "::", "ff02::1:ff00:2", US, NULL);
	expect_duplicate();
}

/* 5.4.3: somebody resolves it, who is neither its owner nor wants it */
static void a_question_for_it_is_no_conflict(void **state)
{
	(void)state;
	open_until_probed();
	give_solicitation(cable, "2001:db8::1", "ff02::1:ff00:2", US, other_mac);
	pass(SECOND(2));
	assert_int_equal(count_of("2001:db8::", NULL), 1);
	cable_close(cable);
}

/* RFC 7527: a link that brings back what we send */
static void our_own_probe_is_no_conflict(void **state)
{
	const struct frame *frame;

	(void)state;
	open_until_probed();
	while ((frame = find_probe()))
		give(cable, frame->bytes, frame->len);
	pass(SECOND(2));
	assert_int_equal(count_of("2001:db8::", NULL), 1);
	assert_int_equal(count_of("fe80::", NULL), 1);
	cable_close(cable);
}

/* RFC 7217, 6: another identifier, up to IDGEN_RETRIES times */
static void of_a_duplicate_that_we_made_others_are_tried(void **state)
{
	struct ip_address tried[8];
	size_t count = 0;
	const struct frame *frame;
	char text[IP_TEXT_MAX];

	(void)state;
	open_with(&(struct stack_config){ .ipv6_secret = "test" });
	for (int i = 0; i < 100; i++) {
		pass(MSEC(100));
		while ((frame = find_probe())) {
			tried[count] = ipv6_get(body_of(frame) + NS_TARGET);
			for (size_t j = 0; j < count; j++)
				assert_false(ip_equal(&tried[j], &tried[count]));
			give_advertisement(
				cable, ip_format(&tried[count], text), ALL_NODES, text, NA_OVERRIDE, other_mac);
			count++;
		}
	}
	assert_int_equal(count, 1 + IPV6_COLLISIONS_MAX);
	assert_int_equal(count_of("fe80::", NULL), 0);
	cable_close(cable);
}

static void a_claim_to_an_address_in_use_changes_nothing(void **state)
{
	(void)state;
	advertise(PREFIX, 1000, 1000);
	pass(SECOND(2));
	for (int i = 0; i < 100; i++) {
		struct ip_address own;
		char text[IP_TEXT_MAX];

		assert_int_equal(count_of(PREFIX, &own), 1);
		give_advertisement(cable, ip_format(&own, text), ALL_NODES, text, NA_OVERRIDE, other_mac);
	}
	assert_int_equal(count_of(PREFIX, NULL), 1);
}

/* Made from prefixes: RFC 4862, 5.5.3 ----------------------------------------------------------------------------- */

static void an_advertised_prefix_makes_an_address(void **state)
{
	struct ip_address own;

	(void)state;
	advertise(PREFIX, 1000, 500);
	pass(0);
	assert_non_null(find_probe()); /* at once: the start is over */
	assert_int_equal(count_of(PREFIX, NULL), 0);
	pass(SECOND(1));
	assert_int_equal(count_of(PREFIX, &own), 1);
	pass(SECOND(998));
	assert_int_equal(count_of(PREFIX, NULL), 1);
	pass(SECOND(2));
	assert_int_equal(count_of(PREFIX, NULL), 0);
}

static void prefixes_that_cannot_be_make_none(void **state)
{
	(void)state;
	put_prefix(PREFIX, 64, 0x80, 1000, 1000); /* not for this */
	give_packet(cable, &packet);
	put_prefix("fe80::", 64, 0xc0, 1000, 1000);
	give_packet(cable, &packet);
	put_prefix(PREFIX, 64, 0xc0, 500, 1000); /* preferred for longer than valid */
	give_packet(cable, &packet);
	put_prefix(PREFIX, 64, 0xc0, 0, 0);
	give_packet(cable, &packet);
	put_prefix(PREFIX, 48, 0xc0, 1000, 1000); /* 48 + 64 are not 128 */
	give_packet(cable, &packet);
	put_prefix(PREFIX, 96, 0xc0, 1000, 1000);
	give_packet(cable, &packet);
	pass(SECOND(2));
	assert_int_equal(stack_addresses(cable->stack, (struct ip_address[8]){ 0 }, 8), 2); /* IPv4 and link-local */
}

/* 5.5.3 e: the two-hour rule */
static void a_forged_advertisement_cannot_end_an_address(void **state)
{
	(void)state;
	advertise(PREFIX, 100000, 100000);
	pass(SECOND(2));
	advertise(PREFIX, 1, 1); /* becomes two hours */
	pass(SECOND(7100));
	assert_int_equal(count_of(PREFIX, NULL), 1);
	advertise(PREFIX, 1, 1); /* of less than two hours nothing is taken */
	pass(SECOND(90));
	assert_int_equal(count_of(PREFIX, NULL), 1);
	pass(SECOND(20));
	assert_int_equal(count_of(PREFIX, NULL), 0);
}

static void a_prefix_that_is_advertised_again_lives_longer(void **state)
{
	(void)state;
	advertise(PREFIX, 100, 100);
	for (int i = 0; i < 10; i++) {
		pass(SECOND(90));
		assert_int_equal(count_of(PREFIX, NULL), 1);
		advertise(PREFIX, 100, 100);
	}
	pass(SECOND(101));
	assert_int_equal(count_of(PREFIX, NULL), 0);
}

static void a_lifetime_without_end_has_none(void **state)
{
	(void)state;
	advertise(PREFIX, UINT32_MAX, UINT32_MAX);
	pass(SECOND(10000000));
	assert_int_equal(count_of(PREFIX, NULL), 1);
	drop_sent(cable);
}

static void a_flood_of_prefixes_makes_a_bounded_number_of_addresses(void **state)
{
	char prefix[64];

	(void)state;
	advertise(PREFIX, 10000, 10000);
	for (unsigned i = 1; i < 1000; i++) {
		snprintf(prefix, sizeof prefix, "2001:db8:6:%x::", i);
		advertise(prefix, 10000, 10000);
	}
	pass(SECOND(2));
	assert_int_equal(stack_addresses(cable->stack, (struct ip_address[64]){ 0 }, 64), 1 + IPV6_ADDRESSES);
	assert_int_equal(count_of(PREFIX, NULL), 1);
	drop_sent(cable);
}

/* RFC 7217 -------------------------------------------------------------------------------------------------------- */

static struct ip_address made_with(const char *secret, const char *prefix, uint8_t mac_tail)
{
	struct ip_address own;

	cable = cable_new();
	cable->net.info.mac[5] = mac_tail;
	assert_int_equal(cable6_open_stack(cable,
				 &(struct stack_config){ .ipv6_secret = secret, .accept_router_advertisements = true }),
		0);
	pass(SECOND(3));
	put_prefix(prefix, 64, 0xc0, 1000, 1000);
	give_packet(cable, &packet);
	pass(SECOND(2));
	assert_int_equal(count_of(prefix, &own), 1);
	cable_close(cable);
	return own;
}

static bool same_identifier(struct ip_address a, struct ip_address b)
{
	return memcmp(a.bytes + 8, b.bytes + 8, 8) == 0;
}

static void the_same_secret_network_and_card_make_the_same_address(void **state)
{
	struct ip_address first = made_with("secret", PREFIX, 2);

	(void)state;
	assert_true(same_identifier(first, made_with("secret", PREFIX, 2)));
	assert_false(same_identifier(first, made_with("another", PREFIX, 2)));
	assert_false(same_identifier(first, made_with("secret", "2001:db8:6::", 2)));
	assert_false(same_identifier(first, made_with("secret", PREFIX, 3)));
	assert_false(same_identifier(made_with(NULL, PREFIX, 2), made_with(NULL, PREFIX, 2)));
}

/* RFC 8981 -------------------------------------------------------------------------------------------------------- */

static void open_temporary(void)
{
	open_with(&(struct stack_config){
		.ipv6_secret = "test", .accept_router_advertisements = true, .ipv6_temporary = true });
	pass(SECOND(3));
	drop_sent(cable);
}

static struct ip_address source_for(const char *destination)
{
	struct ip_address source, to = ip6(destination);

	assert_int_equal(ipv6_choose_source(machine_of(cable), &to, virtual_now, &source), 0);
	return source;
}

static void temporary_addresses_are_used_first_and_changed_each_day(void **state)
{
	struct ip_address first, next;
	size_t changes = 0;

	(void)state;
	open_temporary();
	advertise(PREFIX, UINT32_MAX, UINT32_MAX);
	pass(SECOND(2));
	assert_int_equal(count_of(PREFIX, NULL), 2);
	first = source_for("2001:db8:9::1");
	next = address_of(cable, IPV6_TEMPORARY);
	assert_true(ip_equal(&first, &next));
	for (int hour = 0; hour < 24 * 10; hour++) {
		pass(SECOND(3600));
		drop_sent(cable);
		next = source_for("2001:db8:9::1");
		changes += !ip_equal(&next, &first);
		first = next;
		assert_in_range(count_of(PREFIX, NULL), 2, 5);
	}
	assert_in_range(changes, 10, 17); /* each lasts 0.6 to 1 day */
	cable_close(cable);
}

static void temporary_addresses_do_not_outlive_their_prefix(void **state)
{
	(void)state;
	open_temporary();
	advertise(PREFIX, 3000, 2000);
	pass(SECOND(2));
	assert_int_equal(count_of(PREFIX, NULL), 2);
	pass(SECOND(3000));
	assert_int_equal(count_of(PREFIX, NULL), 0);
	cable_close(cable);
}

static void there_are_none_unless_asked_for(void **state)
{
	(void)state;
	advertise(PREFIX, 3000, 2000);
	pass(SECOND(2));
	assert_int_equal(count_of(PREFIX, NULL), 1);
}

/* RFC 6724, 5 ------------------------------------------------------------------------------------------------------ */

static void add_own(const char *text, uint8_t len, uint64_t preferred_until, enum ipv6_address_origin origin)
{
	const struct ipv6_own_address own = { .address = ip6(text),
		.prefix_len = len,
		.origin = (uint8_t)origin,
		.preferred_until = preferred_until,
		.valid_until = FOREVER };

	assert_non_null(ipv6_add_address(machine_of(cable), &own, 0, virtual_now));
	machine_of(cable)->addresses[0].due_at = FOREVER;
	for (size_t i = 0; i < IPV6_ADDRESSES; i++)
		if (machine_of(cable)->addresses[i].state == IPV6_TENTATIVE)
			machine_of(cable)->addresses[i].state = IPV6_ASSIGNED;
}

static void expect_source(const char *destination, const char *source)
{
	struct ip_address chosen = source_for(destination);

	assert_address(&chosen, source);
}

static void rule_1_the_destination_itself(void **state)
{
	(void)state;
	add_own("2001:db8:1::1", 64, FOREVER, IPV6_STATIC);
	add_own("2001:db8:1::2", 64, FOREVER, IPV6_STATIC);
	expect_source("2001:db8:1::2", "2001:db8:1::2");
}

static void rule_2_the_scope_that_reaches(void **state)
{
	struct ip_address link_local = address_of(cable, IPV6_LINK_LOCAL);
	char text[IP_TEXT_MAX];

	(void)state;
	add_own("2001:db8:1::1", 64, FOREVER, IPV6_STATIC);
	expect_source("2001:db8:2::1", "2001:db8:1::1");
	expect_source("fe80::99", ip_format(&link_local, text));
	expect_source("ff02::1", ip_format(&link_local, text));
	expect_source("ff05::1", "2001:db8:1::1");
	expect_source("ff0e::1", "2001:db8:1::1");
}

static void rule_3_not_a_deprecated_one(void **state)
{
	(void)state;
	add_own("2001:db8:1::1", 64, virtual_now, IPV6_STATIC);
	add_own("2001:db8:7::1", 64, FOREVER, IPV6_STATIC);
	expect_source("2001:db8:1::99", "2001:db8:7::1");
	expect_source("2001:db8:1::1", "2001:db8:1::1"); /* rule 1 goes before it */
}

static void rule_6_the_label_of_the_destination(void **state)
{
	(void)state;
	add_own("2002:c633:6401::1", 64, FOREVER, IPV6_STATIC);
	add_own("2001:db8:1::1", 64, FOREVER, IPV6_STATIC);
	add_own("fd00:1::1", 64, FOREVER, IPV6_STATIC);
	expect_source("2002:c633:6402::1", "2002:c633:6401::1");
	expect_source("2001:db8:9::1", "2001:db8:1::1");
	expect_source("fd00:2::1", "fd00:1::1");
}

static void rule_7_a_temporary_one(void **state)
{
	(void)state;
	add_own("2001:db8:1::1", 64, FOREVER, IPV6_STABLE);
	add_own("2001:db8:1::d5e3", 64, FOREVER, IPV6_TEMPORARY);
	expect_source("2001:db8:9::1", "2001:db8:1::d5e3");
}

static void rule_8_the_longest_common_prefix_up_to_its_length(void **state)
{
	(void)state;
	add_own("2001:db8:1::2", 64, FOREVER, IPV6_STATIC);
	add_own("2001:db8:3::2", 64, FOREVER, IPV6_STATIC);
	expect_source("2001:db8:3::99", "2001:db8:3::2");
	expect_source("2001:db8:1::99", "2001:db8:1::2");
	/* The identifier does not count. */
	add_own("2001:db8:1:0:ffff::2", 64, FOREVER, IPV6_STATIC);
	expect_source("2001:db8:1:0:ffff::99", "2001:db8:1::2");
}

/* Waiting ---------------------------------------------------------------------------------------------------------- */

static int connect_to(void *arg)
{
	struct ip_endpoint peer = { ip6(arg), 80 };
	struct tcp *flow;

	return tcp_connect(cable->stack, &peer, &flow, task_now() + SECOND(20));
}

static int try_to_connect(const char *to, uint64_t *took_ns)
{
	uint64_t begin;
	char text[64];
	int result;

	snprintf(text, sizeof text, "%s", to);
	pass(0);
	begin = virtual_now;
	assert_int_equal(task_run(connect_to, text, &result), 0);
	*took_ns = virtual_now - begin;
	return result;
}

static void a_call_that_needs_an_address_waits_for_it(void **state)
{
	uint64_t took;
	const struct frame *frame;

	(void)state;
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64) });
	/* Nobody is there: but that can be said only by an address. */
	assert_int_equal(try_to_connect("2001:db8::1", &took), -EHOSTUNREACH);
	assert_in_range(took, SECOND(4), SECOND(10)); /* the address takes 1 to 2 s, the questions 3 */
	while ((frame = find_icmp6(cable, NDP_NEIGHBOUR_SOLICITATION)) && is_probe(frame))
		;
	assert_non_null(frame);
	cable_close(cable);
}

static void a_call_that_needs_a_router_waits_twelve_seconds_at_first(void **state)
{
	uint64_t took;

	(void)state;
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64), .accept_router_advertisements = true });
	assert_int_equal(try_to_connect("2001:db8:1::1", &took), -ENETUNREACH);
	assert_int_equal(took, NDP_PENDING_NS);
	assert_int_equal(try_to_connect("2001:db8:1::1", &took), -ENETUNREACH);
	assert_int_equal(took, 0);
	cable_close(cable);
}

/* Configuration -----------------------------------------------------------------------------------------------------
 */

static void addresses_that_no_host_can_have_are_refused(void **state)
{
	static const char *const wrong[] = { "::", "::1", "ff02::1", "::ffff:10.0.0.1" };

	(void)state;
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		struct stack_config config = { 0 };

		cable = cable_new();
		memcpy(config.ipv6_address.address, ip6(wrong[i]).bytes, 16);
		config.ipv6_address.set = true;
		config.ipv6_address.prefix_len = 64;
		assert_int_equal(cable6_open_stack(cable, &config), -EINVAL);
		config.ipv6_gateway = config.ipv6_address;
		config.ipv6_address = ipv6_key(US, 64);
		assert_int_equal(cable6_open_stack(cable, &config), -EINVAL);
		cable_close(cable);
	}
	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, &(struct stack_config){ .ipv6_address = ipv6_key(US, 64),
							  .ipv6_gateway = ipv6_key(US, 128) }),
		-EINVAL);
	cable_close(cable);
}

static void a_stack_of_ipv6_alone_says_nothing_of_ipv4(void **state)
{
	const struct stack_config config = { .ipv4 = ipv4_key("10.0.0.2", 24),
		.ipv6 = &stack_ipv6,
		.ipv6_address = ipv6_key(US, 64),
		.ipv6_only = true };
	struct ip_address addresses[8];
	const struct frame *frame;
	uint64_t took;

	(void)state;
	cable = cable_new();
	pass(0);
	assert_int_equal(stack_open(&cable->net, &config, &cable->stack), 0);
	pass(SECOND(5));
	give_arp(cable, 1, "10.0.0.1", "10.0.0.2");
	put_udp(&packet, "10.0.0.1", 1, "255.255.255.255", 2, "abc", 3);
	give_packet(cable, &packet);
	put_icmp(&packet, "10.0.0.1", "10.0.0.2", 8, 0, 0, "abc", 3);
	give_packet(cable, &packet);
	while ((frame = take(cable)))
		assert_int_equal(wire_get16(frame->bytes + 12), ETHERNET_IPV6);
	assert_int_equal(stack_addresses(cable->stack, addresses, 8), 2);
	assert_address(&addresses[1], US);
	assert_int_equal(try_to_connect("10.0.0.1", &took), -ENETUNREACH);
	cable_close(cable);
}

static void a_stack_of_ipv4_alone_says_nothing_of_ipv6(void **state)
{
	const struct frame *frame;

	(void)state;
	open_with(&(struct stack_config){ .ipv6_address = ipv6_key(US, 64), .ipv4_only = true });
	pass(SECOND(5));
	give_solicitation(cable, "2001:db8::1", "ff02::1:ff00:2", US, other_mac);
	while ((frame = take(cable)))
		assert_int_equal(wire_get16(frame->bytes + 12), ETHERNET_ARP);
	cable_close(cable);
}

static void no_family_at_all_is_refused(void **state)
{
	struct stack_config config = { .ipv4_only = true, .ipv6_only = true };

	(void)state;
	cable = cable_new();
	assert_int_equal(cable6_open_stack(cable, &config), -EINVAL);
	config.ipv4_only = false;
	cable->net.info.mtu = 1279;
	assert_int_equal(cable6_open_stack(cable, &config), -EINVAL);
	cable_close(cable);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_first_each_address_is_asked_for_within_a_second),
		cmocka_unit_test(an_address_is_used_only_when_nobody_answered_for_a_second),
		cmocka_unit_test(an_answer_of_another_host_makes_it_a_duplicate),
		cmocka_unit_test(two_hosts_that_ask_at_once_have_both_a_duplicate),
		cmocka_unit_test(a_question_for_it_is_no_conflict),
		cmocka_unit_test(our_own_probe_is_no_conflict),
		cmocka_unit_test(of_a_duplicate_that_we_made_others_are_tried),
		TEST(a_claim_to_an_address_in_use_changes_nothing),
		TEST(an_advertised_prefix_makes_an_address),
		TEST(prefixes_that_cannot_be_make_none),
		TEST(a_forged_advertisement_cannot_end_an_address),
		TEST(a_prefix_that_is_advertised_again_lives_longer),
		TEST(a_lifetime_without_end_has_none),
		TEST(a_flood_of_prefixes_makes_a_bounded_number_of_addresses),
		cmocka_unit_test(the_same_secret_network_and_card_make_the_same_address),
		cmocka_unit_test(temporary_addresses_are_used_first_and_changed_each_day),
		cmocka_unit_test(temporary_addresses_do_not_outlive_their_prefix),
		TEST(there_are_none_unless_asked_for),
		TEST(rule_1_the_destination_itself),
		TEST(rule_2_the_scope_that_reaches),
		TEST(rule_3_not_a_deprecated_one),
		TEST(rule_6_the_label_of_the_destination),
		TEST(rule_7_a_temporary_one),
		TEST(rule_8_the_longest_common_prefix_up_to_its_length),
		cmocka_unit_test(a_call_that_needs_an_address_waits_for_it),
		cmocka_unit_test(a_call_that_needs_a_router_waits_twelve_seconds_at_first),
		cmocka_unit_test(addresses_that_no_host_can_have_are_refused),
		cmocka_unit_test(a_stack_of_ipv6_alone_says_nothing_of_ipv4),
		cmocka_unit_test(a_stack_of_ipv4_alone_says_nothing_of_ipv6),
		cmocka_unit_test(no_family_at_all_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
