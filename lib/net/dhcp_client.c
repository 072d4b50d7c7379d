/* SPDX-License-Identifier: ISC
 *
 * The DHCP client's machine (RFC 2131, 4.4; RFC 4361, 5227, 6842).
 *
 * Theory of operation
 * -------------------
 * SELECTING broadcasts a DISCOVER until an OFFER comes, and takes the first; REQUESTING asks for it, and begins again
 * when that is refused (NAK) or has no answer after DHCP_TRIES. What is given (ACK) is PROBING: the link finds out
 * whether another host uses the address; then it is declined, and after a pause the client begins again. BOUND lasts
 * until T1. RENEWING asks the server that gave the lease, RENEWING's end at T2 is REBINDING, which asks all; an ACK
 *leads back to BOUND. At the lease's end, or by a NAK, the address is lost at once and the client begins again. With an
 * address from an earlier life it begins in REBOOTING, which asks for that one.
 *
 *	INIT -> SELECTING -> REQUESTING -> PROBING -> BOUND -> RENEWING -> REBINDING -> INIT
 *	INIT -> REBOOTING -> PROBING, or after a NAK or no answer SELECTING
 *
 * An exchange (discovery and request; each renewal) has one random number (xid), and only its answers are heard: right
 * number, our hardware address, our identifier if one comes back (RFC 6842), and in REQUESTING and for a NAK the server
 * that was asked. A renewal that comes with another address is obeyed: the old one is lost, the new one probed.
 *
 * Invariants: has_lease in BOUND, RENEWING and REBINDING, and only there; deadline is FOREVER in PROBING, and in BOUND
 *with a lease for ever.
 *
 * Not done: the wait of 1 to 10 seconds before the first message (4.4.1), since unikernels boot in a millisecond.
 */
#include <errno.h>
#include <string.h>

#include "dhcp_client.h"
#include "dhcp_lease.h"
#include "wire.h"

enum { ID_TYPE_NODE = 255, DUID_LINK_LAYER = 3, ETHERNET = 1 };
enum { DATAGRAM_MAX = DHCP_MESSAGE_MAX + 28 }; /* with its headers */

/* What is always asked for. */
static const uint8_t usual[] = { DHCP_SUBNET_MASK, DHCP_ROUTERS, DHCP_DNS_SERVERS, DHCP_DOMAIN_NAME, DHCP_MTU,
	DHCP_NTP_SERVERS, DHCP_RENEWAL_TIME, DHCP_REBINDING_TIME, DHCP_DOMAIN_SEARCH };

/* The association's number is the end of the hardware address, as there is one address for each interface. */
void dhcp_client_id(const uint8_t mac[6], uint8_t id[DHCP_CLIENT_ID_LEN])
{
	id[0] = ID_TYPE_NODE;
	memcpy(id + 1, mac + 2, 4);
	wire_put16(id + 5, DUID_LINK_LAYER);
	wire_put16(id + 7, ETHERNET);
	memcpy(id + 9, mac, 6);
}

/* Sending ------------------------------------------------------------------------------------------------------ */

static void add_identity(const struct dhcp_client *client, struct dhcp_options *options)
{
	uint8_t id[DHCP_CLIENT_ID_LEN];

	dhcp_client_id(client->config.mac, id);
	(void)dhcp_options_add(options, DHCP_CLIENT_ID, id, sizeof id);
}

/* What DISCOVER and REQUEST have in common (RFC 2131, table 5). All that is added has room: it is bounded, and far
 * below the least message. */
static void add_wishes(const struct dhcp_client *client, struct dhcp_options *options)
{
	const struct dhcp_client_config *config = &client->config;
	uint8_t wanted[sizeof usual + DHCP_WANTED_MAX];
	uint16_t size = config->mtu < DATAGRAM_MAX ? config->mtu : DATAGRAM_MAX;
	size_t name_len = config->hostname ? strnlen(config->hostname, DHCP_LABEL_MAX) : 0;

	memcpy(wanted, usual, sizeof usual);
	memcpy(wanted + sizeof usual, config->wanted, config->wanted_count);
	(void)dhcp_options_add(options, DHCP_PARAMETERS, wanted, sizeof usual + config->wanted_count);
	(void)dhcp_options_add16(options, DHCP_MESSAGE_SIZE, size);
	if (name_len)
		(void)dhcp_options_add(options, DHCP_HOST_NAME, config->hostname, name_len);
}

