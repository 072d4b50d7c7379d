/* SPDX-License-Identifier: ISC
 *
 * ICMP (RFC 792; RFC 1122, 3.2.2): answers echo, says what is unreachable, and tells the transports what others say.
 *
 * Not done, on purpose: redirects are ignored unless the program wants them (<skerry/route.h>), for they are an
 * attacker's tool; source quench is (RFC 6633); timestamps, information and address mask requests are not answered.
 */
#include <errno.h>
#include <string.h>

#include "own_stack.h"
#include "wire.h"

enum { TYPE = 0, CODE = 1, CHECKSUM = 2, MTU = 6, ICMP_HEADER = 8, QUOTED_TRANSPORT = 8 };
enum { ECHO_REPLY = 0, UNREACHABLE = 3, REDIRECT = 5, ECHO_REQUEST = 8, TIME_EXCEEDED = 11, PARAMETER_PROBLEM = 12 };
enum { PROTOCOL_UNREACHABLE = 2, PORT_UNREACHABLE = 3, FRAGMENTATION_NEEDED = 4, MTU_LEAST = 68 };

/* Sends header and data: data has no odd piece but the last. */
static void send_message(struct own_stack *stack, const struct ip_received *to, uint8_t header[ICMP_HEADER],
	const struct platform_piece *data, size_t count)
{
	struct platform_piece pieces[3] = { { header, ICMP_HEADER } };
	struct ip_sending packet = {
		.source = to->destination, /* an address of ours: nothing that was sent to many is answered */
		.destination = to->source,
		.protocol = IP_PROTOCOL_ICMP,
		.pieces = pieces,
		.count = 1 + count,
		.len = ICMP_HEADER,
		.may_fragment = true,
	};
	uint32_t sum = checksum_add(0, header, ICMP_HEADER);

	for (size_t i = 0; i < count; i++) {
		pieces[1 + i] = data[i];
		packet.len += data[i].len;
		sum = checksum_add(sum, data[i].data, data[i].len);
	}
	wire_put16(header + CHECKSUM, checksum_finish(sum));
	stack->counters.icmp_out[header[TYPE]]++;
	ip_send_or_drop(stack, &packet);
}

static void answer_echo(struct own_stack *stack, const struct ip_received *packet)
{
	const struct platform_piece data = { packet->payload + ICMP_HEADER, packet->len - ICMP_HEADER };
	uint8_t header[ICMP_HEADER] = { ECHO_REPLY };

	if (packet->broadcast) { /* RFC 1122, 3.2.2.6: need not be answered, and amplifies attacks if it is */
		stack_drop(stack, DROP_ICMP_BROADCAST);
		return;
	}
	memcpy(header + 4, packet->payload + 4, 4); /* identifier and sequence number */
	send_message(stack, packet, header, &data, 1);
}

/* What an unreachable's code means to a transport (RFC 1122, 3.2.2.1; RFC 1812, 5.2.7.1). */
static int unreachable_error(uint8_t code)
{
	switch (code) {
	case 0:
	case 6:
	case 11:
		return -ENETUNREACH;
	case PROTOCOL_UNREACHABLE:
	case PORT_UNREACHABLE:
		return -ECONNREFUSED;
	case FRAGMENTATION_NEEDED:
		return -EMSGSIZE;
	default:
		return -EHOSTUNREACH;
	}
}

/* A router of before RFC 1191 says 0. The path's MTU is then taken to be the next smaller one of those in use (7.1). */
static uint16_t plateau_below(uint16_t total_length)
{
	static const uint16_t plateaus[] = { 32000, 17914, 8166, 4352, 2002, 1492, 1006, 508, 296, MTU_LEAST };
	size_t i = 0;

	while (plateaus[i] >= total_length && plateaus[i] > MTU_LEAST)
		i++;
	return plateaus[i];
}

