/* SPDX-License-Identifier: ISC
 *
 * The filter of system calls of the hvt tender: what the hypercalls in abi/hvt.h need, and running the processor.
 */
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "tender/common/filter.h"
#include "tender/hvt/hvt.h"

static void allow_control(struct filter *filter, int fd, unsigned long request)
{
	struct scmp_arg_cmp arguments[] = {
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd),
		SCMP_A1(SCMP_CMP_EQ, request),
	};

	filter_allow(filter, SCMP_SYS(ioctl), sizeof arguments / sizeof *arguments, arguments);
}

int hvt_filter_load(const struct hvt *hvt, struct tender_error *error)
{
	struct filter filter = filter_new();

	allow_control(&filter, hvt->vcpu_fd, KVM_RUN);
	allow_control(&filter, hvt->vcpu_fd, KVM_GET_REGS);
	filter_allow_devices(&filter, &hvt->manifest);
	filter_allow_first(&filter, SCMP_SYS(write), STDOUT_FILENO);
	filter_allow_first(&filter, SCMP_SYS(write), STDERR_FILENO);
	filter_allow_first(&filter, SCMP_SYS(epoll_pwait2), hvt->epoll_fd);
	filter_allow_first(&filter, SCMP_SYS(read), hvt->inquiry_fd);
	filter_allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_REALTIME);
	filter_allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_MONOTONIC);
	for (uint32_t handle = 1; handle < hvt->manifest.entries; handle++)
		if (hvt->capture_fds[handle] >= 0)
			filter_allow_first(&filter, SCMP_SYS(write), hvt->capture_fds[handle]);
	if (hvt->gdb_fd >= 0) {
		allow_control(&filter, hvt->vcpu_fd, KVM_SET_REGS);
		allow_control(&filter, hvt->vcpu_fd, KVM_GET_SREGS);
		allow_control(&filter, hvt->vcpu_fd, KVM_SET_GUEST_DEBUG);
		filter_allow_first(&filter, SCMP_SYS(read), hvt->gdb_fd);
		filter_allow_first(&filter, SCMP_SYS(recvfrom), hvt->gdb_fd);
		filter_allow_first(&filter, SCMP_SYS(write), hvt->gdb_fd);
		filter_allow(&filter, SCMP_SYS(rt_sigreturn), 0, NULL);
	}
	if (hvt->core_fd >= 0) {
		struct scmp_arg_cmp directory = SCMP_A2(SCMP_CMP_EQ, (scmp_datum_t)hvt->core_directory_fd);

		filter_allow_first(&filter, SCMP_SYS(pwrite64), hvt->core_fd);
		filter_allow(&filter, SCMP_SYS(linkat), 1, &directory);
	}
	filter_allow(&filter, SCMP_SYS(exit_group), 0, NULL);
	return filter_load(&filter, error);
}
