/* SPDX-License-Identifier: ISC
 *
 * From the platform's entry to platform_main(), and back.
 */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include <platform.h>

#include "guest.h"

extern void (*const __init_array_start[])(void);
extern void (*const __init_array_end[])(void);

static void say(const char *text)
{
	platform_console_write(text, strlen(text));
}

_Noreturn void guest_fatal(const char *what)
{
	say(what);
	say("\n");
	platform_exit(GUEST_STATUS_ABORT);
}

_Noreturn void guest_run(uintptr_t begin, uintptr_t end, const char *cmdline)
{
	const char *unclosed;
	char **argv;
	int argc;
	int err;

	/* musl finds the locale, and in it the rule that text is bytes, through the thread's block. */
	uselocale(LC_GLOBAL_LOCALE);
	err = guest_heap_init(begin, end);
	if (err == 0)
		err = guest_arguments(cmdline, &argc, &argv, &unclosed);
	if (err == -ENOMEM)
		guest_fatal("the memory is too small to boot in");
	if (err < 0) {
		say("command line: not closed: ");
		say(unclosed);
		say("\n");
		platform_exit(GUEST_STATUS_USAGE);
	}
	for (size_t i = 0; &__init_array_start[i] < __init_array_end; i++)
		__init_array_start[i]();
	exit(platform_main(argc, argv));
}
