/* SPDX-License-Identifier: ISC
 *
 * Two connections, joined by a link that loses, delays, reorders, duplicates, corrupts and marks (ECN), and whose MTU
 * shrinks on the way, with a word or without, in virtual time; both users send, read and close at their own random
 *pace. Whatever the seed: each byte arrives once and in order, and the end of a stream is seen if and only if all of it
 *was read; or there is an error. In the end both are CLOSED and all memory is given back.
 *
 *	tcp_simulation            seeds 1 to 1000
 *	tcp_simulation 17         seed 17 alone, with its figures
 *	tcp_simulation 1 100000   many
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>

#include "lib/net/tcp_core.h"
#include "lib/net/tcp_sequence.h"

enum { SEEDS = 1000, PACKETS_MAX = 8192, PACKET_BYTES = 1600, CHUNK = 8192, STEPS_MAX = 3000000 };

static uint64_t first_seed = 1, seed_count = SEEDS, running_seed;

struct random {
	uint64_t state;
};

/* SplitMix64 (Steele, Lea and Flood 2014). */
static uint64_t draw(struct random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t below(struct random *random, uint64_t bound)
{
	return draw(random) % bound;
}

static bool happens(struct random *random, uint64_t per_mille)
{
	return below(random, 1000) < per_mille;
}

struct packet {
	uint64_t arrives_at;
	int to;
	bool congested; /* marked by a router */
	uint16_t
		too_big; /* a router's word about the segment of this side at seq: the path's largest payload; else 0 */
	uint32_t seq;
	size_t len;
	uint8_t bytes[PACKET_BYTES];
};

struct side {
	struct tcp_sink sink;
	struct sim *sim;
	int index;
	struct tcp_connection c;
	struct tcp_config config;
	struct stack_counters counters;
	struct pool pool;
	bool opened, ended, closed; /* the connection exists; its user saw the end, or an error; and let go */
	bool tuned;                 /* NewReno, and keep-alive */
	size_t to_write, written, to_read, read;
	uint64_t acts_at, flush_at, progress_at, pace_ns;
	int error;
};

struct sim {
	struct random random;
	uint64_t now, seed;
	struct side sides[2];
	struct packet *packets[PACKETS_MAX];
	size_t packet_count;
	uint64_t loss, duplication, corruption, reordering; /* per mille */
	uint64_t busy;                                      /* how often the link has no room, per mille */
	uint64_t marks;                                     /* of what may be marked, per mille */
	uint64_t delay_ns, jitter_ns, cut_at;
	uint64_t shrinks_at; /* when packets of more than mtu bytes do not pass any more; FOREVER: never */
	uint16_t mtu;        /* without the IP header */
	bool black_hole;     /* and nobody says so */
	bool harsh;          /* so bad a link that a connection may be given up */
	uint64_t sent, lost;
};

static uint8_t pattern(int side, size_t at)
{
	return (uint8_t)(at * 7 + at / 251 + (size_t)side * 101);
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static void put_packet(struct sim *sim, const struct packet *packet)
{
	struct packet *copy;

	if (happens(&sim->random, sim->loss) || sim->now >= sim->cut_at || sim->packet_count == PACKETS_MAX) {
		sim->lost++;
		return;
	}
	copy = malloc(sizeof *copy);
	*copy = *packet;
	copy->arrives_at = sim->now + sim->delay_ns;
	if (happens(&sim->random, sim->reordering))
		copy->arrives_at += below(&sim->random, sim->jitter_ns + 1);
	if (happens(&sim->random, sim->corruption))
		copy->bytes[below(&sim->random, copy->len)] ^= (uint8_t)(1 + below(&sim->random, 255));
	sim->packets[sim->packet_count++] = copy;
}

static int transmit(struct sim *sim, int to, const struct tcp_segment *segment)
{
	struct packet packet = { .to = to };
	uint16_t sum;

	if (happens(&sim->random, sim->busy))
		return -EAGAIN;
	packet.len = tcp_segment_build(segment, packet.bytes);
	assert_true(packet.len + segment->len <= PACKET_BYTES);
	for (size_t i = 0; i < segment->count; i++) {
		memcpy(packet.bytes + packet.len, segment->pieces[i].data, segment->pieces[i].len);
		packet.len += segment->pieces[i].len;
	}
	packet.congested = segment->ecn_capable && happens(&sim->random, sim->marks);
	if (sim->now >= sim->shrinks_at && packet.len > sim->mtu && !segment->fragmentable) {
		packet = (struct packet){ .to = !to, .seq = segment->seq, .len = 1 };
		packet.too_big = (uint16_t)(sim->mtu - TCP_HEADER);
		sim->sent++;
		if (!sim->black_hole)
			put_packet(sim, &packet);
		return 0;
	}
	sum = checksum(packet.bytes, packet.len);
	packet.bytes[TCP_CHECKSUM_OFFSET] = (uint8_t)(sum >> 8);
	packet.bytes[TCP_CHECKSUM_OFFSET + 1] = (uint8_t)sum;
	sim->sent++;
	put_packet(sim, &packet);
	if (happens(&sim->random, sim->duplication))
		put_packet(sim, &packet);
	return 0;
}

static int side_send(struct tcp_sink *sink, const struct tcp_segment *segment)
{
	struct side *side = (struct side *)(void *)((char *)sink - offsetof(struct side, sink));

	return transmit(side->sim, !side->index, segment);
}

static void check_side(const struct side *side)
{
	const struct tcp_connection *c = &side->c;

	assert_true(c->flight.bytes[TCP_SPAN_LOST] + c->flight.bytes[TCP_SPAN_SACKED] <= c->snd_nxt - c->snd_una);
	assert_false(c->timers[TCP_TIMER_RETRANSMIT] != FOREVER && c->timers[TCP_TIMER_PERSIST] != FOREVER);
	assert_false(tcp_pipe(c) > 0 && c->state != TCP_CLOSED && c->timers[TCP_TIMER_RETRANSMIT] == FOREVER);
	assert_true(c->range_count <= TCP_RANGES_MAX);
	for (uint32_t i = 0; i < c->range_count; i++) {
		assert_true(seq_before(c->ranges[i].begin, c->ranges[i].end));
		assert_true(seq_after(c->ranges[i].begin, i ? c->ranges[i - 1].end : c->rcv_nxt));
	}
	assert_true(side->pool.used_bytes <= side->pool.limit_bytes);
}

static void deliver(struct sim *sim, const struct packet *packet)
{
	struct side *side = &sim->sides[packet->to];
	struct tcp_segment segment, reset;

	if (packet->too_big) {
		if (side->opened && side->c.state != TCP_CLOSED)
			tcp_core_undelivered(&side->c, packet->seq, -EMSGSIZE, packet->too_big, sim->now);
		return;
	}
	if (checksum(packet->bytes, packet->len) != 0 || tcp_segment_parse(packet->bytes, packet->len, &segment) < 0)
		return;
	segment.congested = packet->congested;
	if (!side->opened && tcp_listen_verdict(&segment) == TCP_ACCEPT) {
		tcp_core_accept(&side->c, &side->config, &segment, sim->now);
		if (segment.options.fast_open.present)
			tcp_core_accept_fast(&side->c, &segment, NULL, happens(&sim->random, 700));
		side->opened = true;
	} else if (!side->opened || side->c.state == TCP_CLOSED) {
		if (tcp_segment_refuse(&segment, &reset))
			transmit(sim, !packet->to, &reset);
		return;
	} else {
		tcp_core_input(&side->c, &segment, sim->now);
	}
	if (happens(&sim->random, 700))
		tcp_core_output(&side->c, sim->now);
	if (side->flush_at == FOREVER) /* it may belong to a batch, and a full link has room later */
		side->flush_at = sim->now + below(&sim->random, MSEC(1));
	check_side(side);
}

static void user_reads(struct sim *sim, struct side *side)
{
	uint8_t bytes[CHUNK];
	ssize_t len = tcp_core_read(&side->c, bytes, 1 + below(&sim->random, CHUNK));

	if (len > 0) {
		for (size_t i = 0; i < (size_t)len; i++)
			assert_int_equal(bytes[i], pattern(!side->index, side->read + i));
		side->read += (size_t)len;
		side->progress_at = sim->now;
		assert_true(side->read <= side->to_read);
	} else if (len == 0) {
		assert_int_equal(side->read, side->to_read);
		side->ended = true;
	} else if (len != -EAGAIN) {
		side->error = (int)len;
		side->ended = true;
	}
}

static void user_writes(struct sim *sim, struct side *side)
{
	uint8_t bytes[CHUNK];
	size_t len = below(&sim->random, CHUNK);
	ssize_t taken;

	if (len > side->to_write - side->written)
		len = side->to_write - side->written;
	for (size_t i = 0; i < len; i++)
		bytes[i] = pattern(side->index, side->written + i);
	taken = tcp_core_write(&side->c, bytes, len);
	if (taken > 0)
		side->written += (size_t)taken;
	else if (taken < 0 && taken != -ENOMEM && side->error == 0)
		side->error = (int)taken;
	if (side->written == side->to_write)
		tcp_core_finish(&side->c);
}

static void user_acts(struct sim *sim, struct side *side)
{
	bool idle = sim->now > side->progress_at + SECOND(10);

	side->acts_at = sim->now + 1 + below(&sim->random, idle ? SECOND(10) : side->pace_ns);
	/* Who only reads is not told that the peer has gone: he has a deadline. */
	if (side->opened && sim->now > side->progress_at + SECOND(1000) && !side->ended) {
		tcp_core_abort(&side->c, -ETIMEDOUT);
		side->ended = true;
	}
	if (!side->opened || (!side->c.early && (side->c.state == TCP_SYN_SENT || side->c.state == TCP_SYN_RECEIVED)))
		return;
	if (side->tuned) {
		side->tuned = false;
		side->c.config.tuning.congestion = &tcp_newreno;
		tcp_core_keep_alive(&side->c, SECOND(1) + below(&sim->random, SECOND(100)), SECOND(5), 9);
	}
	if (!side->ended)
		user_reads(sim, side);
	if (side->written < side->to_write || !side->c.fin_queued)
		user_writes(sim, side);
	if (side->ended && (side->written == side->to_write || side->error) && !side->closed) {
		side->closed = true;
		tcp_core_close(&side->c, sim->now);
	}
	if (side->closed)
		side->acts_at = FOREVER;
	tcp_core_output(&side->c, sim->now);
	check_side(side);
}

static uint64_t next_event(const struct sim *sim, size_t *packet)
{
	uint64_t at = FOREVER;

	*packet = PACKETS_MAX;
	for (int i = 0; i < 2; i++) {
		const struct side *side = &sim->sides[i];
		uint64_t deadline = side->opened ? tcp_core_deadline(&side->c) : FOREVER;
		if (side->acts_at < at)
			at = side->acts_at;
		if (deadline < at)
			at = deadline;
		if (side->flush_at < at)
			at = side->flush_at;
	}
	for (size_t i = 0; i < sim->packet_count; i++) {
		if (sim->packets[i]->arrives_at < at) {
			at = sim->packets[i]->arrives_at;
			*packet = i;
		}
	}
	return at;
}

/* One event. false: nothing will ever happen again. */
static bool step(struct sim *sim)
{
	size_t index;
	uint64_t at = next_event(sim, &index);

	if (at == FOREVER)
		return false;
	if (at > sim->now)
		sim->now = at;
	if (index < PACKETS_MAX) {
		struct packet *packet = sim->packets[index];
		sim->packets[index] = sim->packets[--sim->packet_count];
		deliver(sim, packet);
		free(packet);
		return true;
	}
	for (int i = 0; i < 2; i++) {
		struct side *side = &sim->sides[i];
		if (side->opened && tcp_core_deadline(&side->c) <= sim->now) {
			tcp_core_expire(&side->c, sim->now);
			check_side(side);
		}
		if (side->acts_at <= sim->now)
			user_acts(sim, side);
		if (side->flush_at <= sim->now) {
			side->flush_at = FOREVER;
			tcp_core_output(&side->c, sim->now);
			check_side(side);
		}
	}
	return true;
}

static void begin_side(struct sim *sim, int index)
{
	struct side *side = &sim->sides[index];
	struct random *random = &sim->random;

	side->sink.send = side_send;
	side->sim = sim;
	side->flush_at = FOREVER;
	side->progress_at = sim->now;
	side->index = index;
	side->pool.limit_bytes =
		happens(random, 150) ? 10923 + below(random, 10923) : /* three quarters are for data */ 1u << 20;
	side->config = (struct tcp_config){
		.sink = &side->sink,
		.counters = &side->counters,
		.pool = &side->pool,
		.ring_max = 4096u << below(random, 6),
		.iss = (uint32_t)draw(random),
		.timestamp_base = (uint32_t)draw(random),
		.mss = (uint16_t)(100 + below(random, 1361)),
		.ecn = (enum stack_ecn)below(random, 3),
		.tuning = tcp_defaults,
	};
	if (happens(random, 200)) /* the sequence numbers wrap on the way */
		side->config.iss = 0u - (uint32_t)below(random, 100000);
	side->to_write = happens(random, 100) ? 0 : below(random, happens(random, 200) ? 300000 : 30000);
	side->pace_ns = MSEC(1 + below(random, 50));
	side->acts_at = sim->now + below(random, MSEC(100));
	sim->sides[!index].to_read = side->to_write;
}

static void begin(struct sim *sim, uint64_t seed)
{
	static const struct tcp_fast_cookie cookie = { .present = true, .len = 8 };
	struct random *random = &sim->random;
	bool harsh;

	memset(sim, 0, sizeof *sim);
	random->state = sim->seed = seed;
	sim->harsh = harsh = happens(random, 300);
	sim->now = SECOND(1 + below(random, 1u << 20));
	sim->loss = below(random, harsh ? 250 : 50);
	sim->duplication = below(random, harsh ? 200 : 20);
	sim->corruption = below(random, harsh ? 100 : 10);
	sim->reordering = below(random, harsh ? 500 : 100);
	sim->busy = below(random, harsh ? 200 : 20);
	sim->delay_ns = USEC(10 + below(random, 60000));
	sim->jitter_ns = sim->delay_ns * 2;
	sim->marks = happens(random, 300) ? below(random, 200) : 0;
	sim->shrinks_at = happens(random, 200) ? sim->now + below(random, SECOND(3)) : FOREVER;
	sim->black_hole = happens(random, 500);
	sim->mtu = (uint16_t)((uint64_t)TCP_HEADER + (sim->black_hole ? (uint64_t)TCP_MSS_DEFAULT : 50) +
			      below(random, 600));
	sim->cut_at = happens(random, 50) ? sim->now + below(random, SECOND(5)) : FOREVER;
	begin_side(sim, 0);
	begin_side(sim, 1);
	for (int i = 0; i < 2; i++) {
		struct side *side = &sim->sides[i];
		if (i == 0 || happens(random, 100)) { /* sometimes both open at once */
			tcp_core_connect(&side->c, &side->config, sim->now);
			if (happens(random, 300)) { /* RFC 7413 */
				tcp_core_connect_fast(&side->c, &cookie, 0);
				user_writes(sim, side);
			}
			side->opened = true;
		}
		side->c.nodelay = happens(random, 300);
		side->tuned = happens(random, 300);
	}
	for (int i = 0; i < 2; i++)
		tcp_core_output(&sim->sides[i].c, sim->now);
}

static void end_side(struct sim *sim, int index)
{
	struct side *side = &sim->sides[index];
	bool may_fail = sim->harsh || sim->cut_at != FOREVER;

	if (side->opened)
		assert_int_equal(side->c.state, TCP_CLOSED);
	else
		assert_true(may_fail);
	if (!may_fail || (!sim->sides[0].c.error && !sim->sides[1].c.error)) {
		assert_int_equal(side->read, side->to_read);
		assert_int_equal(side->written, side->to_write);
	}
	if (side->opened && !side->ended) /* never, but for a connection that was not made */
		assert_true(may_fail && side->c.error);
	tcp_core_fini(&side->c);
	assert_int_equal(side->pool.used_bytes, 0);
}

static void show(const struct sim *sim)
{
	for (int i = 0; i < 2; i++) {
		const struct side *side = &sim->sides[i];
		const struct tcp_connection *c = &side->c;
		fprintf(stderr,
			"side %d: %s, %zu of %zu read, %zu of %zu written, pipe %u of %u, window %u offered %u, "
			"cwnd %u, mss %u, rto %.3f s, ring %u\n",
			i, tcp_state_names[c->state], side->read, side->to_read, side->written, side->to_write,
			tcp_pipe(c), c->snd_nxt - c->snd_una, c->snd_wnd, c->rcv_edge - c->rcv_nxt, c->cwnd, c->mss,
			(double)c->rto_ns / 1e9, c->tx.len);
	}
}

static void run(uint64_t seed)
{
	static struct sim sim;
	uint64_t began, steps = 0;

	running_seed = seed;
	begin(&sim, seed);
	began = sim.now;
	while (steps++ < STEPS_MAX && step(&sim)) {
		bool over = true;
		for (int i = 0; i < 2; i++)
			over &= sim.sides[i].opened ? sim.sides[i].c.state == TCP_CLOSED &&
							      (sim.sides[i].ended || sim.sides[i].c.error)
						    : sim.sides[!i].opened && sim.sides[!i].c.state == TCP_CLOSED;
		if (over)
			break;
	}
	if (seed_count == 1 || steps >= STEPS_MAX)
		show(&sim);
	assert_true(steps < STEPS_MAX);
	if (seed_count == 1)
		fprintf(stderr, "%llu steps, %.3f s, %llu segments, %llu lost, %zu and %zu bytes, errors %d and %d\n",
			(unsigned long long)steps, (double)(sim.now - began) / 1e9, (unsigned long long)sim.sent,
			(unsigned long long)sim.lost, sim.sides[1].read, sim.sides[0].read, sim.sides[0].error,
			sim.sides[1].error);
	while (sim.packet_count > 0)
		free(sim.packets[--sim.packet_count]);
	end_side(&sim, 0);
	end_side(&sim, 1);
}

static void every_byte_arrives_once_and_in_order_or_an_error_is_reported(void **state)
{
	(void)state;
	for (uint64_t seed = first_seed; seed < first_seed + seed_count; seed++)
		run(seed);
	running_seed = 0;
}

static int name_the_seed_that_failed(void **state)
{
	(void)state;
	if (running_seed)
		fprintf(stderr, "seed %llu fails; to see it again: tcp_simulation %llu\n",
			(unsigned long long)running_seed, (unsigned long long)running_seed);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			every_byte_arrives_once_and_in_order_or_an_error_is_reported, name_the_seed_that_failed),
	};

	if (argc > 1) {
		first_seed = strtoull(argv[1], NULL, 10);
		seed_count = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
