/* SPDX-License-Identifier: ISC
 *
 * The DHCP client's machine in virtual time, by the clauses of RFC 2131 (section numbers alone), 4361, 5227 and 6842.
 * The test is the server: 10.0.0.1 gives 10.0.0.70/24 for an hour, unless said otherwise.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/net/dhcp_client.h"
#include "lib/net/dhcp_lease.h"

enum { SENT_MAX = 512, SERVER = 0x0a000001, OTHER_SERVER = 0x0a000002, GIVEN = 0x0a000046, MASK = 0xffffff00 };
enum { HOUR = 3600 };

static const uint8_t our_mac[6] = { 2, 0, 0, 0, 0, 0x46 };

static struct world {
	struct dhcp_link link;
	struct dhcp_client client;
	uint64_t now;
	struct {
		struct dhcp_message message;
		uint32_t from, to;
		uint64_t at;
	} sent[SENT_MAX];
	size_t sent_count, looked_at;
	uint32_t probed, bound_address;
	unsigned probes, bounds, losses;
	enum dhcp_loss loss;
	uint32_t chance; /* what random gives next, before it counts on */
} w;

static void on_send(struct dhcp_link *link, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
	assert_ptr_equal(link, &w.link);
	assert_true(w.sent_count < SENT_MAX);
	assert_in_range(len, DHCP_MESSAGE_MIN, DHCP_MESSAGE_ACCEPTED);
	assert_int_equal(dhcp_message_parse(bytes, len, &w.sent[w.sent_count].message), 0);
	w.sent[w.sent_count].from = from;
	w.sent[w.sent_count].to = to;
	w.sent[w.sent_count++].at = w.now;
}

static void on_probe(struct dhcp_link *link, uint32_t address)
{
	(void)link;
	w.probes++;
	w.probed = address;
}

static void on_bound(struct dhcp_link *link, const struct dhcp_lease *lease)
{
	(void)link;
	assert_true(w.client.has_lease);
	w.bounds++;
	w.bound_address = dhcp_number(&lease->address);
}

static void on_lost(struct dhcp_link *link, enum dhcp_loss loss)
{
	(void)link;
	w.losses++;
	w.loss = loss;
}

static uint32_t on_random(struct dhcp_link *link)
{
	(void)link;
	return w.chance += 0x9e3779b9;
}

static struct dhcp_client_config config_of(void)
{
	struct dhcp_client_config config = { .link = &w.link, .mtu = 1500, .hostname = "web" };

	memcpy(config.mac, our_mac, sizeof our_mac);
	return config;
}

static void begin(const struct dhcp_client_config *config)
{
	uint32_t chance = w.chance;

	memset(&w, 0, sizeof w);
	w.link = (struct dhcp_link){ on_send, on_probe, on_bound, on_lost, on_random };
	w.now = SECOND(1000);
	w.chance = chance;
	dhcp_client_init(&w.client, config, w.now);
}

static int setup(void **state)
{
	struct dhcp_client_config config = config_of();

	(void)state;
	begin(&config);
	return 0;
}

/* Time passes, with the timer called exactly when it is due. */
static void pass_until(uint64_t end)
{
	while (w.client.deadline <= end) {
		uint64_t due = w.client.deadline;

		w.now = due > w.now ? due : w.now;
		dhcp_client_expire(&w.client, w.now);
		assert_true(w.client.deadline > w.now); /* it makes progress */
	}
	w.now = end;
}

static void pass(uint64_t ns)
{
	pass_until(w.now + ns);
}

/* The next message that it sent, which must be of this type. */
static const struct dhcp_message *expect(enum dhcp_type type)
{
	assert_true(w.looked_at < w.sent_count);
	assert_int_equal(w.sent[w.looked_at].message.type, type);
	return &w.sent[w.looked_at++].message;
}

static void expect_silence(void)
{
	assert_int_equal(w.looked_at, w.sent_count);
}

static uint32_t option32(const struct dhcp_message *message, uint8_t code)
{
	uint32_t value;

	assert_true(dhcp_options_get32(&message->options, code, &value));
	return value;
}

static bool has(const struct dhcp_message *message, uint8_t code)
{
	return dhcp_options_get(&message->options, code, NULL, 0) >= 0;
}

/* An answer of the server's, to be changed before it is given. */
static struct dhcp_message answer(enum dhcp_type type, uint32_t seconds)
{
	struct dhcp_message message = { .op = DHCP_FROM_SERVER, .type = (uint8_t)type, .xid = w.client.xid };

