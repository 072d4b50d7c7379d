/* SPDX-License-Identifier: ISC
 *
 * The one thread's block at %fs: thread-local variables below it, and in it the words that the compiler and musl
 * expect: a pointer to itself, the stack protector's canary at 0x28, the locale, errno.
 *
 * The linker reserves the memory, zeroed (platform/guest/image.ld). Variables end where the block begins, so with the
 * section's alignment of THREAD_ALIGNMENT they begin that many bytes below, rounded up.
 */
#include <cpuid.h>
#include <locale.h>
#include <string.h>

#include "guest.h"

enum { THREAD_ALIGNMENT = 64, READY_TRIES = 16 };

struct thread {
	struct thread *self;
	uint64_t dtv, prev, next, sysinfo;
	uint64_t canary;
	/* musl's own members follow: they start as zeros. */
};
_Static_assert(offsetof(struct thread, canary) == 0x28, "where the compiler looks for it");

/* The linker's symbols: only their addresses mean anything. */
extern const char image_thread_data[], image_thread_size[];
extern char image_thread[];

/* Secret from the network's other end, which is all that a canary must be; the lowest byte is 0, so that a string which
 * runs over it cannot restore it. */
__attribute__((no_stack_protector)) static uint64_t make_canary(void)
{
	unsigned long long random = 0;
	unsigned a, b, c, d;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND)) {
		unsigned char ready = 0;

		for (int i = 0; i < READY_TRIES && !ready; i++)
			__asm__ volatile("rdrand %0\n\tsetc %1" : "=r"(random), "=qm"(ready) : : "cc");
	}
	/* Multiplied, because the counter's high bits say little but how long the host is up. */
	return (random ^ __builtin_ia32_rdtsc() * 0x9e3779b97f4a7c15u) & ~(uint64_t)0xff;
}

__attribute__((no_stack_protector)) void *guest_thread_init(void)
{
	struct thread *thread = (struct thread *)(void *)image_thread;
	size_t size = (size_t)image_thread_size;
	size_t below = (size + THREAD_ALIGNMENT - 1) / THREAD_ALIGNMENT * THREAD_ALIGNMENT;

	memcpy(image_thread - below, image_thread_data, size);
	thread->self = thread;
	thread->canary = make_canary();
	return thread;
}
