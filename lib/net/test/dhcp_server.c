/* SPDX-License-Identifier: ISC
 *
 * The DHCP server's machine in virtual time, by the clauses of RFC 2131, 4.3, and of 3046 and 6842; and many clients of
 * ours with it, over a link that loses and doubles messages. The server is 192.168.1.5/24 and gives .70 to .74, unless
 * said otherwise.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/dhcp_client.h"
#include "lib/net/dhcp_lease.h"

enum { SERVER = 0xc0a80105, FIRST = 0xc0a80146, LAST = 0xc0a8014a, OUTSIDE = 0xc0a80120, RANGE = 5 };
enum { HOUR = 3600, DAY = 86400 };

static struct world {
	struct dhcp_server_config config;
	struct dhcp_server *server;
	uint64_t now;
	struct dhcp_reply reply;
	struct dhcp_message got; /* the reply, parsed; type 0: there was none */
} w;

static void reopen(void)
{
	dhcp_server_close(w.server);
	w.server = NULL;
	assert_int_equal(dhcp_server_open(&w.config, &w.server), 0);
}

static int setup(void **state)
{
	(void)state;
	memset(&w, 0, sizeof w);
	w.now = SECOND(1000);
	w.config.address = dhcp_address(SERVER);
	w.config.prefix_len = 24;
	w.config.first = dhcp_address(FIRST);
	w.config.last = dhcp_address(LAST);
	assert_int_equal(dhcp_options_add32(&w.config.options, DHCP_ROUTERS, SERVER), 0);
	assert_int_equal(dhcp_options_add(&w.config.options, DHCP_DOMAIN_NAME, "pampas", 6), 0);
	reopen();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	dhcp_server_close(w.server);
	w.server = NULL;
	return 0;
}

/* A client's message, number is the last byte of its hardware's address. */
static struct dhcp_message question(enum dhcp_type type, uint8_t number)
{
	struct dhcp_message message = { .op = DHCP_FROM_CLIENT, .type = (uint8_t)type, .xid = 0x01020300u + number };

	message.mac[0] = 2;
	message.mac[5] = number;
	return message;
}

static void with32(struct dhcp_message *message, uint8_t code, uint32_t value)
{
	assert_int_equal(dhcp_options_add32(&message->options, code, value), 0);
}

/* Gives the message; the reply's type, or 0. */
static int ask(const struct dhcp_message *message)
{
	uint8_t bytes[DHCP_MESSAGE_MAX];
	size_t len = dhcp_message_build(message, bytes, sizeof bytes);

	assert_true(len > 0);
	assert_int_equal(dhcp_server_receive(w.server, bytes, len, w.now, &w.reply), 0);
	memset(&w.got, 0, sizeof w.got);
	if (w.reply.len == 0)
		return 0;
	assert_int_equal(dhcp_message_parse(w.reply.bytes, w.reply.len, &w.got), 0);
	assert_int_equal(w.got.op, DHCP_FROM_SERVER);
	assert_int_equal(w.got.xid, message->xid);
	assert_memory_equal(w.got.mac, message->mac, 6);
	return w.got.type;
}

static int discover(uint8_t number)
{
	struct dhcp_message message = question(DHCP_DISCOVER, number);

	return ask(&message);
}

static int request(uint8_t number, uint32_t server, uint32_t wanted, uint32_t client)
{
	struct dhcp_message message = question(DHCP_REQUEST, number);

	if (server)
		with32(&message, DHCP_SERVER_ID, server);
	if (wanted)
		with32(&message, DHCP_REQUESTED_ADDRESS, wanted);
	message.client = client;
	return ask(&message);
}

/* All the way: the address. */
static uint32_t obtain(uint8_t number)
{
	uint32_t address;

	assert_int_equal(discover(number), DHCP_OFFER);
	address = w.got.yours;
	assert_int_equal(request(number, SERVER, address, 0), DHCP_ACK);
	assert_int_equal(w.got.yours, address);
	return address;
}

static int tell(enum dhcp_type type, uint8_t number, uint32_t address)
{
	struct dhcp_message message = question(type, number);

	with32(&message, DHCP_SERVER_ID, SERVER);
	if (type == DHCP_DECLINE)
		with32(&message, DHCP_REQUESTED_ADDRESS, address);
	else
		message.client = address;
	return ask(&message);
}