	memcpy(message.mac, our_mac, 6);
	assert_int_equal(dhcp_options_add32(&message.options, DHCP_SERVER_ID, SERVER), 0);
	if (type == DHCP_NAK)
		return message;
	message.yours = GIVEN;
	assert_int_equal(dhcp_options_add32(&message.options, DHCP_LEASE_TIME, seconds), 0);
	assert_int_equal(dhcp_options_add32(&message.options, DHCP_SUBNET_MASK, MASK), 0);
	assert_int_equal(dhcp_options_add32(&message.options, DHCP_ROUTERS, SERVER), 0);
	return message;
}

static int give(const struct dhcp_message *message)
{
	uint8_t bytes[DHCP_MESSAGE_MAX];
	size_t len = dhcp_message_build(message, bytes, sizeof bytes), size = len;
	uint8_t *exact = malloc(size);
	int result;

	assert_int_not_equal(len, 0);
	memcpy(exact, bytes, len);
	result = dhcp_client_receive(&w.client, exact, len, w.now);
	free(exact);
	return result;
}

static int give_answer(enum dhcp_type type, uint32_t seconds)
{
	struct dhcp_message message = answer(type, seconds);

	return give(&message);
}

/* All the way to BOUND, at once. */
static void bind_for(uint32_t seconds)
{
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, seconds), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_ACK, seconds), 0);
	dhcp_client_probed(&w.client, false, w.now);
	assert_int_equal(w.client.state, DHCP_BOUND);
	expect_silence();
}

/* Getting an address ------------------------------------------------------------------------------------------- */

static void first_it_broadcasts_a_discover_that_says_who_asks_for_what(void **state)
{
	static const uint8_t id[] = { 255, 0, 0, 0, 0x46, 0, 3, 0, 1, 2, 0, 0, 0, 0, 0x46 }; /* RFC 4361, 6.1 */
	const struct dhcp_message *discover = expect(DHCP_DISCOVER);
	uint8_t got[64];
	uint16_t size;

	(void)state;
	assert_int_equal(w.sent[0].from, 0);
	assert_int_equal(w.sent[0].to, UINT32_MAX);
	assert_int_equal(discover->op, DHCP_FROM_CLIENT);
	assert_memory_equal(discover->mac, our_mac, 6);
	assert_int_equal(discover->client | discover->yours | discover->server | discover->relay, 0);
	assert_int_equal(discover->flags, 0); /* 4.1: it can receive unicast before it has an address */
	assert_int_equal(discover->secs, 0);
	assert_int_equal(dhcp_options_get(&discover->options, DHCP_CLIENT_ID, got, sizeof got), sizeof id);
	assert_memory_equal(got, id, sizeof id);
	assert_int_equal(dhcp_options_get(&discover->options, DHCP_HOST_NAME, got, sizeof got), 3);
	assert_memory_equal(got, "web", 3);
	assert_true(dhcp_options_get16(&discover->options, DHCP_MESSAGE_SIZE, &size) && size == 1500);
	assert_true(dhcp_options_get(&discover->options, DHCP_PARAMETERS, got, sizeof got) > 4);
	assert_non_null(memchr(got, DHCP_SUBNET_MASK, 4));
	assert_non_null(memchr(got, DHCP_ROUTERS, 4));
	assert_non_null(memchr(got, DHCP_DNS_SERVERS, 4));
	assert_false(has(discover, DHCP_SERVER_ID)); /* table 5 */
	assert_false(has(discover, DHCP_REQUESTED_ADDRESS));
}

static void options_that_the_application_wants_are_asked_for(void **state)
{
	struct dhcp_client_config config = config_of();
	uint8_t got[64];
	ssize_t len;

	(void)state;
	config.wanted[0] = 150;
	config.wanted_count = 1;
	config.hostname = NULL;
	begin(&config);
	len = dhcp_options_get(&expect(DHCP_DISCOVER)->options, DHCP_PARAMETERS, got, sizeof got);
	assert_non_null(memchr(got, 150, (size_t)len));
	assert_false(has(&w.sent[0].message, DHCP_HOST_NAME));
}

static void a_long_host_name_is_cut_so_that_the_message_fits(void **state)
{
	struct dhcp_client_config config = config_of();
	char name[300];

	(void)state;
	memset(name, 'n', sizeof name - 1);
	name[sizeof name - 1] = '\0';
	config.hostname = name;
	memset(config.wanted, 200, DHCP_WANTED_MAX);
	config.wanted_count = DHCP_WANTED_MAX;
	begin(&config);
	assert_int_equal(dhcp_options_get(&expect(DHCP_DISCOVER)->options, DHCP_HOST_NAME, NULL, 0), 63);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
}

