/* SPDX-License-Identifier: ISC
 *
 * The loop of a host around its stack.
 */
#include "host.h"

#include <errno.h>
#include <string.h>

#include "failure.h"
#include "offload.h"

static uint64_t host_now(void *context)
{
	return ((struct host *)context)->network->events.now;
}

static void host_random(void *context, void *buf, size_t len)
{
	struct host *host = context;
	uint8_t *bytes = buf;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)prng_next(&host->random);
}

static struct frame_sender sender_of(const struct host *host)
{
	struct frame_sender sender = { .ethernet = host->node.subnet->ethernet, .mtu = host->node.subnet->mtu };

	memcpy(sender.mac, host->node.mac, 6);
	memcpy(sender.ipv4, host->node.ipv4, 4);
	memcpy(sender.ipv6, host->node.ipv6, 16);
	return sender;
}

/* The IP packet in a frame: false if there is none. */
static bool host_packet(const struct host *host, uint8_t *frame, size_t len, struct packet *packet)
{
	size_t before = host->node.subnet->ethernet ? ETHERNET_HEADER : 0;

	return !(before && get16(frame + 12) == TYPE_ARP) && !packet_parse(frame + before, len - before, packet);
}

/* A frame as it goes on the wire. */
static void put_on_wire(void *context, uint8_t *frame, size_t len)
{
	struct host *host = context;
	struct frame_sender sender = sender_of(host);
	const char *fault = frame_fault(&sender, frame, len);
	struct packet packet;

	if (!fault && host_packet(host, frame, len, &packet))
		fault = segment_judge_sent(&host->judge, &packet);
	if (fault)
		network_say(host->network, host->node.name, "FAULT", sender.ethernet, frame, len);
	check(!fault, "%s sends %s", host->node.name, fault);
	node_send(&host->node, frame, len, false);
}

static int host_send(
	void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	static uint8_t frame[LARGE_FRAME_MAX];
	struct host *host = context;
	bool ethernet = host->node.subnet->ethernet;
	const char *fault;
	size_t len = 0;

	check(count >= 1 && count <= PLATFORM_PIECES, "%s sends a frame of %zu pieces", host->node.name, count);
	for (size_t i = 0; i < count; i++) {
		check(pieces[i].len <= sizeof frame - len, "%s sends a frame that is too large", host->node.name);
		if (pieces[i].len)
			memcpy(frame + len, pieces[i].data, pieces[i].len);
		len += pieces[i].len;
	}
	fault = offload_fault(host->features, ethernet, frame, len, meta);
	check(!fault, "%s sends %s", host->node.name, fault);
	if (prng_happens(&host->network->prng, host->busy))
		return -EAGAIN;
	host->frames_out++;
	host->bytes_out += len;
	offload_send(ethernet, frame, len, meta, put_on_wire, host);
	return 0;
}

/* --- Turns -------------------------------------------------------------------------------------------------------- */

static void take_turn(void *context, void *argument);

static void turn_by(struct host *host, uint64_t at)
{
	if (at >= host->turn_at)
		return;
	host->turn_at = at;
	events_add(&host->network->events, at, take_turn, host, NULL);
}

static uint64_t act_all(struct host *host)
{
	uint64_t now = host->network->events.now, next = NEVER;

	for (struct user *user = host->users; user; user = user->next) {
		if (user->wakes_at <= now || (user->eager && user->wakes_at != NEVER))
			user->act(user, now);
		if (user->wakes_at < next)
			next = user->wakes_at;
	}
	return next;
}

/* Events whose turn came earlier, for another reason, find nothing to do. */
static void take_turn(void *context, void *argument)
{
	struct host *host = context;
	uint64_t now = host->network->events.now, deadline, users;

	(void)argument;
	if (!host->stack || now < host->turn_at)
		return;
	host->turn_at = NEVER;
	(void)stack_advance(host->stack);
	users = act_all(host);
	deadline = stack_advance(host->stack);
	check(deadline == stack_deadline(host->stack), "%s: two deadlines", host->node.name);
	/* A loop takes time, so that it cannot stand still in virtual time. */
	turn_by(host, deadline > now ? deadline : now + 1);
	turn_by(host, users > now ? users : now + 1);
}

/* Some links have verified the checksum, or a sender on the same machine has never made it. */
static void give(struct host *host, const struct frame *frame)
{
	static uint8_t copy[FRAME_BYTES_MAX];
	struct platform_net_meta meta = { 0 };
	struct packet packet;

	memcpy(copy, frame->bytes, frame->len);
	/* What is corrupted may still be sound: IPv6 has no checksum of its header. */
	if (host_packet(host, copy, frame->len, &packet) && (!frame->corrupted || packet_sums_up(&packet)))
		segment_judge_received(&host->judge, &packet);
	if (host->features && !frame->corrupted && prng_below(&host->network->prng, 2))
		meta.checksum_verified = true;
	else if (host->features && !frame->corrupted)
		(void)offload_leave(host->node.subnet->ethernet, copy, frame->len, &meta);
	stack_receive(host->stack, copy, frame->len, &meta);
}

/* With a trace: what the stack drops, and why. */
static void give_and_say(struct host *host, const struct frame *frame)
{
	struct stack_counters before, after;

	stack_counters(host->stack, &before);
	give(host, frame);
	stack_counters(host->stack, &after);
	for (enum stack_drop reason = 0; reason < DROP_REASONS; reason++)
		if (after.drops[reason] > before.drops[reason])
			network_say(host->network, host->node.name, stack_drop_name(reason),
				host->node.subnet->ethernet, frame->bytes, frame->len);
}

