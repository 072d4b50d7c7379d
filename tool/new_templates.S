/* SPDX-License-Identifier: ISC
 *
 * What `skerry new` starts from: the examples themselves, as they are in the tree.
 */
	.macro	template name, path
	.globl	template_\name
template_\name:
	.incbin	"\path"
	.byte	0
	.endm

	.section .rodata
	template hello_config, "examples/hello/config.c"
	template hello_program, "examples/hello/unikernel.c"
	template web_config, "examples/web/config.c"
	template web_program, "examples/web/unikernel.c"
	template echo_config, "examples/echo/config.c"
	template echo_program, "examples/echo/unikernel.c"

	.section .note.GNU-stack, "", @progbits
