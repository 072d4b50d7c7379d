/* SPDX-License-Identifier: ISC
 *
 * The DHCP server's machine (RFC 2131, 4.3; RFC 3046, 6842).
 *
 * Theory of operation
 * -------------------
 * Each address has a binding: FREE; OFFERED for OFFER_NS, until its client asks for it or does not; BOUND until its
 * lease ends; or DECLINED, because a client has found it in use, for as long as the longest lease. A binding remembers
 * its client after its end, so that he gets the same address again while nobody else needs it. Ends are looked at when
 * a message comes, so there is no timer.
 *
 * A table that is lost with its server is made again by the clients: one who renews an address of the range that nobody
 * has gets it.
 *
 * Not done: asking the link whether an offered address is in use (4.3.1 says SHOULD); clients do that, and decline.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/text.h>

#include "dhcp_binding.h"
#include "dhcp_lease.h"
#include "wire.h"

enum { LEASE_SECONDS = 3600, LEASE_SECONDS_MAX = 86400, LEASE_SECONDS_LEAST = 60 };
enum { IP_AND_UDP = 28, DATAGRAM_LEAST = 576, PARAMETERS_MAX = 255, ETHERNET = 1 };
#define OFFER_NS SECOND(60)

struct dhcp_server {
	uint32_t address, mask;
	uint8_t prefix_len;
	uint32_t lease_seconds, lease_seconds_max;
	struct dhcp_options options;
	struct dhcp_bindings bindings;
	struct dhcp_message message, answer; /* the ones at hand */
	struct dhcp_identity identity;       /* whose message it is */
};

/* Opening ------------------------------------------------------------------------------------------------------ */

/* Whether a client may have this address. */
static bool may_give(const struct dhcp_server *server, uint32_t address)
{
	uint32_t host = address & ~server->mask;

	return dhcp_is_host(address) && ((address ^ server->address) & server->mask) == 0 &&
	       address != server->address && (server->prefix_len >= 31 || (host != 0 && host != ~server->mask));
}

static int add_hosts(struct dhcp_server *server, const struct dhcp_server_config *config)
{
	for (size_t i = 0; i < config->host_count; i++) {
		const struct dhcp_host *host = &config->hosts[i];
		uint32_t address = dhcp_number(&host->address);
		struct dhcp_binding *binding = dhcp_binding_at(&server->bindings, address);

		if (!may_give(server, address) || (binding && binding->is_static))
			return -EINVAL;
		if (!binding)
			binding = &server->bindings.all[server->bindings.count++];
		binding->address = address;
		binding->is_static = true;
		memcpy(binding->static_mac, host->mac, sizeof host->mac);
		text_format(binding->static_name, sizeof binding->static_name, "%s", host->name ? host->name : "");
	}
	return 0;
}

static int by_address(const void *a, const void *b)
{
	uint32_t left = ((const struct dhcp_binding *)a)->address, right = ((const struct dhcp_binding *)b)->address;

	return left < right ? -1 : left > right;
}

static int make_bindings(struct dhcp_server *server, const struct dhcp_server_config *config)
{
	uint32_t first = dhcp_number(&config->first), last = dhcp_number(&config->last);
	size_t ranged = first || last ? (size_t)last - first + 1 : 0;
	struct dhcp_bindings *bindings = &server->bindings;
	int err;

	if (first > last || ranged > DHCP_SERVER_ADDRESSES_MAX ||
		config->host_count > DHCP_SERVER_ADDRESSES_MAX - ranged)
		return -EINVAL;
	bindings->all = calloc(ranged + config->host_count + 1, sizeof *bindings->all);
	if (!bindings->all)
		return -ENOMEM;
	for (; bindings->count < ranged; bindings->count++) {
		bindings->all[bindings->count].address = first + (uint32_t)bindings->count;
		if (!may_give(server, first + (uint32_t)bindings->count))
			return -EINVAL;
	}
	err = add_hosts(server, config);
	if (err == 0)
		qsort(bindings->all, bindings->count, sizeof *bindings->all, by_address);
	return err;
}

