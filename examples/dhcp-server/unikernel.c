/* SPDX-License-Identifier: ISC
 *
 * A DHCP server: gives addresses of a range, and two hosts their own, with itself as router and name server, and logs
 * what it receives and sends. It puts its stack together itself: without TCP, which it does not need.
 */
#include <errno.h>
#include <string.h>

#include <skerry/dhcp.h>
#include <skerry/layers.h>
#include <skerry/log.h>
#include <skerry/udp.h>

#include "keys.h"

LOG_SOURCE(application);

enum { LEASE_SECONDS_MAX = 86400 };
#define SEND_NS MSEC(200) /* an answer that has not left by then is lost: the client asks again */

/* Hosts that always have the same address. */
static const struct {
	const char *name;
	uint8_t mac[6], address[4];
} hosts[] = {
	{ "palermo", { 0x02, 0, 0, 0, 0, 0x50 }, { 192, 168, 1, 50 } },
	{ "riachuelo", { 0x02, 0, 0, 0, 0, 0x51 }, { 192, 168, 1, 51 } },
};
enum { HOSTS = sizeof hosts / sizeof *hosts };

/* The hosts of the server's subnet: with another --ipv4, there are none. */
static size_t fill_hosts(struct dhcp_host filled[HOSTS])
{
	size_t count = 0;

	for (size_t i = 0; i < HOSTS; i++) {
		if (memcmp(hosts[i].address, keys.ipv4.address, 3) != 0)
			continue;
		filled[count].name = hosts[i].name;
		filled[count].address = ip_from_v4(hosts[i].address);
		memcpy(filled[count++].mac, hosts[i].mac, sizeof hosts[i].mac);
	}
	return count;
}

static int open_server(struct dhcp_server **server)
{
	struct dhcp_host filled[HOSTS];
	struct dhcp_server_config config = {
		.address = ip_from_v4(keys.ipv4.address),
		.prefix_len = keys.ipv4.prefix_len,
		.first = ip_from_v4(keys.first.address),
		.last = ip_from_v4(keys.last.address),
		.hosts = filled,
		.lease_seconds = (uint32_t)keys.lease,
		.lease_seconds_max = LEASE_SECONDS_MAX,
	};
	int err = dhcp_options_add(&config.options, DHCP_ROUTERS, keys.ipv4.address, 4);

	config.host_count = fill_hosts(filled);
	if (err == 0)
		err = dhcp_options_add(&config.options, DHCP_DNS_SERVERS, keys.ipv4.address, 4);
	if (err == 0)
		err = dhcp_options_add(&config.options, DHCP_DOMAIN_NAME, keys.domain, strlen(keys.domain));
	if (err == 0)
		err = dhcp_server_open(&config, server);
	if (err < 0)
		log_error("--first and --last: expected addresses of the server's subnet that are not its own");
	return err;
}

static int answer(struct stack *stack, struct udp *socket, const struct dhcp_reply *reply)
{
	char text[DHCP_SUMMARY_MAX];
	int err = 0;

	if (reply->is_new) /* the client cannot answer for its address yet */
		err = stack_set_neighbour(stack, &reply->to.address, reply->mac);
	if (err == 0)
		err = udp_send(socket, &reply->to, reply->bytes, reply->len, clock_deadline(SEND_NS));
	log_info("%s %s", err == 0 ? "sent" : "could not send", dhcp_summary(reply->bytes, reply->len, text));
	return err == -ECANCELED ? err : 0;
}

static int serve(struct stack *stack, struct udp *socket, struct dhcp_server *server)
{
	static uint8_t bytes[DHCP_MESSAGE_MAX];
	static struct dhcp_reply reply;
	char text[DHCP_SUMMARY_MAX];
	struct ip_endpoint from;
	ssize_t len;
	int err = 0;

	while (err == 0 && (len = udp_receive(socket, bytes, sizeof bytes, &from, FOREVER)) >= 0) {
		size_t stored = (size_t)len < sizeof bytes ? (size_t)len : sizeof bytes;

		log_info("received %s", dhcp_summary(bytes, stored, text));
		if (dhcp_server_receive(server, bytes, stored, clock_monotonic(), &reply) == 0 && reply.len > 0)
			err = answer(stack, socket, &reply);
	}
	return err < 0 ? err : (int)len;
}

int start(struct net *net)
{
	const struct stack_config config = { .ipv4 = keys.ipv4 };
	const struct stack_layers layers = { .udp = &stack_udp };
	struct dhcp_server *server = NULL;
	struct stack *stack = NULL;
	struct udp *socket = NULL;
	int err = open_server(&server);

	if (err == 0)
		err = stack_assemble(net, &config, &layers, &stack);
	if (err == 0)
		err = udp_bind(stack, DHCP_SERVER_PORT, &socket);
	if (err == 0)
		err = serve(stack, socket, server);
	udp_close(socket);
	stack_close(stack);
	dhcp_server_close(server);
	return err;
}
