/* SPDX-License-Identifier: ISC
 *
 * The one place where a unix process waits: an epoll instance, made when it is first needed.
 *
 * Cost of a wait: one system call, and one reading of the clock when it may have to block.
 */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "watch.h"

enum { WATCH_BATCH = 64, NSEC_PER_SEC = 1000000000 };

static int epoll_fd = -1;
static struct epoll_event batch[WATCH_BATCH];
static int batch_count; /* events of the wait that is being handled */

static int ensure_open(void)
{
	if (epoll_fd < 0)
		epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	return epoll_fd < 0 ? -ENOMEM : 0;
}

static int add(int fd, uint32_t events, struct platform_source *source)
{
	struct epoll_event event = { .events = events, .data.ptr = source };

	if (ensure_open() < 0 || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -ENOMEM;
	return 0;
}

int watch_add(int fd, struct platform_source *source)
{
	return add(fd, EPOLLIN, source);
}

int watch_add_edges(int fd, struct platform_source *source)
{
	return add(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, source);
}

void watch_remove(int fd, struct platform_source *source)
{
	epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	for (int i = 0; i < batch_count; i++)
		if (batch[i].data.ptr == source)
			batch[i].data.ptr = NULL;
}

void watch_wait(uint64_t deadline_ns)
{
	struct timespec timeout = { 0 };
	uint64_t now = deadline_ns == 0 || deadline_ns == UINT64_MAX ? deadline_ns : platform_clock_monotonic();
	uint64_t left = deadline_ns > now ? deadline_ns - now : 0;

	timeout.tv_sec = (time_t)(left / NSEC_PER_SEC);
	timeout.tv_nsec = (long)(left % NSEC_PER_SEC);
	if (ensure_open() < 0)
		return;
	batch_count = epoll_pwait2(epoll_fd, batch, WATCH_BATCH, deadline_ns == UINT64_MAX ? NULL : &timeout, NULL);
	for (int i = 0; i < batch_count; i++) {
		struct platform_source *source = batch[i].data.ptr;

		if (source)
			source->ready(source);
	}
	batch_count = 0;
}