static struct dhcp_message *begin_message(struct dhcp_client *client, enum dhcp_type type)
{
	struct dhcp_message *message = &client->message;

	memset(message, 0, sizeof *message);
	message->op = DHCP_FROM_CLIENT;
	message->type = (uint8_t)type;
	message->xid = client->xid;
	message->secs = client->secs;
	memcpy(message->mac, client->config.mac, sizeof message->mac);
	add_identity(client, &message->options);
	return message;
}

static void send_message(struct dhcp_client *client, uint32_t from, uint32_t to)
{
	uint8_t bytes[DHCP_MESSAGE_ACCEPTED];
	size_t len = dhcp_message_build(&client->message, bytes, sizeof bytes);

	client->config.link->send(client->config.link, from, to, bytes, len);
}

static void send_discover(struct dhcp_client *client)
{
	struct dhcp_message *message = begin_message(client, DHCP_DISCOVER);

	if (client->config.remembered)
		(void)dhcp_options_add32(&message->options, DHCP_REQUESTED_ADDRESS, client->config.remembered);
	add_wishes(client, &message->options);
	send_message(client, 0, UINT32_MAX);
}

/* A REQUEST without an address of ours: for what was offered, or what is remembered. */
static void send_request(struct dhcp_client *client)
{
	struct dhcp_message *message = begin_message(client, DHCP_REQUEST);
	bool selected = client->state == DHCP_REQUESTING;
	uint32_t address = selected ? dhcp_number(&client->candidate.address) : client->config.remembered;

	(void)dhcp_options_add32(&message->options, DHCP_REQUESTED_ADDRESS, address);
	if (selected)
		(void)dhcp_options_add32(&message->options, DHCP_SERVER_ID, dhcp_number(&client->candidate.server));
	add_wishes(client, &message->options);
	send_message(client, 0, UINT32_MAX);
}

static void send_renewal(struct dhcp_client *client)
{
	struct dhcp_message *message = begin_message(client, DHCP_REQUEST);
	uint32_t address = dhcp_number(&client->lease.address);

	message->client = address;
	add_wishes(client, &message->options);
	send_message(client, address, client->state == DHCP_RENEWING ? dhcp_number(&client->lease.server) : UINT32_MAX);
}

static void send_decline(struct dhcp_client *client)
{
	struct dhcp_message *message = begin_message(client, DHCP_DECLINE);

	message->secs = 0;
	(void)dhcp_options_add32(&message->options, DHCP_REQUESTED_ADDRESS, dhcp_number(&client->candidate.address));
	(void)dhcp_options_add32(&message->options, DHCP_SERVER_ID, dhcp_number(&client->candidate.server));
	send_message(client, 0, UINT32_MAX);
}

/* States ------------------------------------------------------------------------------------------------------- */

/* RFC 2131, 4.1: 4 s, doubled up to 64 s, give or take a second. */
static uint64_t backoff(struct dhcp_client *client)
{
	uint64_t seconds = (uint64_t)DHCP_BACKOFF_FIRST << (client->tries < 5 ? client->tries : 5);
	uint64_t chance = SECOND(2) * client->config.link->random(client->config.link) >> 32;

	return SECOND(seconds < DHCP_BACKOFF_LAST ? seconds : DHCP_BACKOFF_LAST) - SECOND(1) + chance;
}

/* RFC 2131, 4.4.5: half of what is left of the state, but no more often than once a minute. */
static uint64_t next_renewal(const struct dhcp_client *client, uint64_t now)
{
	uint64_t end = client->state == DHCP_RENEWING ? client->lease.rebind_at : client->lease.expires_at;
	uint64_t half = end > now ? (end - now) / 2 : 0;
	uint64_t next = now + (half > DHCP_RENEW_LEAST_NS ? half : DHCP_RENEW_LEAST_NS);

	return next < end ? next : end;
}

