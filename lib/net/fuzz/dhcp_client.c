/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: any messages, at any time, to a DHCP client; the input is records of an action and what it needs.
 * Between them its invariants hold: a lease is in force in the states that have one, nothing is used unless it was
 * probed, its timer always leads on.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/net/dhcp_client.h"
#include "lib/net/dhcp_lease.h"
#include "lib/net/wire.h"

enum { RECORDS_MAX = 64, EXPIRIES_MAX = 200, XID = 4, CHADDR = 28 };
enum { RAW, HELPED, PASS, PROBED_FREE, PROBED_USED, ACTIONS }; /* HELPED: with the right number and address */

struct world {
	struct dhcp_link link;
	struct dhcp_client client;
	uint32_t in_use, probed;
	uint32_t chance;
};

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static struct world *world_of(struct dhcp_link *link)
{
	return (struct world *)((char *)link - offsetof(struct world, link));
}

static void on_send(struct dhcp_link *link, uint32_t from, uint32_t to, const uint8_t *bytes, size_t len)
{
	static struct dhcp_message message;
	struct world *w = world_of(link);

	must_hold(len >= DHCP_MESSAGE_MIN && len <= DHCP_MESSAGE_ACCEPTED);
	must_hold(dhcp_message_parse(bytes, len, &message) == 0 && message.op == DHCP_FROM_CLIENT);
	must_hold(from == w->in_use && message.client == from);
	must_hold(to == UINT32_MAX || dhcp_is_host(to));
}

static void on_probe(struct dhcp_link *link, uint32_t address)
{
	must_hold(dhcp_is_host(address) && world_of(link)->in_use == 0);
	world_of(link)->probed = address;
}

static void on_bound(struct dhcp_link *link, const struct dhcp_lease *lease)
{
	struct world *w = world_of(link);
	uint32_t address = dhcp_number(&lease->address);

	must_hold(w->in_use ? address == w->in_use : address == w->probed);
	w->in_use = address;
}

static void on_lost(struct dhcp_link *link, enum dhcp_loss loss)
{
	(void)loss;
	must_hold(world_of(link)->in_use != 0);
	world_of(link)->in_use = 0;
}

static uint32_t on_random(struct dhcp_link *link)
{
	return world_of(link)->chance += 0x9e3779b9;
}

static void pass(struct dhcp_client *client, uint64_t *now, uint64_t ns)
{
	*now += ns;
	for (int i = 0; client->deadline <= *now; i++) {
		must_hold(i < EXPIRIES_MAX);
		dhcp_client_expire(client, *now);
	}
}

static void receive(struct world *w, const uint8_t *data, size_t len, bool helped, uint64_t now)
{
	uint8_t bytes[DHCP_MESSAGE_MAX];

	if (len > sizeof bytes)
		len = sizeof bytes;
	memcpy(bytes, data, len);
	if (helped && len > CHADDR + 6) {
		wire_put32(bytes + XID, w->client.xid);
		memcpy(bytes + CHADDR, w->client.config.mac, 6);
	}
	(void)dhcp_client_receive(&w->client, bytes, len, now);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	struct dhcp_client_config config = { .link = &w.link, .mac = { 2, 0, 0, 0, 0, 7 }, .mtu = 1500 };
	uint64_t now = SECOND(1000);

	memset(&w, 0, sizeof w);
	w.link = (struct dhcp_link){ on_send, on_probe, on_bound, on_lost, on_random };
	dhcp_client_init(&w.client, &config, now);
	for (int i = 0; i < RECORDS_MAX && size >= 3; i++) {
		uint8_t action = data[0] % ACTIONS;
		size_t number = wire_get16(data + 1), len;

		data += 3;
		size -= 3;
		len = action <= HELPED ? (number < size ? number : size) : 0;
		if (action <= HELPED)
			receive(&w, data, len, action == HELPED, now);
		else if (action == PASS)
			pass(&w.client, &now, SECOND(number));
		else
			dhcp_client_probed(&w.client, action == PROBED_USED, now);
		data += len;
		size -= len;
		must_hold(w.client.has_lease == (w.client.state >= DHCP_BOUND));
		must_hold(w.client.has_lease == (w.in_use != 0));
		must_hold(w.client.deadline != FOREVER || w.client.state == DHCP_PROBING ||
			  w.client.lease.expires_at == FOREVER);
	}
	dhcp_client_release(&w.client);
	return 0;
}
