/* SPDX-License-Identifier: ISC
 *
 * gdb's remote serial protocol (GDB manual, appendix E), for one debugger that connects before the guest's first
 * instruction: registers, memory, breakpoints, single steps, and Ctrl-C.
 *
 * Breakpoints are hlt instructions in the guest's text, which the tender, but not the guest, can write: no guest uses
 * it, and unlike int3 it leads to the tender on every KVM, also on an emulated one. gdb takes each away before it steps
 * over it. Input that is not understood gets the empty answer, as the protocol wants.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tender/hvt/hvt.h"

enum {
	PACKET_MAX = 4096,
	INTERRUPT = 3,
	BREAKPOINT = 0xf4,   /* hlt */
	WORD_REGISTERS = 17, /* 64 bits: the general ones and rip */
	HALF_REGISTERS = 7,  /* 32 bits: eflags and segments */
	REGISTERS_SIZE = WORD_REGISTERS * 8 + HALF_REGISTERS * 4,
};

/* Connecting ------------------------------------------------------------------------------------------------------ */

static void wake(int number)
{
	(void)number; /* it is there to end KVM_RUN */
}

int hvt_gdb_open(struct hvt *hvt, uint16_t port, struct tender_error *error)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)
	};
	struct sigaction action = { .sa_handler = wake };
	int yes = 1;
	int listener;

	hvt->gdb_fd = -1;
	if (port == 0)
		return 0;
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0 ||
		bind(listener, (struct sockaddr *)&address, sizeof address) < 0 || listen(listener, 1) < 0)
		return tender_fail(error, -errno, "--gdb=%u: %s", port, strerror(errno));
	fprintf(stderr, "%s: waiting for gdb: target remote :%u\n", hvt->program, port);
	hvt->gdb_fd = accept(listener, NULL, NULL);
	close(listener);
	if (hvt->gdb_fd < 0 || sigaction(SIGIO, &action, NULL) < 0 || fcntl(hvt->gdb_fd, F_SETOWN, getpid()) < 0 ||
		fcntl(hvt->gdb_fd, F_SETFL, O_ASYNC) < 0)
		return tender_fail(error, -errno, "--gdb=%u: %s", port, strerror(errno));
	return 0;
}

/* Packets --------------------------------------------------------------------------------------------------------- */

static _Noreturn void lost(const struct hvt *hvt)
{
	static const char text[] = ": gdb is gone\n";

	if (write(STDERR_FILENO, hvt->program, strlen(hvt->program)) < 0 ||
		write(STDERR_FILENO, text, sizeof text - 1) < 0)
		_exit(HVT_STATUS_FAULT);
	_exit(HVT_STATUS_FAULT);
}

static uint8_t receive_byte(const struct hvt *hvt)
{
	uint8_t byte;
	ssize_t len;

	do
		len = read(hvt->gdb_fd, &byte, 1);
	while (len < 0 && errno == EINTR);
	if (len != 1)
		lost(hvt);
	return byte;
}

/* A packet's content: $CONTENT#SUM. What is too long is cut, and then not understood. */
static void receive(const struct hvt *hvt, char packet[PACKET_MAX])
{
	size_t len = 0;
	uint8_t byte;

	while (receive_byte(hvt) != '$')
		;
	while ((byte = receive_byte(hvt)) != '#')
		if (len < PACKET_MAX - 1)
			packet[len++] = (char)byte;
	packet[len] = '\0';
	receive_byte(hvt), receive_byte(hvt); /* the sum: the connection is TCP's, which has its own */
	if (write(hvt->gdb_fd, "+", 1) != 1)
		lost(hvt);
}

static void reply(const struct hvt *hvt, const char *content)
{
	char packet[PACKET_MAX + 8];
	uint8_t sum = 0;
	int len;

	for (const char *c = content; *c; c++)
		sum = (uint8_t)(sum + (uint8_t)*c);
	len = snprintf(packet, sizeof packet, "$%s#%02x", content, sum);
	if (write(hvt->gdb_fd, packet, (size_t)len) != len)
		lost(hvt);
}

static void put_hex(char *text, const void *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02x", ((const uint8_t *)data)[i]);
}