static uint32_t got32(uint8_t code)
{
	uint32_t value;

	assert_true(dhcp_options_get32(&w.got.options, code, &value));
	return value;
}

static bool got(uint8_t code)
{
	return dhcp_options_get(&w.got.options, code, NULL, 0) >= 0;
}

static size_t leases(void)
{
	return dhcp_server_leases(w.server, w.now, NULL, 0);
}

/* Giving ------------------------------------------------------------------------------------------------------- */

static void a_client_is_offered_an_address_and_gets_it(void **state)
{
	struct dhcp_server_lease lease;

	(void)state;
	assert_int_equal(discover(1), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST);
	assert_int_equal(w.got.client, 0);
	assert_int_equal(got32(DHCP_SERVER_ID), SERVER);
	assert_int_equal(got32(DHCP_LEASE_TIME), HOUR);
	assert_int_equal(got32(DHCP_SUBNET_MASK), 0xffffff00);
	assert_int_equal(got32(DHCP_ROUTERS), SERVER);
	assert_true(got(DHCP_DOMAIN_NAME));
	assert_int_equal(leases(), 0); /* an offer is no lease */
	assert_int_equal(request(1, SERVER, FIRST, 0), DHCP_ACK);
	assert_int_equal(got32(DHCP_RENEWAL_TIME), HOUR / 2);
	assert_int_equal(got32(DHCP_REBINDING_TIME), HOUR / 8 * 7);
	assert_int_equal(dhcp_server_leases(w.server, w.now, &lease, 1), 1);
	assert_int_equal(dhcp_number(&lease.address), FIRST);
	assert_int_equal(lease.mac[5], 1);
	assert_true(lease.expires_at == w.now + SECOND(HOUR));
}

/* 4.3.1: the options that the client asks for, if it asks */
static void only_options_that_are_asked_for_are_sent(void **state)
{
	struct dhcp_message message = question(DHCP_DISCOVER, 1);

	(void)state;
	assert_int_equal(dhcp_options_add(&message.options, DHCP_PARAMETERS, "\x0f", 1), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_true(got(DHCP_DOMAIN_NAME) && got(DHCP_LEASE_TIME) && got(DHCP_SUBNET_MASK));
	assert_false(got(DHCP_ROUTERS));
}

static void a_client_may_want_another_time_within_limits(void **state)
{
	static const uint32_t times[][2] = { { 600, 600 }, { 1, 60 }, { 1000000, DAY }, { DHCP_LEASE_FOR_EVER, DAY } };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct dhcp_message message = question(DHCP_DISCOVER, 1);

		with32(&message, DHCP_LEASE_TIME, times[i][0]);
		assert_int_equal(ask(&message), DHCP_OFFER);
		assert_int_equal(got32(DHCP_LEASE_TIME), times[i][1]);
	}
	w.config.lease_seconds = w.config.lease_seconds_max = DHCP_LEASE_FOR_EVER;
	reopen();
	obtain(1);
	assert_int_equal(got32(DHCP_LEASE_TIME), DHCP_LEASE_FOR_EVER);
	assert_false(got(DHCP_RENEWAL_TIME));
	w.now += SECOND(DAY) * 10000;
	assert_int_equal(leases(), 1);
}

static void two_clients_have_two_addresses_and_the_range_ends(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < RANGE; i++)
		assert_int_equal(obtain(i), FIRST + i);
	assert_int_equal(leases(), RANGE);
	assert_int_equal(discover(RANGE), 0);
	w.now += SECOND(HOUR);
	assert_int_equal(leases(), 0);
	assert_int_equal(obtain(RANGE), FIRST); /* the one that is free for the longest time */
}

/* 4.3.1: its own address first, even when the lease has ended */
static void a_client_gets_its_address_again(void **state)
{
	uint32_t address;

	(void)state;
	obtain(1);
	address = obtain(2);
	obtain(3);
	w.now += SECOND(DAY);
	assert_int_equal(obtain(2), address);
	assert_int_equal(tell(DHCP_RELEASE, 2, address), 0);
	assert_int_equal(leases(), 0);
	assert_int_equal(obtain(4), LAST - 1); /* one that nobody ever had */
	assert_int_equal(obtain(2), address);
}