int dhcp_server_open(const struct dhcp_server_config *config, struct dhcp_server **result)
{
	struct dhcp_server *server;
	int err;

	if (config->prefix_len > 32 || !dhcp_is_host(dhcp_number(&config->address)))
		return -EINVAL;
	server = calloc(1, sizeof *server);
	if (!server)
		return -ENOMEM;
	server->address = dhcp_number(&config->address);
	server->prefix_len = config->prefix_len;
	server->mask = dhcp_mask(config->prefix_len);
	server->lease_seconds = config->lease_seconds ? config->lease_seconds : LEASE_SECONDS;
	server->lease_seconds_max = config->lease_seconds_max ? config->lease_seconds_max : LEASE_SECONDS_MAX;
	server->options = config->options;
	err = make_bindings(server, config);
	if (err < 0) {
		dhcp_server_close(server);
		return err;
	}
	*result = server;
	return 0;
}

void dhcp_server_close(struct dhcp_server *server)
{
	if (!server)
		return;
	free(server->bindings.all);
	free(server);
}

/* Answers ------------------------------------------------------------------------------------------------------ */

/* What the client wants, within what he may have. */
static uint32_t lease_seconds(const struct dhcp_server *server)
{
	uint32_t least = server->lease_seconds < LEASE_SECONDS_LEAST ? server->lease_seconds : LEASE_SECONDS_LEAST;
	uint32_t wanted;

	if (!dhcp_options_get32(&server->message.options, DHCP_LEASE_TIME, &wanted))
		return server->lease_seconds;
	if (wanted > server->lease_seconds_max)
		return server->lease_seconds_max;
	return wanted > least ? wanted : least;
}

/* Copies an option of the client's or the relay's back (RFC 6842; RFC 3046, 2.2). */
static void echo_option(struct dhcp_server *server, uint8_t code)
{
	uint8_t value[DHCP_OPTIONS_MAX];
	ssize_t len = dhcp_options_get(&server->message.options, code, value, sizeof value);

	if (len >= 0)
		(void)dhcp_options_add(&server->answer.options, code, value, (size_t)len);
}

static void begin_answer(struct dhcp_server *server, enum dhcp_type type)
{
	const struct dhcp_message *question = &server->message;
	struct dhcp_message *answer = &server->answer;

	memset(answer, 0, sizeof *answer);
	answer->op = DHCP_FROM_SERVER;
	answer->type = (uint8_t)type;
	answer->xid = question->xid;
	answer->flags = question->flags & DHCP_FLAG_BROADCAST;
	answer->relay = question->relay;
	memcpy(answer->mac, question->mac, sizeof answer->mac);
	(void)dhcp_options_add32(&answer->options, DHCP_SERVER_ID, server->address);
	echo_option(server, DHCP_CLIENT_ID);
}

/* What each answer says by itself, whatever the program has configured. */
static bool is_ours(uint8_t code)
{
	static const uint8_t ours[] = { DHCP_SUBNET_MASK, DHCP_LEASE_TIME, DHCP_OVERLOAD, DHCP_MESSAGE_TYPE,
		DHCP_SERVER_ID, DHCP_RENEWAL_TIME, DHCP_REBINDING_TIME, DHCP_CLIENT_ID, DHCP_RELAY_AGENT };

	return memchr(ours, code, sizeof ours) != NULL;
}

/* Of the options, those that the client asks for; all, if he does not say. */
static void add_wished(struct dhcp_server *server, const struct dhcp_options *options)
{
	struct dhcp_options *answer = &server->answer.options;
	uint8_t wished[PARAMETERS_MAX];
	ssize_t count = dhcp_options_get(&server->message.options, DHCP_PARAMETERS, wished, sizeof wished);

	if (count > PARAMETERS_MAX)
		count = PARAMETERS_MAX;
	for (size_t at = 0, len; at < options->len; at += len) {
		uint8_t code = options->bytes[at];

		len = 2 + (size_t)options->bytes[at + 1];
		if (is_ours(code) || (count >= 0 && !memchr(wished, code, (size_t)count)) ||
			len > DHCP_OPTIONS_MAX - answer->len)
			continue;
		memcpy(answer->bytes + answer->len, options->bytes + at, len);
		answer->len += len;
	}
}

