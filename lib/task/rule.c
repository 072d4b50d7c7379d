/* SPDX-License-Identifier: ISC
 *
 * Broken rules: what a task did, or left behind, said in one line with names and places.
 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

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

/* One text that is walked: pointers to the names would take more than the names. */
/* clang-format off */
#define ERRORS(X) \
	X(EPERM) X(ENOENT) X(EIO) X(EBADF) X(EAGAIN) X(ENOMEM) X(EACCES) X(EBUSY) X(EEXIST) \
	X(ENODEV) X(EINVAL) X(EMFILE) X(EFBIG) X(ENOSPC) X(EROFS) X(EPIPE) X(ERANGE) X(EDEADLK) \
	X(ENOSYS) X(EPROTO) X(EBADMSG) X(EMSGSIZE) X(EOPNOTSUPP) X(EADDRINUSE) X(EADDRNOTAVAIL) \
	X(ENETUNREACH) X(ECONNABORTED) X(ECONNRESET) X(ENOTCONN) X(ETIMEDOUT) X(ETIME) \
	X(ECONNREFUSED) X(EHOSTUNREACH) X(EALREADY) X(ECANCELED) X(ENOTDIR) X(EISDIR) \
	X(ENODATA) X(ENAMETOOLONG)
/* clang-format on */
#define NUMBER_OF(error) error,
#define NAME_OF(error)   #error "\0"

static const unsigned char error_numbers[] = { ERRORS(NUMBER_OF) };
static const char error_names[] = ERRORS(NAME_OF); /* in the same order, each with its end */

const char *error_name(int error, char text[static 24])
{
	const char *name = error_names;

	for (size_t i = 0; i < sizeof error_numbers; i++, name += strlen(name) + 1)
		if (error_numbers[i] == error)
			return name;
	text_format(text, 24, "error %d", error);
	return text;
}