static void host_receive(void *context, const struct frame *frame)
{
	struct host *host = context;

	if (!host->stack)
		return;
	host->frames_in++;
	host->bytes_in += frame->len;
	if (host->network->verbose)
		give_and_say(host, frame);
	else
		give(host, frame);
	turn_by(host, host->network->events.now + prng_below(&host->network->prng, host->reaction_ns + 1));
}

void host_wake(struct host *host)
{
	turn_by(host, host->network->events.now);
}

void host_add_user(struct host *host, struct user *user)
{
	user->next = host->users;
	host->users = user;
	turn_by(host, user->wakes_at);
}

/* --- From the first to the last ----------------------------------------------------------------------------------- */

void host_open(struct host *host, struct subnet *subnet, const struct host_terms *terms)
{
	struct network *network = subnet->network;
	struct stack_environment environment = {
		.send = host_send,
		.now = host_now,
		.random = host_random,
		.context = host,
		.kind = subnet->ethernet ? STACK_LINK_ETHERNET : STACK_LINK_IP,
		.mtu = subnet->mtu,
		.features = terms->features,
		.memory_bytes = terms->memory_bytes,
	};
	struct stack_config config = { .ipv4 = { .prefix_len = 24, .set = true }, .ecn = terms->ecn };
	int err;

	host->network = network;
	host->random.state = prng_next(&network->prng);
	host->turn_at = network->events.now;
	host->reaction_ns = terms->reaction_ns;
	host->busy = terms->busy;
	host->ipv6 = terms->ipv6;
	host->features = terms->features;
	host->node.receive = host_receive;
	host->node.context = host;
	network_add_host(subnet, &host->node);
	memcpy(environment.mac, host->node.mac, 6);
	memcpy(config.ipv4.address, host->node.ipv4, 4);
	config.gateway = config.ipv4;
	memcpy(config.gateway.address, subnet->router.ipv4, 4);
	if (terms->ipv6) {
		config.ipv6 = &stack_ipv6;
		config.ipv6_address = (struct key_ipv6){ .prefix_len = 64, .set = true };
		config.ipv6_gateway = (struct key_ipv6){ .prefix_len = 128, .set = true };
		memcpy(config.ipv6_address.address, host->node.ipv6, 16);
		memcpy(config.ipv6_gateway.address, subnet->router.ipv6, 16);
	}
	err = stack_embed(&environment, &config, &host->stack);
	check(err == 0, "%s: the stack does not open: %s", host->node.name, strerror(-err));
	host->turn_at = NEVER;
	host_wake(host);
}

/* What nobody but a link that corrupts can be the cause of. */
static void check_damage(const struct host *host, const struct stack_counters *counters)
{
	static const enum stack_drop damages[] = { DROP_LINK_HEADER, DROP_ARP_HEADER, DROP_IP_HEADER, DROP_IP_CHECKSUM,
		DROP_IP_OPTIONS, DROP_IP_FRAGMENT, DROP_IP6_HEADER, DROP_IP6_EXTENSION, DROP_IP6_FRAGMENT,
		DROP_ICMP_HEADER, DROP_ICMP_CHECKSUM, DROP_ICMP6_HEADER, DROP_ICMP6_CHECKSUM, DROP_ICMP6_DISCOVERY,
		DROP_UDP_HEADER, DROP_UDP_CHECKSUM, DROP_TCP_HEADER, DROP_TCP_CHECKSUM };

	for (size_t i = 0; i < sizeof damages / sizeof *damages; i++)
		check(counters->drops[damages[i]] == 0, "%s finds damage where there is none: %llu %s", host->node.name,
			(unsigned long long)counters->drops[damages[i]], stack_drop_name(damages[i]));
}

static void check_counters(const struct host *host)
{
	struct stack_counters counters;
	const char *name = host->node.name;

	stack_counters(host->stack, &counters);
	check(counters.IfInPkts == host->frames_in && counters.IfInOctets == host->bytes_in,
		"%s counts %llu frames in, of %llu", name, (unsigned long long)counters.IfInPkts,
		(unsigned long long)host->frames_in);
	check(counters.IfOutPkts == host->frames_out && counters.IfOutOctets == host->bytes_out,
		"%s counts %llu frames out, of %llu", name, (unsigned long long)counters.IfOutPkts,
		(unsigned long long)host->frames_out);
	check(counters.IpInReceives + counters.Ip6InReceives <= counters.IfInPkts, "%s counts more packets than frames",
		name);
	if (host->network->counters.corrupted == 0)
		check_damage(host, &counters);
}

void host_close(struct host *host)
{
	struct stack *stack = host->stack;

	check_counters(host);
	stack_close(stack);
	segment_judge_fini(&host->judge);
	host->stack = NULL;
}

struct ip_endpoint host_endpoint(const struct host *host, bool ipv6, uint16_t port)
{
	struct ip_endpoint endpoint = { .port = port };

	if (ipv6)
		memcpy(endpoint.address.bytes, host->node.ipv6, 16);
	else
		endpoint.address = ip_from_v4(host->node.ipv4);
	return endpoint;
}
