/* SPDX-License-Identifier: ISC
 *
 * Waiting for devices and time: one hypercall a wait, in which the tender sleeps.
 */
#include <platform.h>

#include "platform/guest/device.h"
#include "hvt.h"

static uint64_t timeout(uint64_t deadline_ns)
{
	uint64_t now;

	if (deadline_ns == 0 || deadline_ns == UINT64_MAX)
		return deadline_ns;
	now = platform_clock_monotonic();
	return deadline_ns > now ? deadline_ns - now : 0;
}

void platform_wait(uint64_t deadline_ns)
{
	struct hvt_poll poll = { .timeout_nsecs = timeout(deadline_ns) };

	hvt_call(HVT_POLL, &poll);
	for (uint64_t ready = poll.ready_set; ready != 0; ready &= ready - 1) {
		uint64_t handle = (uint64_t)__builtin_ctzll(ready);

		if (handle == HVT_READY_INQUIRY)
			platform_inquire();
		else
			guest_net_ready(handle);
	}
}
