/* SPDX-License-Identifier: ISC
 *
 * What is in the image is in memory when the program starts: data, zeros, constants and pointers between them, whatever
 * its alignment; thread-local variables; and constructors have run.
 */
#include <stdint.h>

#include "guest.h"

enum { ZEROS = 3 << 20 };

static volatile int number = 42;
static volatile char zeros[ZEROS];
static const char *volatile words[] = { "one", "two" };
static int *const volatile pointer = (int *)(uintptr_t)&number;
static volatile char aligned[128] __attribute__((aligned(128))) = { 7 };
static _Thread_local volatile int own = 1234, own_zero;
static _Thread_local volatile char own_aligned[64] __attribute__((aligned(64))) = "aligned";
static int constructed;

__attribute__((constructor)) static void construct(void)
{
	constructed = number;
}

int platform_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	expect(number == 42);
	for (size_t i = 0; i < sizeof zeros; i++)
		expect(zeros[i] == 0);
	memset((char *)(uintptr_t)zeros, 1, sizeof zeros);
	expect(strcmp(words[0], "one") == 0 && strcmp(words[1], "two") == 0);
	*pointer = 43;
	expect(number == 43);
	expect((uintptr_t)aligned % 128 == 0 && aligned[0] == 7 && aligned[127] == 0);
	expect(own == 1234 && own_zero == 0 && own_aligned[6] == 'd');
	expect((uintptr_t)own_aligned % 64 == 0);
	own++;
	own_zero--;
	expect(own == 1235 && own_zero == -1);
	expect(constructed == 42);
	return 0;
}
