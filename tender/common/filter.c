/* SPDX-License-Identifier: ISC
 *
 * Building and loading filters of system calls with libseccomp.
 */
#include <errno.h>
#include <linux/if_tun.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include "tender/common/filter.h"

struct filter filter_new(void)
{
	struct filter filter = { .context = seccomp_init(SCMP_ACT_KILL_PROCESS) };

	if (filter.context == NULL)
		filter.err = -ENOMEM;
	else
		filter.err = seccomp_attr_set(filter.context, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
	return filter;
}

void filter_allow(struct filter *filter, int call, unsigned int count, const struct scmp_arg_cmp *arguments)
{
	if (filter->err == 0)
		filter->err = seccomp_rule_add_array(filter->context, SCMP_ACT_ALLOW, call, count, arguments);
}

void filter_allow_first(struct filter *filter, int call, int first)
{
	struct scmp_arg_cmp argument = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)first);

	filter_allow(filter, call, 1, &argument);
}

static void allow_sector(struct filter *filter, int call, const struct manifest_entry *block)
{
	struct scmp_arg_cmp arguments[] = {
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)block->b.hostfd),
		SCMP_A2(SCMP_CMP_EQ, block->u.block.block_size),
		SCMP_A3(SCMP_CMP_LE, block->u.block.capacity - block->u.block.block_size),
	};

	filter_allow(filter, call, sizeof arguments / sizeof *arguments, arguments);
}

/* Frames and their headers in one call; and giving the tap back plain. */
static void allow_headers(struct filter *filter, int tap)
{
	struct scmp_arg_cmp plain[] = {
		SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)tap),
		SCMP_A1(SCMP_CMP_EQ, TUNSETOFFLOAD),
		SCMP_A2(SCMP_CMP_EQ, 0),
	};

	filter_allow_first(filter, SCMP_SYS(readv), tap);
	filter_allow_first(filter, SCMP_SYS(writev), tap);
	filter_allow(filter, SCMP_SYS(ioctl), sizeof plain / sizeof *plain, plain);
}

void filter_allow_devices(struct filter *filter, const struct tender_manifest *manifest)
{
	for (uint32_t handle = 1; handle < manifest->entries; handle++) {
		const struct manifest_entry *entry = &manifest->e[handle];

		if (entry->type == MANIFEST_NET_BASIC) {
			filter_allow_first(filter, SCMP_SYS(read), entry->b.hostfd);
			filter_allow_first(filter, SCMP_SYS(write), entry->b.hostfd);
			if (entry->features)
				allow_headers(filter, entry->b.hostfd);
		} else {
			allow_sector(filter, SCMP_SYS(pread64), entry);
			allow_sector(filter, SCMP_SYS(pwrite64), entry);
		}
	}
}

int filter_load(struct filter *filter, struct tender_error *error)
{
	if (filter->err == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		filter->err = -errno;
	if (filter->err == 0)
		filter->err = seccomp_load(filter->context);
	/* With the filter loaded, releasing what it was built from could need a system call: it stays. */
	if (filter->err < 0) {
		seccomp_release(filter->context);
		return tender_fail(error, filter->err, "seccomp: %s; expected a kernel with seccomp filters",
			strerror(-filter->err));
	}
	return 0;
}
