/* SPDX-License-Identifier: ISC
 *
 * A unikernel as an ordinary process: main(), the console, and the ways out. The devices that a tender would attach are
 * named on the command line, in the tender's words, and taken off before the unikernel sees its arguments.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <platform.h>

#include "devices.h"

enum { EXIT_BAD_DEVICE = 1 };

/* The manifest as the configure step wrote it. A program without devices need not have one. */
extern const char unikernel_manifest[] __attribute__((weak));

static void print_manifest(void)
{
	fputs(unikernel_manifest ? unikernel_manifest : "{\"type\":\"solo5.manifest\",\"version\":1,\"devices\":[]}\n",
		stdout);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char *name = strrchr(argv[0], '/');
	int kept = 1;

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
	if (name)
		argv[0] = name + 1;
	return platform_main(kept, argv);
}

void platform_exit(int status)
{
	_exit(status);
}

void platform_abort(void)
{
	abort();
}

void platform_console_write(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(STDOUT_FILENO, text, len);

		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		}
	}
}
