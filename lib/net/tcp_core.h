/* SPDX-License-Identifier: ISC
 *
 * One TCP connection as a pure machine: (state, segment or timer, now) -> (state, segments, deadline).
 *
 * Theory of operation
 * -------------------
 * The machine reads no clock, draws no random number, and knows no address, task or device: its owner hands those in.
 * It is told of segments (tcp_core_input), of time (tcp_core_expire) and of the user (tcp_core_write, _read, _finish,
 * _close, _abort). None of these sends ordinary segments at once: they note what is due, and tcp_core_output sends it
 * all. So the owner handles a batch of segments and then acknowledges once (RFC 9293, MUST-58 and MUST-59). What must
 * not be merged goes out at once: resets, and the duplicate acknowledgements of RFC 5681, 4.2, which the peer counts.
 * Segments leave through the sink. When the sink has no room (-EAGAIN) nothing has changed, and output tries again.
 *
 * The state machine is RFC 9293, 3.10.7, in tcp_input.c; LISTEN and CLOSED have no connection: tcp_listen_verdict and
 * tcp_segment_refuse answer for them. What to send and when is tcp_output.c (3.8.6, RFC 7323, RFC 2018); the timers
 * tcp_timer.c (RFC 6298, persist, TIME-WAIT); what is lost tcp_recovery.c (RFC 6675, 8985, 6582, 9937, 4015); how much
 * may be in flight tcp_congestion.c (RFC 5681, 6928) and tcp_cubic.c (RFC 9438); how large segments may be tcp_path.c
 * (RFC 1191, 4821); text with the SYN tcp_early.c (RFC 7413).
 *
 * Sequence space of what we send: the ring holds the stream's bytes from tx_begin on.
 *
 *	iss: SYN | snd_una ... acknowledged up to here
 *	         | tx_begin = snd_una once the SYN is acknowledged
 *	         | snd_nxt: the next to send for the first time
 *	         | tx_begin + tx.len + lent_bytes: FIN, if fin_queued
 *
 * Of what lies between snd_una and snd_nxt, `flight` knows when it was sent and what became of it. Bytes "in the pipe"
 * (RFC 6675) are those that are neither lost nor known to have arrived; the congestion window limits them.
 *
 * What we receive: the ring's queue are the bytes up to rcv_nxt that the user has not read; bytes beyond rcv_nxt wait
 * in place, and `ranges` says which, in order and disjoint, none touching rcv_nxt. rcv_edge is the right edge of the
 * window that the peer was last told; it never moves left.
 *
 * Invariants: snd_una <= snd_nxt; the retransmission timer runs whenever anything is in the pipe; it and the persist
 * timer never run together; CLOSED holds no memory but what the user may still read.
 *
 * Costs of the hot path, per segment: received in order, one copy into the ring, no allocation (the ring has memory
 * while data flows), no system call of its own. Sent: no copy (header and two pieces of the ring are gathered by the
 * link) and no allocation (the ring has memory, and a flight without losses fits its own few spans or has memory); the
 * user's write copies once into the ring.
 */
#ifndef NET_TCP_CORE_H
#define NET_TCP_CORE_H

#include <sys/types.h>

#include <skerry/clock.h>
#include <skerry/tcp.h>

#include "ring.h"
#include "tcp_flight.h"
#include "tcp_segment.h"

/* All limits and times of TCP. Where an RFC and Linux differ, this is Linux's choice; the RFC's is named, and struct
 * tcp_tuning switches to it. */
