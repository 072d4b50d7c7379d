/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: any bytes as a DHCP message. What was understood and is built again is understood the same, and its
 * options can be read however the buffer is.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/net/dhcp_lease.h"

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dhcp_message message, again;
	static struct dhcp_lease lease;
	static const size_t sizes[] = { DHCP_MESSAGE_MIN, DHCP_MESSAGE_ACCEPTED, DHCP_MESSAGE_MAX };

	if (dhcp_message_parse(data, size, &message) < 0)
		return 0;
	for (int code = 0; code < 256; code++) {
		uint8_t some[8];
		ssize_t len = dhcp_options_get(&message.options, (uint8_t)code, some, sizeof some);

		must_hold(len < 0 || len <= (ssize_t)message.options.len);
	}
	for (size_t i = 0; i < 3; i++) {
		uint8_t bytes[DHCP_MESSAGE_MAX];
		size_t len = dhcp_message_build(&message, bytes, sizes[i]);

		must_hold(len <= sizes[i]);
		if (len == 0)
			continue;
		must_hold(dhcp_message_parse(bytes, len, &again) == 0);
		must_hold(again.type == message.type && again.xid == message.xid && again.yours == message.yours);
		must_hold(again.options.len == message.options.len);
		must_hold(memcmp(again.options.bytes, message.options.bytes, message.options.len) == 0);
	}
	if (dhcp_lease_read(&message, 0, UINT32_MAX, &lease) == 0) {
		must_hold(lease.renew_at <= lease.rebind_at && lease.rebind_at <= lease.expires_at);
		must_hold(lease.prefix_len <= 32 && lease.dns_count <= DHCP_ADDRESSES_MAX);
		must_hold(strlen(lease.domain) <= DHCP_NAME_MAX);
	}
	return 0;
}
