/* SPDX-License-Identifier: ISC
 *
 * Makes the system call of its arguments, number first; or, with "32" before them, as 32-bit programs do. Says the
 * result if it comes back. skerry-cc links this only because the Makefile allows this one function.
 */
#include <stdlib.h>

#include "guest.h"

static long system_call(const long number[7])
{
	register long fourth __asm__("r10") = number[4];
	register long fifth __asm__("r8") = number[5];
	register long sixth __asm__("r9") = number[6];
	long result;

	__asm__ volatile(
		"syscall"
		: "=a"(result)
		: "0"(number[0]), "D"(number[1]), "S"(number[2]), "d"(number[3]), "r"(fourth), "r"(fifth), "r"(sixth)
		: "rcx", "r11", "memory");
	return result;
}

static long system_call_32(const long number[7])
{
	long result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "0"(number[0]), "b"(number[1]), "c"(number[2]), "d"(number[3])
			 : "memory");
	return result;
}

int platform_main(int argc, char **argv)
{
	int compatible = argc > 1 && strcmp(argv[1], "32") == 0;
	long number[7] = { 0 };

	for (int i = 0; i < 7 && i + 1 + compatible < argc; i++)
		number[i] = strtol(argv[i + 1 + compatible], NULL, 0);
	say("before");
	printf("%ld\n", compatible ? system_call_32(number) : system_call(number));
	return 0;
}