static void a_wanted_address_is_offered_if_it_is_free(void **state)
{
	struct dhcp_message message = question(DHCP_DISCOVER, 2);

	(void)state;
	obtain(1);
	with32(&message, DHCP_REQUESTED_ADDRESS, LAST);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, LAST);
	message = question(DHCP_DISCOVER, 3);
	with32(&message, DHCP_REQUESTED_ADDRESS, FIRST); /* which the first client has */
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST + 1);
	message = question(DHCP_DISCOVER, 4);
	with32(&message, DHCP_REQUESTED_ADDRESS, 0x0a000001); /* which we do not give */
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST + 2);
}

static void an_offer_is_kept_for_a_minute(void **state)
{
	(void)state;
	for (uint8_t i = 0; i < RANGE; i++)
		assert_int_equal(discover(i), DHCP_OFFER);
	assert_int_equal(discover(RANGE), 0);
	w.now += SECOND(60);
	assert_int_equal(discover(RANGE), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST);
	assert_int_equal(request(0, SERVER, FIRST, 0), DHCP_NAK); /* too late: it is another's now */
	assert_int_equal(request(1, SERVER, FIRST + 1, 0), DHCP_ACK);
}

/* 4.3.2: the client has chosen another server */
static void what_is_not_chosen_is_free_again(void **state)
{
	(void)state;
	assert_int_equal(discover(1), DHCP_OFFER);
	assert_int_equal(request(1, SERVER + 1, FIRST + 100, 0), 0);
	assert_int_equal(discover(2), DHCP_OFFER);
	assert_int_equal(leases(), 0);
	assert_int_equal(request(3, SERVER + 1, FIRST, 0), 0);
}

static void what_was_not_offered_is_refused(void **state)
{
	(void)state;
	assert_int_equal(request(1, SERVER, FIRST, 0), DHCP_NAK);
	assert_int_equal(discover(1), DHCP_OFFER);
	assert_int_equal(request(1, SERVER, FIRST + 1, 0), DHCP_NAK);
	assert_int_equal(w.got.yours, 0); /* table 3 */
	assert_false(got(DHCP_LEASE_TIME) || got(DHCP_SUBNET_MASK));
	assert_int_equal(got32(DHCP_SERVER_ID), SERVER);
	assert_int_equal(request(1, SERVER, 0, 0), DHCP_NAK);
}

/* 4.2: the identifier is what counts */
static void clients_are_told_apart_by_their_identifiers(void **state)
{
	struct dhcp_message message = question(DHCP_DISCOVER, 1);
	uint8_t id[DHCP_CLIENT_ID_MAX + 1] = "\xff"
					     "one";

	(void)state;
	assert_int_equal(dhcp_options_add(&message.options, DHCP_CLIENT_ID, id, 4), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST);
	assert_true(got(DHCP_CLIENT_ID)); /* RFC 6842, 3 */
	message.mac[5] = 2;               /* another interface of the same client's */
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST);
	message = question(DHCP_DISCOVER, 1);
	assert_int_equal(dhcp_options_add(&message.options, DHCP_CLIENT_ID, "two", 3), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST + 1);
	message = question(DHCP_DISCOVER, 1);
	assert_int_equal(dhcp_options_add(&message.options, DHCP_CLIENT_ID, id, sizeof id), 0);
	assert_int_equal(ask(&message), 0); /* longer than any that is made by the rules */
}

static void a_host_has_its_own_address_and_nobody_else_has(void **state)
{
	static const struct dhcp_host hosts[] = {
		{ .mac = { 2, 0, 0, 0, 0, 7 },
			.address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 70 } },
			.name = "seven" },
		{ .mac = { 2, 0, 0, 0, 0, 8 },
			.address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 9 } } },
	};
	struct dhcp_message message = question(DHCP_DISCOVER, 1);
	char name[16];

	(void)state;
	w.config.hosts = hosts;
	w.config.host_count = 2;
	reopen();
	with32(&message, DHCP_REQUESTED_ADDRESS, FIRST);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(w.got.yours, FIRST + 1);
	assert_int_equal(request(1, 0, 0, FIRST), DHCP_NAK);
	assert_int_equal(obtain(7), FIRST);
	assert_int_equal(dhcp_options_get(&w.got.options, DHCP_HOST_NAME, name, sizeof name), 5);
	assert_int_equal(obtain(8), 0xc0a80109);
	assert_false(got(DHCP_HOST_NAME));
	w.now += SECOND(60); /* the first offer is over */
	for (uint8_t i = 0; i < RANGE - 1; i++)
		obtain((uint8_t)(20 + i));
	assert_int_equal(discover(30), 0);
	assert_int_equal(obtain(7), FIRST);
}