/* RFC 2132, 9.10 */
static void it_says_how_large_an_answer_it_takes_whatever_the_link_does(void **state)
{
	static const uint16_t sizes[][2] = { { 576, 576 }, { 1500, 1500 }, { 9000, 1500 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dhcp_client_config config = config_of();
		uint16_t size;

		config.mtu = sizes[i][0];
		begin(&config);
		assert_true(dhcp_options_get16(&expect(DHCP_DISCOVER)->options, DHCP_MESSAGE_SIZE, &size));
		assert_int_equal(size, sizes[i][1]);
	}
}

static void two_exchanges_have_different_numbers(void **state)
{
	uint32_t xid = expect(DHCP_DISCOVER)->xid;

	assert_int_equal(setup(state), 0);
	assert_int_not_equal(expect(DHCP_DISCOVER)->xid, xid);
}

/* 4.1: 4, 8, 16, 32, 64, 64... seconds, give or take one */
static void a_discover_is_repeated_with_doubled_time_for_ever(void **state)
{
	static const unsigned seconds[] = { 4, 8, 16, 32, 64, 64, 64 };
	uint32_t xid = expect(DHCP_DISCOVER)->xid;
	unsigned uneven = 0;

	(void)state;
	pass(SECOND(300));
	for (size_t i = 0; i < sizeof seconds / sizeof *seconds; i++) {
		uint64_t waited;

		assert_int_equal(expect(DHCP_DISCOVER)->xid, xid);
		waited = w.sent[i + 1].at - w.sent[i].at;
		assert_in_range(waited, SECOND(seconds[i]) - SECOND(1), SECOND(seconds[i]) + SECOND(1));
		uneven += waited != SECOND(seconds[i]);
	}
	assert_true(uneven > 3); /* by chance */
	assert_in_range(w.sent[6].message.secs, 180, 195);
}

static void an_offer_is_requested_of_its_server(void **state)
{
	const struct dhcp_message *discover, *request;

	(void)state;
	pass(SECOND(10));
	expect(DHCP_DISCOVER);
	discover = expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	request = expect(DHCP_REQUEST);
	assert_int_equal(w.sent[w.looked_at - 1].from, 0);
	assert_int_equal(w.sent[w.looked_at - 1].to, UINT32_MAX);
	assert_int_equal(request->client, 0);
	assert_int_equal(option32(request, DHCP_SERVER_ID), SERVER);
	assert_int_equal(option32(request, DHCP_REQUESTED_ADDRESS), GIVEN);
	assert_int_equal(request->xid, discover->xid);
	assert_int_equal(request->secs, discover->secs); /* 3.1, step 3 */
	assert_true(has(request, DHCP_PARAMETERS) && has(request, DHCP_CLIENT_ID) && has(request, DHCP_HOST_NAME));
	assert_int_equal(w.bounds, 0);
}

static void what_is_given_is_probed_and_then_used(void **state)
{
	const struct dhcp_lease *lease = &w.client.lease;

	(void)state;
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_ACK, HOUR), 0);
	assert_int_equal(w.probes, 1);
	assert_int_equal(w.probed, GIVEN);
	assert_int_equal(w.bounds, 0);
	assert_true(w.client.deadline == FOREVER);
	dhcp_client_probed(&w.client, false, w.now);
	assert_int_equal(w.bounds, 1);
	assert_int_equal(w.bound_address, GIVEN);
	assert_int_equal(dhcp_number(&lease->server), SERVER);
	assert_int_equal(lease->prefix_len, 24);
	assert_int_equal(lease->router_count, 1);
	assert_int_equal(dhcp_number(&lease->routers[0]), SERVER);
	assert_int_equal(lease->dns_count, 0);
	assert_string_equal(lease->domain, "");
	assert_true(lease->expires_at == w.now + SECOND(HOUR));
	expect_silence();
}

static void all_options_of_a_lease_can_be_read(void **state)
{
	static const uint8_t dns[12] = { 10, 0, 0, 1, 127, 0, 0, 1, 10, 0, 0, 3 };
	static uint8_t lengthy[700], got[800];
	struct dhcp_message message;

	(void)state;
	memset(lengthy, 'x', sizeof lengthy);
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	message = answer(DHCP_ACK, HOUR);
	assert_int_equal(dhcp_options_add(&message.options, DHCP_DNS_SERVERS, dns, sizeof dns), 0);
	assert_int_equal(dhcp_options_add(&message.options, DHCP_DOMAIN_NAME, "pampas\0", 7), 0);
	assert_int_equal(dhcp_options_add(&message.options, 224, lengthy, sizeof lengthy), 0); /* RFC 3396 */
	assert_int_equal(give(&message), 0);
	dhcp_client_probed(&w.client, false, w.now);
	assert_int_equal(w.client.lease.dns_count, 2); /* loopback is no server */
	assert_int_equal(dhcp_number(&w.client.lease.dns[1]), 0x0a000003);
	assert_string_equal(w.client.lease.domain, "pampas");
	assert_int_equal(dhcp_options_get(&w.client.lease.options, 224, got, sizeof got), sizeof lengthy);
	assert_memory_equal(got, lengthy, sizeof lengthy);
}

