/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: any messages, at any time, to a DHCP server; the input is records of a wait, a length and a message.
 * Between them: what it answers can be parsed and gives addresses of its own, and no two leases have one address.
 */
#include <stdlib.h>
#include <string.h>

#include <skerry/clock.h>

#include "lib/net/dhcp_lease.h"
#include "lib/net/wire.h"

enum {
	SERVER = 0xc0a80105,
	FIRST = 0xc0a80146,
	LAST = 0xc0a80149,
	HOST = 0xc0a80109,
	LEASES_MAX = 5,
	RECORDS_MAX = 64
};

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static void check_reply(const struct dhcp_reply *reply)
{
	static struct dhcp_message message;
	char text[DHCP_SUMMARY_MAX];

	if (reply->len == 0)
		return;
	must_hold(dhcp_message_parse(reply->bytes, reply->len, &message) == 0 && message.op == DHCP_FROM_SERVER);
	must_hold(message.yours == 0 || message.yours == HOST || (message.yours >= FIRST && message.yours <= LAST));
	must_hold(strlen(dhcp_summary(reply->bytes, reply->len, text)) < DHCP_SUMMARY_MAX);
}

static void check_leases(const struct dhcp_server *server, uint64_t now)
{
	struct dhcp_server_lease leases[LEASES_MAX];
	size_t count = dhcp_server_leases(server, now, leases, LEASES_MAX);

	must_hold(count <= LEASES_MAX);
	for (size_t i = 1; i < count; i++)
		must_hold(dhcp_number(&leases[i - 1].address) < dhcp_number(&leases[i].address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dhcp_reply reply;
	const struct dhcp_host host = { .mac = { 2, 0, 0, 0, 0, 9 }, .address = dhcp_address(HOST), .name = "nine" };
	struct dhcp_server_config config = { .address = dhcp_address(SERVER),
		.prefix_len = 24,
		.first = dhcp_address(FIRST),
		.last = dhcp_address(LAST),
		.hosts = &host,
		.host_count = 1 };
	struct dhcp_server *server;
	uint64_t now = SECOND(1000);

	must_hold(dhcp_options_add32(&config.options, DHCP_ROUTERS, SERVER) == 0);
	must_hold(dhcp_options_add(&config.options, DHCP_DOMAIN_NAME, "pampas", 6) == 0);
	must_hold(dhcp_server_open(&config, &server) == 0);
	for (int i = 0; i < RECORDS_MAX && size >= 4; i++) {
		size_t len = wire_get16(data + 2);

		now += SECOND(wire_get16(data));
		data += 4;
		size -= 4;
		len = len < size ? len : size;
		(void)dhcp_server_receive(server, data, len, now, &reply);
		check_reply(&reply);
		check_leases(server, now);
		data += len;
		size -= len;
	}
	dhcp_server_close(server);
	return 0;
}