/* Keeping ------------------------------------------------------------------------------------------------------ */

static void a_lease_is_renewed(void **state)
{
	(void)state;
	obtain(1);
	for (int i = 0; i < 10; i++) {
		w.now += SECOND(HOUR / 2);
		assert_int_equal(request(1, 0, 0, FIRST), DHCP_ACK);
		assert_int_equal(w.got.yours, FIRST);
		assert_int_equal(w.got.client, FIRST);
		assert_int_equal(leases(), 1);
	}
	w.now += SECOND(HOUR);
	assert_int_equal(leases(), 0);
}

static void renewing_what_another_has_is_refused(void **state)
{
	(void)state;
	obtain(1);
	obtain(2);
	assert_int_equal(request(1, 0, 0, FIRST + 1), DHCP_NAK);
	assert_int_equal(request(3, 0, 0, FIRST), DHCP_NAK);
	assert_int_equal(request(3, 0, 0, 0x0a000001), DHCP_NAK); /* of another network */
	assert_int_equal(request(3, 0, 0, OUTSIDE), 0);           /* of another server's, maybe */
}

/* 4.3.2, INIT-REBOOT */
static void an_address_of_an_earlier_life_is_given_refused_or_passed_over(void **state)
{
	(void)state;
	obtain(1);
	assert_int_equal(request(1, 0, FIRST, 0), DHCP_ACK);
	assert_int_equal(request(1, 0, FIRST + 1, 0), DHCP_NAK);
	assert_int_equal(request(2, 0, 0x0a000001, 0), DHCP_NAK); /* it has moved to our network */
	assert_int_equal(request(2, 0, FIRST + 1, 0), 0);         /* who is not known is left to others */
	assert_int_equal(request(2, 0, 0, 0), 0);
}

static void a_server_that_has_lost_its_table_lets_clients_renew(void **state)
{
	(void)state;
	obtain(1);
	obtain(2);
	reopen();
	assert_int_equal(request(2, 0, 0, FIRST + 1), DHCP_ACK);
	assert_int_equal(obtain(3), FIRST); /* first come */
	assert_int_equal(request(1, 0, 0, FIRST), DHCP_NAK);
}

/* 4.3.3 */
static void a_declined_address_is_given_to_nobody_for_a_day(void **state)
{
	(void)state;
	assert_int_equal(obtain(1), FIRST);
	assert_int_equal(tell(DHCP_DECLINE, 1, FIRST), 0);
	assert_int_equal(leases(), 0);
	assert_int_equal(obtain(1), FIRST + 1);
	assert_int_equal(request(1, 0, 0, FIRST), DHCP_NAK);
	for (uint8_t i = 2; i < RANGE; i++)
		assert_int_not_equal(obtain(i), FIRST);
	assert_int_equal(discover(9), 0);
	w.now += SECOND(DAY);
	for (uint8_t i = 1; i < RANGE; i++)
		obtain(i);
	assert_int_equal(obtain(9), FIRST);
}

static void only_who_has_an_address_can_decline_or_release_it(void **state)
{
	static const enum dhcp_type types[] = { DHCP_DECLINE, DHCP_RELEASE };

	(void)state;
	obtain(1);
	obtain(2);
	for (size_t i = 0; i < 2; i++) {
		struct dhcp_message message = question(types[i], 1);

		tell(types[i], 2, FIRST);
		tell(types[i], 3, FIRST);
		message.client = FIRST;
		with32(&message, DHCP_REQUESTED_ADDRESS, FIRST);
		with32(&message, DHCP_SERVER_ID, SERVER + 1);
		assert_int_equal(ask(&message), 0);
		assert_int_equal(leases(), 2);
	}
}

