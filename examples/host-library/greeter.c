/* SPDX-License-Identifier: ISC
 *
 * A host behind a TUN device, whose packets have no Ethernet header: it answers pings, and greets who connects. One
 * loop, without threads: wait for a packet or the stack's deadline, hand over what came, let the stack do what is due,
 * and serve.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include <skerry/embed.h>
#include <skerry/tcp.h>

enum { MTU = 1500, PORT = 7777, BATCH = 64 };

static int open_tun(const char *name)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	strncpy(request.ifr_name, name, sizeof request.ifr_name - 1);
	return tun >= 0 && ioctl(tun, TUNSETIFF, &request) < 0 ? -1 : tun;
}

/* The link's end: what the device does not take is as good as lost, but for a lack of room. */
static int send_packet(
	void *context, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct iovec parts[PLATFORM_PIECES];
	int tun = *(const int *)context;

	(void)meta;
	for (size_t i = 0; i < count; i++)
		parts[i] = (struct iovec){ .iov_base = (void *)(uintptr_t)pieces[i].data, .iov_len = pieces[i].len };
	return writev(tun, parts, (int)count) < 0 && errno == EAGAIN ? -EAGAIN : 0;
}

/* Until there is a packet, or the stack's clock, which is CLOCK_MONOTONIC unless it is given another, has come so far.
 */
static void wait_until(int tun, uint64_t deadline)
{
	struct pollfd ready = { .fd = tun, .events = POLLIN };
	struct timespec time;
	uint64_t now, left;

	clock_gettime(CLOCK_MONOTONIC, &time);
	now = SECOND(time.tv_sec) + (uint64_t)time.tv_nsec;
	left = deadline > now ? (deadline - now) / MSEC(1) + 1 : 0;
	poll(&ready, 1, deadline == FOREVER ? -1 : left < INT_MAX ? (int)left : INT_MAX);
}

static void take_packets(int tun, struct stack *stack)
{
	unsigned char packet[MTU];
	ssize_t len;

	for (int i = 0; i < BATCH && (len = read(tun, packet, sizeof packet)) > 0; i++)
		stack_receive(stack, packet, (size_t)len, NULL);
}

/* What was written is delivered after the flow is closed, and a greeting always has room. */
static void greet(struct tcp *flow)
{
	struct tcp_statistics statistics;
	struct ip_endpoint peer;
	char text[IP_ENDPOINT_TEXT_MAX], greeting[120];
	int len;

	tcp_peer(flow, &peer);
	tcp_statistics(flow, &statistics);
	len = snprintf(greeting, sizeof greeting, "Hello, %s! You can have segments of %u bytes.\n",
		ip_endpoint_format(&peer, text), statistics.segment_size);
	(void)tcp_write(flow, greeting, (size_t)len, AT_ONCE);
	tcp_close(flow);
}

void stack_log(enum log_level level, const char *source, const char *message)
{
	(void)level;
	fprintf(stderr, "%s: %s\n", source, message);
}

int main(int argc, char *argv[])
{
	int tun = argc == 2 ? open_tun(argv[1]) : -1;
	const struct stack_environment environment = {
		.context = &tun,
		.send = send_packet,
		.kind = STACK_LINK_IP,
		.mtu = MTU,
	};
	const struct stack_config config = {
		.ipv4 = { .address = { 10, 1, 0, 2 }, .prefix_len = 24, .set = true },
		.gateway = { .address = { 10, 1, 0, 1 }, .set = true },
	};
	struct tcp_listener *listener;
	struct stack *stack;
	struct tcp *flow;

	if (tun < 0) {
		fprintf(stderr, "usage: greeter TUN-DEVICE\n");
		return 1;
	}
	if (stack_embed(&environment, &config, &stack) < 0 || tcp_listen(stack, PORT, &listener) < 0)
		return 1;
	for (;;) {
		wait_until(tun, stack_deadline(stack));
		take_packets(tun, stack);
		stack_advance(stack);
		while (tcp_accept(listener, &flow, AT_ONCE) == 0)
			greet(flow);
	}
}
