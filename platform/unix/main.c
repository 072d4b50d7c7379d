/* SPDX-License-Identifier: ISC
 *
 * A unikernel as an ordinary process: main(). The devices that a tender would attach are named on the command line, in
 * the tender's words, and taken off before the unikernel sees its arguments. Alone in its file, so that a program with
 * a main() of its own, such as a test, can be linked with everything else.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <platform.h>

#include "devices.h"
#include "inquiry.h"

enum { EXIT_BAD_DEVICE = 1, EXIT_FAULT = 255 };

/* The manifest as the configure step wrote it. A program without devices need not have one. */
extern const char unikernel_manifest[] __attribute__((weak));

static void print_manifest(void)
{
	fputs(unikernel_manifest ? unikernel_manifest : "{\"type\":\"solo5.manifest\",\"version\":1,\"devices\":[]}\n",
		stdout);
	fflush(stdout);
}

/* A fault ends with the status that it has on every target. A debugger has stopped at the signal before this; a core
 * file, where they are wanted, is left by a copy of the process. */
static void on_abort(int number)
{
	struct rlimit core;
	pid_t copy = -1;

	if (getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur > 0)
		copy = fork();
	if (copy == 0)
		raise(number); /* whose action is the default one again */
	if (copy > 0)
		waitpid(copy, NULL, 0);
	_exit(EXIT_FAULT);
}

/* What was closed at first must not become a device's or a connection's number: the console would write there. */
static void open_streams(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* As many as the host lets us have: each connection takes one. */
static void raise_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

int main(int argc, char **argv)
{
	const struct sigaction fault = { .sa_handler = on_abort, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };
	char *name = strrchr(argv[0], '/');
	int kept = 1;

	open_streams();
	for (int i = 1; i < argc; i++) {
		char error[256];
		int taken = device_option(argv[i], error, sizeof error);

		if (taken < 0) {
			fprintf(stderr, "%s\n", error);
			return EXIT_BAD_DEVICE;
		}
		if (strcmp(argv[i], "--manifest") == 0) {
			print_manifest();
			return 0;
		}
		if (taken == 0)
			argv[kept++] = argv[i];
	}
	argv[kept] = NULL;
	/* A reader that has gone, of the console or of a socket, is an error to be returned and no reason to die. */
	signal(SIGPIPE, SIG_IGN);
	sigaction(SIGABRT, &fault, NULL);
	inquiry_watch();
	raise_descriptors();
	if (name)
		argv[0] = name + 1;
	return platform_main(kept, argv);
}