/* 4.3.5 */
static void who_has_an_address_is_informed(void **state)
{
	struct dhcp_message message = question(DHCP_INFORM, 1);

	(void)state;
	message.client = OUTSIDE;
	assert_int_equal(ask(&message), DHCP_ACK);
	assert_int_equal(w.got.yours, 0);
	assert_false(got(DHCP_LEASE_TIME));
	assert_int_equal(got32(DHCP_ROUTERS), SERVER);
	assert_int_equal(dhcp_number(&w.reply.to.address), OUTSIDE);
	assert_false(w.reply.is_new);
	assert_int_equal(leases(), 0);
	message.client = 0;
	assert_int_equal(ask(&message), 0);
	message.client = 0x08080808; /* so that nobody has us send to strangers */
	assert_int_equal(ask(&message), 0);
}

/* Where answers go (4.1) ----------------------------------------------------------------------------------------- */

static void expect_to(uint32_t address, uint16_t port, bool is_new)
{
	assert_int_equal(dhcp_number(&w.reply.to.address), address);
	assert_int_equal(w.reply.to.port, port);
	assert_int_equal(w.reply.is_new, is_new);
	assert_memory_equal(w.reply.mac, w.got.mac, 6);
}

static void answers_go_where_the_client_can_hear_them(void **state)
{
	struct dhcp_message message = question(DHCP_DISCOVER, 1);

	(void)state;
	ask(&message);
	expect_to(FIRST, DHCP_CLIENT_PORT, true);
	message.flags = DHCP_FLAG_BROADCAST;
	ask(&message);
	expect_to(UINT32_MAX, DHCP_CLIENT_PORT, false);
	assert_int_equal(w.got.flags, DHCP_FLAG_BROADCAST);
	message = question(DHCP_DISCOVER, 1);
	message.client = 0x08080808; /* so that nobody has us send to strangers */
	ask(&message);
	expect_to(FIRST, DHCP_CLIENT_PORT, true);
	assert_int_equal(request(1, SERVER, FIRST, 0), DHCP_ACK);
	assert_int_equal(request(1, 0, 0, FIRST), DHCP_ACK);
	expect_to(FIRST, DHCP_CLIENT_PORT, false);
	assert_int_equal(request(1, 0, 0, FIRST + 1), DHCP_NAK);
	expect_to(UINT32_MAX, DHCP_CLIENT_PORT, false);
}