enum {
	/* 256 KiB each way fill 40 Mbit/s at 50 ms, and 2 Gbit/s at the 1 ms of a data centre; a heap of 16 MiB bears
	 * a dozen such flows before the pool makes their windows smaller. */
	TCP_RING_MAX = 256 * 1024,
	/* Runs of bytes beyond rcv_nxt that are remembered: every other segment of 128 bytes of the largest window. */
	TCP_RANGES_MAX = 1024,
	TCP_RANGES_FIRST = 16,     /* what the first of them takes memory for */
	TCP_MSS_DEFAULT = 536,     /* IPv4's, when the peer's SYN does not say (MUST-15) */
	TCP_MSS_DEFAULT_6 = 1220,  /* IPv6's */
	TCP_IP_HEADERS = 40,       /* IPv4's and TCP's, without options: the MTU less this is the MSS (RFC 6691) */
	TCP_IP_HEADERS_6 = 60,     /* IPv6's */
	TCP_MSS_MIN = 64,          /* a peer that asks for less would have us send headers */
	TCP_MSS_PATH_MIN = 512,    /* the least that ICMP may bring us to: a path of 552 bytes (RFC 1191) */
	TCP_MSS_PROBE = 1024,      /* what is tried first when nothing large gets through, as in Linux */
	TCP_PATH_STEP = 8,         /* the search for a path's MTU ends when it is known up to this, as in Linux */
	TCP_BLACK_HOLE = 3,        /* time-outs in a row that make us think so */
	TCP_QUICK_SEGMENTS = 16,   /* acknowledged at once, as in Linux, so that the peer's slow start is not slowed */
	TCP_COOKIE_WINDOW = 32768, /* offered with a SYN cookie */
	TCP_SHIFT_MAX = 14,        /* RFC 7323, 2.3 */
	TCP_DUPLICATES = 3,        /* acknowledgements that start fast retransmit (RFC 5681, 3.2) */
	TCP_REORDERINGS = 16,      /* recoveries for which a wider reordering window is kept (RFC 8985, 6.2) */
	TCP_INITIAL_SEGMENTS = 10, /* the initial window: RFC 6928 */
	TCP_CHALLENGES_MAX = 10    /* challenge ACKs in TCP_CHALLENGE_NS (RFC 5961, 7) */
};
#define TCP_RTO_INITIAL_NS   SECOND(1)  /* RFC 6298, 2.1 */
#define TCP_RTO_SYN_LOST_NS  SECOND(3)  /* RFC 6298, 5.7 */
#define TCP_RTO_MIN_NS       MSEC(200)  /* Linux; RFC 6298, 2.4 says 1 s */
#define TCP_RTO_MAX_NS       SECOND(60) /* RFC 6298, 2.5 */
#define TCP_GRANULARITY_NS   MSEC(1)    /* G of RFC 6298: how late a timer may fire */
#define TCP_DELAYED_ACK_NS   MSEC(40)   /* Linux; RFC 9293, 3.8.6.3 says less than 500 ms */
#define TCP_DELAYED_ACK_MAX  MSEC(500)
#define TCP_OVERRIDE_NS      MSEC(200)   /* sender's silly window avoidance: RFC 9293, 3.8.6.2.1 says 0.1 to 1 s */
#define TCP_TIME_WAIT_NS     SECOND(60)  /* 2 MSL; RFC 9293 takes 2 min as MSL, Linux 30 s */
#define TCP_FIN_WAIT_2_NS    SECOND(60)  /* of a connection that nobody holds any more */
#define TCP_PATIENCE_NS      SECOND(300) /* without progress until we give up: R2 (MUST-20, SHLD-11: 100 s or more) */
#define TCP_PATIENCE_SYN_NS  SECOND(180) /* R2 of our SYN (MUST-23) */
#define TCP_PATIENCE_HALF_NS SECOND(60)  /* of the SYN,ACK to a peer that we owe nothing */
#define TCP_PATIENCE_LAST_NS SECOND(100) /* of a connection that nobody holds any more */
#define TCP_CHALLENGE_NS     SECOND(5)
#define TCP_PROBE_SLACK_NS   MSEC(2)     /* Linux's allowance for late timers in the tail loss probe's time-out */
#define TCP_PROBE_DELAY_NS   MSEC(200)   /* the most that a peer delays the ACK of a single segment (RFC 8985, 7.2) */
#define TCP_MIN_RTT_NS       SECOND(300) /* how long the least round-trip time counts */
#define TCP_PATH_NS          SECOND(600) /* until a path that carried little is tried anew (RFC 1191, 6.3) */
#define TCP_PAWS_STALE_NS    (SECOND(86400) * 24) /* RFC 7323, 5.5 */