static void without_a_mask_the_class_of_the_address_says_it(void **state)
{
	static const struct {
		uint32_t address;
		uint8_t prefix_len;
	} classes[] = { { 0x0a000046, 8 }, { 0xac100046, 16 }, { 0xc0a80146, 24 } };

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		struct dhcp_message message = { .type = DHCP_ACK, .yours = classes[i].address };
		struct dhcp_lease lease;

		assert_int_equal(dhcp_options_add32(&message.options, DHCP_SERVER_ID, SERVER), 0);
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_LEASE_TIME, 60), 0);
		assert_int_equal(dhcp_lease_read(&message, 0, 0, &lease), 0);
		assert_int_equal(lease.prefix_len, classes[i].prefix_len);
	}
}

/* 3.1, step 3: four times within a minute, then from the start */
static void a_request_without_an_answer_leads_back_to_discovery(void **state)
{
	uint32_t xid;

	(void)state;
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	xid = expect(DHCP_REQUEST)->xid;
	pass(SECOND(70));
	for (int i = 1; i < DHCP_TRIES; i++)
		assert_int_equal(expect(DHCP_REQUEST)->xid, xid);
	assert_in_range(w.sent[2].at - w.sent[1].at, SECOND(3), SECOND(5));
	assert_in_range(w.sent[4].at - w.sent[1].at, SECOND(25), SECOND(31));
	assert_int_not_equal(expect(DHCP_DISCOVER)->xid, xid);
}

static void a_refused_request_leads_back_and_a_second_refusal_to_a_pause(void **state)
{
	(void)state;
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_NAK, 0), 0);
	expect(DHCP_DISCOVER); /* 3.1, step 5 */
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_NAK, 0), 0);
	expect_silence();
	pass(DHCP_REFUSED_NS);
	expect(DHCP_DISCOVER);
	assert_int_equal(w.losses, 0);
}

/* 3.1, step 5; RFC 5227, 2.1.1 */
static void an_address_in_use_is_declined_and_asked_for_again_ten_seconds_later(void **state)
{
	const struct dhcp_message *decline;

	(void)state;
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_ACK, HOUR), 0);
	dhcp_client_probed(&w.client, true, w.now);
	decline = expect(DHCP_DECLINE);
	assert_int_equal(w.sent[w.looked_at - 1].from, 0);
	assert_int_equal(w.sent[w.looked_at - 1].to, UINT32_MAX);
	assert_int_equal(option32(decline, DHCP_REQUESTED_ADDRESS), GIVEN);
	assert_int_equal(option32(decline, DHCP_SERVER_ID), SERVER);
	assert_int_equal(decline->client, 0);
	assert_int_equal(decline->secs, 0);
	assert_true(has(decline, DHCP_CLIENT_ID));
	assert_false(has(decline, DHCP_PARAMETERS)); /* table 5 */
	assert_false(has(decline, DHCP_MESSAGE_SIZE));
	assert_int_equal(w.bounds, 0);
	pass(DHCP_DECLINED_NS - 1);
	expect_silence();
	pass(1);
	assert_false(has(expect(DHCP_DISCOVER), DHCP_REQUESTED_ADDRESS));
}

/* An earlier life ---------------------------------------------------------------------------------------------- */

static void begin_with_memory(void)
{
	struct dhcp_client_config config = config_of();

	config.remembered = GIVEN;
	begin(&config);
}

/* 3.2; 4.3.2 */
static void a_remembered_address_is_asked_for_at_once(void **state)
{
	const struct dhcp_message *request;

	(void)state;
	begin_with_memory();
	request = expect(DHCP_REQUEST);
	assert_int_equal(w.sent[0].to, UINT32_MAX);
	assert_int_equal(request->client, 0);
	assert_int_equal(option32(request, DHCP_REQUESTED_ADDRESS), GIVEN);
	assert_false(has(request, DHCP_SERVER_ID));
	assert_int_equal(give_answer(DHCP_ACK, HOUR), 0);
	dhcp_client_probed(&w.client, false, w.now);
	assert_int_equal(w.bound_address, GIVEN);
}

