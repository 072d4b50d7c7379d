/* SPDX-License-Identifier: ISC
 *
 * A unikernel as an ordinary process: main(). The devices that a tender would attach are named on the command line, in
 * the tender's words, and taken off before the unikernel sees its arguments. Alone in its file, so that a program with
 * a main() of its own, such as a test, can be linked with everything else.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include <platform.h>

#include "devices.h"
#include "inquiry.h"

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
	/* A reader that has gone, of the console or of a socket, is an error to be returned and no reason to die. */
	signal(SIGPIPE, SIG_IGN);
	inquiry_watch();
	if (name)
		argv[0] = name + 1;
	return platform_main(kept, argv);
}
