/* SPDX-License-Identifier: ISC
 *
 * Fibers: flows of control with a stack each, and the switch between them. fiber.c is the real one; the build with
 * the address sanitizer takes asan/fiber.c in its place, which tells the sanitizer about each switch.
 */
#ifndef TASK_FIBER_H
#define TASK_FIBER_H

#include <stddef.h>

struct fiber {
	void *stack_pointer; /* where it was left */
	void *lowest;        /* the stack's bounds; both 0 for the fiber that the program began on */
	size_t size;
	void *sanitizer; /* asan/fiber.c's own */
};

/* Makes a fiber on this stack, size bytes from lowest, both 16-byte aligned. The first switch to it calls
 * fiber_main(). */
void fiber_init(struct fiber *fiber, void *lowest, size_t size);

/* Goes on in another fiber; returns when one switches back to `from`. */
void fiber_switch(struct fiber *from, struct fiber *to);

/* The same for a fiber that nobody will switch back to. */
_Noreturn void fiber_leave(struct fiber *from, struct fiber *to);

/* Defined by task.c. */
_Noreturn void fiber_main(void);

/* What a new fiber's stack holds so that fiber_swap (switch_x86_64.S), loading it, calls entry(). */
struct fiber_frame {
	unsigned mxcsr, x87_control;
	void *r15, *r14, *r13, *r12, *rbx, *rbp;
	void (*entry)(void);
	void *no_caller; /* ends backtraces, and aligns the stack as a call would */
};
#define FIBER_FRAME(function)                                                                                          \
	(struct fiber_frame)                                                                                           \
	{                                                                                                              \
		.mxcsr = 0x1f80, .x87_control = 0x037f, .entry = (function)                                            \
	}
void fiber_swap(void **save, void *load);

#endif
