/* SPDX-License-Identifier: ISC
 *
 * The C library of a plain program: lines to stdout and stderr in their order, an empty stdin, errno, and what is left
 * in the buffer at the end.
 */
#include <errno.h>
#include <locale.h>
#include <stdlib.h>
#include <wchar.h>

#include "guest.h"

static void at_exit(void)
{
	printf("at exit");
}

int platform_main(int argc, char **argv)
{
	char line[16];
	wchar_t wide;

	(void)argc;
	(void)argv;
	atexit(at_exit);
	printf("%d %s %.2f %zu\n", -1, "two", 3.0, (size_t)4);
	fprintf(stderr, "to stderr: %c\n", 'c');
	puts("a line");
	putchar('c');
	fputc('\n', stdout);
	printf("%2000d\n", 5);
	errno = ENOENT;
	perror("perror");
	errno = 0;
	expect(strtol("99999999999999999999", NULL, 10) > 0 && errno == ERANGE);
	expect(fgets(line, sizeof line, stdin) == NULL);
	expect(getchar() == EOF);
	expect(mbtowc(&wide, "\xc3\xa4", 2) == 1 || wide == 0xe4);
	exit(3);
}
