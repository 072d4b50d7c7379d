/* SPDX-License-Identifier: ISC
 *
 * The ways to end, by the first argument: a status, or how.
 */
#include <assert.h>
#include <stdlib.h>

#include <skerry/log.h>

#include "guest.h"

static void copy_too_much(size_t len)
{
	void *__memcpy_chk(void *to, const void *from, size_t size, size_t room);
	char small[4];

	(void)__memcpy_chk(small, "0123456789abcdef", len, sizeof small);
}

int platform_main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "0";

	if (strcmp(how, "abort") == 0)
		abort();
	if (strcmp(how, "platform_abort") == 0)
		platform_abort();
	if (strcmp(how, "panic") == 0)
		panic("the answer is %d", 42);
	if (strcmp(how, "assert") == 0)
		assert(argc == 42);
	if (strcmp(how, "overflow") == 0)
		copy_too_much(8);
	if (strcmp(how, "double free") == 0) {
		void *volatile block = malloc(10);

		free(block);
		free(block);
	}
	if (strcmp(how, "exit") == 0)
		platform_exit(atoi(argv[2]));
	return atoi(how);
}
