/* SPDX-License-Identifier: ISC
 *
 * IPv6 packets on their way down (RFC 8200): a header, a next hop and, for what exceeds the path, fragments.
 *
 * Hot path: no copy and no allocation; the headers, with room for Ethernet's in front, are one piece on the stack.
 */
#include <errno.h>
#include <string.h>

#include "ipv6_stack.h"
#include "wire.h"

/* A Hop-by-Hop header with a Router Alert for MLD (RFC 2711), padded. */
static const uint8_t router_alert[8] = { IP_PROTOCOL_ICMPV6, 0, 5, 2, 0, 0, 1, 0 };

enum { HEADERS_MAX = NET_ETHERNET_HEADER + IPV6_HEADER + IPV6_FRAGMENT_HEADER };

/* A header in the making. */
struct shape {
	const struct ip_address *source, *destination;
	size_t payload_len; /* extension headers included */
	uint8_t next, traffic_class, hop_limit;
};

static void put_header(uint8_t header[IPV6_HEADER], const struct shape *shape)
{
	memset(header, 0, 4);
	header[0] = (uint8_t)(0x60 | shape->traffic_class >> 4);
	header[1] = (uint8_t)(shape->traffic_class << 4);
	wire_put16(header + IPV6_PAYLOAD_LENGTH, (uint16_t)shape->payload_len);
	header[IPV6_NEXT_HEADER] = shape->next;
	header[IPV6_HOP_LIMIT] = shape->hop_limit;
	memcpy(header + IPV6_SOURCE, shape->source->bytes, 16);
	memcpy(header + IPV6_DESTINATION, shape->destination->bytes, 16);
}

/* Sends a frame, whose first piece begins with room for an Ethernet header, to a neighbour or a group, or keeps it
 * until the neighbour has answered. */
static int send_to(struct ipv6_stack *six, const struct ip_address *next_hop, uint8_t *ethernet,
	const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct platform_piece kept[PLATFORM_PIECES + 1] = { { meta, sizeof *meta } };
	uint8_t mac[6] = { 0x33, 0x33 };
	int err = 0;

	if (ipv6_is_multicast(next_hop))
		memcpy(mac + 2, next_hop->bytes + 12, 4); /* RFC 2464, 7 */
	else if (!six->stack->first.bare_ip)
		err = ndp_find(six->machine, next_hop, stack_now(six->stack), mac);
	if (err == 0) {
		ethernet_put_header(&six->stack->first, ethernet, mac, ETHERNET_IPV6);
		err = ethernet_send(&six->stack->first, pieces, count, meta);
	} else if (err == -EAGAIN) {
		memcpy(kept + 1, pieces, count * sizeof *pieces);
		err = ndp_keep(six->machine, next_hop, kept, count + 1);
		if (err < 0)
			stack_drop(six->stack, DROP_NDP_QUEUE_FULL);
	} else {
		stack_drop(six->stack, err == -ENOMEM ? DROP_NDP_TABLE_FULL : DROP_NDP_NO_ANSWER);
	}
	ipv6_settle(six);
	return err;
}

/* Routes ------------------------------------------------------------------------------------------------------ */

/* Of what is not ours: ip.c has asked loopback.c before. */
static int find_path(
	struct own_stack *stack, const struct ip_address *destination, struct ip_address *next_hop, uint16_t *mtu)
{
	if (ipv6_is_unspecified(destination))
		return -ENETUNREACH;
	return ipv6_find_path(stack->ipv6->machine, destination, stack_now(stack), next_hop, mtu);
}

int ipv6_route(struct own_stack *stack, const struct ip_address *destination, struct ip_address *source, uint16_t *mtu)
{
	struct ip_address next_hop;
	int err = find_path(stack, destination, &next_hop, mtu);

	if (err == 0)
		err = ipv6_choose_source(stack->ipv6->machine, destination, stack_now(stack), source);
	return err == -EADDRNOTAVAIL ? -ENETUNREACH : err;
}

