/* SPDX-License-Identifier: ISC
 *
 * What a host's link does in its place, if it offers to: summing, and cutting TCP into segments.
 */
#ifndef SIMULATOR_OFFLOAD_H
#define SIMULATOR_OFFLOAD_H

#include <platform.h>

#include "packet.h"

enum { LARGE_FRAME_MAX = ETHERNET_HEADER + 65535 };

/* NULL, or why no link can do what this meta asks of it. */
const char *offload_fault(
	uint32_t features, bool ethernet, uint8_t *frame, size_t len, const struct platform_net_meta *meta);

typedef void offload_sink(void *context, uint8_t *frame, size_t len);

/* Does it, and gives each frame, of which there are several if it is larger than a segment, to the sink. */
void offload_send(bool ethernet, uint8_t *frame, size_t len, const struct platform_net_meta *meta, offload_sink *sink,
	void *context);

/* Receiving: takes a sound transport checksum back to the pseudo-header's sum, as a sender on the same machine leaves
 * it. false, and nothing is changed: it has none. */
bool offload_leave(bool ethernet, uint8_t *frame, size_t len, struct platform_net_meta *meta);

#endif
