/* SPDX-License-Identifier: ISC
 *
 * Between ARP's machine and the stack: its packets, its timer, those who wait for it, and its log.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <skerry/log.h>

#include "own_stack.h"
#include "wire.h"

LOG_SOURCE(arp);

static struct interface *interface_of(struct arp_link *link)
{
	return (struct interface *)((char *)link - offsetof(struct interface, arp_link));
}

static void send_packet(struct arp_link *link, const uint8_t to[6], const uint8_t packet[ARP_PACKET])
{
	static const struct platform_net_meta plain;
	struct interface *interface = interface_of(link);
	uint8_t header[NET_ETHERNET_HEADER];
	const struct platform_piece pieces[] = { { header, sizeof header }, { packet, ARP_PACKET } };

	ethernet_put_header(interface, header, to, ETHERNET_ARP);
	ethernet_send_or_drop(interface, pieces, 2, &plain);
}

/* What waits is the frame's meta, then the frame. */
static void resolved(struct arp_link *link, uint32_t address, const uint8_t *mac, const void *waiting, size_t len)
{
	struct interface *interface = interface_of(link);
	struct platform_net_meta meta;
	const size_t skip = sizeof meta + NET_ETHERNET_HEADER;
	uint8_t header[NET_ETHERNET_HEADER];
	char text[IP_TEXT_MAX];
	struct ip_address neighbour = ipv4_address(address);

	if (waiting) {
		const struct platform_piece pieces[] = { { header, sizeof header },
			{ (const uint8_t *)waiting + skip, len - skip } };

		memcpy(&meta, waiting, sizeof meta);
		ethernet_put_header(interface, header, mac, ETHERNET_IPV4);
		ethernet_send_or_drop(interface, pieces, 2, &meta);
	}
	if (!mac) {
		log_debug("%s does not answer", ip_format(&neighbour, text));
		if (interface->stack->routes)
			interface->stack->routing->failed(interface, address);
	}
	wake_all(&interface->stack->resolved);
}

static void probed(struct arp_link *link, bool in_use)
{
	struct interface *interface = interface_of(link);

	interface->probed(interface->stack, in_use);
}

static void set_timer(struct interface *interface)
{
	stack_timer_set(interface->stack, &interface->arp_timer, arp_deadline(interface->arp));
}

static void expire(struct timer *timer)
{
	struct interface *interface = (struct interface *)((char *)timer - offsetof(struct interface, arp_timer));

	arp_expire(interface->arp, stack_now(interface->stack));
	set_timer(interface);
}

void neighbour_receive(struct interface *interface, const uint8_t *packet, size_t len)
{
	const uint8_t *mac = packet + ARP_SENDER_MAC;
	struct ip_address address;
	char text[IP_TEXT_MAX];

	switch (arp_receive(interface->arp, packet, len, stack_now(interface->stack))) {
	case -EBADMSG:
		stack_drop(interface->stack, DROP_ARP_HEADER);
		break;
	case -EADDRINUSE:
		address = ipv4_address(wire_get32(packet + ARP_SENDER_ADDRESS));
		log_warn("%s is also used by the host at %02x:%02x:%02x:%02x:%02x:%02x; we keep it",
			ip_format(&address, text), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		break;
	}
}

int neighbour_find(struct interface *interface, uint32_t next_hop, uint8_t mac[6])
{
	uint64_t now = stack_now(interface->stack);
	int err;

	if (interface->bare_ip) {
		memset(mac, 0, 6);
		return 0;
	}
	err = arp_find(interface->arp, next_hop, now, mac);
	/* A question may be new: its answer is due in ARP_RETRY_NS, at the soonest. */
	if (err == -EAGAIN && (!interface->arp_timer.armed || interface->arp_timer.deadline > now + ARP_RETRY_NS))
		set_timer(interface);
	return err;
}

int neighbour_send(struct interface *interface, uint32_t next_hop, uint8_t *header, const struct platform_piece *pieces,
	size_t count, const struct platform_net_meta *meta)
{
	struct platform_piece kept[PLATFORM_PIECES + 1] = { { meta, sizeof *meta } };
	uint8_t mac[6];
	int err = neighbour_find(interface, next_hop, mac);

	if (err == 0) {
		ethernet_put_header(interface, header, mac, ETHERNET_IPV4);
		return ethernet_send(interface, pieces, count, meta);
	}
	if (err == -EAGAIN) {
		memcpy(kept + 1, pieces, count * sizeof *pieces);
		err = arp_keep(interface->arp, next_hop, kept, count + 1);
		if (err < 0)
			stack_drop(interface->stack, DROP_ARP_QUEUE_FULL);
		return err;
	}
	stack_drop(interface->stack, err == -ENOMEM ? DROP_ARP_TABLE_FULL : DROP_ARP_NO_ANSWER);
	return err;
}

void neighbour_set_address(struct interface *interface, size_t index)
{
	if (!interface->bare_ip) {
		arp_set_address(interface->arp, index, stack_now(interface->stack));
		set_timer(interface);
	}
	wake_all(&interface->stack->resolved);
}

void neighbour_probe(struct interface *interface, uint32_t address, uint64_t interval_ns)
{
	if (interface->bare_ip) {
		interface->probed(interface->stack, false);
		return;
	}
	arp_probe(interface->arp, address, interval_ns, stack_now(interface->stack));
	set_timer(interface);
}

int neighbour_open(struct interface *interface)
{
	struct arp_config config = {
		.link = &interface->arp_link,
		.pool = &interface->stack->pool,
		.drops = interface->stack->counters.drops,
		.locals = &interface->ipv4,
	};

	if (interface->bare_ip)
		return 0;
	memcpy(config.mac, interface->net->info.mac, sizeof config.mac);
	interface->arp_link = (struct arp_link){ .send = send_packet, .resolved = resolved, .probed = probed };
	interface->arp_timer = (struct timer)TIMER_INIT(expire);
	return arp_open(&config, &interface->arp);
}

void neighbour_close(struct interface *interface)
{
	stack_timer_cancel(interface->stack, &interface->arp_timer);
	arp_close(interface->arp);
	interface->arp = NULL;
}