int ipv6_ready(struct own_stack *stack, const struct ip_address *destination)
{
	struct ip_address next_hop;
	uint8_t mac[6];
	uint16_t mtu;
	int err = find_path(stack, destination, &next_hop, &mtu);

	if (err == 0 && !stack->first.bare_ip && !ipv6_is_multicast(&next_hop))
		err = ndp_find(stack->ipv6->machine, &next_hop, stack_now(stack), mac);
	ipv6_settle(stack->ipv6);
	return err;
}

/* Packets ----------------------------------------------------------------------------------------------------- */

static struct shape shape_of(const struct ipv6_stack *six, const struct ip_sending *packet)
{
	uint8_t usual = ipv6_is_multicast(&packet->destination) ? 1 : six->machine->routing.hop_limit;

	return (struct shape){
		.source = &packet->source,
		.destination = &packet->destination,
		.payload_len = packet->len,
		.next = packet->protocol,
		.traffic_class = packet->traffic_class,
		.hop_limit = packet->ttl ? packet->ttl : usual,
	};
}

bool ipv6_is_own(const struct own_stack *stack, const struct ip_address *address)
{
	return ipv6_is_loopback(address) || ipv6_is_ours(stack->ipv6->machine, address);
}

void ipv6_put_whole_header(const struct own_stack *stack, uint8_t header[IPV6_HEADER], const struct ip_sending *packet)
{
	const struct shape shape = shape_of(stack->ipv6, packet);

	put_header(header, &shape);
}

static int send_whole(struct ipv6_stack *six, const struct ip_sending *packet, const struct ip_address *next_hop)
{
	uint8_t headers[HEADERS_MAX];
	struct platform_piece pieces[PLATFORM_PIECES] = { { headers, NET_ETHERNET_HEADER + IPV6_HEADER } };
	struct platform_net_meta meta = {
		.segment_bytes = packet->segment_bytes,
		.header_bytes = (uint16_t)(NET_ETHERNET_HEADER + IPV6_HEADER + packet->pieces[0].len),
	};
	const struct shape shape = shape_of(six, packet);

	if (packet->checksum_partial && (six->stack->net->info.features & PLATFORM_NET_CHECKSUM)) {
		meta.checksum_partial = true;
		meta.checksum_start = NET_ETHERNET_HEADER + IPV6_HEADER;
		meta.checksum_offset = packet->checksum_offset;
	}
	put_header(headers + NET_ETHERNET_HEADER, &shape);
	memcpy(pieces + 1, packet->pieces, packet->count * sizeof *pieces);
	return send_to(six, next_hop, headers, pieces, 1 + packet->count, &meta);
}

/* RFC 8200, 4.5; the identification is unpredictable (RFC 7739). */
static int send_fragments(
	struct ipv6_stack *six, const struct ip_sending *packet, const struct ip_address *next_hop, uint16_t mtu)
{
	static const struct platform_net_meta plain;
	const size_t most = (mtu - (size_t)IPV6_HEADER - IPV6_FRAGMENT_HEADER) / FRAGMENT_UNIT * FRAGMENT_UNIT;
	struct shape shape = shape_of(six, packet);
	uint32_t id = stack_random_u32(six->stack);
	size_t len;
	int err = 0;

	shape.next = IPV6_FRAGMENT;
	for (size_t offset = 0; err == 0 && offset < packet->len; offset += len) {
		uint8_t headers[HEADERS_MAX], *fragment = headers + NET_ETHERNET_HEADER + IPV6_HEADER;
		struct platform_piece pieces[PLATFORM_PIECES] = { { headers, HEADERS_MAX } };

		len = packet->len - offset < most ? packet->len - offset : most;
		shape.payload_len = IPV6_FRAGMENT_HEADER + len;
		put_header(headers + NET_ETHERNET_HEADER, &shape);
		fragment[0] = packet->protocol;
		fragment[1] = 0;
		wire_put16(fragment + 2, (uint16_t)(offset | (offset + len < packet->len)));
		wire_put32(fragment + 4, id);
		err = send_to(six, next_hop, headers, pieces, 1 + ip_cut(pieces + 1, packet, offset, len), &plain);
		six->stack->counters.Ip6FragCreates += err == 0;
	}
	six->stack->counters.Ip6FragOKs += err == 0;
	return err;
}