/* False when there are not len bytes in hexadecimal. */
static bool get_hex(const char *text, void *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char digits[3] = { text[2 * i], text[2 * i] ? text[2 * i + 1] : '\0', '\0' };
		char *end;

		((uint8_t *)data)[i] = (uint8_t)strtoul(digits, &end, 16);
		if (end != digits + 2)
			return false;
	}
	return true;
}

/* Registers and memory -------------------------------------------------------------------------------------------- */

/* In gdb's order. */
static void registers_pack(const struct kvm_regs *r, const struct kvm_sregs *s, uint8_t packed[REGISTERS_SIZE])
{
	const uint64_t words[WORD_REGISTERS] = { r->rax, r->rbx, r->rcx, r->rdx, r->rsi, r->rdi, r->rbp, r->rsp, r->r8,
		r->r9, r->r10, r->r11, r->r12, r->r13, r->r14, r->r15, r->rip };
	const uint32_t halves[HALF_REGISTERS] = { (uint32_t)r->rflags, s->cs.selector, s->ss.selector, s->ds.selector,
		s->es.selector, s->fs.selector, s->gs.selector };

	memcpy(packed, words, sizeof words);
	memcpy(packed + sizeof words, halves, sizeof halves);
}

static void registers_read(const struct hvt *hvt)
{
	uint8_t packed[REGISTERS_SIZE];
	char text[2 * REGISTERS_SIZE + 1];
	struct kvm_regs registers = { 0 };
	struct kvm_sregs special = { 0 };

	ioctl(hvt->vcpu_fd, KVM_GET_REGS, &registers);
	ioctl(hvt->vcpu_fd, KVM_GET_SREGS, &special);
	registers_pack(&registers, &special, packed);
	put_hex(text, packed, sizeof packed);
	reply(hvt, text);
}

/* Segments stay as they are. */
static void registers_write(const struct hvt *hvt, const char *text)
{
	uint64_t w[WORD_REGISTERS];
	uint32_t flags;
	struct kvm_regs r;

	if (!get_hex(text, w, sizeof w) || !get_hex(text + 2 * sizeof w, &flags, sizeof flags)) {
		reply(hvt, "E01");
		return;
	}
	r = (struct kvm_regs){ .rax = w[0],
		.rbx = w[1],
		.rcx = w[2],
		.rdx = w[3],
		.rsi = w[4],
		.rdi = w[5],
		.rbp = w[6],
		.rsp = w[7],
		.r8 = w[8],
		.r9 = w[9],
		.r10 = w[10],
		.r11 = w[11],
		.r12 = w[12],
		.r13 = w[13],
		.r14 = w[14],
		.r15 = w[15],
		.rip = w[16],
		.rflags = flags };
	reply(hvt, ioctl(hvt->vcpu_fd, KVM_SET_REGS, &r) < 0 ? "E02" : "OK");
}

/* Linear addresses are physical ones. */
static uint8_t *memory_at(const struct hvt *hvt, uint64_t address, uint64_t len)
{
	bool inside = address >= HVT_BOOT_INFO && address <= hvt->mem_bytes && len <= hvt->mem_bytes - address;

	return inside ? hvt->memory + address : NULL;
}

/* m ADDRESS,LEN   M ADDRESS,LEN:BYTES */
static void memory_command(const struct hvt *hvt, const char *packet)
{
	char text[PACKET_MAX];
	char *at;
	uint64_t address = strtoull(packet + 1, &at, 16);
	uint64_t len = *at == ',' ? strtoull(at + 1, &at, 16) : 0;
	uint8_t *memory = memory_at(hvt, address, len);

	if (!memory || len == 0 || len > (PACKET_MAX - 1) / 2) {
		reply(hvt, "E01");
	} else if (packet[0] == 'm') {
		put_hex(text, memory, len);
		reply(hvt, text);
	} else {
		reply(hvt, *at == ':' && get_hex(at + 1, memory, len) ? "OK" : "E01");
	}
}

