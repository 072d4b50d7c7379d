/* SPDX-License-Identifier: ISC
 *
 * void fiber_swap(void **save, void *load): leaves one stack and goes on where another was left.
 *
 * What the System V ABI lets a call destroy is not saved: for the compiler this is an ordinary call. Left are six
 * registers, the stack pointer, and the control words of SSE and x87, which are loaded only when they differ,
 * because loading them costs more than all the rest. The flow returns by `ret`: tasks switch at one place in the
 * code, so the processor's return prediction is right although the stack is another.
 */
	.cfi_sections .debug_frame
	.text
	.globl fiber_swap
	.type fiber_swap, @function
	.p2align 5
fiber_swap:
	.cfi_startproc
	pushq %rbp
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbp, 0
	pushq %rbx
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %rbx, 0
	pushq %r12
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r12, 0
	pushq %r13
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r13, 0
	pushq %r14
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r14, 0
	pushq %r15
	.cfi_adjust_cfa_offset 8
	.cfi_rel_offset %r15, 0
	subq $8, %rsp
	.cfi_adjust_cfa_offset 8
	stmxcsr (%rsp)
	fnstcw 4(%rsp)
	movl (%rsp), %eax
	movzwl 4(%rsp), %ecx
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	cmpl %eax, (%rsp)
	jne 1f
	cmpw %cx, 4(%rsp)
	jne 1f
2:	addq $8, %rsp
	.cfi_adjust_cfa_offset -8
	popq %r15
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r15
	popq %r14
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r14
	popq %r13
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r13
	popq %r12
	.cfi_adjust_cfa_offset -8
	.cfi_restore %r12
	popq %rbx
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbx
	popq %rbp
	.cfi_adjust_cfa_offset -8
	.cfi_restore %rbp
	ret
	.cfi_adjust_cfa_offset 56
	.cfi_rel_offset %rbp, 48
	.cfi_rel_offset %rbx, 40
	.cfi_rel_offset %r12, 32
	.cfi_rel_offset %r13, 24
	.cfi_rel_offset %r14, 16
	.cfi_rel_offset %r15, 8
1:	ldmxcsr (%rsp)
	fldcw 4(%rsp)
	jmp 2b
	.cfi_endproc
	.size fiber_swap, . - fiber_swap

	.section .note.GNU-stack, "", @progbits
