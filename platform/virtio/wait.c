/* SPDX-License-Identifier: ISC
 *
 * Waiting for devices and time. What is ready is found by looking at the queues; an interrupt is only what ends a
 * sleep.
 */
#include <platform.h>

#include "device.h"
#include "platform/guest/device.h"

enum {
	RECEIVE = 0,
	POLL_NS = 1000000, /* how long to sleep beside a device without interrupts */
};

/* Tells the owners of networks that have frames. Ending their interrupts comes first: a frame that comes after the look
 * makes another one. */
static bool serve(void)
{
	bool any = false;

	for (uint32_t handle = 1; handle < guest_manifest->entries; handle++) {
		struct virtio_device *device = virtio_device((int)handle);

		if (guest_entry((int)handle)->type != MANIFEST_NET_BASIC)
			continue;
		device->transport->acknowledge(device);
		if (!virtqueue_is_ready(&device->queues[RECEIVE]))
			continue;
		any = true;
		guest_net_ready(handle);
	}
	return any;
}

/* Has networks interrupt at their next frame. Returns for how long to sleep at most: not at all when one is there. */
static uint64_t arm(void)
{
	uint64_t longest = UINT64_MAX;

	for (uint32_t handle = 1; handle < guest_manifest->entries; handle++) {
		struct virtio_device *device = virtio_device((int)handle);

		if (guest_entry((int)handle)->type != MANIFEST_NET_BASIC)
			continue;
		if (virtqueue_arm(&device->queues[RECEIVE]))
			return 0;
		if (!device->has_interrupt)
			longest = POLL_NS;
	}
	return longest;
}

void platform_wait(uint64_t deadline_ns)
{
	uint64_t now = 0;

	while (!serve() && deadline_ns != 0) {
		uint64_t longest = arm();

		if (deadline_ns != UINT64_MAX) {
			now = platform_clock_monotonic();
			if (now >= deadline_ns)
				return;
			if (deadline_ns - now < longest)
				longest = deadline_ns - now;
		}
		if (longest > 0) {
			virtio_sleep(longest);
			if (virtio_console_asked())
				platform_inquire();
		}
	}
}
