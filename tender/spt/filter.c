/* SPDX-License-Identifier: ISC
 *
 * The filter of system calls of an spt guest: the list in abi/spt.h.
 */
#include <asm/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tender/common/filter.h"
#include "tender/spt/spt.h"

int spt_filter_load(const struct tender_manifest *manifest, const struct spt_poll *poll, struct tender_error *error)
{
	struct filter filter = filter_new();

	filter_allow_devices(&filter, manifest);
	filter_allow_first(&filter, SCMP_SYS(write), STDOUT_FILENO);
	filter_allow_first(&filter, SCMP_SYS(epoll_pwait), poll->epoll);
	filter_allow_first(&filter, SCMP_SYS(timerfd_settime), poll->timer);
	filter_allow_first(&filter, SCMP_SYS(read), poll->inquiry);
	filter_allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_MONOTONIC);
	filter_allow_first(&filter, SCMP_SYS(clock_gettime), CLOCK_REALTIME);
	filter_allow_first(&filter, SCMP_SYS(arch_prctl), ARCH_SET_FS);
	filter_allow(&filter, SCMP_SYS(exit_group), 0, NULL);
	return filter_load(&filter, error);
}
