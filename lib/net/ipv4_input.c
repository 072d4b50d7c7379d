/* SPDX-License-Identifier: ISC
 *
 * IPv4 packets on their way up (RFC 791, 1122): each is checked once, put together if it came in fragments, and handed
 * to its transport. No copy and no allocation but for fragments.
 */
#include <errno.h>
#include <string.h>

#include <skerry/dhcp.h>

#include "own_stack.h"
#include "wire.h"

enum { UDP_PORTS = 4 };
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_LEAST = 2, OPTION_LOOSE_ROUTE = 131, OPTION_STRICT_ROUTE = 137 };

enum options { OPTIONS_FINE, OPTIONS_ROUTE, OPTIONS_BROKEN };

/* Whether the options hold a source route, which makes our host a relay (RFC 7126, 4.3 and 4.4 advise to drop it), or
 * are malformed, and where. All others are ignored (RFC 1122, 3.2.1.8). */
static enum options check_options(const uint8_t *packet, size_t header_len, size_t *at)
{
	for (*at = IPV4_HEADER; *at < header_len && packet[*at] != OPTION_END;) {
		uint8_t type = packet[*at], len = *at + 1 < header_len ? packet[*at + 1] : 0;

		if (type == OPTION_NOP) {
			++*at;
			continue;
		}
		if (type == OPTION_LOOSE_ROUTE || type == OPTION_STRICT_ROUTE)
			return OPTIONS_ROUTE;
		if (len < OPTION_LEAST || len > header_len - *at)
			return OPTIONS_BROKEN;
		*at += len;
	}
	return OPTIONS_FINE;
}

/* Checks all lengths: after it, packet has header_len and total_len bytes. */
static bool is_well_formed(const uint8_t *packet, size_t len, size_t *header_len, size_t *total_len)
{
	if (len < IPV4_HEADER || (packet[IPV4_VERSION_IHL] & 0xf0) != IPV4_VERSION)
		return false;
	*header_len = (packet[IPV4_VERSION_IHL] & IPV4_IHL_MASK) * 4u;
	*total_len = wire_get16(packet + IPV4_TOTAL_LENGTH);
	return *header_len >= IPV4_HEADER && *total_len >= *header_len && *total_len <= len;
}

/* Who may send to us: a host that is not we ourselves (a "land" attack), nor our subnet's broadcast address; and to
 * all, by UDP or IGMP, one that has no address yet (RFC 1122, 3.2.1.3), such as a client of DHCP, or a switch. */
static bool source_is_legal(const struct own_stack *stack, const struct ip_received *packet)
{
	uint32_t source = wire_get32(packet->header + IPV4_SOURCE);
	uint8_t protocol = packet->header[IPV4_PROTOCOL];

	if (source == 0)
		return packet->broadcast && (protocol == IP_PROTOCOL_UDP || protocol == IP_PROTOCOL_IGMP);
	return ipv4_is_host(source) && !ipv4_interface_of(stack, source) && !ipv4_is_broadcast(stack, source);
}

/* RFC 1122, 3.3.4.2 ("strong" hosts): what is for us comes by the link where we have that address. RFC 1122, 3.3.6:
 * what was broadcast on the link, but not by IP, is not for us. While we have no address, a DHCP
 * server may send us alone what goes to the address that it gives (RFC 2131, 4.1). */
static bool is_for_us(const struct interface *interface, const struct ip_received *packet, bool link_broadcast)
{
	uint32_t destination = wire_get32(packet->header + IPV4_DESTINATION);

	if (destination >> 28 == 0xe)
		return interface->groups && interface->groups->is_member(interface, destination);
	if (packet->broadcast)
		return true;
	if (link_broadcast)
		return false;
	if (ipv4_local_find(&interface->ipv4, destination))
		return true;
	return interface->stack->dhcp && interface->ipv4.all[0].address == 0 &&
	       packet->header[IPV4_PROTOCOL] == IP_PROTOCOL_UDP && packet->len >= UDP_PORTS &&
	       wire_get16(packet->payload + 2) == DHCP_CLIENT_PORT &&
	       !(wire_get16(packet->header + IPV4_FRAGMENT) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK));
}

static void dispatch(struct own_stack *stack, const struct ip_received *packet, uint8_t protocol)
{
	enum transport_answer answer = TRANSPORT_TOOK;

	if (protocol == IP_PROTOCOL_ICMP)
		icmp_receive(stack, packet);
	else
		answer = transport_receive(stack, packet, protocol);
	if (answer == TRANSPORT_NO_PROTOCOL) {
		stack_drop(stack, DROP_IP_PROTOCOL);
		icmp_send_error(stack, packet, ICMP_PROTOCOL_UNREACHABLE);
		return;
	}
	stack->counters.IpInDelivers++;
	if (answer == TRANSPORT_NO_PORT)
		icmp_send_error(stack, packet, ICMP_PORT_UNREACHABLE);
}

