/* SPDX-License-Identifier: ISC
 *
 * Running the guest: from a configuration to the loop over the processor's exits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tender/common/process.h"
#include "tender/hvt/hvt.h"

void hvt_fault(struct hvt *hvt, const char *format, ...)
{
	char what[TENDER_ERROR_SIZE], line[2 * TENDER_ERROR_SIZE];
	struct kvm_regs registers = { 0 };
	va_list args;
	int len;

	va_start(args, format);
	vsnprintf(what, sizeof what, format, args);
	va_end(args);
	ioctl(hvt->vcpu_fd, KVM_GET_REGS, &registers);
	len = snprintf(line, sizeof line, "%s: guest: %s (at 0x%llx, stack 0x%llx)\n", hvt->program, what,
		(unsigned long long)registers.rip, (unsigned long long)registers.rsp);
	if (write(STDERR_FILENO, line, (size_t)len) == len)
		hvt_crash_print(hvt, NULL);
	hvt_core_write(hvt, NULL);
	if (hvt->gdb_fd >= 0)
		hvt_gdb_stopped(hvt, SIGSEGV);
	hvt_gdb_ended(hvt, HVT_STATUS_FAULT);
	tender_taps_release();
	_exit(HVT_STATUS_FAULT);
}

static void input_output(struct hvt *hvt)
{
	const struct kvm_run *run = hvt->run;
	uint32_t argument;

	if (run->io.direction != KVM_EXIT_IO_OUT || run->io.size != sizeof argument || run->io.count != 1 ||
		run->io.port <= HVT_PORT || run->io.port > HVT_PORT + HVT_HALT)
		hvt_fault(hvt, "%s of %d bytes at port 0x%x, which is no hypercall",
			run->io.direction == KVM_EXIT_IO_OUT ? "output" : "input", run->io.size, run->io.port);
	memcpy(&argument, (const uint8_t *)run + run->io.data_offset, sizeof argument);
	hvt_hypercall(hvt, run->io.port - HVT_PORT, (struct hvt_address){ argument });
}

static void exit_handle(struct hvt *hvt)
{
	const struct kvm_run *run = hvt->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		input_output(hvt);
		return;
	case KVM_EXIT_INTR:
		hvt_gdb_poll(hvt);
		return;
	case KVM_EXIT_DEBUG:
		hvt_gdb_stopped(hvt, SIGTRAP);
		return;
	case KVM_EXIT_HLT:
		if (!hvt_gdb_halted(hvt))
			hvt_fault(hvt, "halted the processor, which no interrupt would wake");
		return;
	case KVM_EXIT_MMIO:
		hvt_fault(hvt, "%s of physical address 0x%llx, which is %s", run->mmio.is_write ? "write" : "read",
			(unsigned long long)run->mmio.phys_addr,
			run->mmio.phys_addr < hvt->mem_bytes ? "read-only" : "outside its memory");
	case KVM_EXIT_SHUTDOWN:
		hvt_fault(hvt, "triple fault");
	case KVM_EXIT_INTERNAL_ERROR:
		hvt_fault(hvt, "the host's KVM cannot run this code (internal error %u); target spt needs no KVM",
			run->internal.suberror);
	case KVM_EXIT_FAIL_ENTRY:
		hvt_fault(hvt, "the host's KVM refuses to enter it (reason 0x%llx)",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason);
	default:
		hvt_fault(hvt, "unexpected exit of the processor, reason %u", run->exit_reason);
	}
}

void hvt_vm_run(struct hvt *hvt)
{
	for (;;) {
		if (ioctl(hvt->vcpu_fd, KVM_RUN, 0) < 0 && errno != EINTR && errno != EAGAIN)
			hvt_fault(hvt, "KVM_RUN: %s", strerror(errno));
		exit_handle(hvt);
	}
}

static int check(const struct tender_config *config, struct hvt *hvt, struct tender_error *error)
{
	int err = tender_abi_check(&config->image, ABI_TARGET_HVT, ABI_HVT_VERSION, error);

	hvt->mem_bytes = (config->mem_bytes + HVT_MEMORY_ALIGN - 1) & ~(uint64_t)(HVT_MEMORY_ALIGN - 1);
	if (err == 0 && hvt->mem_bytes > HVT_MEMORY_MAX)
		err = tender_fail(error, -EINVAL, "--mem: %" PRIu64 " MB; expected at most %" PRIu64,
			hvt->mem_bytes >> 20, HVT_MEMORY_MAX >> 20);
	if (err == 0)
		err = tender_layout_read(&config->image, hvt->mem_bytes, &hvt->layout, error);
	if (err == 0)
		err = tender_manifest_read(&config->image, &hvt->manifest, error);
	if (err == 0)
		err = tender_devices_check(
			&config->image, &hvt->manifest, config->devices, config->device_count, error);
	if (err == 0 && strlen(config->cmdline) >= SPT_CMDLINE_SIZE)
		err = tender_fail(error, -E2BIG, "command line of %zu characters; expected at most %d",
			strlen(config->cmdline), SPT_CMDLINE_SIZE - 1);
	return err;
}

/* What a poll waits for: the networks, and somebody who asks, whose bit is that of the reserved handle. It is
 * reported once: a guest that does not know it must not find itself awake for ever. */