/* RFC 2131, 4.1: where an answer goes. An address that is none of our subnet is not the client's, whatever he says. */
static void address_answer(const struct dhcp_server *server, struct dhcp_reply *reply)
{
	const struct dhcp_message *question = &server->message, *answer = &server->answer;
	uint32_t client = may_give(server, question->client) ? question->client : 0;
	bool to_all = answer->type == DHCP_NAK || (client == 0 && question->flags & DHCP_FLAG_BROADCAST);
	uint32_t to = client ? client : answer->yours;

	reply->to.port = question->relay ? DHCP_SERVER_PORT : DHCP_CLIENT_PORT;
	if (question->relay)
		to = question->relay;
	else if (to_all)
		to = UINT32_MAX;
	else
		reply->is_new = client == 0;
	reply->to.address = dhcp_address(to);
	memcpy(reply->mac, question->mac, sizeof reply->mac);
}

/* Sends the answer, with these options if there is room, in a message that the client can take (RFC 2132, 9.10). */
static void finish_answer(struct dhcp_server *server, const struct dhcp_options *options, struct dhcp_reply *reply)
{
	struct dhcp_message *answer = &server->answer;
	size_t needed = answer->options.len;
	uint16_t size;

	if (!dhcp_options_get16(&server->message.options, DHCP_MESSAGE_SIZE, &size) || size < DATAGRAM_LEAST)
		size = DATAGRAM_LEAST;
	if (size > DHCP_MESSAGE_MAX + IP_AND_UDP)
		size = DHCP_MESSAGE_MAX + IP_AND_UDP;
	add_wished(server, options);
	echo_option(server, DHCP_RELAY_AGENT);
	reply->len = dhcp_message_build(answer, reply->bytes, size - (size_t)IP_AND_UDP);
	if (reply->len == 0) {
		answer->options.len = needed;
		echo_option(server, DHCP_RELAY_AGENT);
		reply->len = dhcp_message_build(answer, reply->bytes, size - (size_t)IP_AND_UDP);
	}
	address_answer(server, reply);
}

/* OFFER or ACK of a binding, for which time there is. */
static void answer_lease(struct dhcp_server *server, enum dhcp_type type, const struct dhcp_binding *binding,
	uint32_t seconds, struct dhcp_reply *reply)
{
	struct dhcp_options *options = &server->answer.options;
	struct dhcp_options wished = server->options;

	begin_answer(server, type);
	server->answer.yours = binding->address;
	server->answer.client = type == DHCP_ACK ? server->message.client : 0;
	(void)dhcp_options_add32(options, DHCP_LEASE_TIME, seconds);
	if (seconds != DHCP_LEASE_FOR_EVER) {
		(void)dhcp_options_add32(options, DHCP_RENEWAL_TIME, seconds / 2);
		(void)dhcp_options_add32(options, DHCP_REBINDING_TIME, (uint32_t)((uint64_t)seconds * 7 / 8));
	}
	(void)dhcp_options_add32(options, DHCP_SUBNET_MASK, server->mask);
	if (*binding->static_name)
		(void)dhcp_options_add(&wished, DHCP_HOST_NAME, binding->static_name, strlen(binding->static_name));
	finish_answer(server, &wished, reply);
}

static void answer_nak(struct dhcp_server *server, struct dhcp_reply *reply)
{
	static const struct dhcp_options none;

	begin_answer(server, DHCP_NAK);
	server->answer.flags |= server->message.relay ? DHCP_FLAG_BROADCAST : 0; /* 4.3.2 */
	finish_answer(server, &none, reply);
}

/* Questions ---------------------------------------------------------------------------------------------------- */

static void identify(const struct dhcp_message *message, struct dhcp_identity *identity)
{
	ssize_t len = dhcp_options_get(&message->options, DHCP_CLIENT_ID, identity->bytes, sizeof identity->bytes);

	memcpy(identity->mac, message->mac, sizeof identity->mac);
	if (len > 0) {
		identity->len = len <= DHCP_CLIENT_ID_MAX ? (uint8_t)len : 0;
		return;
	}
	identity->bytes[0] = ETHERNET;
	memcpy(identity->bytes + 1, message->mac, sizeof message->mac);
	identity->len = 1 + sizeof message->mac;
}

