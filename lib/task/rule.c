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
	scheduler.rules_broken++;
}

/* What a report says of tasks or resources: the first few by name and place, and how many there are. */
struct names {
	char text[REPORT_BYTES];
	size_t len, count;
};

static void names_add(struct names *names, const struct task_place *place, const char *since)
{
	if (names->count++ >= TASK_REPORT_NAMES || names->len >= REPORT_BYTES)
		return;
	names->len += text_format(names->text + names->len, REPORT_BYTES - names->len, "%s\"%s\" (%s %s:%d)",
		names->len ? ", " : "", place->function, since, place->file, place->line);
}

/* Reports them, if there are any. */
static void names_report(
	struct names *names, const struct task *task, const char *before, const char *noun, const char *after)
{
	if (names->count > TASK_REPORT_NAMES && names->len < REPORT_BYTES)
		text_format(names->text + names->len, REPORT_BYTES - names->len, " and %zu more",
			names->count - TASK_REPORT_NAMES);
	if (names->count > 0)
		rule_broken(task, "ended %s %zu %s%s: %s", before, names->count, noun, after, names->text);
}

static void check_list(const struct task *task, const struct task_list *list, const char *before,
	const char *const nouns[2], const char *after)
{
	struct names names = { 0 };

	for (const struct task *left = list->first; left; left = left->next)
		names_add(&names, &left->place, "spawned at");
	names_report(&names, task, before, nouns[names.count > 1], after);
}

static void check_group(const struct task *task, const struct task_group *group, const char *const nouns[2])
{
	check_list(task, &group->running, "with", nouns, " still running");
	check_list(task, &group->ended, "without awaiting", nouns, "");
}

static void check_resources(const struct task *task)
{
	struct names names = { 0 };

	for (const struct task_resource *left = task->resources; left; left = left->next)
		if (left->owned)
			names_add(&names, &left->place, "owned since");
	names_report(&names, task, "without releasing", names.count > 1 ? "resources" : "resource", "");
}

void rule_check_end(struct task *task)
{
	static const char *const children[] = { "child", "children" };
	static const char *const orphans[] = { "background task", "background tasks" };

	check_resources(task);
	check_group(task, &task->children, children);
	check_group(task, &task->orphans, orphans);
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
