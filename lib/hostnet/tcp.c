/* SPDX-License-Identifier: ISC
 *
 * TCP on the host's sockets.
 *
 * The host reports a connection's failure once and then pretends an orderly end, so the first error is kept in the
 * flow and given again by every later call. Closing needs no task: the host delivers what was written.
 */
#include <errno.h>
#include <limits.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <skerry/log.h>

#include "hostnet.h"

LOG_SOURCE(hostnet);

struct host_listener {
	struct tcp_listener base;
	struct host_socket socket;
};

/* While the host has no descriptor or memory for another connection, it is asked again so often; connections wait in
 * the host's backlog meanwhile. */
#define ACCEPT_RETRY_NS MSEC(100)

int host_tcp_listen(
	struct stack *stack, uint16_t port, const struct tcp_listening *listening, struct tcp_listener **listener)
{
	struct host_stack *host = (struct host_stack *)stack;
	const struct ip_endpoint local = { listening->address, port };
	struct host_listener *made;
	int fd, err, yes = 1;

	made = calloc(1, sizeof *made);
	if (!made)
		return -ENOMEM;
	made->base.ops = &host_tcp_ops;
	fd = err = host_socket_make(host, SOCK_STREAM);
	if (err < 0)
		goto failed;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes); /* over connections in TIME-WAIT */
	err = host_socket_bind(host, fd, &local);
	if (err == 0 && listen(fd, listening->backlog ? (int)listening->backlog : TCP_BACKLOG) < 0)
		err = -errno;
	if (err < 0) {
		close(fd);
		goto failed;
	}
	err = host_socket_init(&made->socket, host, fd, "TCP listener");
	if (err < 0)
		goto failed;
	*listener = &made->base;
	return 0;
failed:
	log_error("cannot listen on TCP port %u: %s", port, strerror(-err));
	free(made);
	return err;
}

static void flow_init(struct host_flow *flow, struct host_stack *stack, const struct ip_endpoint *peer)
{
	struct stack_counters *counters = &stack->counters;

	flow->base.ops = &host_tcp_ops;
	flow->peer = *peer;
	if (++counters->tcp_flows > counters->tcp_flows_peak)
		counters->tcp_flows_peak = counters->tcp_flows;
}

/* Frees a flow whose socket is closed. */
static void flow_free(struct host_flow *flow, struct host_stack *stack)
{
	if (stack)
		stack->counters.tcp_flows--;
	free(flow->ahead);
	free(flow);
}

/* What accept() reports of a connection that failed before it was taken: the next one may be well (accept(2)). */
static bool only_this_one_failed(int error)
{
	switch (error) {
	case EINTR:
	case ECONNABORTED:
	case ENETDOWN:
	case EPROTO:
	case ENOPROTOOPT:
	case EHOSTDOWN:
	case ENONET:
	case EHOSTUNREACH:
	case EOPNOTSUPP:
	case ENETUNREACH:
	case EPERM:
		return true;
	default:
		return false;
	}
}

/* The next connection, without waiting: -EINTR to try again at once. */
static int accept_now(struct host_listener *listener, struct tcp **flow)
{
	struct host_stack *stack = listener->socket.stack;
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof address;
	struct ip_endpoint peer;
	struct host_flow *made = calloc(1, sizeof *made); /* first, or a connection might be lost */
	int fd;

	if (!made)
		return -ENOMEM;
	fd = accept4(listener->socket.fd, (struct sockaddr *)&address, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		int error = errno;

		free(made);
		return only_this_one_failed(error) ? -EINTR : host_error(error);
	}
	host_endpoint(&address, &peer);
	if (host_socket_init(&made->socket, stack, fd, "TCP flow") < 0) {
		free(made);
		return -EINTR;
	}
	flow_init(made, stack, &peer);
	*flow = &made->base;
	return 0;
}

static int wait_for_room(struct host_stack *stack, uint64_t deadline)
{
	uint64_t again = clock_deadline(ACCEPT_RETRY_NS);
	int err = wait_on(&stack->descriptors, again < deadline ? again : deadline);

	return err == -ETIMEDOUT && again < deadline ? 0 : err;
}

