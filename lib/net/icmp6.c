/* SPDX-License-Identifier: ISC
 *
 * ICMPv6 (RFC 4443): answers echo, says what cannot be received, and tells the transports what others say. Discovery
 * goes to its machine.
 */
#include <errno.h>
#include <string.h>

#include "ipv6_stack.h"
#include "wire.h"

enum { QUOTE_MAX = IPV6_MTU_MIN - IPV6_HEADER - ICMPV6_HEADER, QUOTED_TRANSPORT = 8 };
enum { NO_ROUTE = 0, PORT_UNREACHABLE = 4, UNKNOWN_NEXT_HEADER = 1, REST = ICMPV6_REST };

/* Sends header and data: data has no odd piece but the last. */
static void send_message(struct ipv6_stack *six, const struct ip_received *to, uint8_t header[ICMPV6_HEADER],
	const struct platform_piece *data, size_t count)
{
	struct platform_piece pieces[3] = { { header, ICMPV6_HEADER } };
	struct ip_sending packet = {
		.source = to->destination,
		.destination = to->source,
		.protocol = IP_PROTOCOL_ICMPV6,
		.pieces = pieces,
		.count = 1 + count,
		.len = ICMPV6_HEADER,
		.may_fragment = true,
	};
	uint32_t sum;

	for (size_t i = 0; i < count; i++) {
		pieces[1 + i] = data[i];
		packet.len += data[i].len;
	}
	/* RFC 4443, 2.2: from the address that was written to; from one of ours, if that was a group. */
	if (ipv6_is_multicast(&packet.source) &&
		ipv6_choose_source(six->machine, &packet.destination, stack_now(six->stack), &packet.source) < 0) {
		stack_drop(six->stack, DROP_IP6_NO_ROUTE);
		return;
	}
	sum = checksum_pseudo(&packet.source, &packet.destination, IP_PROTOCOL_ICMPV6, packet.len);
	for (size_t i = 0; i < packet.count; i++)
		sum = checksum_add(sum, pieces[i].data, pieces[i].len);
	wire_put16(header + ICMPV6_CHECKSUM, checksum_finish(sum));
	six->stack->counters.icmp6_out[stack_icmp6_index(header[ICMPV6_TYPE])]++;
	ip_send_or_drop(six->stack, &packet);
}

static void answer_echo(struct ipv6_stack *six, const struct ip_received *packet)
{
	const struct platform_piece data = { packet->payload + ICMPV6_HEADER, packet->len - ICMPV6_HEADER };
	uint8_t header[ICMPV6_HEADER] = { ICMPV6_ECHO_REPLY };

	if (ipv6_is_unspecified(&packet->source)) {
		stack_drop(six->stack, DROP_IP6_SOURCE);
		return;
	}
	memcpy(header + REST, packet->payload + REST, 4); /* identifier and sequence number */
	send_message(six, packet, header, &data, 1);
}

/* Errors that others send ------------------------------------------------------------------------------------- */

/* What a type and code means to a transport. */
static int error_of(uint8_t type, uint8_t code)
{
	if (type == ICMPV6_TOO_BIG)
		return -EMSGSIZE;
	if (type == ICMPV6_UNREACHABLE && code == NO_ROUTE)
		return -ENETUNREACH;
	if ((type == ICMPV6_UNREACHABLE && code == PORT_UNREACHABLE) ||
		(type == ICMPV6_PARAMETER_PROBLEM && code == UNKNOWN_NEXT_HEADER))
		return -ECONNREFUSED;
	return -EHOSTUNREACH;
}

/* An error about a packet that we sent: its transport is told, if the quoted header is one of ours. */
static void hear_error(struct ipv6_stack *six, const struct ip_received *packet)
{
	struct own_stack *stack = six->stack;
	const uint8_t *message = packet->payload, *quoted = message + ICMPV6_HEADER;
	size_t len = packet->len - ICMPV6_HEADER, at;
	uint32_t mtu = wire_get32(message + REST);
	int error = error_of(message[ICMPV6_TYPE], message[ICMPV6_CODE]);
	struct ip_address source, destination;
	uint8_t next;

	if (len < IPV6_HEADER || quoted[0] >> 4 != 6) {
		stack_drop(stack, DROP_ICMP6_QUOTE);
		return;
	}
	source = ipv6_get(quoted + IPV6_SOURCE);
	destination = ipv6_get(quoted + IPV6_DESTINATION);
	/* RFC 8201, 4: a path below 1280 does not exist. */
	if (!ipv6_is_own(stack, &source) || (error == -EMSGSIZE && mtu < IPV6_MTU_MIN)) {
		stack_drop(stack, DROP_ICMP6_QUOTE);
		return;
	}
	if (error == -EMSGSIZE)
		ipv6_path_too_big(six->machine, &destination, mtu, stack_now(stack));
	next = quoted[IPV6_NEXT_HEADER];
	quoted += IPV6_HEADER;
	len -= IPV6_HEADER;
	at = ipv6_skip_extensions(&next, quoted, len);
	if (at == SIZE_MAX || len - at < QUOTED_TRANSPORT) {
		stack_drop(stack, DROP_ICMP6_QUOTE);
		return;
	}
	if (!transport_icmp_error(stack, next, &source, &destination, quoted + at, len - at, error,
		    (uint16_t)(mtu < UINT16_MAX ? mtu : UINT16_MAX)) &&
		error != -EMSGSIZE) /* which the path was told */
		stack_drop(stack, DROP_ICMP6_QUOTE);
}

