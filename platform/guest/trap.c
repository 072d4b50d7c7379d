/* SPDX-License-Identifier: ISC
 *
 * The processor's exceptions (Intel SDM 3, chapter 6): each ends the guest with status 255, after a line on the console
 * that says what and where.
 *
 * All of them change to a stack of their own, since a stack that has overflowed is one of the reasons for them.
 */
#include <string.h>

#include <platform.h>
#include <skerry/text.h>

#include "guest.h"
#include "trap.h"

enum {
	TRAP_BYTES = 16, /* from one entry in trap_entry.S to the next */
	TRAP_STACK_BYTES = 8192,
	SELECTOR_CODE = 8,
	SELECTOR_DATA = 16,
	SELECTOR_TSS = 24,
	PAGE_FAULT = 14,
};

struct descriptor { /* of lgdt and lidt */
	uint16_t limit;
	void *base;
} __attribute__((packed));

struct gate {
	uint16_t offset_low, selector;
	uint8_t stack, type;
	uint16_t offset_middle;
	uint32_t offset_high, reserved;
};

struct task_state {
	uint32_t reserved0;
	uint32_t stacks[24]; /* rsp0 to 2, a reserved word, ist1 to 7, a reserved word: two halves each */
	uint16_t reserved1, io_map;
};
enum { TASK_STATE_IST1 = 8 };

extern const char guest_trap_entries[];

static uint64_t gdt[5];
static struct gate idt[GUEST_TRAP_VECTORS];
static struct task_state tss;
static uint8_t trap_stack[TRAP_STACK_BYTES] __attribute__((aligned(16)));

static void gdt_load(void)
{
	uint64_t base = (uint64_t)(uintptr_t)&tss;
	struct descriptor table = { sizeof gdt - 1, gdt };

	gdt[SELECTOR_CODE / 8] = 0x00209b0000000000; /* present, code, read, accessed; long mode */
	gdt[SELECTOR_DATA / 8] = 0x0000930000000000; /* present, data, write, accessed */
	gdt[SELECTOR_TSS / 8] =
		(sizeof tss - 1) | (base & 0xffffff) << 16 | UINT64_C(0x89) << 40 | (base >> 24 & 0xff) << 56;
	gdt[SELECTOR_TSS / 8 + 1] = base >> 32;
	/* The far return is what loads the code segment. */
	__asm__ volatile("lgdt %0\n\t"
			 "movw %w1, %%ds\n\t"
			 "movw %w1, %%es\n\t"
			 "movw %w1, %%ss\n\t"
			 "pushq %2\n\t"
			 "leaq 1f(%%rip), %%rax\n\t"
			 "pushq %%rax\n\t"
			 "lretq\n"
			 "1:\tltr %w3"
			 :
			 : "m"(table), "r"(SELECTOR_DATA), "i"(SELECTOR_CODE), "r"(SELECTOR_TSS)
			 : "rax", "memory");
}

static struct gate gate_to(const void *handler)
{
	uint64_t entry = (uint64_t)(uintptr_t)handler;

	return (struct gate){
		.offset_low = (uint16_t)entry,
		.selector = SELECTOR_CODE,
		.stack = 1,
		.type = 0x8e, /* present, interrupt gate */
		.offset_middle = (uint16_t)(entry >> 16),
		.offset_high = (uint32_t)(entry >> 32),
	};
}

void guest_trap_interrupt(unsigned vector, const void *entry)
{
	idt[vector] = gate_to(entry);
}

void guest_trap_init(void)
{
	uint64_t top = (uint64_t)(uintptr_t)(trap_stack + sizeof trap_stack);
	struct descriptor table = { sizeof idt - 1, idt };

	tss.stacks[TASK_STATE_IST1] = (uint32_t)top;
	tss.stacks[TASK_STATE_IST1 + 1] = (uint32_t)(top >> 32);
	tss.io_map = sizeof tss;
	for (size_t i = 0; i < GUEST_TRAP_EXCEPTIONS; i++)
		idt[i] = gate_to(guest_trap_entries + i * TRAP_BYTES);
	gdt_load();
	__asm__ volatile("lidt %0" : : "m"(table));
}

static const char *trap_name(uint64_t vector)
{
	static const char *const names[] = { "division by zero", "debug", "NMI", "breakpoint", "overflow", "bound",
		"invalid instruction", "no FPU", "double fault", "", "invalid TSS", "no segment", "stack segment",
		"protection fault", "page fault", "", "floating-point error", "alignment", "machine check",
		"SSE floating-point error" };

	return vector < sizeof names / sizeof *names ? names[vector] : "";
}

_Noreturn void guest_trap(const struct guest_trap_frame *frame)
{
	char line[160];
	uint64_t address;

	__asm__ volatile("movq %%cr2, %0" : "=r"(address));
	if (frame->vector == PAGE_FAULT)
		text_format(line, sizeof line, "trap: page fault (%s of 0x%llx) at 0x%llx, stack 0x%llx\n",
			frame->error & 16  ? "execution"
			: frame->error & 2 ? "write"
					   : "read",
			(unsigned long long)address, (unsigned long long)frame->rip, (unsigned long long)frame->rsp);
	else
		text_format(line, sizeof line, "trap: %s (%llu) at 0x%llx, stack 0x%llx\n", trap_name(frame->vector),
			(unsigned long long)frame->vector, (unsigned long long)frame->rip,
			(unsigned long long)frame->rsp);
	platform_console_write(line, strlen(line));
	guest_trap_end(frame);
}
