/* SPDX-License-Identifier: ISC
 *
 * The processor's exceptions, and its tables, in guests that have a processor of their own.
 */
#ifndef GUEST_TRAP_H
#define GUEST_TRAP_H

#include <stdint.h>

enum {
	GUEST_TRAP_EXCEPTIONS = 32,
	GUEST_TRAP_VECTORS = 64, /* exceptions, and room for interrupts */
};

/* Made by trap_entry.S. */
struct guest_trap_frame {
	uint64_t r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rdx, rcx, rbx, rax;
	uint64_t vector, error; /* error: 0 where the processor gives none */
	uint64_t rip, cs, rflags, rsp, ss;
};

/* Loads segments, a stack for exceptions, and their handlers: each ends the guest with a line that says where. */
void guest_trap_init(void);

/* Sends interrupts of this vector, from GUEST_TRAP_EXCEPTIONS on, to an entry that ends with iretq. It has the stack of
 * the exceptions, since what it interrupts may use the bytes below its own. */
void guest_trap_interrupt(unsigned vector, const void *entry);

/* Called by trap_entry.S. */
_Noreturn void guest_trap(const struct guest_trap_frame *frame);

/* Each target's own: ends the guest with GUEST_STATUS_ABORT, leaving the registers to whoever wants them. */
_Noreturn void guest_trap_end(const struct guest_trap_frame *frame);

#endif
