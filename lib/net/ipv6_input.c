/* SPDX-License-Identifier: ISC
 *
 * IPv6 packets on their way up (RFC 8200): each header is checked once and left behind, fragments are put together, and
 * the rest goes to its transport. No copy and no allocation but for fragments.
 *
 * What the loop over the headers may cost has two bounds: the packet's length, and EXTENSIONS_MAX headers. A packet
 * that was put together goes through the same loop; fragments within it are refused.
 */
#include <errno.h>
#include <string.h>

#include "ipv6_stack.h"
#include "wire.h"

enum { EXTENSIONS_MAX = 8, EXTENSION_UNIT = 8 };
enum { NEXT = 0, LENGTH = 1, ROUTING_TYPE = 2, SEGMENTS_LEFT = 3, FRAGMENT_FIELD = 2, FRAGMENT_ID = 4 };
enum { OPTION_PAD_1 = 0, OPTION_PAD_N = 1, OPTION_ROUTER_ALERT = 5 };
enum { ACTION_SKIP = 0, ACTION_DISCARD = 1, ACTION_TELL = 2, ACTION_TELL_UNICAST = 3 };
enum { TCP_LEAST = 20, UDP_LEAST = 8 };

/* What the loop does after a header. */
enum step { GO_ON, STOP };

static bool is_extension(uint8_t next)
{
	return next == IPV6_HOP_BY_HOP || next == IPV6_ROUTING || next == IPV6_DESTINATION_OPTIONS;
}

size_t ipv6_skip_extensions(uint8_t *next, const uint8_t *at, size_t len)
{
	size_t offset = 0;

	while (is_extension(*next) || *next == IPV6_FRAGMENT) {
		size_t extension_len = EXTENSION_UNIT;

		if (len - offset < EXTENSION_UNIT)
			return SIZE_MAX;
		if (*next != IPV6_FRAGMENT)
			extension_len += at[offset + LENGTH] * (size_t)EXTENSION_UNIT;
		if (len - offset < extension_len)
			return SIZE_MAX;
		*next = at[offset + NEXT];
		offset += extension_len;
	}
	return offset;
}

/* Where in the packet this byte of its payload is. */
static size_t position_of(const struct ipv6_chain *chain, const uint8_t *at)
{
	return chain->packet.header_len + (size_t)(at - chain->body);
}

static enum step drop_malformed(struct ipv6_stack *six)
{
	stack_drop(six->stack, DROP_IP6_EXTENSION);
	return STOP;
}

static void leave_behind(struct ipv6_chain *chain, size_t header_len)
{
	chain->next_at = position_of(chain, chain->packet.payload);
	chain->next = chain->packet.payload[NEXT];
	chain->packet.payload += header_len;
	chain->packet.len -= header_len;
}

/* The length of the extension header that the payload begins with; 0: it does not fit. */
static size_t extension_len(const struct ipv6_chain *chain)
{
	size_t len = chain->packet.len < EXTENSION_UNIT ? 0 : (chain->packet.payload[LENGTH] + 1u) * EXTENSION_UNIT;

	return len <= chain->packet.len ? len : 0;
}

/* An option that we do not know says by itself what is to be done (RFC 8200, 4.2). */
static enum step refuse_option(struct ipv6_stack *six, const struct ipv6_chain *chain, const uint8_t *option)
{
	uint8_t action = *option >> 6;

	stack_drop(six->stack, DROP_IP6_OPTION);
	if (action == ACTION_TELL || (action == ACTION_TELL_UNICAST && !ipv6_is_multicast(&chain->packet.destination)))
		icmp6_send_error(six, chain, ICMP6_UNKNOWN_OPTION, position_of(chain, option));
	return STOP;
}

static enum step read_options(struct ipv6_stack *six, struct ipv6_chain *chain)
{
	const uint8_t *header = chain->packet.payload;
	size_t len = extension_len(chain), at = 2;

	if (len == 0)
		return drop_malformed(six);
	while (at < len) {
		if (header[at] == OPTION_PAD_1) {
			at++;
			continue;
		}
		if (len - at < 2 || header[at + 1] > len - at - 2)
			return drop_malformed(six);
		if (header[at] != OPTION_PAD_N && header[at] != OPTION_ROUTER_ALERT && header[at] >> 6 != ACTION_SKIP)
			return refuse_option(six, chain, header + at);
		at += 2u + header[at + 1];
	}
	leave_behind(chain, len);
	return GO_ON;
}

/* RFC 8200, 4.4 and RFC 5095: we know no routing type, so one that has nothing left to do is passed over. */
static enum step read_routing(struct ipv6_stack *six, struct ipv6_chain *chain)
{
	size_t len = extension_len(chain);

	if (len == 0)
		return drop_malformed(six);
	if (chain->packet.payload[SEGMENTS_LEFT] != 0) {
		stack_drop(six->stack, DROP_IP6_ROUTING);
		icmp6_send_error(
			six, chain, ICMP6_ERRONEOUS_FIELD, position_of(chain, chain->packet.payload + ROUTING_TYPE));
		return STOP;
	}
	leave_behind(chain, len);
	return GO_ON;
}

