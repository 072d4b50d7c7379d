/* SPDX-License-Identifier: ISC
 *
 * A network device that stands in front of another and records what goes through it, in both directions: a stack is
 * opened on it as on the other, and a task reads the record and takes it wherever it is wanted: into a file, to a block
 * device, to who connects to a port. tcpdump, Wireshark and scapy read it.
 *
 * The format is pcapng, since it says of each frame which way it went, when to the nanosecond, and how many before it
 * were not recorded. A frame that the link is to sum or to cut is recorded as it is handed to the link.
 *
 * The record waits in a buffer of fixed size. Capturing does no I/O and never blocks: frames that find the buffer full
 * are not recorded, only counted, and go their way.
 */
#ifndef SKERRY_CAPTURE_H
#define SKERRY_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <skerry/net.h>

enum {
	CAPTURE_BUFFER_MIN = 4096,
	CAPTURE_BUFFER_DEFAULT = 256 * 1024,
	CAPTURE_BUFFER_MAX = 1 << 30,
	CAPTURE_HEAD = 128, /* how much of a frame `wants` is shown at most */
};

struct capture_config {
	size_t buffer_bytes; /* CAPTURE_BUFFER_MIN to CAPTURE_BUFFER_MAX; 0: CAPTURE_BUFFER_DEFAULT */
	size_t snap_bytes;   /* how much of each frame is recorded; 0: all */
	/* Whether to record a frame, whose first bytes are shown, borrowed for the call. A record that leaves by the
	 * network that it is of would otherwise be recorded itself. NULL: all are. Must not block. */
	bool (*wants)(void *context, bool outgoing, const uint8_t *head, size_t len);
	void *context;
};

/* A device in front of `under`, which it borrows until net_close(), as long as its stack must be closed. Config is
 * copied; NULL: all its defaults. 0; -EINVAL: a buffer of another size; -ENOMEM. */
int net_capture(struct net *under, const struct capture_config *config, struct net **net);

/* Takes what is there of the record, 1 to size bytes; blocks while nothing is. What one reader has taken is gone: all
 * of it together, from the first byte on, is a file. -ETIMEDOUT, -ECANCELED; -EAGAIN: nothing is there AT_ONCE. */
ssize_t net_capture_read(struct net *net, void *buf, size_t size, uint64_t deadline);

/* How many frames found the buffer full so far. */
uint64_t net_capture_lost(const struct net *net);

/* Begins a new file: what is not read yet is dropped, and the next byte is a file's first. For who reads later, or
 * again. */
void net_capture_restart(struct net *net);

#endif