/* RFC 2131, 4.1 and 4.3.2; RFC 3046, 2.2 */
static void a_relay_gets_the_answer_and_its_own_option_back(void **state)
{
	struct dhcp_message message = question(DHCP_DISCOVER, 1);

	(void)state;
	message.relay = OUTSIDE;
	assert_int_equal(dhcp_options_add(&message.options, DHCP_RELAY_AGENT, "\1\4port", 6), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
	expect_to(OUTSIDE, DHCP_SERVER_PORT, false);
	assert_int_equal(w.got.relay, OUTSIDE);
	assert_true(got(DHCP_RELAY_AGENT));
	assert_memory_equal(w.got.options.bytes + w.got.options.len - 8, "\x52\6\1\4port", 8); /* the last */
	message.type = DHCP_REQUEST;
	with32(&message, DHCP_SERVER_ID, SERVER);
	assert_int_equal(ask(&message), DHCP_NAK);
	expect_to(OUTSIDE, DHCP_SERVER_PORT, false);
	assert_int_equal(w.got.flags, DHCP_FLAG_BROADCAST); /* so that the relay broadcasts it */
	message = question(DHCP_DISCOVER, 2);
	message.relay = 0x0a000001; /* a subnet that is not ours */
	assert_int_equal(ask(&message), 0);
}

static void an_answer_is_no_larger_than_the_client_can_take(void **state)
{
	static uint8_t lengthy[1000];
	struct dhcp_message message = question(DHCP_DISCOVER, 1);

	(void)state;
	assert_int_equal(dhcp_options_add(&w.config.options, 224, lengthy, sizeof lengthy), 0);
	reopen();
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_true(w.reply.len <= DHCP_MESSAGE_ACCEPTED);
	assert_false(got(224));
	assert_int_equal(got32(DHCP_LEASE_TIME), HOUR);
	assert_int_equal(dhcp_options_add16(&message.options, DHCP_MESSAGE_SIZE, 1500), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
	assert_int_equal(dhcp_options_get(&w.got.options, 224, NULL, 0), sizeof lengthy);
	message = question(DHCP_DISCOVER, 1);
	assert_int_equal(dhcp_options_add16(&message.options, DHCP_MESSAGE_SIZE, 1), 0);
	assert_int_equal(ask(&message), DHCP_OFFER);
}

/* What is refused ------------------------------------------------------------------------------------------------ */

static void what_is_no_clients_message_is_refused(void **state)
{
	struct dhcp_message message = question(DHCP_OFFER, 1);
	uint8_t bytes[DHCP_MESSAGE_MAX];
	size_t len;

	(void)state;
	assert_int_equal(ask(&message), 0);
	message.op = DHCP_FROM_SERVER;
	len = dhcp_message_build(&message, bytes, sizeof bytes);
	assert_int_equal(dhcp_server_receive(w.server, bytes, len, w.now, &w.reply), -EBADMSG);
	assert_int_equal(dhcp_server_receive(w.server, bytes, 10, w.now, &w.reply), -EBADMSG);
	assert_int_equal(w.reply.len, 0);
}

static void expect_refused(uint32_t address, uint8_t prefix_len, uint32_t first, uint32_t last)
{
	struct dhcp_server *none = NULL;

	w.config.address = dhcp_address(address);
	w.config.prefix_len = prefix_len;
	w.config.first = dhcp_address(first);
	w.config.last = dhcp_address(last);
	assert_int_equal(dhcp_server_open(&w.config, &none), -EINVAL);
	assert_null(none);
}

static void addresses_that_cannot_be_given_are_refused(void **state)
{
	static const struct dhcp_host twice[] = {
		{ .mac = { 2, 0, 0, 0, 0, 7 },
			.address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 9 } } },
		{ .mac = { 2, 0, 0, 0, 0, 8 },
			.address = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 168, 1, 9 } } },
	};

	(void)state;
	expect_refused(SERVER, 24, FIRST, 0xc0a80200);
	expect_refused(SERVER, 24, SERVER, LAST);
	expect_refused(SERVER, 24, LAST, FIRST);
	expect_refused(SERVER, 24, 0xc0a80100, FIRST);
	expect_refused(SERVER, 24, FIRST, 0xc0a801ff);
	expect_refused(SERVER, 33, FIRST, LAST);
	expect_refused(0, 24, FIRST, LAST);
	expect_refused(0x0a000001, 8, 0x0a000002, 0x0a001002);
	w.config.hosts = twice;
	w.config.host_count = 1;
	expect_refused(0x0a000001, 24, 0x0a000002, 0x0a000003);
	w.config.host_count = 2;
	expect_refused(SERVER, 24, FIRST, LAST);
}

/* Logs ----------------------------------------------------------------------------------------------------------- */

static void a_message_is_told_in_a_few_words(void **state)
{
	struct dhcp_message message = question(DHCP_REQUEST, 7);
	char text[DHCP_SUMMARY_MAX];
	uint8_t bytes[DHCP_MESSAGE_MAX];
	size_t len;

	(void)state;
	with32(&message, DHCP_REQUESTED_ADDRESS, FIRST);
	assert_int_equal(dhcp_options_add(&message.options, DHCP_HOST_NAME, "web\nserver", 10), 0);
	len = dhcp_message_build(&message, bytes, sizeof bytes);
	assert_string_equal(dhcp_summary(bytes, len, text), "REQUEST from 02:00:00:00:00:07 (web) for 192.168.1.70");
	assert_string_equal(dhcp_summary(bytes, 9, text), "9 bytes that are not DHCP");
	obtain(7);
	assert_string_equal(
		dhcp_summary(w.reply.bytes, w.reply.len, text), "ACK to 02:00:00:00:00:07 for 192.168.1.70");
}

/* Clients of ours ------------------------------------------------------------------------------------------------ */

enum { CLIENTS = 40, RUNS = 30, IN_FLIGHT = 4096 };

