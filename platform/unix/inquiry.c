/* SPDX-License-Identifier: ISC
 *
 * The operator's question to a running process: SIGUSR1, taken through a descriptor, so that it is answered where the
 * process waits, between tasks, and nothing has to be safe in a signal handler.
 */
#include "inquiry.h"

#include <signal.h>
#include <stddef.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "watch.h"

static int signal_fd = -1;

static void answer(struct platform_source *source)
{
	struct signalfd_siginfo info;

	(void)source;
	if (read(signal_fd, &info, sizeof info) == (ssize_t)sizeof info)
		platform_inquire();
}

void inquiry_watch(void)
{
	static struct platform_source source = { .ready = answer };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGUSR1);
	signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signal_fd >= 0 && watch_add(signal_fd, &source) == 0)
		sigprocmask(SIG_BLOCK, &signals, NULL);
}