enum tcp_state {
	TCP_CLOSED,
	TCP_LISTEN,
	TCP_SYN_SENT,
	TCP_SYN_RECEIVED,
	TCP_ESTABLISHED,
	TCP_FIN_WAIT_1,
	TCP_FIN_WAIT_2,
	TCP_CLOSE_WAIT,
	TCP_CLOSING,
	TCP_LAST_ACK,
	TCP_TIME_WAIT,
	TCP_STATES,
};
extern const char *const tcp_state_names[TCP_STATES];

enum tcp_timer {
	TCP_TIMER_RETRANSMIT,
	TCP_TIMER_PROBE,   /* tail loss probe */
	TCP_TIMER_REORDER, /* what may be lost or late is lost */
	TCP_TIMER_PERSIST, /* probes a closed window; overrides silly window avoidance */
	TCP_TIMER_DELAYED_ACK,
	TCP_TIMER_KEEPALIVE,
	TCP_TIMER_LINGER, /* TIME-WAIT; FIN-WAIT-2 of a connection that nobody holds */
	TCP_TIMERS,
};

enum tcp_loss_state {
	TCP_LOSS_NONE,
	TCP_LOSS_TIMEOUT,  /* slow start after a time-out, until all that was sent before it is acknowledged */
	TCP_LOSS_MARKED,   /* the window falls to ssthresh, proportionally, as ECN asks; nothing was lost */
	TCP_LOSS_RECOVERY, /* it does because of losses: fast recovery */
};

struct tcp_connection;

/* A congestion control: how the window grows when it is used, and falls. The window is tcp_connection.cwnd. */
struct tcp_congestion {
	const char *name;
	/* acked bytes are acknowledged in order, outside of recovery, and the window was used. */
	void (*acked)(struct tcp_connection *c, uint32_t acked, uint64_t now);
	/* Congestion: the new ssthresh, from the bytes that were in flight. */
	uint32_t (*reduced)(struct tcp_connection *c, uint32_t flight);
};

/* CUBIC's memory: RFC 9438, 4.1. */
struct tcp_cubic_state {
	uint64_t epoch_at; /* congestion avoidance began; 0: not yet */
	uint32_t k_ms, w_max, w_est, w_before;
};

/* Where segments go. The core leaves the ports 0. 0; -EAGAIN: no room, the core will try again; any other error is
 * taken like a loss, and -ENETUNREACH or -EHOSTUNREACH ends an attempt to connect. */
struct tcp_sink {
	int (*send)(struct tcp_sink *sink, const struct tcp_segment *segment);
};

struct tcp_config {
	struct tcp_sink *sink; /* borrowed for the connection's life, as are counters and pool */
	struct stack_counters *counters;
	struct pool *pool;
	uint32_t ring_max;        /* of each ring: a power of two; 0: TCP_RING_MAX */
	uint32_t iss;             /* initial sequence number (RFC 6528) */
	uint32_t timestamp_base;  /* what our timestamps add to the clock: unpredictable, one for each peer */
	enum stack_ecn ecn;       /* explicit congestion notification (RFC 3168): as Linux, if the peer asks */
	uint32_t burst_bytes;     /* largest payload that the link cuts into segments; 0: none */
	uint16_t mss;             /* largest payload without options: the MTU less 40 (IPv4) or 60 (IPv6) */
	struct tcp_tuning tuning; /* nothing in it is left to be a default: begin with tcp_defaults */
	bool ipv6;                /* the peer's MSS is TCP_MSS_DEFAULT_6 if it says none, and no path has less */
};

/* Linux's choices. */
extern const struct tcp_tuning tcp_defaults;

