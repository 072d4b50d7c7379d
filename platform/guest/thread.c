/* SPDX-License-Identifier: ISC
 *
 * The thread block that %fs points to, and the stack canary in it. gcc reads the canary at %fs:0x28.
 */
#include <stdint.h>
#include <x86intrin.h>

#include <cpuid.h>
#include <platform.h>

#include "guest.h"

static struct {
	void *self; /* the System V ABI: %fs:0 holds its own address */
	uint64_t unused[4];
	uint64_t canary; /* %fs:0x28 */
} thread __attribute__((aligned(64)));

_Static_assert(offsetof(__typeof__(thread), canary) == 0x28, "where gcc looks");

enum { CPUID_1_ECX_RDRAND = 1 << 30, RDRAND_TRIES = 10 };

__attribute__((target("rdrnd"))) static uint64_t hardware_random(void)
{
	unsigned a, b, c, d;
	unsigned long long value = 0;

	if (__get_cpuid(1, &a, &b, &c, &d) && (c & CPUID_1_ECX_RDRAND))
		for (int i = 0; i < RDRAND_TRIES && !_rdrand64_step(&value); i++)
			;
	return value;
}

/* One byte of the canary is zero, so that a string function cannot copy it. */
__attribute__((optimize("no-stack-protector"))) void *guest_thread_init(void)
{
	thread.self = &thread;
	thread.canary = (hardware_random() ^ (__rdtsc() * UINT64_C(0x9e3779b97f4a7c15))) & ~UINT64_C(0xff);
	return &thread;
}

_Noreturn void __stack_chk_fail(void);
_Noreturn void __stack_chk_fail(void)
{
	static const char message[] = "stack smashing detected\n";

	platform_console_write(message, sizeof message - 1);
	platform_abort();
}