/* Fragments --------------------------------------------------------------------------------------------------- */

/* What a datagram that was put together, or its first fragment, is as a packet: the header goes up to the end of the
 * fragment header. */
static struct ipv6_chain chain_of(const struct fragment *fragment)
{
	size_t fragment_at = fragment->header_len - IPV6_FRAGMENT_HEADER;

	return (struct ipv6_chain){
		.packet = {
			.source = fragment->source,
			.destination = fragment->destination,
			.payload = fragment->payload,
			.len = fragment->len,
			.header = fragment->header,
			.header_len = fragment->header_len,
			.broadcast = ipv6_is_multicast(&fragment->destination),
			.traffic_class = (uint8_t)(fragment->header[0] << 4 | fragment->header[1] >> 4),
			.ttl = fragment->header[IPV6_HOP_LIMIT],
		},
		.body = fragment->payload,
		.body_len = fragment->len,
		.next = fragment->header[fragment_at + NEXT],
		.next_at = fragment_at + NEXT,
		.fragmented = true,
		.reassembled = true,
	};
}

/* RFC 7112, 5: the first fragment holds all headers. */
static bool holds_all_headers(const struct fragment *first)
{
	uint8_t next = first->header[first->header_len - IPV6_FRAGMENT_HEADER];
	size_t at = ipv6_skip_extensions(&next, first->payload, first->len), needed = 0;

	if (next == IP_PROTOCOL_TCP)
		needed = TCP_LEAST;
	else if (next == IP_PROTOCOL_UDP || next == IP_PROTOCOL_ICMPV6)
		needed = UDP_LEAST;
	return at != SIZE_MAX && first->len - at >= needed;
}

/* The fragment's own faults (RFC 8200, 4.5), of which its sender is told. */
static bool is_refused(struct ipv6_stack *six, const struct ipv6_chain *chain, const struct fragment *fragment)
{
	enum icmp6_error_kind kind = ICMP6_ERRONEOUS_FIELD;
	size_t value = 0;

	if (fragment->more && fragment->len % FRAGMENT_UNIT != 0)
		value = IPV6_PAYLOAD_LENGTH;
	else if (fragment->offset + fragment->len > fragment->payload_max)
		value = position_of(chain, chain->packet.payload + FRAGMENT_FIELD);
	else if (fragment->offset == 0 && !holds_all_headers(fragment))
		kind = ICMP6_INCOMPLETE_CHAIN;
	else
		return false;
	stack_drop(six->stack, DROP_IP6_FRAGMENT);
	icmp6_send_error(six, chain, kind, value);
	return true;
}

static enum step put_together(struct ipv6_stack *six, struct ipv6_chain *chain, const struct fragment *fragment)
{
	struct fragment whole;
	int done = fragments_add(&six->fragments, fragment, stack_now(six->stack), &whole);

	six->machine->changed = true;
	if (done != 1)
		return STOP;
	six->stack->counters.Ip6ReasmOKs++;
	*chain = chain_of(&whole);
	return GO_ON;
}

static enum step read_fragment(struct ipv6_stack *six, struct ipv6_chain *chain)
{
	const uint8_t *header = chain->packet.payload;
	size_t header_len = position_of(chain, header) + IPV6_FRAGMENT_HEADER;
	struct fragment fragment;
	uint16_t field;

	if (chain->packet.len < IPV6_FRAGMENT_HEADER || chain->reassembled)
		return drop_malformed(six);
	field = wire_get16(header + FRAGMENT_FIELD);
	if ((field & ~6u) == 0) { /* RFC 6946: a whole packet, whatever else is being put together */
		leave_behind(chain, IPV6_FRAGMENT_HEADER);
		chain->fragmented = true;
		return GO_ON;
	}
	if (header_len > FRAGMENT_HEADER_MAX)
		return drop_malformed(six);
	fragment = (struct fragment){
		.source = chain->packet.source,
		.destination = chain->packet.destination,
		.id = wire_get32(header + FRAGMENT_ID),
		.more = field & 1,
		.offset = field & 0xfff8,
		.payload_max = UINT16_MAX - (header_len - IPV6_FRAGMENT_HEADER - IPV6_HEADER),
		.header = chain->packet.header,
		.header_len = header_len,
		.payload = header + IPV6_FRAGMENT_HEADER,
		.len = chain->packet.len - IPV6_FRAGMENT_HEADER,
	};
	six->stack->counters.Ip6ReasmReqds++;
	return is_refused(six, chain, &fragment) ? STOP : put_together(six, chain, &fragment);
}

void ipv6_expire_fragments(struct ipv6_stack *six, uint64_t now)
{
	struct fragment first;
	bool has_first;

	while (fragments_expire(&six->fragments, now, &first, &has_first)) {
		if (has_first) {
			struct ipv6_chain chain = chain_of(&first);

			icmp6_send_error(six, &chain, ICMP6_REASSEMBLY_TIME_EXCEEDED, 0);
		}
	}
}

/* Whole packets ----------------------------------------------------------------------------------------------- */

