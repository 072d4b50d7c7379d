/* SPDX-License-Identifier: ISC
 *
 * Inside the hvt platform: the boot structure, hypercalls, traps.
 */
#ifndef HVT_H
#define HVT_H

#include <stdint.h>

#include "abi/hvt.h"

extern const struct hvt_boot_info *hvt_boot;

/* A hypercall; the argument lies below 4 GiB, as all of a guest does. */
static inline void hvt_call(enum hvt_call number, void *argument)
{
	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uintptr_t)argument), "d"((uint16_t)(HVT_PORT + (int)number))
			 : "memory");
}

/* Installs the handlers of the processor's exceptions, each of which ends the guest with a line that says where. */
void hvt_trap_init(void);

/* Learns the processor's frequency. */
void hvt_time_init(void);

/* Called by trap_entry.S. */
struct hvt_trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
	uint64_t vector, error; /* error: 0 where the processor gives none */
	uint64_t rip, cs, rflags, rsp, ss;
};
_Noreturn void hvt_trap(const struct hvt_trap_frame *frame);

#endif
