/* SPDX-License-Identifier: ISC
 *
 * Under a tender with hypercalls (hvt): does what its first argument says, most of which must end it. Elsewhere it says
 * that there is nothing to do.
 *
 *	out PORT VALUE [BYTES]       writes to a port: a hypercall is 0x500 + its number with an address
 *	in PORT                      reads one
 *	call NUMBER WORD...          a hypercall whose argument is these words; "@" is the address of a buffer
 *	fuzz SEED COUNT              random hypercalls, with arguments that are partly sensible
 *	halt | triple | int3 | divide | unmask
 */
#include <stdlib.h>

#include "guest.h"

enum { WORDS = 8, BUFFER = 4096, PORT = 0x500, CALLS = 7 };

static uint8_t buffer[BUFFER];

static void out(uint16_t port, uint32_t value)
{
	__asm__ volatile("outl %0, %1" : : "a"(value), "d"(port) : "memory");
}

static uint64_t word(const char *text)
{
	return *text == '@' ? (uint64_t)(uintptr_t)buffer + strtoull(text + 1, NULL, 0) : strtoull(text, NULL, 0);
}

static void call(uint64_t number, char **words)
{
	static uint64_t argument[WORDS];

	for (int i = 0; i < WORDS && words[i]; i++)
		argument[i] = word(words[i]);
	out((uint16_t)(PORT + number), (uint32_t)(uintptr_t)argument);
	printf("%d %llu\n",
		(int)(uint32_t)argument[number == 3                  ? 2
					: number == 4 || number == 5 ? 4
								     : 3],
		(unsigned long long)argument[1]);
}

/* SplitMix64 (Steele, Lea, Flood 2014). */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Mostly valid, so that the calls go deep: an invalid address ends the guest at once. */
static void fuzz(uint64_t seed, uint64_t count)
{
	static uint64_t argument[WORDS];

	for (uint64_t i = 0; i < count; i++) {
		uint64_t number = 3 + next(&seed) % (CALLS - 2);
		uint64_t room = next(&seed) % BUFFER;

		for (int k = 0; k < WORDS; k++)
			argument[k] = next(&seed) % 4 ? next(&seed) % 64 : next(&seed);
		if (number == 3)
			argument[0] %= 1000;
		else if (number >= 6) { /* net: handle, data, len */
			argument[1] = (uint64_t)(uintptr_t)buffer + BUFFER - room;
			argument[2] = next(&seed) % (room + 1);
		} else { /* block: handle, offset, data, len */
			argument[2] = (uint64_t)(uintptr_t)buffer + BUFFER - room;
			argument[3] = next(&seed) % (room + 1);
		}
		out((uint16_t)(PORT + number), (uint32_t)(uintptr_t)argument);
	}
}

int platform_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	volatile int one = 1, zero = 0;

	say("before");
	if (strcmp(what, "out") == 0)
		out((uint16_t)word(argv[2]), (uint32_t)word(argv[3]));
	else if (strcmp(what, "in") == 0)
		__asm__ volatile("inl %0, %%eax" : : "d"((uint16_t)word(argv[2])) : "eax");
	else if (strcmp(what, "call") == 0)
		call(word(argv[2]), argv + 3);
	else if (strcmp(what, "fuzz") == 0)
		fuzz(word(argv[2]), word(argv[3]));
	else if (strcmp(what, "halt") == 0)
		__asm__ volatile("hlt");
	else if (strcmp(what, "triple") == 0)
		__asm__ volatile("lidt %0\n\tud2" : : "m"(buffer));
	else if (strcmp(what, "int3") == 0)
		__asm__ volatile("int3");
	else if (strcmp(what, "divide") == 0)
		printf("%d\n", one / zero);
	else if (strcmp(what, "unmask") == 0) /* the text is read-only whatever the guest's own tables say */
		__asm__ volatile("movq %%cr0, %%rax\n\tandq $~0x10000, %%rax\n\tmovq %%rax, %%cr0\n\t"
				 "movb $0x90, (%0)"
				 :
				 : "r"(0x100000)
				 : "rax", "memory");
	say("after");
	return 0;
}