/* What a client calls himself, as far as it can stand in a log or in the DNS. */
static void read_name(const struct dhcp_options *options, char name[DHCP_LABEL_MAX + 1])
{
	char text[DHCP_LABEL_MAX];
	ssize_t len = dhcp_options_get(options, DHCP_HOST_NAME, text, sizeof text), used = 0;

	for (; used < len && used < DHCP_LABEL_MAX; used++) {
		char c = text[used];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'))
			break;
		name[used] = c;
	}
	name[used] = '\0';
}

static void take(
	struct dhcp_server *server, struct dhcp_binding *binding, enum dhcp_binding_state state, uint64_t until)
{
	binding->identity = server->identity;
	binding->state = state;
	binding->until = until;
	read_name(&server->message.options, binding->name);
}

static void lease(struct dhcp_server *server, struct dhcp_binding *binding, uint64_t now, struct dhcp_reply *reply)
{
	uint32_t seconds = lease_seconds(server);

	take(server, binding, BINDING_BOUND, seconds == DHCP_LEASE_FOR_EVER ? FOREVER : now + SECOND(seconds));
	answer_lease(server, DHCP_ACK, binding, seconds, reply);
}

static void discover(struct dhcp_server *server, uint64_t now, struct dhcp_reply *reply)
{
	uint32_t wanted = 0;
	struct dhcp_binding *binding;

	(void)dhcp_options_get32(&server->message.options, DHCP_REQUESTED_ADDRESS, &wanted);
	binding = dhcp_binding_choose(&server->bindings, &server->identity, wanted, now);
	if (!binding)
		return;
	if (binding->state != BINDING_BOUND || binding->until <= now)
		take(server, binding, BINDING_OFFERED, now + OFFER_NS);
	answer_lease(server, DHCP_OFFER, binding, lease_seconds(server), reply);
}

/* Asks for what was offered, by this server or another (4.3.2, SELECTING). */
static void request_offered(struct dhcp_server *server, uint32_t chosen, uint64_t now, struct dhcp_reply *reply)
{
	struct dhcp_binding *own = dhcp_binding_of(&server->bindings, &server->identity);
	uint32_t wanted;

	if (chosen != server->address) {
		if (own && own->state == BINDING_OFFERED) {
			own->state = BINDING_FREE;
			own->until = now;
		}
		return;
	}
	if (own && own->state != BINDING_DECLINED &&
		dhcp_options_get32(&server->message.options, DHCP_REQUESTED_ADDRESS, &wanted) && wanted == own->address)
		lease(server, own, now, reply);
	else
		answer_nak(server, reply);
}

/* Asks for the address of an earlier life, or to keep the one it has (4.3.2, INIT-REBOOT, RENEWING, REBINDING). */
static void request_again(struct dhcp_server *server, uint64_t now, struct dhcp_reply *reply)
{
	struct dhcp_binding *own = dhcp_binding_of(&server->bindings, &server->identity), *there;
	uint32_t wanted = server->message.client;

	if (wanted == 0 && !dhcp_options_get32(&server->message.options, DHCP_REQUESTED_ADDRESS, &wanted))
		return;
	there = dhcp_binding_at(&server->bindings, wanted);
	if (own && own->state != BINDING_DECLINED && own == there)
		lease(server, own, now, reply);
	else if (own || ((wanted ^ server->address) & server->mask) != 0)
		answer_nak(server, reply);
	else if (server->message.client && there && dhcp_binding_available(there, now))
		lease(server, there, now, reply);
	else if (server->message.client && there)
		answer_nak(server, reply);
}

