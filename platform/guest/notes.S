/* SPDX-License-Identifier: ISC
 *
 * What makes an image harmless to the host's own tools: an interpreter that does not exist, so that the host refuses to
 * run it as an ordinary program, and a note that lets OpenBSD's tools accept the file.
 */
	.section .interp, "a", @progbits
	.asciz "/nonexistent/solo5/"

	.section .note.openbsd.ident, "a", @note
	.p2align 2
	.globl image_notes
image_notes:
	.long 8, 4, 1
	.asciz "OpenBSD"
	.long 0

/* A symbol of each object here that replaces one of musl's or BearSSL's which would make system calls. Wanting them now,
 * before those archives are searched, decides who defines them. Nothing refers to this section: it is collected, and with
 * it what no program uses of the replacements. Listing them in the linker script instead would keep them all. */
	.section .rodata.replacements, "a", @progbits
	.quad malloc, __lock, __stdio_write, abort, __stack_chk_fail, clock_gettime, br_prng_seeder_system

	.section .note.GNU-stack, "", @progbits
