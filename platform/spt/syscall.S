/* SPDX-License-Identifier: ISC
 *
 * The only system call instruction of an image: long spt_syscall(long number, long a, b, c, d, e, f). Arguments are moved
 * from where C passes them to where Linux takes them. skerry-cc fails a link that holds any other.
 */
	.section .text.spt_syscall, "ax", @progbits
	.globl	spt_syscall
	.type	spt_syscall, @function
spt_syscall:
	movq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	movq	%r8, %r10
	movq	%r9, %r8
	movq	8(%rsp), %r9
	syscall
	ret
	.size	spt_syscall, . - spt_syscall
	.section .note.GNU-stack, "", @progbits