/* A link with delay, loss and doubles, in which messages wait until they arrive. */
static struct simulation {
	struct party {
		struct dhcp_link link;
		struct dhcp_client client;
		uint32_t probing, uses;
		uint64_t probe_until, until;
	} parties[CLIENTS];
	struct letter {
		uint64_t at;
		size_t to; /* CLIENTS: the server */
		size_t len;
		uint8_t bytes[DHCP_MESSAGE_MAX];
	} letters[IN_FLIGHT];
	size_t letter_count;
	uint64_t random;
	unsigned loss; /* percent */
	unsigned losses;
} sim;

static uint32_t chance(struct dhcp_link *link)
{
	(void)link;
	sim.random = sim.random * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(sim.random >> 32);
}

static void post(size_t to, const uint8_t *bytes, size_t len)
{
	unsigned copies = chance(NULL) % 100 < sim.loss ? 0 : chance(NULL) % 100 < 5 ? 2 : 1;

	for (; copies > 0; copies--) {
		struct letter *letter = &sim.letters[sim.letter_count++];

		assert_true(sim.letter_count < IN_FLIGHT);
		letter->at = w.now + MSEC(1) + chance(NULL) % MSEC(50);
		letter->to = to;
		letter->len = len;
		memcpy(letter->bytes, bytes, len);
	}
}

static struct party *party_of(struct dhcp_link *link)
{
	return (struct party *)((char *)link - offsetof(struct party, link));
}

static void party_sends(struct dhcp_link *link, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
	assert_int_equal(from, party_of(link)->uses);
	assert_true(to == UINT32_MAX || to == SERVER);
	post(CLIENTS, bytes, len);
}

static void party_probes(struct dhcp_link *link, uint32_t address)
{
	party_of(link)->probing = address;
	party_of(link)->probe_until = w.now + MSEC(300);
}

static void party_is_bound(struct dhcp_link *link, const struct dhcp_lease *lease)
{
	struct party *party = party_of(link);

	party->uses = dhcp_number(&lease->address);
	party->until = lease->expires_at;
	for (size_t i = 0; i < CLIENTS; i++)
		assert_true(&sim.parties[i] == party || sim.parties[i].uses != party->uses); /* what it is all about */
}

static void party_loses(struct dhcp_link *link, enum dhcp_loss loss)
{
	(void)loss;
	party_of(link)->uses = 0;
	sim.losses++;
}

static void serve(const struct letter *letter)
{
	assert_int_equal(dhcp_server_receive(w.server, letter->bytes, letter->len, w.now, &w.reply), 0);
	for (size_t i = 0; w.reply.len > 0 && i < CLIENTS; i++)
		if (memcmp(sim.parties[i].client.config.mac, w.reply.mac, 6) == 0 ||
			dhcp_number(&w.reply.to.address) == UINT32_MAX)
			post(i, w.reply.bytes, w.reply.len);
}

/* What happens next, and when it is due. FOREVER: nothing. */
static uint64_t next_event(void)
{
	uint64_t next = FOREVER;

	for (size_t i = 0; i < sim.letter_count; i++)
		next = sim.letters[i].at < next ? sim.letters[i].at : next;
	for (size_t i = 0; i < CLIENTS; i++) {
		const struct party *party = &sim.parties[i];

		next = party->client.deadline < next ? party->client.deadline : next;
		next = party->probing && party->probe_until < next ? party->probe_until : next;
	}
	return next;
}

static void deliver(void)
{
	for (size_t i = 0; i < sim.letter_count; i++) {
		struct letter letter = sim.letters[i];

		if (letter.at > w.now)
			continue;
		sim.letters[i--] = sim.letters[--sim.letter_count];
		if (letter.to == CLIENTS)
			serve(&letter);
		else
			(void)dhcp_client_receive(&sim.parties[letter.to].client, letter.bytes, letter.len, w.now);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		struct party *party = &sim.parties[i];

		if (party->probing && party->probe_until <= w.now) {
			party->probing = 0;
			dhcp_client_probed(&party->client, false, w.now);
		}
		dhcp_client_expire(&party->client, w.now);
	}
}

static void run_until(uint64_t end)
{
	uint64_t next;

	while ((next = next_event()) <= end) {
		w.now = next > w.now ? next : w.now;
		deliver();
		for (size_t i = 0; i < CLIENTS; i++)
			assert_true(sim.parties[i].uses == 0 || sim.parties[i].until > w.now); /* none is overdrawn */
	}
	w.now = end;
}

