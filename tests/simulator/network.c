/* SPDX-License-Identifier: ISC
 *
 * Links and switches.
 */
#include "network.h"

#include <stdio.h>
#include <string.h>

#include "failure.h"
#include "memory.h"

enum { ECT_MASK = 3 };

void network_say(const struct network *network, const char *where, const char *what, bool ethernet,
	const uint8_t *frame, size_t len)
{
	uint8_t copy[FRAME_BYTES_MAX];

	if (!network->verbose)
		return;
	memcpy(copy, frame, len);
	printf("%12.6f  %-4s %-14s ", network_seconds(network), where, what);
	frame_print(ethernet, copy, len);
}

static void say(const struct link *link, const char *what, const struct frame *frame)
{
	network_say(link->network, link->node->name, what, link->node->subnet->ethernet, frame->bytes, frame->len);
}

static struct frame *new_frame(const uint8_t *bytes, size_t len, bool corrupted)
{
	struct frame *frame = memory_own(sizeof *frame + len);

	frame->len = len;
	frame->corrupted = corrupted;
	memcpy(frame->bytes, bytes, len);
	return frame;
}

/* Where the IP packet lies in a frame: NULL if there is none, or one that cannot be parsed. */
static uint8_t *packet_of(const struct subnet *subnet, struct frame *frame, struct packet *packet)
{
	size_t header = subnet->ethernet ? ETHERNET_HEADER : 0;

	if (subnet->ethernet && get16(frame->bytes + 12) == TYPE_ARP)
		return NULL;
	if (packet_parse(frame->bytes + header, frame->len - header, packet))
		return NULL;
	return packet->ip;
}

/* --- Links -------------------------------------------------------------------------------------------------------- */

static void link_give(struct link *link, const uint8_t *bytes, size_t len, bool corrupted);

static bool is_for(const struct node *node, const struct frame *frame)
{
	if (node->subnet->ethernet)
		return (frame->bytes[0] & 1) || memcmp(frame->bytes, node->mac, 6) == 0;
	if (frame->len < IPV4_HEADER_LEAST)
		return false;
	if (frame->bytes[0] >> 4 == 4)
		return frame->bytes[16] >= 224 || memcmp(frame->bytes + 16, node->ipv4, 4) == 0;
	return frame->len >= IPV6_HEADER &&
	       (frame->bytes[24] == 0xff || memcmp(frame->bytes + 24, node->ipv6, 16) == 0);
}

/* What is for nobody of a subnet without Ethernet is for the router. */
static void switch_frame(struct subnet *subnet, const struct node *from, const struct frame *frame)
{
	bool taken = false;

	for (size_t i = 0; i < subnet->count; i++) {
		struct node *node = subnet->nodes[i];
		if (node == from || !is_for(node, frame))
			continue;
		link_give(&node->down, frame->bytes, frame->len, frame->corrupted);
		taken = true;
	}
	if (!taken && !subnet->ethernet && from != &subnet->router)
		link_give(&subnet->router.down, frame->bytes, frame->len, frame->corrupted);
}

static void arrive(void *context, void *argument)
{
	struct link *link = context;
	struct frame *frame = argument;

	link->network->in_flight--;
	if (link->up) {
		switch_frame(link->node->subnet, link->node, frame);
	} else {
		link->network->counters.delivered++;
		say(link, "receives", frame);
		link->node->receive(link->node->context, frame);
	}
	memory_free_own(frame);
}

static bool is_out(const struct link_terms *terms, uint64_t now)
{
	for (size_t i = 0; i < OUTAGES_MAX; i++)
		if (now >= terms->outages[i].from && now < terms->outages[i].until)
			return true;
	return false;
}

/* Changes one byte of an IP packet. Only once, so that its checksum cannot hold by chance, and no fragments, whose
 * checksums are their datagram's; what is not IP has none, and Ethernet's own would have found it. */
static void corrupt(struct link *link, struct frame *frame)
{
	struct packet packet;
	uint8_t *ip = packet_of(link->node->subnet, frame, &packet);

	if (frame->corrupted || !ip || packet.fragment)
		return;
	ip[prng_below(&link->network->prng, packet.ip_len)] ^= (uint8_t)prng_between(&link->network->prng, 1, 255);
	frame->corrupted = true;
	link->network->counters.corrupted++;
	say(link, "corrupts", frame);
}

