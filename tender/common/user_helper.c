/* SPDX-License-Identifier: ISC
 *
 * User-mode networks, the helper's side: a process of its own that runs libslirp between the guest's frames on one
 * socket and ordinary sockets of the calling user.
 *
 * libslirp is loaded at run time, here: a tender without user networks does not pay for it, and neither does the
 * guest's own process. Frames towards the guest go straight to the socket; when that is full, they wait in a bounded
 * queue, and what does not fit there is lost, as on any link. libslirp's TCP sends it again.
 *
 * Frame towards the guest: one copy and one system call here. From the guest: the same. Each turn of the loop handles
 * up to TURN_FRAMES frames for one poll(2).
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <slirp/libslirp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tender/common/user.h"

enum {
	TURN_FRAMES = 64,
	QUEUE_FRAMES = 512,
	LISTEN_BACKLOG = 4096, /* the kernel cuts it at net.core.somaxconn */
	GUEST_FD = 3,
	POLLS_FIRST = 64,
};

struct frame {
	size_t len;
	uint8_t bytes[USER_FRAME_SIZE];
};

struct helper {
	Slirp *slirp;
	bool gone; /* the guest's end is closed */
	/* Descriptors of one poll(2): the guest's, then libslirp's. */
	struct pollfd *polls;
	size_t poll_count, poll_size;
	/* Frames that wait for room in the socket. */
	size_t queue_first, queue_count;
	struct frame queue[QUEUE_FRAMES];
};

/* The part of libslirp that is used here, found by name. */
static struct {
	__typeof__(slirp_new) *new;
	__typeof__(slirp_add_hostfwd) *add_hostfwd;
	__typeof__(slirp_input) *input;
	__typeof__(slirp_pollfds_fill) *pollfds_fill;
	__typeof__(slirp_pollfds_poll) *pollfds_poll;
} api;

static bool api_load(struct tender_error *error)
{
	static const char *const names[] = { "slirp_new", "slirp_add_hostfwd", "slirp_input", "slirp_pollfds_fill",
		"slirp_pollfds_poll" };
	void *functions[sizeof names / sizeof *names];
	void *library = dlopen("libslirp.so.0", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		functions[i] = library ? dlsym(library, names[i]) : NULL;
		if (functions[i] == NULL) {
			tender_fail(error, -ENOENT, "user network: %s; expected libslirp 4", dlerror());
			return false;
		}
	}
	_Static_assert(sizeof api == sizeof functions, "one name for each function, in the same order");
	memcpy(&api, functions, sizeof api);
	return true;
}

/* What libslirp calls ------------------------------------------------------------------------------------------ */

