/* SPDX-License-Identifier: ISC
 *
 * The image as its tender sees it. The entry: rdi = boot structure, rsp = mem_size - 8, so that rsp + 8 is 16-byte aligned as after a call.
 */
	.text
	.globl	_start
	.type	_start, @function
_start:
	xorl	%ebp, %ebp
	jmp	spt_main
	.size	_start, . - _start

/* Which interface the image speaks, a word for OpenBSD, and an interpreter that does not exist, so that a host refuses to
 * execute the image directly. */
	.section .note.solo5.abi, "a", @note
	.balign	4
	.long	6, 16, 0x31494241	/* "ABI1" */
	.asciz	"Solo5"
	.balign	4
	.long	2, 2, 0, 0		/* spt, version 2 */

	.section .note.openbsd, "a", @note
	.balign	4
	.long	8, 4, 1
	.asciz	"OpenBSD"
	.balign	4
	.long	0

	.section .interp, "a", @progbits
	.asciz	"/nonexistent/solo5/"
	.section .note.GNU-stack, "", @progbits