static void a_remembered_address_that_is_refused_is_forgotten(void **state)
{
	(void)state;
	begin_with_memory();
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_NAK, 0), 0);
	assert_false(has(expect(DHCP_DISCOVER), DHCP_REQUESTED_ADDRESS));
}

static void a_remembered_address_that_nobody_knows_is_a_wish(void **state)
{
	(void)state;
	begin_with_memory();
	pass(SECOND(14));
	for (int i = 0; i < DHCP_REBOOT_TRIES; i++)
		expect(DHCP_REQUEST);
	assert_int_equal(option32(expect(DHCP_DISCOVER), DHCP_REQUESTED_ADDRESS), GIVEN);
}

/* What is heard ------------------------------------------------------------------------------------------------ */

static void only_answers_to_this_exchange_are_heard(void **state)
{
	struct dhcp_message message = answer(DHCP_OFFER, HOUR);

	(void)state;
	expect(DHCP_DISCOVER);
	message.xid ^= 1;
	assert_int_equal(give(&message), -ENOMSG);
	message.xid ^= 1;
	message.mac[5] ^= 1;
	assert_int_equal(give(&message), -ENOMSG);
	message.mac[5] ^= 1;
	message.op = DHCP_FROM_CLIENT;
	assert_int_equal(give(&message), -ENOMSG);
	message.op = DHCP_FROM_SERVER;
	message.type = DHCP_ACK;
	assert_int_equal(give(&message), -ENOMSG);
	message.type = DHCP_NAK;
	assert_int_equal(give(&message), -ENOMSG);
	expect_silence();
	message.type = DHCP_OFFER;
	assert_int_equal(give(&message), 0);
	expect(DHCP_REQUEST);
	assert_int_equal(give(&message), -ENOMSG); /* a second offer comes too late */
	expect_silence();
}

static void in_requesting_only_the_server_that_was_asked_is_heard(void **state)
{
	static const enum dhcp_type types[] = { DHCP_ACK, DHCP_NAK };

	(void)state;
	expect(DHCP_DISCOVER);
	assert_int_equal(give_answer(DHCP_OFFER, HOUR), 0);
	expect(DHCP_REQUEST);
	for (size_t i = 0; i < 2; i++) {
		struct dhcp_message message = {
			.op = DHCP_FROM_SERVER, .type = (uint8_t)types[i], .xid = w.client.xid, .yours = GIVEN + 1
		};

		memcpy(message.mac, our_mac, 6);
		assert_int_equal(give(&message), -ENOMSG);
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_SERVER_ID, OTHER_SERVER), 0);
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_LEASE_TIME, HOUR), 0);
		assert_int_equal(give(&message), -ENOMSG);
	}
	pass(SECOND(5));
	assert_int_equal(option32(expect(DHCP_REQUEST), DHCP_REQUESTED_ADDRESS), GIVEN); /* nothing has changed */
	assert_int_equal(give_answer(DHCP_ACK, HOUR), 0);
}

/* RFC 6842, 3 */
static void an_answer_with_another_clients_identifier_is_dropped(void **state)
{
	struct dhcp_message wrong = answer(DHCP_OFFER, HOUR), right = wrong;
	uint8_t id[DHCP_CLIENT_ID_LEN];

	(void)state;
	expect(DHCP_DISCOVER);
	dhcp_client_id(our_mac, id);
	assert_int_equal(dhcp_options_add(&right.options, DHCP_CLIENT_ID, id, sizeof id), 0);
	id[3] ^= 1;
	assert_int_equal(dhcp_options_add(&wrong.options, DHCP_CLIENT_ID, id, sizeof id), 0);
	assert_int_equal(give(&wrong), -ENOMSG);
	assert_int_equal(give(&right), 0);
}

static void refused_as_offer(uint32_t address, uint32_t mask, uint32_t seconds, uint32_t server)
{
	struct dhcp_message message = { .op = DHCP_FROM_SERVER, .type = DHCP_OFFER, .xid = w.client.xid };

	memcpy(message.mac, our_mac, 6);
	message.yours = address;
	if (server)
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_SERVER_ID, server), 0);
	assert_int_equal(dhcp_options_add32(&message.options, DHCP_SUBNET_MASK, mask), 0);
	if (seconds != 1)
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_LEASE_TIME, seconds), 0);
	assert_int_equal(give(&message), -EBADMSG);
}