/* An error about a packet that we sent: its transport is told, if the quoted header is one of ours. */
static void hear_error(struct own_stack *stack, const struct ip_received *packet, int error)
{
	const uint8_t *quoted = packet->payload + ICMP_HEADER;
	size_t len = packet->len - ICMP_HEADER, header_len;
	uint16_t mtu = error == -EMSGSIZE ? wire_get16(packet->payload + MTU) : 0;
	const struct interface *interface;
	struct ip_address source, destination;

	header_len = len >= IPV4_HEADER ? (quoted[0] & IPV4_IHL_MASK) * 4u : 0;
	if (header_len < IPV4_HEADER || quoted[0] >> 4 != 4 || len < header_len + QUOTED_TRANSPORT) {
		stack_drop(stack, DROP_ICMP_QUOTE);
		return;
	}
	if (error == -EMSGSIZE && mtu == 0)
		mtu = plateau_below(wire_get16(quoted + IPV4_TOTAL_LENGTH));
	source = ipv4_address(wire_get32(quoted + IPV4_SOURCE));
	interface = ipv4_interface_of(stack, ipv4_number(&source));
	/* What we send to ourselves, from whichever address, is quoted by ourselves alone. Only a first fragment has a
	 * transport's header; a path below RFC 791's least MTU is a forgery. */
	if (!(loopback_leads_to(stack, &packet->source) ? loopback_leads_to(stack, &source) : interface != NULL) ||
		wire_get16(quoted + IPV4_FRAGMENT) & IPV4_OFFSET_MASK ||
		(error == -EMSGSIZE && (mtu < MTU_LEAST || !interface || mtu >= interface->net->info.mtu))) {
		stack_drop(stack, DROP_ICMP_QUOTE);
		return;
	}
	destination = ipv4_address(wire_get32(quoted + IPV4_DESTINATION));
	if (!transport_icmp_error(stack, quoted[IPV4_PROTOCOL], &source, &destination, quoted + header_len,
		    len - header_len, error, mtu))
		stack_drop(stack, DROP_ICMP_QUOTE);
}

void icmp_receive(struct own_stack *stack, const struct ip_received *packet)
{
	const uint8_t *message = packet->payload;

	if (packet->len < ICMP_HEADER) {
		stack_drop(stack, DROP_ICMP_HEADER);
		return;
	}
	if (checksum_finish(checksum_add(0, message, packet->len)) != 0) {
		stack_drop(stack, DROP_ICMP_CHECKSUM);
		return;
	}
	stack->counters.icmp_in[stack_icmp_index(message[TYPE])]++;
	switch (message[TYPE]) {
	case ECHO_REQUEST:
		answer_echo(stack, packet);
		break;
	case UNREACHABLE:
		hear_error(stack, packet, unreachable_error(message[CODE]));
		break;
	case TIME_EXCEEDED:
	case PARAMETER_PROBLEM:
		hear_error(stack, packet, -EHOSTUNREACH);
		break;
	case REDIRECT:
		if (stack->redirected) {
			stack->redirected(stack, packet);
			break;
		}
		/* fallthrough */
	default: /* RFC 1122, 3.2.2: an unknown type is silently discarded */
		stack_drop(stack, DROP_ICMP_TYPE);
	}
}

/* Takes a token. What one second adds, and the limit, vary by chance, so that the limit does not tell a watcher how
 * many errors were sent to somebody else (Man et al., "DNS Cache Poisoning Attack Reloaded", CCS 2020). */
bool icmp_may_send_error(struct own_stack *stack)
{
	struct icmp_bucket *bucket = &stack->icmp_errors;
	uint64_t now = stack_now(stack);
	uint64_t due = (now - bucket->filled_at) * ICMP_ERRORS_PER_SECOND / SECOND(1);

	if (due > 0) {
		uint64_t tokens = bucket->tokens + due;
		uint64_t limit = ICMP_ERRORS_BURST - stack_random_below(stack, ICMP_ERRORS_BURST / 8);

		bucket->tokens = (uint32_t)(tokens < limit ? tokens : limit);
		bucket->filled_at = now;
	}
	if (bucket->tokens == 0) {
		stack_drop(stack, DROP_ICMP_RATE_LIMIT);
		return false;
	}
	bucket->tokens--;
	return true;
}

/* The rules of RFC 1122, 3.2.2: never about something sent to many (broadcast), about an ICMP error, about a fragment
 * other than the first, or to a source that is no single host (the last two are not asked for). */
static void send_error(struct own_stack *stack, const struct ip_received *packet, uint8_t header[ICMP_HEADER])
{
	size_t payload_max = ICMP_QUOTE_MAX - packet->header_len;
	const struct platform_piece quote[] = {
		{ packet->header, packet->header_len },
		{ packet->payload, packet->len < payload_max ? packet->len : payload_max },
	};
	bool about_error = packet->header[IPV4_PROTOCOL] == IP_PROTOCOL_ICMP && packet->len > 0 &&
			   packet->payload[TYPE] != ECHO_REQUEST && packet->payload[TYPE] != ECHO_REPLY;

	if (!packet->broadcast && !about_error && icmp_may_send_error(stack))
		send_message(stack, packet, header, quote, 2);
}

void icmp_send_error(struct own_stack *stack, const struct ip_received *packet, enum icmp_error_kind kind)
{
	uint8_t header[ICMP_HEADER] = { (uint8_t)(kind >> 8), (uint8_t)kind };

	send_error(stack, packet, header);
}

void icmp_send_parameter_problem(struct own_stack *stack, const struct ip_received *packet, uint8_t offset)
{
	uint8_t header[ICMP_HEADER] = { PARAMETER_PROBLEM, 0, 0, 0, offset };

	send_error(stack, packet, header);
}