static void decline_or_release(struct dhcp_server *server, bool declined, uint64_t now)
{
	struct dhcp_binding *own = dhcp_binding_of(&server->bindings, &server->identity);
	uint32_t address = server->message.client, to;

	if (declined && !dhcp_options_get32(&server->message.options, DHCP_REQUESTED_ADDRESS, &address))
		return;
	if (!own || own->address != address || own->state == BINDING_DECLINED ||
		!dhcp_options_get32(&server->message.options, DHCP_SERVER_ID, &to) || to != server->address)
		return;
	own->state = declined ? BINDING_DECLINED : BINDING_FREE;
	own->until = declined ? now + SECOND(server->lease_seconds_max) : now;
	if (declined)
		own->identity.len = 0;
}

/* Has an address by other means, and asks for the rest (4.3.5). */
static void inform(struct dhcp_server *server, struct dhcp_reply *reply)
{
	uint32_t client = server->message.client;

	if (!may_give(server, client))
		return;
	begin_answer(server, DHCP_ACK);
	server->answer.client = client;
	(void)dhcp_options_add32(&server->answer.options, DHCP_SUBNET_MASK, server->mask);
	finish_answer(server, &server->options, reply);
}

int dhcp_server_receive(
	struct dhcp_server *server, const void *bytes, size_t len, uint64_t now, struct dhcp_reply *reply)
{
	const struct dhcp_message *message = &server->message;
	uint32_t chosen;

	*reply = (struct dhcp_reply){ .len = 0 };
	if (dhcp_message_parse(bytes, len, &server->message) < 0 || message->op != DHCP_FROM_CLIENT)
		return -EBADMSG;
	identify(message, &server->identity);
	if (server->identity.len == 0 || (message->relay && ((message->relay ^ server->address) & server->mask) != 0))
		return 0; /* of a subnet that is not ours */
	switch (message->type) {
	case DHCP_DISCOVER:
		discover(server, now, reply);
		break;
	case DHCP_REQUEST:
		if (dhcp_options_get32(&message->options, DHCP_SERVER_ID, &chosen))
			request_offered(server, chosen, now, reply);
		else
			request_again(server, now, reply);
		break;
	case DHCP_DECLINE:
	case DHCP_RELEASE:
		decline_or_release(server, message->type == DHCP_DECLINE, now);
		break;
	case DHCP_INFORM:
		inform(server, reply);
		break;
	}
	return 0;
}

/* What there is ------------------------------------------------------------------------------------------------ */

size_t dhcp_server_leases(const struct dhcp_server *server, uint64_t now, struct dhcp_server_lease *leases, size_t max)
{
	size_t count = 0;

	for (size_t i = 0; i < server->bindings.count; i++) {
		const struct dhcp_binding *binding = &server->bindings.all[i];

		if (binding->state != BINDING_BOUND || binding->until <= now)
			continue;
		if (count < max) {
			leases[count].address = dhcp_address(binding->address);
			leases[count].expires_at = binding->until;
			memcpy(leases[count].mac, binding->identity.mac, sizeof leases[count].mac);
			memcpy(leases[count].name, binding->name, sizeof binding->name);
		}
		count++;
	}
	return count;
}

char *dhcp_summary(const void *bytes, size_t len, char text[DHCP_SUMMARY_MAX])
{
	struct dhcp_message message;
	char name[DHCP_LABEL_MAX + 1], address[IP_TEXT_MAX] = "";
	struct ip_address about;
	uint32_t wanted = 0;

	if (dhcp_message_parse(bytes, len, &message) < 0) {
		text_format(text, DHCP_SUMMARY_MAX, "%zu bytes that are not DHCP", len);
		return text;
	}
	read_name(&message.options, name);
	(void)dhcp_options_get32(&message.options, DHCP_REQUESTED_ADDRESS, &wanted);
	about = dhcp_address(message.yours ? message.yours : wanted ? wanted : message.client);
	if (!ip_equal(&about, &ip_unspecified))
		ip_format(&about, address);
	text_format(text, DHCP_SUMMARY_MAX, "%s %s %02x:%02x:%02x:%02x:%02x:%02x%s%s%s%s%s",
		dhcp_type_name(message.type), message.op == DHCP_FROM_CLIENT ? "from" : "to", message.mac[0],
		message.mac[1], message.mac[2], message.mac[3], message.mac[4], message.mac[5], *name ? " (" : "", name,
		*name ? ")" : "", *address ? " for " : "", address);
	return text;
}