int host_tcp_accept(struct tcp_listener *base, struct tcp **flow, uint64_t deadline)
{
	struct host_listener *listener = (struct host_listener *)base;
	int err;

	while ((err = host_enter(&listener->socket)) == 0) {
		err = accept_now(listener, flow);
		if (err == -EAGAIN)
			err = wait_on(&listener->socket.readable, deadline);
		else if (err == -ENOMEM)
			err = wait_for_room(listener->socket.stack, deadline);
		else if (err != -EINTR)
			return err;
		if (err < 0 && err != -EINTR)
			return err;
	}
	return err;
}

void host_tcp_unlisten(struct tcp_listener *base)
{
	struct host_listener *listener = (struct host_listener *)base;

	must(!listener->socket.readable.first); /* nobody may be in tcp_accept */
	host_socket_fini(&listener->socket);
	free(listener);
}

/* The state of a connection that was begun: -EAGAIN while it is open. */
static int connect_result(int fd)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof address;
	int error = 0;
	socklen_t error_len = sizeof error;

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_len) < 0 || error != 0)
		return host_error(error ? error : errno);
	return getpeername(fd, (struct sockaddr *)&address, &len) < 0 ? -EAGAIN : 0;
}

int host_tcp_connected(struct tcp *base, uint64_t deadline)
{
	struct host_flow *flow = (struct host_flow *)base;
	int err = host_flow_enter(flow);

	if (err < 0)
		return err;
	while ((err = connect_result(flow->socket.fd)) == -EAGAIN) {
		err = wait_on(&flow->socket.writable, deadline);
		if (err < 0)
			return err;
		if (!flow->socket.stack)
			return -ECONNRESET;
	}
	flow->error = err;
	return err;
}

/* The host has a route or has none: there is nothing to wait for. */
/* A datagram socket asks for the route, and sends nothing. */
int host_tcp_source(struct stack *stack, const struct ip_address *destination, struct ip_address *source)
{
	const struct host_stack *host = (const struct host_stack *)stack;
	const struct ip_endpoint anywhere = { .address = *destination, .port = 9 };
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof address;
	struct ip_endpoint local = { 0 };
	int fd = host_socket_make(host, SOCK_DGRAM), err = 0;

	*source = ip_unspecified;
	if (fd < 0)
		return 0;
	if (connect(fd, (struct sockaddr *)&address, host_address(host, &anywhere, &address)) < 0)
		err = -ENETUNREACH;
	else if (getsockname(fd, (struct sockaddr *)&address, &len) == 0)
		host_endpoint(&address, &local);
	*source = local.address;
	close(fd);
	return err;
}

int host_tcp_connect_begin(struct stack *stack, const struct ip_endpoint *peer, const struct tcp_tuning *tuning,
	struct tcp **flow, uint64_t deadline)
{
	struct host_stack *host = (struct host_stack *)stack;
	struct host_flow *made;
	struct sockaddr_storage address;
	socklen_t len = host_address(host, peer, &address);
	int fd, err = task_yield();

	(void)deadline;
	if (err < 0)
		return err;
	fd = host_socket_make(host, SOCK_STREAM);
	if (fd < 0)
		return fd;
	if (tuning && !ip_equal(&tuning->local, &ip_unspecified)) {
		err = host_socket_bind(host, fd, &(struct ip_endpoint){ .address = tuning->local });
		if (err < 0) {
			close(fd);
			return err;
		}
	}
	made = calloc(1, sizeof *made);
	if (!made || (connect(fd, (struct sockaddr *)&address, len) < 0 && errno != EINPROGRESS)) {
		err = made ? host_error(errno) : -ENOMEM;
		close(fd);
		free(made);
		return err;
	}
	err = host_socket_init(&made->socket, host, fd, "TCP flow");
	if (err < 0) {
		free(made);
		return err;
	}
	flow_init(made, host, peer);
	err = tuning ? host_tcp_tune(&made->base, tuning) : 0;
	if (err < 0)
		host_tcp_abort(&made->base);
	else
		*flow = &made->base;
	return err;
}