struct tcp_connection {
	/* What most segments touch stands first: x86 encodes offsets below 128 in one byte, and images are small for
	 * it. */
	enum tcp_state state;
	enum tcp_loss_state loss;
	uint32_t snd_una, snd_nxt; /* RFC 9293, 3.3.1 */
	uint32_t snd_wnd;          /* the peer's window, in bytes */
	uint32_t snd_wl1, snd_wl2;
	uint32_t tx_begin;
	uint32_t rcv_nxt, rcv_edge;
	uint32_t cwnd, ssthresh; /* congestion, in bytes */
	uint16_t mss;            /* largest payload of a segment to the peer, options taken off */
	/* With options: what the peer takes, what the path carries, and what it may carry yet: tcp_path.c. */
	uint16_t peer_mss, path_mss, path_high;
	bool ack_now;
	bool window_scaling, timestamps, sack; /* agreed on; on an active open's SYN: offered */
	/* RFC 3168: agreed on; ECE is due in each ACK; CWR in the next new segment. */
	bool ecn, ecn_echo, ecn_reduced;
	bool fin_queued;            /* we send FIN after the ring's last byte */
	bool fin_received;          /* and all before it */
	bool fin_held;              /* the peer's FIN has come, at fin_seq: maybe before the bytes in front of it */
	bool syn_due, syn_resent;   /* our SYN is to be sent (again); was sent twice */
	bool probing, probe_resent; /* a tail loss probe is out; it was no new data */
	bool path_top;              /* what is probed next of the path is path_high itself */
	bool fragmentable;          /* the path carries so little that it may cut our packets */
	bool active;                /* we opened it: where SYN-RECEIVED goes back to (MUST-11) */
	bool nodelay;               /* Nagle's algorithm is off */
	bool orphan;                /* the user has closed: nobody will read */
	bool blocked;               /* the sink had no room: output is due */
	bool fast;                  /* fast_open stands in our SYN: tcp_early.c */
	bool early;                 /* data is exchanged before the handshake is over: RFC 7413 */
	bool urgent;                /* the peer has said that bytes up to urgent_end are: RFC 9293, 3.8.5 */
	uint8_t timeouts;           /* in a row: nothing new was acknowledged since */
	uint8_t quick;              /* full segments that are still acknowledged one by one */
	uint8_t snd_shift, rcv_shift;
	uint64_t srtt_ns, rto_ns;    /* RFC 6298: 0 if there is no sample yet; with its backoff */
	uint64_t timers[TCP_TIMERS]; /* FOREVER: off */

	/* Sending */
	struct tcp_flight flight;
	struct ring tx;
	struct tcp_loan *lent; /* what of the stream lies in the user's memory, in order: tcp_lend.c. NULL: nothing */
	uint32_t lent_bytes;
	uint32_t snd_wnd_max;             /* the largest window that the peer ever offered */
	struct tcp_range path_probe;      /* in flight, to see whether it arrives; empty: none */
	uint64_t path_until;              /* when the path is to be tried anew */
	struct tcp_fast_cookie fast_open; /* to be sent; after the answer of an active open's SYN, the one received */

	/* Receiving */
	struct ring rx;
	uint32_t irs, fin_seq, urgent_end;
	struct tcp_range *ranges; /* range_room of them, allocated while there is one */
	uint32_t range_count, range_room;
	struct tcp_range recent[TCP_SACK_BLOCKS]; /* of the ranges, those that grew last, the latest first */
	uint8_t recent_count;
	uint32_t unacknowledged; /* bytes received since our last ACK */
	uint32_t segment_seen;   /* the peer's largest segment: what "every second full segment" counts in */
	struct tcp_range twice;  /* what came twice, to be reported: RFC 2883. Empty: nothing */
	uint32_t timestamp_recent, last_ack_sent; /* RFC 7323, 4.3 */
	uint64_t timestamp_recent_at;

	/* Round-trip time: RFC 6298 */
	uint64_t rttvar_ns;
	uint32_t rtt_seq;        /* the next sample: when this is acknowledged, once a round trip */
	uint32_t loss_timestamp; /* our timestamp when the latest loss was noticed */

	/* Congestion, in bytes */
	uint32_t flight_sent; /* how much was in flight after we last sent: what of the window is used */
	uint32_t cwnd_acked;  /* towards the next step of NewReno */
	struct tcp_cubic_state cubic;

