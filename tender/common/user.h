/* SPDX-License-Identifier: ISC
 *
 * The two sides of a user-mode network: who reads the list of forwards, and the process that runs libslirp.
 */
#ifndef TENDER_COMMON_USER_H
#define TENDER_COMMON_USER_H

#include <netinet/in.h>

#include "tender/common/tender.h"

/* The payload of a frame: what every stack expects of Ethernet. 16 KiB double the throughput of bulk uploads (measured
 * with Linux's TCP as the guest: 280 to 550 MB/s), but make each guest pay with larger buffers; beyond that it sinks
 * again, since libslirp has no window scaling and few segments are then in flight. */
enum { USER_MTU = 1500, USER_FRAME_SIZE = 14 + USER_MTU };

struct user_forward {
	bool udp;
	struct in_addr host;
	uint16_t host_port, guest_port;
};

/* Parses the list; empty text is no forward. -EINVAL; device is for messages. */
int user_forwards_parse(const char *device, const char *text, struct user_forward forwards[TENDER_FORWARDS_MAX],
	size_t *count, struct tender_error *error);

/* Runs in the helper process and never returns. fd is one end of a SOCK_SEQPACKET pair. The first packet that it sends
 * is a report: one NUL when every forward listens, else the line of an error. Then each packet is a frame. */
_Noreturn void user_helper_run(int fd, const char *device, const struct user_forward *forwards, size_t count);

/* Takes all rights away from the helper that libslirp does not need at run time. */
int user_helper_confine(struct tender_error *error);

#endif
