/* SPDX-License-Identifier: ISC
 *
 * What makes an image harmless to the host's own tools: an interpreter that does not exist, so that the host refuses to
 * run it as an ordinary program, and a note that lets OpenBSD's tools accept the file.
 */
	.section .interp, "a", @progbits
	.asciz "/nonexistent/solo5/"

	.section .note.openbsd.ident, "a", @note
	.p2align 2
	.globl openbsd_note
openbsd_note:
	.long 8, 4, 1
	.asciz "OpenBSD"
	.long 0

	.section .note.GNU-stack, "", @progbits