static void an_offer_that_no_host_could_use_is_dropped(void **state)
{
	(void)state;
	expect(DHCP_DISCOVER);
	refused_as_offer(0, MASK, HOUR, SERVER);
	refused_as_offer(0x7f000001, MASK, HOUR, SERVER);
	refused_as_offer(0xe0000001, MASK, HOUR, SERVER);
	refused_as_offer(UINT32_MAX, MASK, HOUR, SERVER);
	refused_as_offer(0x0a0000ff, MASK, HOUR, SERVER);
	refused_as_offer(0x0a000000, MASK, HOUR, SERVER);
	refused_as_offer(GIVEN, 0xff00ff00, HOUR, SERVER);
	refused_as_offer(GIVEN, MASK, 0, SERVER);
	refused_as_offer(GIVEN, MASK, 1, SERVER); /* no time at all */
	refused_as_offer(GIVEN, MASK, HOUR, 0);
	refused_as_offer(GIVEN, MASK, HOUR, UINT32_MAX);
	assert_int_equal(dhcp_client_receive(&w.client, (const uint8_t *)"x", 1, w.now), -EBADMSG);
	expect_silence();
	assert_int_equal(w.client.state, DHCP_SELECTING);
}

/* Keeping it --------------------------------------------------------------------------------------------------- */

/* 4.4.5: T1 is half of the lease; the request goes to the server alone, without its identifier */
static void at_t1_the_server_is_asked_and_the_lease_begins_anew(void **state)
{
	const struct dhcp_message *request;
	uint32_t xid;
	uint64_t t1;

	(void)state;
	bind_for(HOUR);
	xid = w.client.xid;
	t1 = w.client.deadline;
	assert_in_range(t1 - w.now, SECOND(HOUR / 2) - SECOND(HOUR / 2) / DHCP_FUZZ_FRACTION, SECOND(HOUR / 2));
	pass_until(t1);
	request = expect(DHCP_REQUEST);
	assert_int_equal(w.sent[w.looked_at - 1].from, GIVEN);
	assert_int_equal(w.sent[w.looked_at - 1].to, SERVER);
	assert_int_equal(request->client, GIVEN);
	assert_false(has(request, DHCP_SERVER_ID));
	assert_false(has(request, DHCP_REQUESTED_ADDRESS));
	assert_int_not_equal(request->xid, xid);
	assert_int_equal(request->secs, 0);
	w.now += MSEC(300);
	assert_int_equal(give_answer(DHCP_ACK, HOUR), 0);
	assert_int_equal(w.bounds, 2);
	assert_int_equal(w.probes, 1); /* the address is ours already */
	assert_int_equal(w.losses, 0);
	assert_true(w.client.lease.expires_at == t1 + SECOND(HOUR)); /* 4.4.1: from when it was asked for */
	expect_silence();
}

static void the_servers_own_t1_and_t2_are_obeyed_if_they_make_sense(void **state)
{
	static const struct {
		uint32_t t1, t2, renew, rebind;
	} cases[] = { { 100, 200, 100, 200 }, { 200, 100, 100, 100 }, { 0, 0, 500, 875 }, { 1000, 2000, 500, 875 },
		{ 600, 0, 600, 875 } };

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct dhcp_message message = answer(DHCP_ACK, 1000);
		struct dhcp_lease lease;

		assert_int_equal(dhcp_options_add32(&message.options, DHCP_RENEWAL_TIME, cases[i].t1), 0);
		assert_int_equal(dhcp_options_add32(&message.options, DHCP_REBINDING_TIME, cases[i].t2), 0);
		assert_int_equal(dhcp_lease_read(&message, SECOND(5), 0, &lease), 0);
		assert_int_equal(lease.renew_at / SECOND(1), 5 + cases[i].renew);
		assert_int_equal(lease.rebind_at / SECOND(1), 5 + cases[i].rebind);
		assert_int_equal(lease.expires_at / SECOND(1), 1005);
		assert_int_equal(dhcp_lease_read(&message, SECOND(5), UINT32_MAX, &lease), 0);
		assert_true(lease.renew_at <= lease.rebind_at && lease.rebind_at < lease.expires_at);
	}
}

