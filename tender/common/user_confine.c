/* SPDX-License-Identifier: ISC
 *
 * What remains to the helper of a user-mode network once it listens: the system calls that libslirp and the C library
 * make at run time, sockets of the internet families, and, of all files, the one that names the host's DNS servers.
 *
 * A call that is not on the list fails with EPERM rather than killing: the list is as tight either way, and a library
 * that probes for something keeps working without it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <seccomp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tender/common/user.h"

static const int calls[] = {
	/* sockets */
	SCMP_SYS(accept),
	SCMP_SYS(accept4),
	SCMP_SYS(bind),
	SCMP_SYS(connect),
	SCMP_SYS(getpeername),
	SCMP_SYS(getsockname),
	SCMP_SYS(getsockopt),
	SCMP_SYS(listen),
	SCMP_SYS(recvfrom),
	SCMP_SYS(recvmsg),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(setsockopt),
	SCMP_SYS(shutdown),
	/* descriptors */
	SCMP_SYS(close),
	SCMP_SYS(fcntl),
	SCMP_SYS(fstat),
	SCMP_SYS(ioctl),
	SCMP_SYS(lseek),
	SCMP_SYS(newfstatat),
	SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	SCMP_SYS(read),
	SCMP_SYS(readv),
	SCMP_SYS(stat),
	SCMP_SYS(write),
	SCMP_SYS(writev),
	/* memory, time and the rest of the C library (sigaltstack: with the address sanitizer) */
	SCMP_SYS(brk),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(exit_group),
	SCMP_SYS(futex),
	SCMP_SYS(getpid),
	SCMP_SYS(getrandom),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(madvise),
	SCMP_SYS(mremap),
	SCMP_SYS(munmap),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),
	SCMP_SYS(time),
};

static int filter_fill(scmp_filter_ctx context)
{
	const struct scmp_arg_cmp inet = SCMP_A0(SCMP_CMP_EQ, AF_INET);
	const struct scmp_arg_cmp inet6 = SCMP_A0(SCMP_CMP_EQ, AF_INET6);
	const struct scmp_arg_cmp read_only = SCMP_A2(SCMP_CMP_MASKED_EQ, O_ACCMODE | O_CREAT | O_TRUNC, O_RDONLY);
	const struct scmp_arg_cmp no_code[] = {
		SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0),
		SCMP_A3(SCMP_CMP_MASKED_EQ, MAP_ANONYMOUS, MAP_ANONYMOUS),
	};
	int err = 0;

	for (size_t i = 0; err == 0 && i < sizeof calls / sizeof *calls; i++)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, calls[i], 0, NULL);
	if (err == 0)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &inet);
	if (err == 0)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, &inet6);
	if (err == 0)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1, &read_only);
	if (err == 0)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 2, no_code);
	if (err == 0)
		err = seccomp_rule_add_array(context, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, no_code);
	return err;
}

/* Hides every file but resolv.conf from the process. A kernel without Landlock leaves those that the user can read. */
static void files_hide(void)
{
	struct landlock_ruleset_attr handled = { .handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1 };
	struct landlock_path_beneath_attr rule = { .allowed_access = LANDLOCK_ACCESS_FS_READ_FILE };
	int rules = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof handled, 0);

	if (rules < 0)
		return;
	rule.parent_fd = open("/etc/resolv.conf", O_PATH | O_CLOEXEC);
	if (rule.parent_fd >= 0) {
		syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
		close(rule.parent_fd);
	}
	syscall(SYS_landlock_restrict_self, rules, 0);
	close(rules);
}

int user_helper_confine(struct tender_error *error)
{
	scmp_filter_ctx context;
	int err;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return tender_fail(error, -errno, "user network: no_new_privs: %s", strerror(errno));
	files_hide();
	context = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	if (context == NULL)
		return tender_fail(error, -ENOMEM, "user network: seccomp: out of memory");
	err = filter_fill(context);
	if (err == 0)
		err = seccomp_load(context);
	seccomp_release(context);
	return err < 0 ? tender_fail(error, err, "user network: seccomp: %s", strerror(-err)) : 0;
}
