/* SPDX-License-Identifier: ISC
 *
 * long spt_system_call(long a, long b, long c, long d, long e, long number): the only system call instruction that an
 * image may hold (tool/check-image sees to it). The kernel's fourth argument is in another register than C's.
 */
	.section .text.system_calls, "ax", @progbits
	.globl spt_system_call
	.type spt_system_call, @function
spt_system_call:
	movq %r9, %rax
	movq %rcx, %r10
	syscall
	ret
	.size spt_system_call, . - spt_system_call

	.section .note.GNU-stack, "", @progbits
