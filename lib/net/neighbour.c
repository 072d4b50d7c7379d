/* SPDX-License-Identifier: ISC
 *
 * Between ARP's machine and the stack: its packets, its timer, those who wait for it, and its log.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <skerry/log.h>

#include "own_stack.h"

LOG_SOURCE(arp);

static struct own_stack *stack_of(struct arp_link *link)
{
	return (struct own_stack *)((char *)link - offsetof(struct own_stack, arp_link));
}

static void send_packet(struct arp_link *link, const uint8_t to[6], const uint8_t packet[ARP_PACKET])
{
	static const struct platform_net_meta plain;
	struct own_stack *stack = stack_of(link);
	uint8_t header[NET_ETHERNET_HEADER];
	const struct platform_piece pieces[] = { { header, sizeof header }, { packet, ARP_PACKET } };

	ethernet_put_header(stack, header, to, ETHERNET_ARP);
	(void)ethernet_send(stack, pieces, 2, &plain); /* one that the link has no room for is as good as lost */
}

/* What waits is the frame's meta, then the frame. */
static void resolved(struct arp_link *link, uint32_t address, const uint8_t *mac, const void *waiting, size_t len)
{
	struct own_stack *stack = stack_of(link);
	struct platform_net_meta meta;
	const size_t skip = sizeof meta + NET_ETHERNET_HEADER;
	uint8_t header[NET_ETHERNET_HEADER];
	char text[IP_TEXT_MAX];
	struct ip_address neighbour = ipv4_address(address);

	if (waiting) {
		const struct platform_piece pieces[] = { { header, sizeof header },
			{ (const uint8_t *)waiting + skip, len - skip } };

		memcpy(&meta, waiting, sizeof meta);
		ethernet_put_header(stack, header, mac, ETHERNET_IPV4);
		(void)ethernet_send(stack, pieces, 2, &meta);
	}
	if (!mac)
		log_debug("%s does not answer", ip_format(&neighbour, text));
	wake_all(&stack->resolved);
}

static void probed(struct arp_link *link, bool in_use)
{
	stack_probed(stack_of(link), in_use);
}

static void set_timer(struct own_stack *stack)
{
	stack_timer_set(stack, &stack->arp_timer, arp_deadline(stack->arp));
}

static void expire(struct timer *timer)
{
	struct own_stack *stack = (struct own_stack *)((char *)timer - offsetof(struct own_stack, arp_timer));

	arp_expire(stack->arp, stack_now(stack));
	set_timer(stack);
}

void neighbour_receive(struct own_stack *stack, const uint8_t *packet, size_t len)
{
	struct ip_address address = stack->address;
	char text[IP_TEXT_MAX];
	uint8_t mac[6];

	switch (arp_receive(stack->arp, packet, len, stack_now(stack), mac)) {
	case -EBADMSG:
		stack->counters.dropped_malformed++;
		break;
	case -EADDRINUSE:
		log_warn("%s is also used by the host at %02x:%02x:%02x:%02x:%02x:%02x; we keep it",
			ip_format(&address, text), mac[0], mac[1], mac[2], mac[3], mac[4], mac[5]);
		break;
	}
}

int neighbour_find(struct own_stack *stack, uint32_t next_hop, uint8_t mac[6])
{
	uint64_t now = stack_now(stack);
	int err = arp_find(stack->arp, next_hop, now, mac);

	/* A question may be new: its answer is due in ARP_RETRY_NS, at the soonest. */
	if (err == -EAGAIN && (!stack->arp_timer.armed || stack->arp_timer.deadline > now + ARP_RETRY_NS))
		set_timer(stack);
	return err;
}

int neighbour_send(struct own_stack *stack, uint32_t next_hop, uint8_t *header, const struct platform_piece *pieces,
	size_t count, const struct platform_net_meta *meta)
{
	struct platform_piece kept[PLATFORM_PIECES + 1] = { { meta, sizeof *meta } };
	uint8_t mac[6];
	int err = neighbour_find(stack, next_hop, mac);

	if (err == 0) {
		ethernet_put_header(stack, header, mac, ETHERNET_IPV4);
		return ethernet_send(stack, pieces, count, meta);
	}
	if (err == -EAGAIN) {
		memcpy(kept + 1, pieces, count * sizeof *pieces);
		err = arp_keep(stack->arp, next_hop, kept, count + 1);
	}
	if (err == -ENOMEM)
		stack->counters.dropped_no_memory++;
	return err;
}

void neighbour_set_address(struct own_stack *stack, uint8_t prefix_len)
{
	arp_set_address(stack->arp, stack->ipv4, prefix_len, stack->gateway, stack_now(stack));
	set_timer(stack);
}

void neighbour_probe(struct own_stack *stack, uint32_t address, uint64_t interval_ns)
{
	arp_probe(stack->arp, address, interval_ns, stack_now(stack));
	set_timer(stack);
}

int neighbour_open(struct own_stack *stack)
{
	struct arp_config config = { .link = &stack->arp_link };

	memcpy(config.mac, stack->net->info.mac, sizeof config.mac);
	stack->arp_link = (struct arp_link){ .send = send_packet, .resolved = resolved, .probed = probed };
	stack->arp_timer = (struct timer)TIMER_INIT(expire);
	return arp_open(&config, stack_now(stack), &stack->arp);
}

void neighbour_close(struct own_stack *stack)
{
	stack_timer_cancel(stack, &stack->arp_timer);
	arp_close(stack->arp);
	stack->arp = NULL;
}
