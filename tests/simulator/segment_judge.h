/* SPDX-License-Identifier: ISC
 *
 * The judge of TCP segments: of each connection of a host it knows what both sides have said, and so what the host may
 * send.
 */
#ifndef SIMULATOR_SEGMENT_JUDGE_H
#define SIMULATOR_SEGMENT_JUDGE_H

#include "packet.h"

struct judged;

struct segment_judge {
	struct judged *connections;
};

/* A segment came to the host, or left it. NULL, or what the host may not send. */
void segment_judge_received(struct segment_judge *judge, const struct packet *packet);
const char *segment_judge_sent(struct segment_judge *judge, const struct packet *packet);
void segment_judge_fini(struct segment_judge *judge);

#endif