	/* Loss: tcp_recovery.c */
	uint32_t recover;                              /* SND.NXT when it began: its end */
	uint32_t prr_delivered, prr_sent, prr_flight;  /* RFC 9937 */
	uint32_t undo_cwnd, undo_ssthresh, undo_stamp; /* before it began; our timestamp of the first retransmission */
	uint32_t undo_una, undo_bytes; /* SND.UNA then; of what was retransmitted since, not yet reported as needless */
	struct tcp_cubic_state undo_cubic;
	bool undo_ready;                                /* something was retransmitted, at undo_stamp */
	uint64_t rack_sent_at, rack_rtt_ns, min_rtt_ns; /* RFC 8985, 5.2 */
	uint64_t min_rtt_at;
	uint32_t rack_end;
	bool reordering;                        /* was seen */
	uint8_t reorder_steps, reorder_persist; /* the window in quarters of min_rtt, less one; for how long */
	uint32_t reorder_round;                 /* no more than one step until this is acknowledged */
	uint32_t probe_end;

	uint64_t persist_ns;  /* the next probe's distance; 0: not probing */
	uint64_t progress_at; /* snd_una moved, or first sent when all was acknowledged or the window closed */
	uint64_t heard_at;    /* the peer acknowledged anything */
	uint64_t sent_at;     /* the last data segment */
	uint64_t challenge_at;
	uint32_t challenge_count;
	uint32_t retransmissions; /* segments */
	uint8_t keepalive_sent;
	int error;      /* why it is CLOSED: 0 in good order, else a negative errno */
	int soft_error; /* the latest that did not end it: reported if it gives up (RFC 9293, 3.9.2.2) */
	struct tcp_config config;
};

/* Opens. tcp_core_output then sends the SYN (active), or the SYN,ACK that answers this SYN (passive). The connection
 * is the caller's memory; tcp_core_fini frees what it holds. */
void tcp_core_connect(struct tcp_connection *c, const struct tcp_config *config, uint64_t now);
void tcp_core_accept(
	struct tcp_connection *c, const struct tcp_config *config, const struct tcp_segment *syn, uint64_t now);
/* As accept, when the SYN,ACK was a cookie, and its ACK is the next input: syn is what the cookie remembers. */
void tcp_core_accept_cookie(
	struct tcp_connection *c, const struct tcp_config *config, const struct tcp_segment *syn, uint64_t now);
void tcp_core_fini(struct tcp_connection *c);

/* Fast Open (RFC 7413), tcp_early.c. After connect, before anything is sent: the SYN asks for a cookie, or, if it is
 * not empty, has this one, and what is written before the handshake is over is sent with the SYN, as far as it fits;
 * peer_mss is the peer's, if it is known, else 0. */
void tcp_core_connect_fast(struct tcp_connection *c, const struct tcp_fast_cookie *cookie, uint16_t peer_mss);
/* After accept, before anything is sent: the SYN,ACK grants this cookie (NULL: none); with text, the SYN's is taken and
 * the user may read and write before the handshake is over. Whether it was. */
bool tcp_core_accept_fast(
	struct tcp_connection *c, const struct tcp_segment *syn, const struct tcp_fast_cookie *cookie, bool text);

/* What LISTEN does with a segment (RFC 9293, 3.10.7.2). */
enum tcp_verdict { TCP_IGNORE, TCP_REFUSE, TCP_ACCEPT };
enum tcp_verdict tcp_listen_verdict(const struct tcp_segment *segment);

/* Whether this SYN may take the place of a connection in TIME-WAIT (RFC 9293, MAY-2; RFC 6191). */
bool tcp_core_replaceable(const struct tcp_connection *c, const struct tcp_segment *syn);

/* A segment came for the connection, which is not CLOSED. The segment is trimmed in place. */
void tcp_core_input(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now);

/* Sends all that is due. Call it after a batch of input, after each call of the user's below, and when the sink has
 * room again. */
void tcp_core_output(struct tcp_connection *c, uint64_t now);

/* When tcp_core_expire must be called, or FOREVER; and what it does: all that is due by now, output included. */
uint64_t tcp_core_deadline(const struct tcp_connection *c);
void tcp_core_expire(struct tcp_connection *c, uint64_t now);

/* ICMP says that what began at seq was not delivered: -ECONNREFUSED, -EHOSTUNREACH, -ENETUNREACH, or -EMSGSIZE with
 * the path's largest payload. Believed only for what is in flight (RFC 5927); ends no connection that is established.
 */
void tcp_core_undelivered(struct tcp_connection *c, uint32_t seq, int error, uint16_t mss, uint64_t now);