/* 4.4.5: half of the time left until T2, then until the end, and once a minute at most */
static void an_unanswered_renewal_is_repeated_ever_sooner_then_all_are_asked_then_it_ends(void **state)
{
	uint64_t bound_at = w.now, t1, t2, end, next;
	size_t i = 2;

	(void)state;
	bind_for(HOUR);
	t1 = w.client.lease.renew_at;
	t2 = w.client.lease.rebind_at;
	end = w.client.lease.expires_at;
	assert_in_range(t2 - bound_at, SECOND(HOUR) / 8 * 7 - SECOND(HOUR) / 32, SECOND(HOUR) / 8 * 7);
	pass_until(end - 1);
	assert_true(w.sent[i].at == t1);
	for (next = t1; next < t2; i++) {
		assert_true(w.sent[i].at == next && w.sent[i].to == SERVER && w.sent[i].from == GIVEN);
		next += (t2 - next) / 2 > SECOND(60) ? (t2 - next) / 2 : SECOND(60);
	}
	assert_true(w.sent[i].at == t2);
	for (next = t2; next < end; i++) {
		assert_true(w.sent[i].at == next && w.sent[i].to == UINT32_MAX && w.sent[i].from == GIVEN);
		assert_int_equal(w.sent[i].message.client, GIVEN);
		next += (end - next) / 2 > SECOND(60) ? (end - next) / 2 : SECOND(60);
	}
	assert_int_equal(w.sent_count, i);
	assert_int_equal(w.losses, 0);
	pass(1);
	assert_int_equal(w.losses, 1);
	assert_int_equal(w.loss, DHCP_EXPIRED);
	assert_int_equal(w.sent_count, i + 1);
	assert_int_equal(w.sent[i].message.type, DHCP_DISCOVER);
	assert_int_equal(w.sent[i].from, 0);
	assert_int_equal(option32(&w.sent[i].message, DHCP_REQUESTED_ADDRESS), GIVEN); /* it may be had again */
}

static void any_server_may_extend_the_lease_when_all_are_asked(void **state)
{
	struct dhcp_message message;

	(void)state;
	bind_for(HOUR);
	pass_until(w.client.lease.rebind_at);
	message = answer(DHCP_ACK, HOUR);
	message.options.bytes[5] = 9; /* the last byte of the server's identifier */
	assert_int_equal(give(&message), 0);
	assert_int_equal(w.client.state, DHCP_BOUND);
	assert_int_equal(dhcp_number(&w.client.lease.server), 0x0a000009);
	assert_int_equal(w.losses, 0);
}

static void a_refused_renewal_ends_the_lease_at_once(void **state)
{
	(void)state;
	bind_for(HOUR);
	pass_until(w.client.lease.renew_at);
	expect(DHCP_REQUEST);
	assert_int_equal(give_answer(DHCP_NAK, 0), 0);
	assert_int_equal(w.losses, 1);
	assert_int_equal(w.loss, DHCP_REFUSED);
	assert_false(w.client.has_lease);
	assert_false(has(expect(DHCP_DISCOVER), DHCP_REQUESTED_ADDRESS));
}

static void a_nak_of_a_stranger_or_without_a_question_changes_nothing(void **state)
{
	struct dhcp_message message;

	(void)state;
	bind_for(HOUR);
	assert_int_equal(give_answer(DHCP_NAK, 0), -ENOMSG);
	pass_until(w.client.lease.renew_at);
	message = answer(DHCP_NAK, 0);
	message.options.bytes[5] = 9;
	assert_int_equal(give(&message), -ENOMSG);
	assert_int_equal(w.losses, 0);
}

static void another_address_at_a_renewal_is_probed_and_taken(void **state)
{
	struct dhcp_message message;

	(void)state;
	bind_for(HOUR);
	pass_until(w.client.lease.renew_at);
	expect(DHCP_REQUEST);
	message = answer(DHCP_ACK, HOUR);
	message.yours = GIVEN + 1;
	assert_int_equal(give(&message), 0);
	assert_int_equal(w.losses, 1);
	assert_int_equal(w.loss, DHCP_CHANGED);
	assert_int_equal(w.probed, GIVEN + 1);
	dhcp_client_probed(&w.client, false, w.now);
	assert_int_equal(w.bound_address, GIVEN + 1);
	expect_silence();
}

static void a_lease_for_ever_is_never_renewed(void **state)
{
	(void)state;
	bind_for(DHCP_LEASE_FOR_EVER);
	assert_true(w.client.deadline == FOREVER);
	assert_true(w.client.lease.expires_at == FOREVER);
}

static void leases_of_any_length_are_renewed_in_time(void **state)
{
	static const uint32_t lengths[] = { 1, 2, 3, 7, 60, 120, 86400, 0x7fffffff, 0xfffffffe };

	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		assert_int_equal(setup(state), 0);
		bind_for(lengths[i]);
		assert_true(w.client.lease.renew_at <= w.client.lease.rebind_at);
		assert_true(w.client.lease.rebind_at < w.client.lease.expires_at);
		for (int n = 0; n < 3; n++) {
			pass_until(w.client.lease.renew_at);
			assert_int_equal(give_answer(DHCP_ACK, lengths[i]), 0);
		}
		assert_int_equal(w.losses, 0);
		pass_until(w.client.lease.expires_at);
		assert_int_equal(w.losses, 1);
	}
}

