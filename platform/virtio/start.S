/* SPDX-License-Identifier: ISC
 *
 * Where a virtual machine begins, by the boot protocol PVH or Multiboot: 32 bits, flat segments, no paging, in ebx where
 * the loader's information lies; and in eax, if it is Multiboot, a number that says so.
 * Goes to long mode on tables that map the first GiB to itself, which boot.c replaces by the real ones.
 */
	.section .note.pvh, "a", @note
	.p2align 2
	.long 4, 8, 18 /* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad _start

	.set PRESENT_WRITABLE, 3
	.set LARGE, 0x80
	.set TABLE_ENTRIES, 512

	.text
	.code32
	.globl _start
	.type _start, @function
_start:
	cli
	cld
	movl %eax, %esi
	movl $(early_pdpt + PRESENT_WRITABLE), early_pml4
	movl $(early_pd + PRESENT_WRITABLE), early_pdpt
	movl $early_pd, %edi
	movl $(PRESENT_WRITABLE + LARGE), %eax
	movl $TABLE_ENTRIES, %ecx
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	loop 1b

	movl $0x620, %eax /* CR4: PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $early_pml4, %eax
	movl %eax, %cr3
	movl $0xc0000080, %ecx /* EFER: LME, NXE */
	rdmsr
	orl $0x900, %eax
	wrmsr
	movl $0x80010023, %eax /* CR0: PG, WP, NE, MP, PE */
	movl %eax, %cr0
	lgdt early_gdt_pointer
	ljmp $8, $2f
	.code64
2:	movl $early_stack_end, %esp
	movl %ebx, %edi
	call virtio_boot
	movq %rax, %rsp
	call virtio_main
	.size _start, . - _start

/* All interrupts: they wake the processor, and no more. */
	.globl virtio_interrupt
	.type virtio_interrupt, @function
virtio_interrupt:
	pushq %rax
	movl $0xfee000b0, %eax /* the local APIC's end of interrupt */
	movl $0, (%rax)
	popq %rax
	iretq
	.size virtio_interrupt, . - virtio_interrupt

	.section .rodata.early_gdt, "a", @progbits
	.p2align 3
early_gdt:
	.quad 0, 0x00209b0000000000
early_gdt_pointer:
	.word 15
	.long early_gdt

	.section .bss.early, "aw", @nobits
	.p2align 12
early_pml4:
	.skip 4096
early_pdpt:
	.skip 4096
early_pd:
	.skip 4096
	.skip 4096
early_stack_end:

	.section .note.GNU-stack, "", @progbits
