/* SPDX-License-Identifier: ISC
 *
 * The jail of a tender that root has started: another user, an empty root directory, and namespaces of its own, so that
 * whoever breaks out of the guest and the filter finds neither files nor networks nor rights.
 *
 * The filter leaves no call that names another process; so the tender need not become the first one of a namespace of
 * processes, for which it would have to fork.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tender/common/options.h"
#include "tender/common/process.h"

struct identity {
	uid_t user;
	gid_t group;
};

/* A name, or a number, which is then the group's as well if no user has it. */
static int identity_find(const char *user, struct identity *identity, struct tender_error *error)
{
	const struct passwd *entry = getpwnam(user);
	uint32_t number;

	if (!entry && tender_number_parse(user, 1, INT32_MAX, &number)) {
		*identity = (struct identity){ number, number };
		entry = getpwuid(number);
	} else if (!entry) {
		return tender_fail(error, -EINVAL, "--jail: no user \"%.80s\"; expected one, such as nobody", user);
	}
	if (entry)
		*identity = (struct identity){ entry->pw_uid, entry->pw_gid };
	if (identity->user == 0 || identity->group == 0)
		return tender_fail(error, -EINVAL,
			"--jail: \"%.80s\" is root, or of root's group; expected a user without rights, such as nobody",
			user);
	return 0;
}

static int fail(const char *what, struct tender_error *error)
{
	return tender_fail(
		error, -errno, "--jail: %s: %s; expected root with all its capabilities", what, strerror(errno));
}

/* Makes an empty file system the root. Both are at the same place for a moment: the old one lies above and goes. */
static int root_leave(struct tender_error *error)
{
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
		mount("jail", "/tmp", "tmpfs", MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=555,size=4k") < 0 ||
		chdir("/tmp") < 0)
		return fail("an empty directory on /tmp", error);
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return fail("leaving the root directory", error);
	return 0;
}

int tender_jail_enter(const char *user, struct tender_error *error)
{
	struct identity identity = { 0 };
	int err;

	if (!user)
		return 0;
	if (geteuid() != 0)
		return tender_fail(error, -EPERM, "--jail: only root can make one; without it, the tender is yours");
	err = identity_find(user, &identity, error);
	if (err < 0)
		return err;
	if (unshare(CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
		return fail("namespaces", error);
	err = root_leave(error);
	if (err < 0)
		return err;
	/* The user comes last: each step before takes rights that he has not. */
	if (setgroups(0, NULL) < 0 || setresgid(identity.group, identity.group, identity.group) < 0 ||
		setresuid(identity.user, identity.user, identity.user) < 0)
		return fail("becoming the user", error);
	return 0;
}
