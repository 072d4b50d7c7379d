/* SPDX-License-Identifier: ISC
 *
 * When memory is out, malloc says so with ENOMEM, and the program goes on; all of it can be had again. A stack is all
 * zero where other things were. Says how many bytes it got.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "guest.h"

enum { PIECE = 65536 };

struct piece {
	struct piece *next;
	char bytes[PIECE - sizeof(struct piece *)];
};

static size_t take_all(struct piece **pieces)
{
	size_t count = 0;
	struct piece *piece;

	errno = 0;
	while ((piece = malloc(sizeof *piece))) {
		memset(piece, 0x5a, sizeof *piece);
		piece->next = *pieces;
		*pieces = piece;
		count++;
	}
	expect(errno == ENOMEM);
	return count;
}

static void give_back(struct piece *pieces)
{
	while (pieces) {
		struct piece *next = pieces->next;

		for (size_t i = 0; i < sizeof pieces->bytes; i++)
			expect(pieces->bytes[i] == 0x5a);
		free(pieces);
		pieces = next;
	}
}

/* Of memory that has been in use. */
static void take_stack(void)
{
	const char *stack = platform_stack_new(PIECE);

	expect(stack && (uintptr_t)stack % 16 == 0);
	for (size_t i = 0; i < PIECE; i++)
		expect(stack[i] == 0);
	platform_stack_free((char *)(uintptr_t)stack, PIECE);
}

int platform_main(int argc, char **argv)
{
	struct platform_memory before, after;
	struct piece *pieces = NULL;
	volatile size_t huge = SIZE_MAX / 2;
	size_t count;
	void *block;

	(void)argc;
	(void)argv;
	platform_memory(&before);
	count = take_all(&pieces);
	give_back(pieces);
	pieces = NULL;
	expect(take_all(&pieces) == count);
	give_back(pieces);
	take_stack();
	errno = 0;
	expect(!malloc(huge) && errno == ENOMEM);
	errno = 0;
	expect(!calloc(huge, 3) && errno == ENOMEM);
	expect(posix_memalign(&block, 4096, 100) == 0 && (uintptr_t)block % 4096 == 0);
	free(block);
	block = calloc(1000, 3);
	expect(block && ((char *)block)[2999] == 0);
	block = realloc(block, 100000);
	expect(block && ((char *)block)[2999] == 0);
	free(block);
	platform_memory(&after);
	expect(after.used_bytes == before.used_bytes && after.peak_bytes > count * PIECE);
	expect(after.total_bytes == before.total_bytes && after.peak_bytes <= after.total_bytes);
	printf("%zu\n", count * PIECE);
	return 0;
}