int host_flow_enter(struct host_flow *flow)
{
	int err = host_enter(&flow->socket);

	return err < 0 ? err : flow->error;
}

int host_flow_retry(struct host_flow *flow, struct wait_queue *queue, uint64_t deadline)
{
	int err;

	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return flow->error = host_error(errno);
	err = wait_on(queue, deadline);
	if (err == 0 && !flow->socket.stack)
		err = -ECONNRESET;
	return err < 0 ? err : flow->error;
}

ssize_t host_tcp_read(struct tcp *base, void *buf, size_t size, uint64_t deadline)
{
	struct host_flow *flow = (struct host_flow *)base;
	ssize_t len;
	int err = host_flow_enter(flow);

	if (err == 0 && flow->ahead)
		return (ssize_t)host_flow_take(flow, buf, size);
	while (err == 0) {
		len = recv(flow->socket.fd, buf, size, 0);
		if (len >= 0)
			return len;
		err = host_flow_retry(flow, &flow->socket.readable, deadline);
	}
	return err;
}

/* Writes on from *done: 0 when all is written. */
static int write_on(struct host_flow *flow, const void *buf, size_t len, size_t *done, uint64_t deadline)
{
	const char *bytes = buf;
	int err = host_flow_enter(flow);

	if (err == 0 && flow->shut)
		return -EPIPE;
	while (err == 0 && *done < len) {
		ssize_t sent = send(flow->socket.fd, bytes + *done, len - *done, MSG_NOSIGNAL);

		if (sent >= 0)
			*done += (size_t)sent;
		else
			err = host_flow_retry(flow, &flow->socket.writable, deadline);
	}
	return err;
}

ssize_t host_tcp_write(struct tcp *base, const void *buf, size_t len, uint64_t deadline)
{
	size_t done = 0;
	int err = write_on((struct host_flow *)base, buf, len, &done, deadline);

	if (err == -EAGAIN && done > 0)
		return (ssize_t)done;
	return err < 0 ? err : (ssize_t)len;
}

/* The host takes a copy. */
int host_tcp_lend(struct tcp *base, struct tcp_loan *loan, uint64_t deadline)
{
	int err = write_on((struct host_flow *)base, loan->data, loan->len, &loan->taken, deadline);

	if (err == 0 && loan->released)
		loan->released(loan, 0);
	return err;
}

void host_tcp_reset(struct tcp *base)
{
	struct host_flow *flow = (struct host_flow *)base;
	const struct sockaddr nobody = { .sa_family = AF_UNSPEC };

	if (!flow->socket.stack || flow->error)
		return;
	connect(flow->socket.fd, &nobody, sizeof nobody); /* Linux's way to reset and keep the socket */
	flow->error = -ECONNRESET;
	wake_all(&flow->socket.readable);
	wake_all(&flow->socket.writable);
}

size_t host_tcp_undelivered(const struct tcp *base)
{
	const struct host_flow *flow = (const struct host_flow *)base;
	int bytes = 0;

	return flow->socket.stack && ioctl(flow->socket.fd, SIOCOUTQ, &bytes) == 0 ? (size_t)bytes : 0;
}

int host_tcp_shutdown(struct tcp *base)
{
	struct host_flow *flow = (struct host_flow *)base;

	if (!flow->socket.stack || flow->error || shutdown(flow->socket.fd, SHUT_WR) < 0)
		return -ENOTCONN;
	flow->shut = true;
	return 0;
}

void host_tcp_close(struct tcp *base)
{
	struct host_flow *flow = (struct host_flow *)base;
	struct host_stack *stack = flow->socket.stack;

	must(!flow->socket.readable.first && !flow->socket.writable.first); /* nobody may be using it */
	if (stack && flow->ahead)                                           /* was received, and is not read: SHLD-3 */
		host_reset_on_close(flow->socket.fd);
	host_socket_fini(&flow->socket);
	flow_free(flow, stack);
}

void host_tcp_abort(struct tcp *base)
{
	struct host_flow *flow = (struct host_flow *)base;

	if (flow->socket.stack)
		host_reset_on_close(flow->socket.fd);
	host_tcp_close(base);
}

