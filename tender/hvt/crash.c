/* SPDX-License-Identifier: ISC
 *
 * What is printed of a guest that has crashed: registers, and the functions it was in, by the image's own symbols.
 *
 * Guests are built without frame pointers, so the callers are looked for: words on the stack that point behind a call
 * instruction. Some may be left from earlier calls.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tender/hvt/hvt.h"

enum {
	FRAMES_MAX = 24,
	STACK_BYTES_MAX = 32768, /* looked through */
	CALL_NEAR = 0xe8,
	CALL_INDIRECT = 0xff, /* with 2 in the middle of the next byte */
	CALL_BYTES_MAX = 7,
};

/* The code that ends where the address is, CALL_BYTES_MAX bytes of it; NULL if that is no code of the image. */
static const uint8_t *code_before(const struct hvt *hvt, uint64_t address)
{
	for (size_t i = 0; i < hvt->layout.segment_count; i++) {
		const struct tender_segment *segment = &hvt->layout.segments[i];

		if ((segment->protection & PROT_EXEC) && address >= segment->address + CALL_BYTES_MAX &&
			address - segment->address <= segment->file_bytes)
			return hvt->memory + address - CALL_BYTES_MAX;
	}
	return NULL;
}

/* Intel SDM 2, CALL: E8 and 32 bits; or FF /2, with a SIB byte and 0, 8 or 32 bits. */
static bool follows_call(const struct hvt *hvt, uint64_t address)
{
	static const size_t lengths[] = { 2, 3, 4, 6, 7 };
	const uint8_t *code = code_before(hvt, address);

	if (!code)
		return false;
	if (code[CALL_BYTES_MAX - 5] == CALL_NEAR)
		return true;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		const uint8_t *call = code + CALL_BYTES_MAX - lengths[i];

		if (call[0] == CALL_INDIRECT && (call[1] >> 3 & 7) == 2)
			return true;
	}
	return false;
}

static void say(const char *text, int len)
{
	if (write(STDERR_FILENO, text, (size_t)len) < 0)
		return; /* nobody listens */
}

static void print_registers(const struct hvt *hvt, const struct user_regs_struct *r)
{
	const struct {
		const char *name;
		unsigned long long value;
	} all[] = { { "rip", r->rip }, { "rsp", r->rsp }, { "rbp", r->rbp }, { "flags", r->eflags }, { "rax", r->rax },
		{ "rbx", r->rbx }, { "rcx", r->rcx }, { "rdx", r->rdx }, { "rsi", r->rsi }, { "rdi", r->rdi },
		{ "r8", r->r8 }, { "r9", r->r9 }, { "r10", r->r10 }, { "r11", r->r11 }, { "r12", r->r12 },
		{ "r13", r->r13 }, { "r14", r->r14 }, { "r15", r->r15 } };
	char line[TENDER_ERROR_SIZE];
	int len = 0;

	for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
		if (i % 4 == 0)
			len = snprintf(line, sizeof line, "%s:", hvt->program);
		len += snprintf(line + len, sizeof line - (size_t)len, " %5s %016llx", all[i].name, all[i].value);
		if (i % 4 == 3 || i + 1 == sizeof all / sizeof *all) {
			line[len++] = '\n';
			say(line, len);
		}
	}
}

/* behind: the address is that of a return, so the call is what lies before it. */
static void print_frame(const struct hvt *hvt, int number, uint64_t address, uint64_t behind)
{
	char name[SYMBOL_TEXT_SIZE], line[TENDER_ERROR_SIZE];

	symbols_describe(&hvt->symbols, address - behind, name);
	say(line, snprintf(line, sizeof line, "%s: #%-2d 0x%" PRIx64 " %s\n", hvt->program, number, address - behind,
			  name));
}

void hvt_crash_print(const struct hvt *hvt, const uint8_t *cookie)
{
	struct user_regs_struct registers;
	char line[TENDER_ERROR_SIZE];
	uint64_t at, end, word;
	int frames = 1;

	hvt_registers_read(hvt, cookie, &registers);
	print_registers(hvt, &registers);
	say(line, snprintf(line, sizeof line, "%s: where it was, and what on its stack looks like the callers:\n",
			  hvt->program));
	print_frame(hvt, 0, registers.rip, 0);
	at = registers.rsp & ~(uint64_t)(sizeof word - 1);
	if (at < HVT_IMAGE_BASE || at >= hvt->mem_bytes)
		return;
	end = hvt->mem_bytes - at < STACK_BYTES_MAX ? hvt->mem_bytes : at + STACK_BYTES_MAX;
	for (; at < end && frames < FRAMES_MAX; at += sizeof word) {
		memcpy(&word, hvt->memory + at, sizeof word);
		if (follows_call(hvt, word))
			print_frame(hvt, frames++, word, 1);
	}
}
