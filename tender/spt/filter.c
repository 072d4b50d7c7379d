/* SPDX-License-Identifier: ISC
 *
 * The filter of system calls: the list in abi/spt.h, by descriptor and argument. Anything else kills the process with
 * SIGSYS, and so does a call of another architecture.
 */
#include <asm/prctl.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tender/spt/spt.h"

/* The filter under construction, and the first error, so that rules can be listed without a check after each. */
struct filter {
	scmp_filter_ctx context;
	int err;
};

static void allow(struct filter *filter, int call, unsigned int count, const struct scmp_arg_cmp *arguments)
{
	if (filter->err == 0)
		filter->err = seccomp_rule_add_array(filter->context, SCMP_ACT_ALLOW, call, count, arguments);
}

/* Allows call when its first argument is exactly this. Arguments are compared as 64 bits. */
static void allow_first(struct filter *filter, int call, int first)
{
	struct scmp_arg_cmp argument = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)first);

	allow(filter, call, 1, &argument);
}

static void allow_sector(struct filter *filter, int call, const struct manifest_entry *block)
{
	struct scmp_arg_cmp arguments[] = {
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)block->b.hostfd),
		SCMP_A2(SCMP_CMP_EQ, block->u.block.block_size),
		SCMP_A3(SCMP_CMP_LE, block->u.block.capacity - block->u.block.block_size),
	};

	allow(filter, call, sizeof arguments / sizeof *arguments, arguments);
}

static void allow_devices(struct filter *filter, const struct tender_manifest *manifest)
{
	for (uint32_t handle = 1; handle < manifest->entries; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];

		if (entry->type == MANIFEST_NET_BASIC) {
			allow_first(filter, SCMP_SYS(read), entry->b.hostfd);
			allow_first(filter, SCMP_SYS(write), entry->b.hostfd);
		} else {
			allow_sector(filter, SCMP_SYS(pread64), entry);
			allow_sector(filter, SCMP_SYS(pwrite64), entry);
		}
	}
}

int spt_filter_load(const struct tender_manifest *manifest, const struct spt_poll *poll, struct tender_error *error)
{
	struct filter filter = { .context = seccomp_init(SCMP_ACT_KILL_PROCESS) };

	if (filter.context == NULL)
		return tender_fail(error, -ENOMEM, "seccomp: out of memory");
	filter.err = seccomp_attr_set(filter.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	allow_devices(&filter, manifest);
	allow_first(&filter, SCMP_SYS(write), STDOUT_FILENO);
	allow_first(&filter, SCMP_SYS(epoll_pwait), poll->epoll);
	allow_first(&filter, SCMP_SYS(timerfd_settime), poll->timer);
	allow_first(&filter, SCMP_SYS(read), poll->inquiry);
	allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_MONOTONIC);
	allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_REALTIME);
	allow_first(&filter, SCMP_SYS(arch_prctl), ARCH_SET_FS);
	allow(&filter, SCMP_SYS(exit_group), 0, NULL);
	if (filter.err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		filter.err = -errno;
	if (filter.err == 0)
		filter.err = seccomp_load(filter.context);
	/* With the filter loaded, releasing what it was built from could need a system call: it stays. */
	if (filter.err < 0) {
		seccomp_release(filter.context);
		return tender_fail(error, filter.err, "seccomp: %s; expected a kernel with seccomp filters",
			strerror(-filter.err));
	}
	return 0;
}