void host_tcp_peer(const struct tcp *base, struct ip_endpoint *peer)
{
	*peer = ((const struct host_flow *)base)->peer;
}

void host_tcp_local(const struct tcp *base, struct ip_endpoint *local)
{
	*local = ((const struct host_flow *)base)->socket.local;
}

void host_tcp_set_nodelay(struct tcp *base, bool nodelay)
{
	struct host_flow *flow = (struct host_flow *)base;
	int value = nodelay;

	if (flow->socket.stack)
		setsockopt(flow->socket.fd, IPPROTO_TCP, TCP_NODELAY, &value, sizeof value);
}

/* Whole seconds, at least one: the host counts keep-alive in those. */
static int whole_seconds(uint64_t ns, int otherwise)
{
	return ns == 0 ? otherwise : ns < SECOND(1) ? 1 : ns > SECOND(32767) ? 32767 : (int)(ns / SECOND(1));
}

int host_tcp_tune(struct tcp *base, const struct tcp_tuning *tuning)
{
	struct host_flow *flow = (struct host_flow *)base;
	const char *congestion = tcp_congestion_name(tuning->congestion ? tuning->congestion : &tcp_cubic);
	const char *name = strcmp(congestion, "newreno") == 0 ? "reno" : congestion;
	uint64_t timeout_ms = tuning->user_timeout_ns / MSEC(1);
	unsigned timeout = timeout_ms > INT_MAX ? INT_MAX : (unsigned)timeout_ms;
	int on = tuning->keepalive_ns != 0, idle = whole_seconds(tuning->keepalive_ns, 1);
	int interval = whole_seconds(tuning->keepalive_interval_ns, TCP_KEEPALIVE_INTERVAL_S);
	int probes = tuning->keepalive_probes ? (int)tuning->keepalive_probes : TCP_KEEPALIVE_PROBES;
	int fd = flow->socket.fd;

	if (!flow->socket.stack)
		return -ECONNRESET;
	if (probes > 127)
		probes = 127; /* what Linux takes */
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
	setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &timeout, sizeof timeout);
	host_socket_header(fd, tuning->dscp, tuning->ttl);
	if (!tuning->congestion) /* the host has its own default */
		return 0;
	return setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, (socklen_t)strlen(name)) == 0 ? 0 : -ENOENT;
}

/* The defaults are the host's, for all its programs. */
int host_tcp_tune_stack(struct stack *stack, const struct tcp_tuning *tuning)
{
	(void)stack;
	(void)tuning;
	return -ENOTSUP;
}

int host_tcp_tune_listener(struct tcp_listener *listener, const struct tcp_tuning *tuning)
{
	(void)listener;
	(void)tuning;
	return -ENOTSUP;
}

void host_tcp_statistics(const struct tcp *base, struct tcp_statistics *statistics)
{
	static const char *const names[] = { "CLOSED", "ESTABLISHED", "SYN-SENT", "SYN-RECEIVED", "FIN-WAIT-1",
		"FIN-WAIT-2", "TIME-WAIT", "CLOSED", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING" };
	const struct host_flow *flow = (const struct host_flow *)base;
	struct tcp_info info = { 0 };
	socklen_t len = sizeof info;

	if (flow->socket.stack)
		getsockopt(flow->socket.fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	*statistics = (struct tcp_statistics){
		.state = names[info.tcpi_state < sizeof names / sizeof names[0] ? info.tcpi_state : 0],
		.round_trip_ns = USEC(info.tcpi_rtt),
		.round_trip_deviation_ns = USEC(info.tcpi_rttvar),
		.retransmission_timeout_ns = USEC(info.tcpi_rto),
		.congestion_window = info.tcpi_snd_cwnd * info.tcpi_snd_mss,
		.slow_start_threshold = info.tcpi_snd_ssthresh,
		.segment_size = info.tcpi_snd_mss,
		.in_flight = info.tcpi_unacked * info.tcpi_snd_mss,
		.retransmissions = info.tcpi_total_retrans,
		.time_outs = info.tcpi_retransmits,
	};
}