/* Sends the state's message, and sets when it is due again. */
static void transmit(struct dhcp_client *client, uint64_t now)
{
	bool renewal = client->state == DHCP_RENEWING || client->state == DHCP_REBINDING;
	uint64_t seconds = (now - client->began_at) / SECOND(1);

	if (client->state != DHCP_REQUESTING) /* which repeats what the DISCOVER said: table 5 */
		client->secs = (uint16_t)(seconds < UINT16_MAX ? seconds : UINT16_MAX);
	if (client->state == DHCP_SELECTING)
		send_discover(client);
	else if (renewal)
		send_renewal(client);
	else
		send_request(client);
	client->sent_at = now;
	client->deadline = renewal ? next_renewal(client, now) : now + backoff(client);
	client->tries++;
}

/* Begins an exchange of its own. */
static void enter(struct dhcp_client *client, enum dhcp_state state, uint64_t now)
{
	client->state = state;
	client->xid = client->config.link->random(client->config.link);
	client->began_at = now;
	client->tries = 0;
	transmit(client, now);
}

/* Begins again, after a pause. */
static void restart(struct dhcp_client *client, uint64_t pause, uint64_t now)
{
	client->state = DHCP_INIT;
	client->deadline = now + pause;
	if (pause == 0)
		enter(client, DHCP_SELECTING, now);
}

static void lose(struct dhcp_client *client, enum dhcp_loss loss)
{
	if (!client->has_lease)
		return;
	client->has_lease = false;
	client->config.remembered = dhcp_number(&client->lease.address);
	client->config.link->lost(client->config.link, loss);
}

static void bind(struct dhcp_client *client, const struct dhcp_lease *lease)
{
	client->lease = *lease;
	client->has_lease = true;
	client->state = DHCP_BOUND;
	client->deadline = lease->renew_at;
	client->refused = 0;
	client->config.link->bound(client->config.link, &client->lease);
}

static void probe(struct dhcp_client *client)
{
	client->state = DHCP_PROBING;
	client->deadline = FOREVER;
	client->config.link->probe(client->config.link, dhcp_number(&client->candidate.address));
}

void dhcp_client_probed(struct dhcp_client *client, bool in_use, uint64_t now)
{
	if (client->state != DHCP_PROBING)
		return;
	if (!in_use) {
		bind(client, &client->candidate);
		return;
	}
	send_decline(client);
	client->config.remembered = 0;
	restart(client, DHCP_DECLINED_NS, now);
}

void dhcp_client_expire(struct dhcp_client *client, uint64_t now)
{
	if (now < client->deadline)
		return;
	if (client->has_lease && now >= client->lease.expires_at) {
		lose(client, DHCP_EXPIRED);
		restart(client, 0, now);
		return;
	}
	switch (client->state) {
	case DHCP_INIT:
		enter(client, DHCP_SELECTING, now);
		break;
	case DHCP_REBOOTING:
	case DHCP_REQUESTING:
		if (client->tries < (client->state == DHCP_REBOOTING ? DHCP_REBOOT_TRIES : DHCP_TRIES))
			transmit(client, now);
		else
			restart(client, 0, now);
		break;
	case DHCP_SELECTING:
		transmit(client, now);
		break;
	case DHCP_PROBING:
		break;
	case DHCP_BOUND:
		enter(client, DHCP_RENEWING, now);
		break;
	case DHCP_RENEWING:
		if (now < client->lease.rebind_at)
			transmit(client, now);
		else
			enter(client, DHCP_REBINDING, now);
		break;
	case DHCP_REBINDING:
		transmit(client, now);
		break;
	}
}

/* Receiving ---------------------------------------------------------------------------------------------------- */

