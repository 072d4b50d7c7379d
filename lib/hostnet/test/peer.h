/* SPDX-License-Identifier: ISC
 *
 * Helpers for tests of the stack on the host's sockets: peers that are plain sockets of the host, on loopback.
 */
#ifndef HOSTNET_TEST_PEER_H
#define HOSTNET_TEST_PEER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skerry/log.h>
#include <skerry/stack.h>
#include <skerry/task.h>
#include <skerry/tcp.h>
#include <skerry/udp.h>

#define SOON clock_deadline(SECOND(5)) /* never reached when all is well */

static struct stack *stack;

static inline struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
}

static inline struct ip_endpoint loopback_endpoint(uint16_t port)
{
	return (struct ip_endpoint){ .address = ip_from_v4((const uint8_t[]){ 127, 0, 0, 1 }), .port = port };
}

/* A socket of the host, bound to a free port of loopback, with a time-out so that no failure can hang. */
static inline int peer_socket(int type, uint16_t *port)
{
	struct sockaddr_in address = loopback(0);
	const struct timeval patience = { .tv_sec = 5 };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, type, 0), yes = 1;

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static inline uint16_t free_port(int type)
{
	uint16_t port;

	close(peer_socket(type, &port));
	return port;
}

/* A plain client, connected to this port; the host completes the handshake before anybody accepts. */
static inline int peer_connect(uint16_t port, uint16_t *own_port)
{
	struct sockaddr_in address = loopback(port);
	int fd = peer_socket(SOCK_STREAM, own_port);

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	return fd;
}

static inline void peer_reset(int fd)
{
	const struct linger reset = { .l_onoff = 1 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	close(fd);
}

/* Runs a test's body as the main task, with a stack. */
static inline int body_with_stack(void *arg)
{
	void (*body)(void) = *(void (**)(void))arg;

	assert_int_equal(stack_open_host(&stack), 0);
	body();
	stack_close(stack);
	return 0;
}

static inline void run_body(void (*body)(void))
{
	int result = -1;

	assert_int_equal(task_run(body_with_stack, (void *)&body, &result), 0);
	assert_int_equal(result, 0);
}

/* A test whose body runs as the main task. */
#define TEST(name)                                                                                                     \
	static void name##_body(void);                                                                                 \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		run_body(name##_body);                                                                                 \
	}                                                                                                              \
	static void name##_body(void)

#endif