/* A software breakpoint: false when there is no room or no memory for one more. */
static bool breakpoint_set(struct hvt *hvt, uint64_t address)
{
	uint8_t *memory = memory_at(hvt, address, 1);

	for (size_t i = 0; memory && i < HVT_BREAKPOINTS_MAX; i++) {
		struct hvt_breakpoint *point = &hvt->breakpoints[i];

		if (point->address == address)
			return true;
		if (point->address == 0) {
			*point = (struct hvt_breakpoint){ address, *memory };
			*memory = BREAKPOINT;
			return true;
		}
	}
	return false;
}

static void breakpoint_clear(struct hvt *hvt, uint64_t address)
{
	for (size_t i = 0; i < HVT_BREAKPOINTS_MAX; i++)
		if (hvt->breakpoints[i].address == address) {
			hvt->memory[address] = hvt->breakpoints[i].instruction;
			hvt->breakpoints[i] = (struct hvt_breakpoint){ 0 };
			return;
		}
}

/* Z0,ADDRESS,SIZE sets a breakpoint, z0 clears it. */
static void breakpoint_command(struct hvt *hvt, const char *packet)
{
	uint64_t address = packet[1] && packet[2] == ',' ? strtoull(packet + 3, NULL, 16) : 0;

	if (packet[1] != '0') {
		reply(hvt, "");
	} else if (packet[0] == 'Z') {
		reply(hvt, breakpoint_set(hvt, address) ? "OK" : "E01");
	} else {
		breakpoint_clear(hvt, address);
		reply(hvt, "OK");
	}
}

/* Running --------------------------------------------------------------------------------------------------------- */

static void step_set(const struct hvt *hvt, bool step)
{
	struct kvm_guest_debug debug = { .control = step ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0 };

	ioctl(hvt->vcpu_fd, KVM_SET_GUEST_DEBUG, &debug);
}

void hvt_gdb_stopped(struct hvt *hvt, int number)
{
	char packet[PACKET_MAX];

	if (number > 0) {
		snprintf(packet, sizeof packet, "S%02x", number);
		reply(hvt, packet);
	}
	for (;;) {
		receive(hvt, packet);
		switch (packet[0]) {
		case '?':
			snprintf(packet, sizeof packet, "S%02x", number > 0 ? number : SIGTRAP);
			reply(hvt, packet);
			break;
		case 'g':
			registers_read(hvt);
			break;
		case 'G':
			registers_write(hvt, packet + 1);
			break;
		case 'm':
		case 'M':
			memory_command(hvt, packet);
			break;
		case 'Z':
		case 'z':
			breakpoint_command(hvt, packet);
			break;
		case 'c':
		case 's':
			step_set(hvt, packet[0] == 's');
			return;
		case 'D':
			reply(hvt, "OK");
			step_set(hvt, false);
			hvt->gdb_fd = -1;
			return;
		case 'k':
			_exit(HVT_STATUS_FAULT);
		default:
			reply(hvt, strncmp(packet, "qSupported", 10) == 0 ? "PacketSize=800"
				   : strncmp(packet, "qAttached", 9) == 0 ? "1"
				   : packet[0] == 'H'                     ? "OK"
									  : "");
		}
	}
}

bool hvt_gdb_halted(struct hvt *hvt)
{
	struct kvm_regs registers;

	if (hvt->gdb_fd < 0 || ioctl(hvt->vcpu_fd, KVM_GET_REGS, &registers) < 0)
		return false;
	for (size_t i = 0; i < HVT_BREAKPOINTS_MAX; i++)
		if (hvt->breakpoints[i].address != 0 && hvt->breakpoints[i].address == registers.rip - 1) {
			registers.rip--;
			ioctl(hvt->vcpu_fd, KVM_SET_REGS, &registers);
			hvt_gdb_stopped(hvt, SIGTRAP);
			return true;
		}
	return false;
}

void hvt_gdb_poll(struct hvt *hvt)
{
	uint8_t byte;

	if (hvt->gdb_fd >= 0 && recv(hvt->gdb_fd, &byte, 1, MSG_DONTWAIT) == 1 && byte == INTERRUPT)
		hvt_gdb_stopped(hvt, SIGINT);
}

void hvt_gdb_ended(const struct hvt *hvt, int status)
{
	char packet[8];

	snprintf(packet, sizeof packet, "W%02x", status & 0xff);
	if (hvt->gdb_fd >= 0)
		reply(hvt, packet);
}