/* Whether it answers our exchange. */
static bool is_for_us(const struct dhcp_client *client, const struct dhcp_message *message)
{
	uint8_t id[DHCP_CLIENT_ID_LEN], echoed[DHCP_CLIENT_ID_LEN];
	ssize_t len = dhcp_options_get(&message->options, DHCP_CLIENT_ID, echoed, sizeof echoed);

	if (message->op != DHCP_FROM_SERVER || message->xid != client->xid ||
		memcmp(message->mac, client->config.mac, sizeof message->mac) != 0)
		return false;
	dhcp_client_id(client->config.mac, id);
	return len < 0 || (len == DHCP_CLIENT_ID_LEN && memcmp(id, echoed, sizeof id) == 0);
}

static bool is_from(const struct dhcp_client *client, const struct ip_address *server)
{
	uint32_t id;

	return dhcp_options_get32(&client->message.options, DHCP_SERVER_ID, &id) && id == dhcp_number(server);
}

static int receive_offer(struct dhcp_client *client, uint64_t now)
{
	if (dhcp_lease_read(&client->message, now, 0, &client->candidate) < 0)
		return -EBADMSG;
	client->state = DHCP_REQUESTING;
	client->tries = 0;
	transmit(client, now); /* of the same exchange: the number and the seconds go on */
	return 0;
}

static int receive_ack(struct dhcp_client *client)
{
	struct dhcp_lease *given = &client->candidate;
	uint32_t chance = client->config.link->random(client->config.link);

	if (client->state == DHCP_REQUESTING && !is_from(client, &given->server))
		return -ENOMSG;
	if (dhcp_lease_read(&client->message, client->sent_at, chance, given) < 0)
		return -EBADMSG;
	if (client->has_lease && ip_equal(&given->address, &client->lease.address)) {
		bind(client, given);
		return 0;
	}
	lose(client, DHCP_CHANGED);
	probe(client);
	return 0;
}

static int receive_nak(struct dhcp_client *client, uint64_t now)
{
	if ((client->state == DHCP_REQUESTING && !is_from(client, &client->candidate.server)) ||
		(client->state == DHCP_RENEWING && !is_from(client, &client->lease.server)))
		return -ENOMSG;
	lose(client, DHCP_REFUSED);
	client->config.remembered = 0;
	restart(client, client->refused++ ? DHCP_REFUSED_NS : 0, now);
	return 0;
}

int dhcp_client_receive(struct dhcp_client *client, const uint8_t *bytes, size_t len, uint64_t now)
{
	bool requested = client->state == DHCP_REQUESTING || client->state == DHCP_REBOOTING ||
			 client->state == DHCP_RENEWING || client->state == DHCP_REBINDING;

	if (dhcp_message_parse(bytes, len, &client->message) < 0)
		return -EBADMSG;
	if (!is_for_us(client, &client->message))
		return -ENOMSG;
	if (client->message.type == DHCP_OFFER && client->state == DHCP_SELECTING)
		return receive_offer(client, now);
	if (client->message.type == DHCP_ACK && requested)
		return receive_ack(client);
	if (client->message.type == DHCP_NAK && requested)
		return receive_nak(client, now);
	return -ENOMSG;
}

/* Beginning and end -------------------------------------------------------------------------------------------- */

void dhcp_client_init(struct dhcp_client *client, const struct dhcp_client_config *config, uint64_t now)
{
	memset(client, 0, sizeof *client);
	client->config = *config;
	enter(client, config->remembered ? DHCP_REBOOTING : DHCP_SELECTING, now);
}

void dhcp_client_release(struct dhcp_client *client)
{
	uint32_t address = dhcp_number(&client->lease.address), server = dhcp_number(&client->lease.server);
	struct dhcp_message *message;

	if (client->has_lease) {
		message = begin_message(client, DHCP_RELEASE);
		message->xid = client->config.link->random(client->config.link);
		message->secs = 0;
		message->client = address;
		(void)dhcp_options_add32(&message->options, DHCP_SERVER_ID, server);
		send_message(client, address, server);
	}
	client->has_lease = false;
	client->state = DHCP_INIT;
	client->deadline = FOREVER;
}