/* As after a pause of the whole machine. */
static void a_timer_that_is_far_too_late_ends_the_lease(void **state)
{
	(void)state;
	bind_for(HOUR);
	w.now = w.client.lease.expires_at + SECOND(1);
	dhcp_client_expire(&w.client, w.now);
	assert_int_equal(w.losses, 1);
	expect(DHCP_DISCOVER);
	expect_silence();
}

/* 4.4.6 */
static void a_released_lease_is_told_to_its_server_alone(void **state)
{
	const struct dhcp_message *release;

	(void)state;
	bind_for(HOUR);
	dhcp_client_release(&w.client);
	release = expect(DHCP_RELEASE);
	assert_int_equal(w.sent[w.looked_at - 1].from, GIVEN);
	assert_int_equal(w.sent[w.looked_at - 1].to, SERVER);
	assert_int_equal(release->client, GIVEN);
	assert_int_equal(option32(release, DHCP_SERVER_ID), SERVER);
	assert_true(has(release, DHCP_CLIENT_ID));
	assert_false(has(release, DHCP_REQUESTED_ADDRESS));
	assert_false(has(release, DHCP_PARAMETERS));
	assert_true(w.client.deadline == FOREVER);
	assert_int_equal(setup(state), 0);
	expect(DHCP_DISCOVER);
	dhcp_client_release(&w.client); /* there is nothing to give back */
	expect_silence();
	assert_true(w.client.deadline == FOREVER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(first_it_broadcasts_a_discover_that_says_who_asks_for_what, setup),
		cmocka_unit_test_setup(options_that_the_application_wants_are_asked_for, setup),
		cmocka_unit_test_setup(a_long_host_name_is_cut_so_that_the_message_fits, setup),
		cmocka_unit_test_setup(it_says_how_large_an_answer_it_takes_whatever_the_link_does, setup),
		cmocka_unit_test_setup(two_exchanges_have_different_numbers, setup),
		cmocka_unit_test_setup(a_discover_is_repeated_with_doubled_time_for_ever, setup),
		cmocka_unit_test_setup(an_offer_is_requested_of_its_server, setup),
		cmocka_unit_test_setup(what_is_given_is_probed_and_then_used, setup),
		cmocka_unit_test_setup(all_options_of_a_lease_can_be_read, setup),
		cmocka_unit_test_setup(without_a_mask_the_class_of_the_address_says_it, setup),
		cmocka_unit_test_setup(a_request_without_an_answer_leads_back_to_discovery, setup),
		cmocka_unit_test_setup(a_refused_request_leads_back_and_a_second_refusal_to_a_pause, setup),
		cmocka_unit_test_setup(an_address_in_use_is_declined_and_asked_for_again_ten_seconds_later, setup),
		cmocka_unit_test_setup(a_remembered_address_is_asked_for_at_once, setup),
		cmocka_unit_test_setup(a_remembered_address_that_is_refused_is_forgotten, setup),
		cmocka_unit_test_setup(a_remembered_address_that_nobody_knows_is_a_wish, setup),
		cmocka_unit_test_setup(only_answers_to_this_exchange_are_heard, setup),
		cmocka_unit_test_setup(in_requesting_only_the_server_that_was_asked_is_heard, setup),
		cmocka_unit_test_setup(an_answer_with_another_clients_identifier_is_dropped, setup),
		cmocka_unit_test_setup(an_offer_that_no_host_could_use_is_dropped, setup),
		cmocka_unit_test_setup(at_t1_the_server_is_asked_and_the_lease_begins_anew, setup),
		cmocka_unit_test_setup(the_servers_own_t1_and_t2_are_obeyed_if_they_make_sense, setup),
		cmocka_unit_test_setup(
			an_unanswered_renewal_is_repeated_ever_sooner_then_all_are_asked_then_it_ends, setup),
		cmocka_unit_test_setup(any_server_may_extend_the_lease_when_all_are_asked, setup),
		cmocka_unit_test_setup(a_refused_renewal_ends_the_lease_at_once, setup),
		cmocka_unit_test_setup(a_nak_of_a_stranger_or_without_a_question_changes_nothing, setup),
		cmocka_unit_test_setup(another_address_at_a_renewal_is_probed_and_taken, setup),
		cmocka_unit_test_setup(a_lease_for_ever_is_never_renewed, setup),
		cmocka_unit_test_setup(leases_of_any_length_are_renewed_in_time, setup),
		cmocka_unit_test_setup(a_timer_that_is_far_too_late_ends_the_lease, setup),
		cmocka_unit_test_setup(a_released_lease_is_told_to_its_server_alone, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
