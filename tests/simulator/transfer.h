/* SPDX-License-Identifier: ISC
 *
 * A TCP connection and its two users, who write, read, pause, half-close, and let go or break off, as a plan says.
 */
#ifndef SIMULATOR_TRANSFER_H
#define SIMULATOR_TRANSFER_H

#include "host.h"

enum { SERVER_PORT = 80, CLOSED_PORT = 81, CLIENT = 0, SERVER = 1 };

/* How a side that does not stay to the end leaves. */
enum leaving { STAYS, CLOSES, ABORTS };

struct transfer_plan {
	struct host *client, *server;
	bool ipv6;
	uint16_t port; /* of the server: SERVER_PORT, or one where nobody listens */
	uint64_t starts_at;
	uint64_t bytes[2];    /* that each side writes */
	bool answer_last;     /* the server writes when the client has ended its stream */
	enum leaving leaving; /* of one side, before the end */
	int leaver;
	uint64_t leaves_after; /* it has written and read so many bytes */
	uint32_t chunk;        /* of a call, at most */
	uint32_t pauses;       /* in 10,000 calls, before the next */
	uint64_t pause_ns;
	bool nodelay, newreno;
	uint64_t keepalive_ns; /* 0: none */
};

struct side {
	struct user user;
	struct transfer *transfer;
	int index;
	struct tcp *tcp;
	bool connected, shut, ended, done, left;
	uint64_t written, read, progress_at;
	int error;
};

struct transfer {
	struct transfer_plan plan;
	unsigned number;
	struct side sides[2];
	struct ip_endpoint local; /* the client's */
	struct transfer *next;    /* in the server's list */
	uint64_t finished_at;
};

/* Accepts a host's connections, for the transfers that are planned with it as the server. */
struct acceptor {
	struct user user;
	struct host *host;
	struct tcp_listener *listener;
	struct transfer *transfers;
	uint64_t strays; /* connections whose clients have given up */
};

void acceptor_open(struct acceptor *acceptor, struct host *host);
void acceptor_close(struct acceptor *acceptor);

/* Plans a transfer. The acceptor is the server's. */
void transfer_begin(struct transfer *transfer, struct acceptor *acceptor);
/* Whether both users have let go. */
bool transfer_is_done(const struct transfer *transfer);
/* Both have read all, and the end. */
bool transfer_is_complete(const struct transfer *transfer);

#endif
