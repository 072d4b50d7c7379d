/* SPDX-License-Identifier: ISC
 *
 * A network device: a link that carries Ethernet frames. The stack below lib/net drives one; a tap, a ring and a
 * simulated cable are implementations.
 *
 * Offload is part of the interface: a frame may be larger than the MTU (up to NET_FRAME_MAX, with the segment size
 * in its meta) and leave checksums to the link, where the link's features say so; and a received frame says whether
 * its transport checksum is verified already. A link with features may also deliver frames of that size, and some whose
 * checksum a sender on the same host has left undone. The meta structure and the feature bits are the platform's.
 */
#ifndef SKERRY_NET_H
#define SKERRY_NET_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <platform.h>

enum {
	NET_ETHERNET_HEADER = 14,
	NET_MTU_MIN = 576, /* what every IPv4 host accepts: RFC 791 */
	NET_FRAME_MAX = NET_ETHERNET_HEADER + 65535,
};

struct net {
	const struct net_ops *ops;
	struct platform_net_info info;
	/* Set by the stack that owns the device: called when frames may be read. */
	void (*ready)(void *context);
	void *ready_context;
};

struct net_ops {
	/* As platform_net_send and platform_net_receive. */
	int (*send)(struct net *net, const struct platform_piece *pieces, size_t count,
		const struct platform_net_meta *meta);
	ssize_t (*receive)(struct net *net, void *buf, size_t size, struct platform_net_meta *meta);
	void (*close)(struct net *net);
};

/* Opens the platform's network device of this name (as in the manifest). 0, -ENODEV, -EBUSY, -ENOMEM; -EINVAL when
 * its MTU is below NET_MTU_MIN. The caller closes it after its stack. */
int net_open(const char *name, struct net **net);
void net_close(struct net *net);

#endif