/* Appends to the stream: how many bytes were taken (0: no room now); -EPIPE after tcp_core_finish, -ENOMEM, the
 * connection's error. */
ssize_t tcp_core_write(struct tcp_connection *c, const void *bytes, size_t len);
/* Whether a blocked writer should be woken: a quarter of the ring is free, or it would get an error. */
bool tcp_core_writable(const struct tcp_connection *c);

/* Appends the loan's bytes where they lie: 0, or tcp_core_write's errors; -EAGAIN: too much is lent. Of the loan, only
 * next and begin are used here. */
int tcp_core_lend(struct tcp_connection *c, struct tcp_loan *loan);

/* Takes up to size bytes: how many; 0: the peer has ended its stream; -EAGAIN: nothing is there; the connection's
 * error. */
ssize_t tcp_core_read(struct tcp_connection *c, void *buf, size_t size);
bool tcp_core_readable(const struct tcp_connection *c);

/* How many of the bytes that the user will read next are urgent, come or not: up to where the peer says. */
uint32_t tcp_core_urgent(const struct tcp_connection *c);
/* After bytes were consumed of rx directly. */
void tcp_core_taken(struct tcp_connection *c);

/* Keep-alive (RFC 9293, 3.8.4): after idle_ns of silence, this many probes, so far apart; idle_ns 0: none. */
void tcp_core_keep_alive(struct tcp_connection *c, uint64_t idle_ns, uint64_t interval_ns, unsigned probes);

/* Ends our stream (FIN): 0 or -ENOTCONN. */
int tcp_core_finish(struct tcp_connection *c);

/* The user lets go: what was written is still delivered, unless something was not read, which resets. */
void tcp_core_close(struct tcp_connection *c, uint64_t now);

/* Resets: the peer is told if it knows of the connection. */
void tcp_core_abort(struct tcp_connection *c, int error);

/* --- Between the core's files ------------------------------------------------------------------------------------- */

/* Nothing else becomes of a segment. */
static inline void tcp_drop(const struct tcp_connection *c, enum stack_drop reason)
{
	c->config.counters->drops[reason]++;
}

/* tcp_core.c */
uint8_t tcp_shift_for(uint32_t ring_bytes);
void tcp_set_state(struct tcp_connection *c, enum tcp_state state, uint64_t now);
void tcp_fail(struct tcp_connection *c, int error);
int tcp_may_write(const struct tcp_connection *c); /* 0, -EPIPE, or the connection's error */
void tcp_learn_options(struct tcp_connection *c, const struct tcp_segment *syn, uint64_t now);
static inline uint32_t tcp_queued(const struct tcp_connection *c)
{
	return c->tx.len + c->lent_bytes;
}
static inline uint32_t tcp_send_end(const struct tcp_connection *c)
{
	return c->tx_begin + tcp_queued(c) + (c->fin_queued ? 1 : 0);
}
static inline uint16_t tcp_mss_default(const struct tcp_connection *c)
{
	return c->config.ipv6 ? TCP_MSS_DEFAULT_6 : TCP_MSS_DEFAULT;
}
static inline bool tcp_is_synchronized(enum tcp_state state)
{
	return state >= TCP_ESTABLISHED;
}

/* tcp_reassembly.c: the payload into the ring, in place. Whether it is held (or already was); rcv_nxt has moved on if
 * it closed the gap. */
bool tcp_reassemble(struct tcp_connection *c, const struct tcp_segment *segment);
uint8_t tcp_report_ranges(const struct tcp_connection *c, struct tcp_range *blocks, uint8_t max);
void tcp_forget_ranges(struct tcp_connection *c);

/* tcp_lend.c: only tcp_core_lend(), and with it these, lets there be loans. */
/* The pieces of up to len bytes of the stream, offset after tx_begin: how many bytes fit two pieces. */
__attribute__((weak)) uint32_t tcp_lent_pieces(
	const struct tcp_connection *c, uint32_t offset, uint32_t len, struct tcp_segment *segment);
/* The first len bytes of the stream, from tx_begin on, are acknowledged. */
__attribute__((weak)) void tcp_lent_consume(struct tcp_connection *c, uint32_t len);
__attribute__((weak)) void tcp_lent_release(struct tcp_connection *c);