static int poll_open(struct hvt *hvt, struct tender_error *error)
{
	int err;

	hvt->inquiry_fd = tender_inquiry_open(error);
	if (hvt->inquiry_fd < 0)
		return hvt->inquiry_fd;
	hvt->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	err = hvt->epoll_fd < 0 ? -errno
				: tender_watch(hvt->epoll_fd, hvt->inquiry_fd, EPOLLIN | EPOLLET, HVT_READY_INQUIRY);
	if (err < 0)
		return tender_fail(error, err, "epoll and signal: %s", strerror(-err));
	return tender_watch_networks(hvt->epoll_fd, &hvt->manifest, error);
}

static int descriptors_keep(const struct hvt *hvt, struct tender_error *error)
{
	int keep[TENDER_KEEP_MAX] = { hvt->vcpu_fd, hvt->epoll_fd, hvt->inquiry_fd };
	size_t count = 3;

	if (hvt->gdb_fd >= 0)
		keep[count++] = hvt->gdb_fd;
	if (hvt->core_fd >= 0) {
		keep[count++] = hvt->core_fd;
		keep[count++] = hvt->core_directory_fd;
	}
	for (uint32_t handle = 1; handle < hvt->manifest.entries; handle++)
		if (hvt->capture_fds[handle] >= 0)
			keep[count++] = hvt->capture_fds[handle];
	return tender_descriptors_keep(&hvt->manifest, keep, count, error);
}

int tender_hvt_run(const struct tender_config *config, struct tender_error *error)
{
	static struct hvt hvt;
	int err = check(config, &hvt, error);

	if (err < 0)
		return err;
	hvt.program = config->program;
	hvt.trace = config->trace;
	tender_devices_attach(&hvt.manifest, config->devices, config->device_count);
	err = hvt_vm_open(&hvt, error);
	if (err == 0)
		err = hvt_memory_make(&hvt, &config->image, error);
	if (err == 0)
		err = poll_open(&hvt, error);
	if (err == 0)
		err = hvt_captures_open(&hvt, config, error);
	if (err == 0)
		err = hvt_core_open(&hvt, config->core_directory, error);
	if (err == 0)
		err = hvt_gdb_open(&hvt, config->gdb_port, error);
	if (err < 0)
		return err;
	symbols_read(&config->image, &hvt.symbols);
	hvt_boot_write(&hvt, config->cmdline);
	err = hvt_vm_start(&hvt, error);
	if (err == 0)
		err = tender_jail_enter(config->jail_user, error);
	if (err == 0)
		err = descriptors_keep(&hvt, error);
	if (err == 0)
		err = tender_signals_set(config->program, &hvt.manifest, error);
	if (err == 0)
		err = hvt_filter_load(&hvt, error);
	if (err < 0)
		return err;
	if (hvt.gdb_fd >= 0)
		hvt_gdb_stopped(&hvt, 0);
	hvt_vm_run(&hvt);
}
