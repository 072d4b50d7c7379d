/* SPDX-License-Identifier: ISC
 *
 * Fibers under the address sanitizer, which must know on which stack the program runs: each switch is announced
 * before and confirmed after, and a stack that is used again is cleared of what ended fibers left in its shadow.
 */
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

#include "lib/task/fiber.h"

static struct fiber *left; /* the fiber that the latest switch came from */

/* On the new stack. The bounds of the fiber that the program began on become known here. */
static void arrive(void *sanitizer)
{
	const void *lowest;
	size_t size;

	__sanitizer_finish_switch_fiber(sanitizer, &lowest, &size);
	if (left && !left->lowest) {
		left->lowest = (void *)(size_t)lowest;
		left->size = size;
	}
}

static void start(void)
{
	arrive(NULL);
	fiber_main();
}

void fiber_init(struct fiber *fiber, void *lowest, size_t size)
{
	struct fiber_frame *frame = (struct fiber_frame *)((char *)lowest + size) - 1;

	__asan_unpoison_memory_region(lowest, size);
	*frame = FIBER_FRAME(start);
	*fiber = (struct fiber){ .stack_pointer = frame, .lowest = lowest, .size = size };
}

void fiber_switch(struct fiber *from, struct fiber *to)
{
	left = from;
	__sanitizer_start_switch_fiber(&from->sanitizer, to->lowest, to->size);
	fiber_swap(&from->stack_pointer, to->stack_pointer);
	arrive(from->sanitizer);
}

_Noreturn void fiber_leave(struct fiber *from, struct fiber *to)
{
	left = from;
	__sanitizer_start_switch_fiber(NULL, to->lowest, to->size);
	fiber_swap(&from->stack_pointer, to->stack_pointer);
	__builtin_unreachable();
}