/* What a whole packet, or one put together, says about itself; header and payload are filled in. */
static void describe(const struct own_stack *stack, struct ip_received *packet)
{
	uint32_t destination = wire_get32(packet->header + IPV4_DESTINATION);

	packet->source = ipv4_address(wire_get32(packet->header + IPV4_SOURCE));
	packet->destination = ipv4_address(destination);
	packet->broadcast = destination >> 28 == 0xe || ipv4_is_broadcast(stack, destination);
	packet->traffic_class = packet->header[IPV4_TRAFFIC_CLASS];
	packet->ttl = packet->header[IPV4_TTL];
}

static struct ip_received received_of(const struct own_stack *stack, const struct fragment *fragment)
{
	struct ip_received packet = {
		.payload = fragment->payload,
		.len = fragment->len,
		.header = fragment->header,
		.header_len = fragment->header_len,
	};

	describe(stack, &packet);
	return packet;
}

void ipv4_forget_fragment(struct timer *timer)
{
	struct own_stack *stack = (struct own_stack *)((char *)timer - offsetof(struct own_stack, fragment_timer));
	struct fragment first;
	bool has_first;

	while (fragments_expire(&stack->fragments, stack_now(stack), &first, &has_first)) {
		if (has_first) {
			struct ip_received packet = received_of(stack, &first);

			icmp_send_error(stack, &packet, ICMP_REASSEMBLY_TIME_EXCEEDED);
		}
	}
	stack_timer_set(stack, timer, fragments_deadline(&stack->fragments));
}

static void receive_fragment(struct own_stack *stack, const struct ip_received *packet)
{
	const uint8_t *header = packet->header;
	uint16_t field = wire_get16(header + IPV4_FRAGMENT);
	const struct fragment fragment = {
		.source = packet->source,
		.destination = packet->destination,
		.id = wire_get16(header + IPV4_ID),
		.protocol = header[IPV4_PROTOCOL],
		.more = field & IPV4_MORE_FRAGMENTS,
		.offset = (size_t)(field & IPV4_OFFSET_MASK) * FRAGMENT_UNIT,
		.payload_max = UINT16_MAX - packet->header_len,
		.header = header,
		.header_len = packet->header_len,
		.payload = packet->payload,
		.len = packet->len,
	};
	struct fragment whole;
	int done = fragments_add(&stack->fragments, &fragment, stack_now(stack), &whole);

	stack->counters.IpReasmReqds++;
	if (done == 1) {
		struct ip_received together = received_of(stack, &whole);

		stack->counters.IpReasmOKs++;
		dispatch(stack, &together, whole.protocol);
		fragments_release(&stack->fragments);
	}
	if (!stack->fragment_timer.armed)
		stack_timer_set(stack, &stack->fragment_timer, fragments_deadline(&stack->fragments));
}

/* Drops what has options that are not to be obeyed; of broken ones the sender is told (RFC 1122, 3.2.2.5). */
static bool refuse_options(struct own_stack *stack, const struct ip_received *packet)
{
	bool later = wire_get16(packet->header + IPV4_FRAGMENT) & IPV4_OFFSET_MASK;
	size_t at;

	switch (check_options(packet->header, packet->header_len, &at)) {
	case OPTIONS_FINE:
		return false;
	case OPTIONS_ROUTE:
		stack_drop(stack, DROP_IP_SOURCE_ROUTE);
		break;
	case OPTIONS_BROKEN:
		stack_drop(stack, DROP_IP_OPTIONS);
		if (!later)
			icmp_send_parameter_problem(stack, packet, (uint8_t)at);
		break;
	}
	return true;
}

void ipv4_receive(struct interface *interface, const uint8_t *packet, size_t len, bool link_broadcast,
	const struct platform_net_meta *meta)
{
	struct own_stack *stack = interface->stack;
	struct ip_received received = { .header = packet };
	size_t total_len;

	stack->counters.IpInReceives++;
	if (!is_well_formed(packet, len, &received.header_len, &total_len)) {
		stack_drop(stack, DROP_IP_HEADER);
		return;
	}
	if (checksum_finish(checksum_add(0, packet, received.header_len)) != 0) {
		stack_drop(stack, DROP_IP_CHECKSUM);
		return;
	}
	received.payload = packet + received.header_len;
	received.len = total_len - received.header_len;
	describe(stack, &received);
	if (!is_for_us(interface, &received, link_broadcast)) {
		stack_drop(stack, DROP_IP_OTHER_HOST);
		return;
	}
	if (!source_is_legal(stack, &received)) {
		stack_drop(stack, DROP_IP_SOURCE);
		return;
	}
	if (refuse_options(stack, &received))
		return;
	received.checksum_verified = meta->checksum_verified || meta->checksum_partial;
	if (wire_get16(packet + IPV4_FRAGMENT) & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK))
		receive_fragment(stack, &received);
	else if (packet[IPV4_PROTOCOL] == IP_PROTOCOL_IGMP && interface->groups)
		interface->groups->hear(interface, &received);
	else
		dispatch(stack, &received, packet[IPV4_PROTOCOL]);
}

void ipv4_receive_looped(struct own_stack *stack, const uint8_t *packet, size_t len)
{
	struct ip_received received = {
		.header = packet,
		.header_len = IPV4_HEADER,
		.payload = packet + IPV4_HEADER,
		.len = len - IPV4_HEADER,
		.checksum_verified = true,
	};

	describe(stack, &received);
	dispatch(stack, &received, packet[IPV4_PROTOCOL]);
}
