/* SPDX-License-Identifier: ISC
 *
 * The hvt tender's guest: its memory, its one processor, its hypercalls.
 */
#ifndef TENDER_HVT_HVT_H
#define TENDER_HVT_HVT_H

#include <linux/kvm.h>
#include <sys/user.h>

#include "abi/hvt.h"
#include "tender/common/symbols.h"
#include "tender/common/tender.h"

enum { HVT_BREAKPOINTS_MAX = 64 };

struct hvt_breakpoint {
	uint64_t address; /* 0: none */
	uint8_t instruction;
};

struct hvt {
	int kvm_fd, vm_fd, vcpu_fd, epoll_fd, inquiry_fd;
	struct kvm_run *run;
	uint8_t *memory; /* [0, mem_bytes) of the guest */
	uint64_t mem_bytes;
	uint64_t cycles_per_sec;
	struct tender_layout layout;
	struct tender_manifest manifest;
	struct symbols symbols;
	const char *program;
	bool trace;
	int capture_fds[MANIFEST_ENTRIES_MAX]; /* by handle; -1: its frames are not captured */
	int core_fd, core_directory_fd;        /* core_fd -1: none is wanted */
	int gdb_fd;                            /* -1: no debugger */
	struct hvt_breakpoint breakpoints[HVT_BREAKPOINTS_MAX];
	char core_name[24], core_path[32];
};

/* An address that the guest gave: a type that cannot be used as a pointer by mistake. */
struct hvt_address {
	uint64_t value;
};

/* The len bytes there, for reading. Ends the guest with a message if they do not all lie in its memory. */
const void *hvt_guest_bytes(struct hvt *hvt, struct hvt_address address, uint64_t len);
/* The same, for writing: nor may they touch what the guest itself must not write. */
void *hvt_guest_room(struct hvt *hvt, struct hvt_address address, uint64_t len);

/* Maps the memory, loads the image, and makes the page tables: text can be read and executed, read-only data read,
 * the rest read and written; nothing else is there. */
int hvt_memory_make(struct hvt *hvt, const struct tender_image *image, struct tender_error *error);

/* Boot structure, command line and manifest. */
void hvt_boot_write(struct hvt *hvt, const char *cmdline);

/* Opens KVM and makes the virtual machine with its processor. */
int hvt_vm_open(struct hvt *hvt, struct tender_error *error);
/* Gives it the memory, and the processor its first state. */
int hvt_vm_start(struct hvt *hvt, struct tender_error *error);

/* Runs the guest until it ends the process. */
_Noreturn void hvt_vm_run(struct hvt *hvt);

/* Runs hypercall number with its argument there. */
void hvt_hypercall(struct hvt *hvt, uint32_t number, struct hvt_address argument);

/* Opens the files that the configuration wants frames to be captured in. */
int hvt_captures_open(struct hvt *hvt, const struct tender_config *config, struct tender_error *error);
void hvt_capture(const struct hvt *hvt, uint64_t handle, const void *frame, uint64_t len);

/* A line on standard error about a hypercall that has been made. */
void hvt_trace(const struct hvt *hvt, enum hvt_call call, const uint64_t *argument, uint64_t took_ns);

/* Makes a nameless file in the directory, if that is not NULL; and gives it content and a name. The halt's cookie may
 * be NULL. */
int hvt_core_open(struct hvt *hvt, const char *directory, struct tender_error *error);
void hvt_core_write(const struct hvt *hvt, const uint8_t *cookie);

/* The registers of a guest that has crashed: if it has caught its own exception, those of the exception, which are in
 * the halt's cookie (NULL: there is none). */
void hvt_registers_read(const struct hvt *hvt, const uint8_t *cookie, struct user_regs_struct *user);
/* Prints them and a backtrace on standard error. */
void hvt_crash_print(const struct hvt *hvt, const uint8_t *cookie);

/* Waits for gdb on this port of 127.0.0.1; 0: for none. */
int hvt_gdb_open(struct hvt *hvt, uint16_t port, struct tender_error *error);
/* The guest stands still, for the reason of this signal (0: it has not begun): serves gdb until it lets it go on. */
void hvt_gdb_stopped(struct hvt *hvt, int number);
/* Whether the guest has halted at a breakpoint; if so, has served gdb. */
bool hvt_gdb_halted(struct hvt *hvt);
/* Looks whether gdb wants the guest to stop. */
void hvt_gdb_poll(struct hvt *hvt);
void hvt_gdb_ended(const struct hvt *hvt, int status);

/* Sets no_new_privs and the filter of system calls. */
int hvt_filter_load(const struct hvt *hvt, struct tender_error *error);

/* Ends the process after a fault of the guest's: a line that names it and where the guest was, and status 255. */
_Noreturn void hvt_fault(struct hvt *hvt, const char *format, ...) __attribute__((format(printf, 2, 3)));

enum { HVT_STATUS_FAULT = 255 };

#endif
