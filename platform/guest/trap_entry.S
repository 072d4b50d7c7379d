/* SPDX-License-Identifier: ISC
 *
 * The entries of the 32 exceptions, TRAP_BYTES apart: each makes a struct guest_trap_frame and calls guest_trap().
 */
	.text
	.globl guest_trap_entries
	.type guest_trap_entries, @function
	.p2align 4
guest_trap_entries:
	.set vector, 0
	.rept 32
	.p2align 4
	/* Vectors 8, 10 to 14, 17, 21, 29 and 30 come with an error code: the others get a zero. */
	.if (0x60227d00 >> vector) & 1 == 0
	pushq $0
	.endif
	pushq $vector
	jmp common
	.set vector, vector + 1
	.endr
	.size guest_trap_entries, . - guest_trap_entries

common:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rbp
	pushq %rsi
	pushq %rdi
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	andq $-16, %rsp
	call guest_trap

	.section .note.GNU-stack, "", @progbits