int ipv6_send(struct own_stack *stack, const struct ip_sending *packet)
{
	struct ip_address next_hop;
	uint16_t mtu;
	int err = find_path(stack, &packet->destination, &next_hop, &mtu);

	stack->counters.Ip6OutRequests++;
	if (err == -EAGAIN || (err == 0 && !ipv6_is_ours(stack->ipv6->machine, &packet->source)))
		err = -ENETUNREACH; /* -EAGAIN means something else here; and an address may be ours no more */
	if (err < 0) {
		stack_drop(stack, DROP_IP6_NO_ROUTE);
		return err;
	}
	/* TCP is told when a segment of its own is too big for the path, which it can check; what is believed about the
	 * path cannot be, and must stop no connection. */
	if (packet->protocol == IP_PROTOCOL_TCP)
		mtu = stack->net->info.mtu;
	if (packet->len > UINT16_MAX ||
		(packet->len + IPV6_HEADER > mtu && !packet->segment_bytes && !packet->may_fragment)) {
		stack_drop(stack, DROP_IP6_TOO_BIG);
		return -EMSGSIZE;
	}
	if (packet->len + IPV6_HEADER > mtu && !packet->segment_bytes)
		return send_fragments(stack->ipv6, packet, &next_hop, mtu);
	return send_whole(stack->ipv6, packet, &next_hop);
}

/* For the machine --------------------------------------------------------------------------------------------- */

static struct ipv6_stack *stack_of(struct ipv6_link *link)
{
	return (struct ipv6_stack *)((char *)link - offsetof(struct ipv6_stack, link));
}

void ipv6_send_message(struct ipv6_link *link, const struct ipv6_message *message)
{
	static const struct platform_net_meta plain;
	struct ipv6_stack *six = stack_of(link);
	size_t alert_len = message->router_alert ? sizeof router_alert : 0;
	uint8_t headers[HEADERS_MAX];
	const struct platform_piece pieces[] = {
		{ headers, NET_ETHERNET_HEADER + IPV6_HEADER + alert_len },
		{ message->bytes, message->len },
	};
	const struct shape shape = {
		.source = &message->source,
		.destination = &message->destination,
		.payload_len = alert_len + message->len,
		.next = message->router_alert ? IPV6_HOP_BY_HOP : IP_PROTOCOL_ICMPV6,
		.hop_limit = message->router_alert ? 1 : 255,
	};
	uint32_t sum = checksum_pseudo(&message->source, &message->destination, IP_PROTOCOL_ICMPV6, message->len);

	wire_put16(message->bytes + ICMPV6_CHECKSUM, 0);
	wire_put16(message->bytes + ICMPV6_CHECKSUM, checksum_finish(checksum_add(sum, message->bytes, message->len)));
	put_header(headers + NET_ETHERNET_HEADER, &shape);
	memcpy(headers + NET_ETHERNET_HEADER + IPV6_HEADER, router_alert, alert_len);
	six->stack->counters.Ip6OutRequests++;
	six->stack->counters.icmp6_out[stack_icmp6_index(message->bytes[ICMPV6_TYPE])]++;
	if (!message->mac) {
		if (send_to(six, &message->destination, headers, pieces, 2, &plain) == -EAGAIN)
			stack_drop(six->stack, DROP_LINK_NO_ROOM);
		return;
	}
	ethernet_put_header(&six->stack->first, headers, message->mac, ETHERNET_IPV6);
	ethernet_send_or_drop(&six->stack->first, pieces, 2, &plain);
}

/* What waits is the frame's meta, then the frame. */
void ipv6_forward(struct ipv6_link *link, const uint8_t mac[6], const void *packet, size_t len)
{
	struct ipv6_stack *six = stack_of(link);
	struct platform_net_meta meta;
	const size_t skip = sizeof meta + NET_ETHERNET_HEADER;
	uint8_t header[NET_ETHERNET_HEADER];
	const struct platform_piece pieces[] = { { header, sizeof header },
		{ (const uint8_t *)packet + skip, len - skip } };

	memcpy(&meta, packet, sizeof meta);
	ethernet_put_header(&six->stack->first, header, mac, ETHERNET_IPV6);
	ethernet_send_or_drop(&six->stack->first, pieces, 2, &meta);
}