/* The unspecified address may only begin discovery. */
static void dispatch(struct ipv6_stack *six, const struct ipv6_chain *chain)
{
	struct own_stack *stack = six->stack;

	enum transport_answer answer = TRANSPORT_TOOK;

	if (chain->next == IP_PROTOCOL_ICMPV6) {
		icmp6_receive(six, chain);
	} else if (ipv6_is_unspecified(&chain->packet.source)) {
		stack_drop(stack, DROP_IP6_SOURCE);
		return;
	} else if (chain->next == IPV6_NO_NEXT) {
		stack_drop(stack, DROP_IP6_NO_NEXT);
		return;
	} else {
		answer = transport_receive(stack, &chain->packet, chain->next);
	}
	if (answer == TRANSPORT_NO_PROTOCOL) {
		stack_drop(stack, DROP_IP6_PROTOCOL);
		icmp6_send_error(six, chain, ICMP6_UNKNOWN_NEXT_HEADER, chain->next_at);
		return;
	}
	stack->counters.Ip6InDelivers++;
	if (answer == TRANSPORT_NO_PORT)
		icmp6_send_error(six, chain, ICMP6_PORT_UNREACHABLE, 0);
}

static enum step read_header(struct ipv6_stack *six, struct ipv6_chain *chain)
{
	switch (chain->next) {
	case IPV6_HOP_BY_HOP: /* RFC 8200, 4.1: the first, or unknown */
		if (chain->next_at == IPV6_NEXT_HEADER)
			return read_options(six, chain);
		break;
	case IPV6_DESTINATION_OPTIONS:
		return read_options(six, chain);
	case IPV6_ROUTING:
		return read_routing(six, chain);
	case IPV6_FRAGMENT:
		return read_fragment(six, chain);
	}
	dispatch(six, chain);
	return STOP;
}

/* Who may send to us: no group, no address that is on no link, and not we ourselves, but that another host may claim
 * our address. */
static bool source_is_legal(const struct ipv6_stack *six, const struct ipv6_chain *chain)
{
	const struct ip_address *source = &chain->packet.source;

	return !ipv6_is_multicast(source) && !ipv6_is_loopback(source) && !ip_is_v4(source) &&
	       (chain->next == IP_PROTOCOL_ICMPV6 || !ipv6_is_ours(six->machine, source));
}

static bool destination_is_ours(const struct ipv6_stack *six, const struct ipv6_chain *chain)
{
	const struct ip_address *destination = &chain->packet.destination;

	if (ipv6_is_multicast(destination))
		return mld_is_member(six->machine, destination);
	return !chain->to_many && ipv6_is_ours(six->machine, destination);
}

/* A packet before its first header. */
static struct ipv6_chain whole_packet(const uint8_t *packet, size_t payload_len)
{
	struct ipv6_chain chain = {
		.packet = {
			.source = ipv6_get(packet + IPV6_SOURCE),
			.destination = ipv6_get(packet + IPV6_DESTINATION),
			.payload = packet + IPV6_HEADER,
			.len = payload_len,
			.traffic_class = (uint8_t)(packet[0] << 4 | packet[1] >> 4),
			.ttl = packet[IPV6_HOP_LIMIT],
			.header = packet,
			.header_len = IPV6_HEADER,
		},
		.body = packet + IPV6_HEADER,
		.body_len = payload_len,
		.next = packet[IPV6_NEXT_HEADER],
		.next_at = IPV6_NEXT_HEADER,
	};

	chain.packet.broadcast = ipv6_is_multicast(&chain.packet.destination);
	return chain;
}

void ipv6_receive_looped(struct own_stack *stack, const uint8_t *packet, size_t len)
{
	struct ipv6_chain chain = whole_packet(packet, len - IPV6_HEADER);

	chain.packet.checksum_verified = true;
	dispatch(stack->ipv6, &chain);
	ipv6_settle(stack->ipv6);
}

void ipv6_receive(
	struct own_stack *stack, const uint8_t *packet, size_t len, bool to_many, const struct platform_net_meta *meta)
{
	struct ipv6_stack *six = stack->ipv6;
	struct ipv6_chain chain;
	size_t payload_len;

	stack->counters.Ip6InReceives++;
	if (len < IPV6_HEADER || packet[IPV6_VERSION] >> 4 != 6 ||
		(payload_len = wire_get16(packet + IPV6_PAYLOAD_LENGTH)) > len - IPV6_HEADER) {
		stack_drop(stack, DROP_IP6_HEADER);
		return;
	}
	chain = whole_packet(packet, payload_len);
	chain.to_many = to_many;
	chain.packet.checksum_verified = meta->checksum_verified || meta->checksum_partial;
	if (!destination_is_ours(six, &chain)) {
		stack_drop(stack, DROP_IP6_OTHER_HOST);
		return;
	}
	if (!source_is_legal(six, &chain)) {
		stack_drop(stack, DROP_IP6_SOURCE);
		return;
	}
	for (int headers = 0; read_header(six, &chain) == GO_ON; headers++) {
		if (headers == EXTENSIONS_MAX) {
			drop_malformed(six);
			break;
		}
	}
	fragments_release(&six->fragments);
	ipv6_settle(six);
}