/* Receiving --------------------------------------------------------------------------------------------------- */

/* RFC 6980: discovery is never fragmented. */
static void hear_discovery(struct ipv6_stack *six, const struct ipv6_chain *chain)
{
	const struct ipv6_heard heard = {
		.source = chain->packet.source,
		.destination = chain->packet.destination,
		.hop_limit = chain->packet.ttl,
		.bytes = chain->packet.payload,
		.len = chain->packet.len,
	};

	if (chain->fragmented || ipv6_hear(six->machine, &heard, stack_now(six->stack)) < 0)
		stack_drop(six->stack, DROP_ICMP6_DISCOVERY);
}

void icmp6_receive(struct ipv6_stack *six, const struct ipv6_chain *chain)
{
	const struct ip_received *packet = &chain->packet;
	struct own_stack *stack = six->stack;
	uint32_t sum;
	uint8_t type;

	if (packet->len < ICMPV6_HEADER) {
		stack_drop(stack, DROP_ICMP6_HEADER);
		return;
	}
	sum = checksum_pseudo(&packet->source, &packet->destination, IP_PROTOCOL_ICMPV6, packet->len);
	if (checksum_finish(checksum_add(sum, packet->payload, packet->len)) != 0) {
		stack_drop(stack, DROP_ICMP6_CHECKSUM);
		return;
	}
	type = packet->payload[ICMPV6_TYPE];
	stack->counters.icmp6_in[stack_icmp6_index(type)]++;
	if (type == ICMPV6_ECHO_REQUEST)
		answer_echo(six, packet);
	else if ((type >= MLD_QUERY && type <= NDP_REDIRECT) || type == MLD_REPORT_2)
		hear_discovery(six, chain);
	else if (type < ICMPV6_INFORMATIONAL) /* RFC 4443, 2.4 a: unknown errors, too */
		hear_error(six, packet);
	else /* 2.4 b: an unknown informational type is silently discarded */
		stack_drop(stack, DROP_ICMP6_TYPE);
}

/* Errors that we send ----------------------------------------------------------------------------------------- */

/* Whether the packet is an ICMPv6 error, or a redirect, itself. */
static bool is_about_error(const struct ipv6_chain *chain)
{
	uint8_t next = chain->next;
	size_t at = ipv6_skip_extensions(&next, chain->packet.payload, chain->packet.len);

	if (next != IP_PROTOCOL_ICMPV6)
		return false;
	return at == SIZE_MAX || at >= chain->packet.len || chain->packet.payload[at] < ICMPV6_INFORMATIONAL ||
	       chain->packet.payload[at] == NDP_REDIRECT;
}

/* RFC 4443, 2.4 e: not about an error, to no group (but about an option that asks for it), not to what is no single
 * host's address; and f: at a limited rate. */
void icmp6_send_error(struct ipv6_stack *six, const struct ipv6_chain *chain, enum icmp6_error_kind kind, size_t value)
{
	const struct ip_received *packet = &chain->packet;
	uint8_t header[ICMPV6_HEADER] = { (uint8_t)(kind >> 8), (uint8_t)kind };
	size_t header_len = packet->header_len < QUOTE_MAX ? packet->header_len : QUOTE_MAX;
	size_t body_max = QUOTE_MAX - header_len;
	const struct platform_piece quote[] = {
		{ packet->header, header_len },
		{ chain->body, chain->body_len < body_max ? chain->body_len : body_max },
	};

	if ((packet->broadcast || chain->to_many) && kind != ICMP6_UNKNOWN_OPTION)
		return;
	if (ipv6_is_unspecified(&packet->source) || is_about_error(chain) || !icmp_may_send_error(six->stack))
		return;
	wire_put32(header + REST, (uint32_t)value);
	send_message(six, packet, header, quote, 2);
}