static bool frame_send(struct helper *helper, const void *bytes, size_t len)
{
	if (send(GUEST_FD, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
		return true;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
		return false;
	helper->gone = errno == EPIPE || errno == ECONNRESET || errno == ENOTCONN;
	return true; /* nothing would be gained by trying this frame again */
}

static ssize_t on_packet(const void *bytes, size_t len, void *opaque)
{
	struct helper *helper = opaque;
	struct frame *frame;

	if (helper->queue_count == 0 && frame_send(helper, bytes, len))
		return (ssize_t)len;
	if (helper->queue_count == QUEUE_FRAMES || len > sizeof frame->bytes)
		return (ssize_t)len; /* lost */
	frame = &helper->queue[(helper->queue_first + helper->queue_count++) % QUEUE_FRAMES];
	frame->len = len;
	memcpy(frame->bytes, bytes, len);
	return (ssize_t)len;
}

static void on_guest_error(const char *text, void *opaque)
{
	(void)text, (void)opaque; /* what a guest does wrong is its own affair */
}

static int64_t on_clock(void *opaque)
{
	struct timespec now;

	(void)opaque;
	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void on_descriptor(int fd, void *opaque)
{
	(void)fd, (void)opaque; /* the set is made anew at each turn */
}

static void on_notify(void *opaque)
{
	(void)opaque; /* each turn of the loop looks at everything */
}

static int on_poll_add(int fd, int events, void *opaque)
{
	struct helper *helper = opaque;

	if (helper->poll_count == helper->poll_size) {
		struct pollfd *larger = reallocarray(helper->polls, helper->poll_size * 2, sizeof *larger);

		if (larger == NULL)
			return -1; /* not looked at this time: on_poll_events says that nothing happened */
		helper->polls = larger;
		helper->poll_size *= 2;
	}
	helper->polls[helper->poll_count] = (struct pollfd){
		.fd = fd,
		.events = (short)((events & SLIRP_POLL_IN ? POLLIN : 0) | (events & SLIRP_POLL_OUT ? POLLOUT : 0) |
				  (events & SLIRP_POLL_PRI ? POLLPRI : 0)),
	};
	return (int)helper->poll_count++;
}

static int on_poll_events(int index, void *opaque)
{
	const struct helper *helper = opaque;
	short events = index < 0 ? 0 : helper->polls[index].revents;

	return (events & POLLIN ? SLIRP_POLL_IN : 0) | (events & POLLOUT ? SLIRP_POLL_OUT : 0) |
	       (events & POLLPRI ? SLIRP_POLL_PRI : 0) | (events & POLLERR ? SLIRP_POLL_ERR : 0) |
	       (events & POLLHUP ? SLIRP_POLL_HUP : 0);
}

/* IPv6 is off, and nothing else in libslirp makes a timer. */
static const SlirpCb callbacks = {
	.send_packet = on_packet,
	.guest_error = on_guest_error,
	.clock_get_ns = on_clock,
	.register_poll_fd = on_descriptor,
	.unregister_poll_fd = on_descriptor,
	.notify = on_notify,
};

/* The loop ------------------------------------------------------------------------------------------------------- */

static void queue_flush(struct helper *helper)
{
	while (helper->queue_count > 0) {
		const struct frame *frame = &helper->queue[helper->queue_first];

		if (!frame_send(helper, frame->bytes, frame->len))
			return;
		helper->queue_first = (helper->queue_first + 1) % QUEUE_FRAMES;
		helper->queue_count--;
	}
}

static void frames_receive(struct helper *helper)
{
	for (size_t i = 0; i < TURN_FRAMES; i++) {
		uint8_t frame[USER_FRAME_SIZE + 1];
		ssize_t len = recv(GUEST_FD, frame, sizeof frame, MSG_DONTWAIT);

		if (len < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (len <= 0) {
			helper->gone = true;
			return;
		}
		if ((size_t)len < sizeof frame) /* longer than the MTU allows: lost, as on any link */
			api.input(helper->slirp, frame, (int)len);
	}
}

static void turn(struct helper *helper)
{
	uint32_t timeout_ms = UINT32_MAX;
	short happened;
	int ready;

	helper->polls[0] = (struct pollfd){ .fd = GUEST_FD, .events = POLLIN };
	if (helper->queue_count > 0)
		helper->polls[0].events |= POLLOUT;
	helper->poll_count = 1;
	api.pollfds_fill(helper->slirp, &timeout_ms, on_poll_add, helper);
	ready = poll(helper->polls, helper->poll_count, timeout_ms > INT32_MAX ? -1 : (int)timeout_ms);
	happened = ready > 0 ? helper->polls[0].revents : 0;
	if (happened & POLLOUT)
		queue_flush(helper);
	if (happened & (POLLIN | POLLHUP | POLLERR))
		frames_receive(helper);
	/* After the guest's frames: this sends what has waited for the guest's ARP reply, or else would wait on. */
	api.pollfds_poll(helper->slirp, ready < 0, on_poll_events, helper);
}

/* Setting up ----------------------------------------------------------------------------------------------------- */

static struct in_addr address(const char *text)
{
	struct in_addr result;

	inet_pton(AF_INET, text, &result);
	return result;
}

static bool slirp_start(struct helper *helper, struct tender_error *error)
{
	SlirpConfig config = {
		.version = 1,
		.in_enabled = true,
		.vnetwork = address("10.0.0.0"),
		.vnetmask = address("255.255.255.0"),
		.vhost = address("10.0.0.1"),
		.vdhcp_start = address("10.0.0.2"),
		.vnameserver = address("10.0.0.3"),
		.if_mtu = USER_MTU,
		.if_mru = USER_MTU,
		.disable_host_loopback = true,
	};

	helper->polls = calloc(POLLS_FIRST, sizeof *helper->polls);
	helper->poll_size = POLLS_FIRST;
	helper->slirp = helper->polls ? api.new(&config, &callbacks, helper) : NULL;
	if (helper->slirp == NULL)
		tender_fail(error, -ENOMEM, "user network: out of memory");
	return helper->slirp != NULL;
}

/* libslirp listens with a queue of one connection, which makes a crowd of clients wait for a second. The descriptors
 * that it opened follow ours. */
static void backlogs_raise(size_t count)
{
	for (int fd = GUEST_FD + 1; count > 0 && fd <= GUEST_FD + 4 * TENDER_FORWARDS_MAX; fd++) {
		int listening = 0;
		socklen_t len = sizeof listening;

		if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) < 0 || !listening)
			continue;
		listen(fd, LISTEN_BACKLOG); /* cannot fail for a socket that listens */
		count--;
	}
}

static bool forwards_open(struct helper *helper, const char *device, const struct user_forward *forwards, size_t count,
	struct tender_error *error)
{
	struct in_addr guest = address("10.0.0.2");
	size_t listeners = 0;

	for (size_t i = 0; i < count; i++) {
		const struct user_forward *forward = &forwards[i];
		char host[INET_ADDRSTRLEN];

		errno = 0;
		if (api.add_hostfwd(helper->slirp, forward->udp, forward->host, forward->host_port, guest,
			    forward->guest_port) < 0) {
			inet_ntop(AF_INET, &forward->host, host, sizeof host);
			tender_fail(error, -errno,
				"device \"%s\": %s:%s:%u: %s; expected a free port that this user may open", device,
				forward->udp ? "udp" : "tcp", host, forward->host_port,
				errno ? strerror(errno) : "cannot listen");
			return false;
		}
		listeners += !forward->udp;
	}
	backlogs_raise(listeners);
	return true;
}

/* Leaves the process with the guest's socket, /dev/null as standard input and output, and the tender's standard error.
 */
static bool descriptors_settle(int fd)
{
	int null = open("/dev/null", O_RDWR);
	struct rlimit limit;

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(null, STDOUT_FILENO) < 0)
		return false;
	if (fd != GUEST_FD && dup2(fd, GUEST_FD) < 0)
		return false;
	if (close_range(GUEST_FD + 1, ~0u, 0) < 0)
		return false;
	/* Each connection through a forward takes a descriptor. */
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit); /* best effort: fewer connections at once */
	}
	return true;
}

_Noreturn void user_helper_run(int fd, const char *device, const struct user_forward *forwards, size_t count)
{
	static struct helper helper;
	struct tender_error error;

	prctl(PR_SET_NAME, "skerry-slirp");
	signal(SIGINT, SIG_IGN); /* from a terminal it goes to the tender too, and its end is ours */
	signal(SIGPIPE, SIG_IGN);
	if (!descriptors_settle(fd))
		_exit(1);
	if (!api_load(&error) || !slirp_start(&helper, &error) ||
		!forwards_open(&helper, device, forwards, count, &error) || user_helper_confine(&error) < 0) {
		send(GUEST_FD, error.text, strlen(error.text), MSG_NOSIGNAL);
		_exit(1);
	}
	send(GUEST_FD, "", 1, MSG_NOSIGNAL);
	while (!helper.gone)
		turn(&helper);
	_exit(0);
}