static size_t bound_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < CLIENTS; i++)
		count += sim.parties[i].uses != 0;
	return count;
}

static void simulate(unsigned loss, uint64_t seed)
{
	memset(&sim, 0, sizeof sim);
	sim.random = seed;
	sim.loss = loss;
	for (size_t i = 0; i < CLIENTS; i++) {
		struct party *party = &sim.parties[i];
		struct dhcp_client_config config = {
			.link = &party->link, .mac = { 2, 0, 0, 0, 1, (uint8_t)i }, .mtu = 1500
		};

		party->link = (struct dhcp_link){ party_sends, party_probes, party_is_bound, party_loses, chance };
		dhcp_client_init(&party->client, &config, w.now);
	}
}

static void on_any_link_all_get_addresses_of_their_own_and_keep_them(void **state)
{
	w.config.last = dhcp_address(FIRST + CLIENTS - 1); /* exactly enough */
	for (unsigned run = 0; run < RUNS; run++) {
		reopen();
		simulate(run, run);
		run_until(w.now + SECOND(600));
		assert_int_equal(bound_count(), CLIENTS);
		run_until(w.now + SECOND(6 * HOUR));
		assert_int_equal(bound_count(), CLIENTS);
		assert_int_equal(sim.losses, 0); /* there are many tries in a lease */
	}
	(void)state;
}

static void without_the_server_leases_end_and_with_it_all_get_one_again(void **state)
{
	(void)state;
	w.config.last = dhcp_address(FIRST + CLIENTS - 1);
	reopen();
	simulate(0, 1);
	run_until(w.now + SECOND(60));
	assert_int_equal(bound_count(), CLIENTS);
	sim.loss = 100;
	run_until(w.now + SECOND(HOUR));
	assert_int_equal(bound_count(), 0);
	assert_int_equal(sim.losses, CLIENTS);
	reopen(); /* and it has forgotten all */
	sim.loss = 0;
	run_until(w.now + SECOND(300));
	assert_int_equal(bound_count(), CLIENTS);
}

static void more_clients_than_addresses_share_none(void **state)
{
	(void)state;
	simulate(10, 7);
	run_until(w.now + SECOND(12 * HOUR));
	assert_int_equal(bound_count(), RANGE);
	assert_int_equal(leases(), RANGE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_client_is_offered_an_address_and_gets_it),
		TEST(only_options_that_are_asked_for_are_sent),
		TEST(a_client_may_want_another_time_within_limits),
		TEST(two_clients_have_two_addresses_and_the_range_ends),
		TEST(a_client_gets_its_address_again),
		TEST(a_wanted_address_is_offered_if_it_is_free),
		TEST(an_offer_is_kept_for_a_minute),
		TEST(what_is_not_chosen_is_free_again),
		TEST(what_was_not_offered_is_refused),
		TEST(clients_are_told_apart_by_their_identifiers),
		TEST(a_host_has_its_own_address_and_nobody_else_has),
		TEST(a_lease_is_renewed),
		TEST(renewing_what_another_has_is_refused),
		TEST(an_address_of_an_earlier_life_is_given_refused_or_passed_over),
		TEST(a_server_that_has_lost_its_table_lets_clients_renew),
		TEST(a_declined_address_is_given_to_nobody_for_a_day),
		TEST(only_who_has_an_address_can_decline_or_release_it),
		TEST(who_has_an_address_is_informed),
		TEST(answers_go_where_the_client_can_hear_them),
		TEST(a_relay_gets_the_answer_and_its_own_option_back),
		TEST(an_answer_is_no_larger_than_the_client_can_take),
		TEST(what_is_no_clients_message_is_refused),
		TEST(addresses_that_cannot_be_given_are_refused),
		TEST(a_message_is_told_in_a_few_words),
		TEST(on_any_link_all_get_addresses_of_their_own_and_keep_them),
		TEST(without_the_server_leases_end_and_with_it_all_get_one_again),
		TEST(more_clients_than_addresses_share_none),
	};
#undef TEST

	return cmocka_run_group_tests(tests, NULL, NULL);
}