static void mark(struct link *link, struct frame *frame)
{
	struct packet packet;
	uint8_t *ip = packet_of(link->node->subnet, frame, &packet);

	if (!ip || frame->corrupted || !(packet.traffic_class & ECT_MASK))
		return;
	if (packet.version == 6) {
		ip[1] |= 0x30;
	} else {
		ip[1] |= ECT_MASK;
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~ones_sum(0, ip, (size_t)(packet.payload - ip)));
	}
	link->network->counters.marked++;
	say(link, "marks", frame);
}

/* When a frame that is given now has left a link of this rate; 0: its queue is full. */
static uint64_t departure(struct link *link, size_t len)
{
	uint64_t now = link->network->events.now, rate = link->terms.bits_per_second;
	uint64_t begins = link->busy_until > now ? link->busy_until : now;

	if (rate == 0)
		return now;
	if ((begins - now) * rate / 8 / NS_PER_SECOND + len > link->terms.queue_bytes)
		return 0;
	link->busy_until = begins + len * 8 * NS_PER_SECOND / rate;
	return link->busy_until;
}

static void put_on_link(struct link *link, uint64_t leaves_at, const struct frame *original)
{
	struct network *network = link->network;
	const struct link_terms *terms = &link->terms;
	struct frame *frame = new_frame(original->bytes, original->len, original->corrupted);
	uint64_t at = leaves_at + terms->delay_ns;

	if (terms->jitter_ns)
		at += prng_below(&network->prng, terms->jitter_ns);
	if (prng_happens(&network->prng, terms->corruption))
		corrupt(link, frame);
	if (prng_happens(&network->prng, terms->marks))
		mark(link, frame);
	if (prng_happens(&network->prng, terms->reordering)) {
		at += prng_below(&network->prng, terms->late_ns + 1);
		network->counters.late++;
	} else {
		at = at > link->last_arrival ? at : link->last_arrival;
		link->last_arrival = at;
	}
	network->in_flight++;
	events_add(&network->events, at, arrive, link, frame);
}

static void link_give(struct link *link, const uint8_t *bytes, size_t len, bool corrupted)
{
	struct network *network = link->network;
	struct frame *frame = new_frame(bytes, len, corrupted);
	uint64_t leaves_at = departure(link, len);

	if (leaves_at == 0) {
		network->counters.dropped++;
		say(link, "queue full", frame);
	} else if (is_out(&link->terms, network->events.now) || prng_happens(&network->prng, link->terms.loss)) {
		network->counters.lost++;
		say(link, "loses", frame);
	} else {
		put_on_link(link, leaves_at, frame);
		if (prng_happens(&network->prng, link->terms.duplication)) {
			network->counters.doubled++;
			put_on_link(link, leaves_at, frame);
		}
	}
	memory_free_own(frame);
}

void node_send(struct node *node, const uint8_t *bytes, size_t len, bool corrupted)
{
	struct network *network = node->subnet->network;

	network->counters.sent++;
	network_say(network, node->name, "sends", node->subnet->ethernet, bytes, len);
	link_give(&node->up, bytes, len, corrupted);
}

/* --- Building ----------------------------------------------------------------------------------------------------- */

static void add_node(struct subnet *subnet, struct node *node, size_t number)
{
	size_t index = (size_t)(subnet - subnet->network->subnets);

	check(subnet->count < NODES_MAX, "too many hosts in a subnet");
	node->subnet = subnet;
	node->up = (struct link){ .network = subnet->network, .node = node, .up = true };
	node->down = (struct link){ .network = subnet->network, .node = node };
	memcpy(node->mac, (uint8_t[]){ 2, 0, 0, 0, (uint8_t)index, (uint8_t)number }, 6);
	memcpy(node->ipv4, (uint8_t[]){ 10, 0, (uint8_t)index, (uint8_t)number }, 4);
	memcpy(node->ipv6, (uint8_t[16]){ 0xfd, 0, 0, (uint8_t)index, [15] = (uint8_t)number }, 16);
	subnet->nodes[subnet->count++] = node;
}

void network_add_subnet(struct network *network, bool ethernet, uint16_t mtu)
{
	struct subnet *subnet = &network->subnets[network->subnet_count++];

	*subnet = (struct subnet){ .network = network, .ethernet = ethernet, .mtu = mtu };
	subnet->router.receive = router_receive;
	subnet->router.context = &subnet->router;
	snprintf(subnet->router.name, sizeof subnet->router.name, "r%zu", network->subnet_count);
	add_node(subnet, &subnet->router, 1);
}

void network_add_host(struct subnet *subnet, struct node *node)
{
	add_node(subnet, node, subnet->count + 1);
}

void network_fini(struct network *network)
{
	check(network->in_flight == 0, "%zu frames are still on their way", network->in_flight);
	events_fini(&network->events);
}