/* tcp_output.c */
/* Hands a segment to the sink, acknowledgement, window and timestamps filled in. */
int tcp_transmit_segment(struct tcp_connection *c, struct tcp_segment *segment, uint64_t now);
int tcp_send_ack(struct tcp_connection *c, uint64_t now);
uint32_t tcp_empty_seq(const struct tcp_connection *c);
void tcp_send_reset(struct tcp_connection *c, uint32_t seq);
/* Sends one segment of up to len bytes of sequence space from seq on, window and congestion not asked. */
int tcp_send_range(struct tcp_connection *c, uint32_t seq, uint32_t len, uint64_t now);
uint32_t tcp_timestamp(const struct tcp_connection *c, uint64_t now);
bool tcp_window_should_grow(const struct tcp_connection *c);

/* tcp_timer.c */
void tcp_rtt_sample(struct tcp_connection *c, uint64_t rtt_ns);
void tcp_give_up(struct tcp_connection *c);
void tcp_rto_without_backoff(struct tcp_connection *c);
void tcp_rto_back_off(struct tcp_connection *c);
uint64_t tcp_patience_ns(const struct tcp_connection *c);

/* tcp_keepalive.c: only who tunes, and with it has this, sets the timer. */
__attribute__((weak)) void tcp_keepalive_timeout(struct tcp_connection *c, uint64_t now);

/* tcp_early.c: only who asks for Fast Open, by the two calls above, has this. Our SYN's option and text; the SYN,ACK
 * that answers it. */
__attribute__((weak)) void tcp_early_syn(struct tcp_connection *c, struct tcp_segment *syn);
__attribute__((weak)) void tcp_early_answer(struct tcp_connection *c, const struct tcp_segment *syn_ack, uint64_t now);

/* tcp_urgent.c: only who asks for urgent data, by tcp_core_urgent(), has this. The peer says that bytes up to end are
 * urgent; text has come, and what was urgent may lie behind. */
__attribute__((weak)) void tcp_urgent_input(struct tcp_connection *c, uint32_t end);
__attribute__((weak)) void tcp_urgent_forget(struct tcp_connection *c);

/* tcp_recovery.c */
static inline uint32_t tcp_pipe(const struct tcp_connection *c)
{
	return c->snd_nxt - c->snd_una - c->flight.bytes[TCP_SPAN_LOST] - c->flight.bytes[TCP_SPAN_SACKED];
}
/* What an ACK says of our stream, snd_una not moved yet. duplicate: it says nothing new (RFC 5681, 2). */
void tcp_recovery_ack(struct tcp_connection *c, const struct tcp_segment *segment, bool duplicate, uint64_t now);
void tcp_recovery_timeout(struct tcp_connection *c, uint64_t now);
void tcp_recovery_reorder_timeout(struct tcp_connection *c, uint64_t now);
/* Something was sent, for the first time or again. */
void tcp_recovery_sent(struct tcp_connection *c, uint32_t len, bool again, uint64_t now);
void tcp_arm_probe(struct tcp_connection *c, uint64_t now);
void tcp_send_probe(struct tcp_connection *c, uint64_t now);

/* tcp_path.c */
void tcp_set_mss(struct tcp_connection *c);
void tcp_path_timeout(struct tcp_connection *c, uint64_t now);
void tcp_path_init(struct tcp_connection *c);
void tcp_path_expire(struct tcp_connection *c); /* the path may have changed */
/* Sends a probe if it is time for one. Whether nothing else is to be sent now. */
bool tcp_path_probe(struct tcp_connection *c, uint64_t now);
/* What has arrived and what is lost by now says of the probe. Whether nothing but the probe is lost, which is no
 * congestion. */
bool tcp_path_judge(struct tcp_connection *c, uint64_t now);

/* tcp_congestion.c */
void tcp_congestion_init(struct tcp_connection *c);
void tcp_congestion_grow(struct tcp_connection *c, uint32_t acked, uint64_t now);
void tcp_congestion_idle(struct tcp_connection *c, uint64_t now);

#endif
