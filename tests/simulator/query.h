/* SPDX-License-Identifier: ISC
 *
 * UDP: a client asks, a responder answers; what gets no answer is asked again.
 */
#ifndef SIMULATOR_QUERY_H
#define SIMULATOR_QUERY_H

#include "host.h"

enum { RESPONDER_PORT = 53, QUERY_BYTES_MAX = 20000 };

/* Answers each question of a host's clients with as many bytes as it asks for. */
struct responder {
	struct user user;
	struct host *host;
	struct udp *socket;
	struct ip_endpoint pending_to; /* an answer that the stack had no room for */
	uint32_t pending_query, pending_round;
	size_t pending_bytes; /* 0: none */
};

void responder_open(struct responder *responder, struct host *host);
void responder_close(struct responder *responder);

struct query_plan {
	struct host *client, *server;
	bool ipv6;
	uint64_t starts_at;
	unsigned rounds; /* questions, one after the other */
	size_t question_bytes,
		answer_bytes; /* of the datagrams' payloads; become smaller when they do not get through */
};

struct query {
	struct user user;
	struct query_plan plan;
	unsigned number, round, tries;
	struct udp *socket;
	bool done, unreachable; /* nobody answers any more */
	uint64_t finished_at;
};

void query_begin(struct query *query);

#endif
