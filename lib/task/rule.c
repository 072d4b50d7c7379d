/* SPDX-License-Identifier: ISC
 *
 * Broken rules: what a task did, or left behind, said in one line with names and places.
 */
#include <errno.h>
#include <stdarg.h>

#include <skerry/log.h>
#include <skerry/text.h>

#include "scheduler.h"

LOG_SOURCE(task);

enum { REPORT_BYTES = 384 };

void rule_broken(const struct task *task, const char *format, ...)
{
	char what[REPORT_BYTES];
	va_list arguments;

	va_start(arguments, format);
	text_vformat(what, sizeof what, format, arguments);
	va_end(arguments);
	log_error("task \"%s\" (spawned at %s:%d) %s", task->place.function, task->place.file, task->place.line, what);
	scheduler.rule_broken = true;
}

/* The first tasks of a list by name and place; how many there are. */
static size_t name_tasks(const struct task_list *list, char text[static REPORT_BYTES])
{
	size_t count = 0, len = 0;

	text[0] = '\0';
	for (const struct task *task = list->first; task; task = task->next, count++) {
		if (count >= TASK_REPORT_NAMES || len >= REPORT_BYTES)
			continue;
		len += text_format(text + len, REPORT_BYTES - len, "%s\"%s\" (spawned at %s:%d)", count ? ", " : "",
			task->place.function, task->place.file, task->place.line);
	}
	if (count > TASK_REPORT_NAMES && len < REPORT_BYTES)
		text_format(text + len, REPORT_BYTES - len, " and %zu more", count - TASK_REPORT_NAMES);
	return count;
}

static void check_group(const struct task *task, const struct task_group *group, const char *one, const char *many)
{
	char names[REPORT_BYTES];
	size_t count = name_tasks(&group->running, names);

	if (count > 0)
		rule_broken(task, "ended with %zu %s still running: %s", count, count == 1 ? one : many, names);
	count = name_tasks(&group->ended, names);
	if (count > 0)
		rule_broken(task, "ended without awaiting %zu %s: %s", count, count == 1 ? one : many, names);
}

void rule_check_end(struct task *task)
{
	check_group(task, &task->children, "child", "children");
	check_group(task, &task->orphans, "background task", "background tasks");
}

/* Held in place: pointers to the names would take more than the names. */
static const struct {
	unsigned char error;
	char name[15];
} error_names[] = {
	{ EPERM, "EPERM" },
	{ ENOENT, "ENOENT" },
	{ EIO, "EIO" },
	{ EBADF, "EBADF" },
	{ EAGAIN, "EAGAIN" },
	{ ENOMEM, "ENOMEM" },
	{ EACCES, "EACCES" },
	{ EBUSY, "EBUSY" },
	{ EEXIST, "EEXIST" },
	{ ENODEV, "ENODEV" },
	{ EINVAL, "EINVAL" },
	{ EMFILE, "EMFILE" },
	{ EFBIG, "EFBIG" },
	{ ENOSPC, "ENOSPC" },
	{ EROFS, "EROFS" },
	{ EPIPE, "EPIPE" },
	{ ERANGE, "ERANGE" },
	{ EDEADLK, "EDEADLK" },
	{ ENOSYS, "ENOSYS" },
	{ EPROTO, "EPROTO" },
	{ EBADMSG, "EBADMSG" },
	{ EMSGSIZE, "EMSGSIZE" },
	{ EOPNOTSUPP, "EOPNOTSUPP" },
	{ EADDRINUSE, "EADDRINUSE" },
	{ EADDRNOTAVAIL, "EADDRNOTAVAIL" },
	{ ENETUNREACH, "ENETUNREACH" },
	{ ECONNABORTED, "ECONNABORTED" },
	{ ECONNRESET, "ECONNRESET" },
	{ ENOTCONN, "ENOTCONN" },
	{ ETIMEDOUT, "ETIMEDOUT" },
	{ ETIME, "ETIME" },
	{ ECONNREFUSED, "ECONNREFUSED" },
	{ EHOSTUNREACH, "EHOSTUNREACH" },
	{ EALREADY, "EALREADY" },
	{ ECANCELED, "ECANCELED" },
};

const char *error_name(int error, char text[static 24])
{
	for (size_t i = 0; i < sizeof error_names / sizeof error_names[0]; i++)
		if (error_names[i].error == error)
			return error_names[i].name;
	text_format(text, 24, "error %d", error);
	return text;
}
