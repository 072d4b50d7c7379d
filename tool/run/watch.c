/* SPDX-License-Identifier: ISC
 *
 * `skerry run --watch`: a parent that builds and starts the unikernel again when a source is saved.
 *
 * Editors save by writing a file, or by putting another in its place; so it is their directories that are watched.
 * States: the unikernel runs (child > 0), or has ended and the next save is waited for (child 0). A build that fails
 * changes nothing. After SIGINT, SIGTERM or SIGHUP, which are passed on, the unikernel's end is the end.
 */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/run/run.h"
#include "tool/tool.h"

enum {
	DIRECTORIES_MAX = 64,
	QUIET_MS = 100, /* a save is over when this long nothing more is written */
	TURN_MS = 10,
	END_MS = 5000, /* how long the old one may take to end */
};

struct watch {
	const struct run_options *options;
	int changes, signals; /* descriptors */
	sigset_t mask;
	pid_t child;
	bool ending;
	int status; /* of the last child */
	size_t directory_count;
	struct {
		int id;
		char *path;
	} directories[DIRECTORIES_MAX];
};

/* Directories ----------------------------------------------------------------------------------------------------- */

static void watch_directory_of(struct watch *watch, const char *source)
{
	const char *slash = strrchr(source, '/');
	char *path = slash ? start_text("%.*s", (int)(slash - source), source) : start_text(".");
	int id = watch->directory_count < DIRECTORIES_MAX
			 ? inotify_add_watch(watch->changes, *path ? path : "/",
				   IN_CLOSE_WRITE | IN_MOVED_TO | IN_DELETE | IN_ONLYDIR)
			 : -1;

	for (size_t i = 0; i < watch->directory_count; i++)
		if (watch->directories[i].id == id)
			id = -1; /* known */
	if (id < 0) {
		free(path);
		return;
	}
	watch->directories[watch->directory_count].id = id;
	watch->directories[watch->directory_count++].path = path;
}

static void directories_forget(struct watch *watch)
{
	for (size_t i = 0; i < watch->directory_count; i++) {
		inotify_rm_watch(watch->changes, watch->directories[i].id);
		free(watch->directories[i].path);
	}
	watch->directory_count = 0;
}

/* config.c may have come to name other sources. */
static void sources_watch(struct watch *watch)
{
	struct tender_error error;
	struct project project;
	const char *source;

	if (project_load(&project, &error) < 0)
		return; /* what was watched still is */
	directories_forget(watch);
	for (size_t i = 0; (source = project_source(&project, i)); i++)
		watch_directory_of(watch, source);
	project_free(&project);
}

/* Whether the file of this name in this watched directory is one of the sources. */
static bool is_source(const struct watch *watch, int id, const char *name)
{
	struct tender_error error;
	struct project project;
	const char *directory = NULL, *source;
	char path[PATH_MAX];
	bool found = false;

	for (size_t i = 0; i < watch->directory_count; i++)
		if (watch->directories[i].id == id)
			directory = watch->directories[i].path;
	if (!directory || project_load(&project, &error) < 0)
		return directory != NULL;
	snprintf(path, sizeof path, "%s/%s", directory, name);
	source = strcmp(directory, ".") == 0 ? name : path;
	for (size_t i = 0; !found && project_source(&project, i); i++)
		found = strcmp(project_source(&project, i), source) == 0;
	project_free(&project);
	return found;
}

/* Takes all events that are there; whether one is of a source. */
static bool changes_take(struct watch *watch)
{
	char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	bool changed = false;
	ssize_t len;

	while ((len = read(watch->changes, events, sizeof events)) > 0) {
		for (char *at = events; at < events + len;) {
			const struct inotify_event *event = (const void *)at;

			changed |= event->len > 0 && is_source(watch, event->wd, event->name);
			at += sizeof *event + event->len;
		}
	}
	return changed;
}

/* The unikernel --------------------------------------------------------------------------------------------------- */

static void child_start(struct watch *watch)
{
	pid_t parent = getpid();

	fflush(NULL);
	watch->child = fork();
	if (watch->child == 0) {
		sigprocmask(SIG_UNBLOCK, &watch->mask, NULL);
		if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
			_exit(COMMAND_FAILED);
		_exit(run_once(watch->options)); /* comes back only with an error, which it has reported */
	}
	if (watch->child < 0) {
		command_fail(&command_run, "cannot start: %s", strerror(errno));
		watch->child = 0;
	}
}

/* Notices which processes have ended: the unikernel, and the helpers of its networks, which have become our children
 * with its end. Whether any is left. */
static bool children_reap(struct watch *watch)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (pid != watch->child)
			continue;
		watch->child = 0;
		watch->status = start_status(status);
	}
	return pid == 0;
}

/* Whether all have ended within END_MS: then their ports are free. */
static bool children_wait(struct watch *watch)
{
	for (int waited = 0; waited < END_MS; waited += TURN_MS) {
		if (!children_reap(watch))
			return true;
		poll(NULL, 0, TURN_MS);
	}
	return false;
}

static void child_stop(struct watch *watch)
{
	if (watch->child)
		kill(watch->child, SIGTERM);
	if (children_wait(watch) || watch->child == 0)
		return;
	kill(watch->child, SIGKILL);
	children_wait(watch);
}

static void say_failed(const struct watch *watch)
{
	fprintf(stderr, "skerry run: %s; save again to try again\n",
		watch->child ? "the old one keeps running" : "not started");
}

static void rebuild(struct watch *watch)
{
	struct pollfd more = { .fd = watch->changes, .events = POLLIN };
	int status;

	while (poll(&more, 1, QUIET_MS) > 0)
		changes_take(watch);
	fprintf(stderr, "skerry run: sources have changed: skerry build\n");
	status = start_self("build");
	if (status != 0) {
		say_failed(watch);
		return;
	}
	sources_watch(watch);
	child_stop(watch);
	child_start(watch);
}

/* Events ---------------------------------------------------------------------------------------------------------- */

static void signals_take(struct watch *watch)
{
	struct signalfd_siginfo info;

	while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info) {
		if (info.ssi_signo == SIGCHLD)
			continue;
		/* What a terminal sends goes to the child as well. */
		if (watch->child && info.ssi_code != SI_KERNEL)
			kill(watch->child, (int)info.ssi_signo);
		if (info.ssi_signo != SIGUSR1)
			watch->ending = true;
	}
}

static int watch_open(struct watch *watch)
{
	static const int numbers[] = { SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGCHLD };

	sigemptyset(&watch->mask);
	for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
		sigaddset(&watch->mask, numbers[i]);
	watch->changes = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	watch->signals = signalfd(-1, &watch->mask, SFD_CLOEXEC | SFD_NONBLOCK);
	if (watch->changes < 0 || watch->signals < 0 || sigprocmask(SIG_BLOCK, &watch->mask, NULL) < 0 ||
		prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		return command_fail(&command_run, "--watch: %s", strerror(errno));
	return 0;
}

int run_watch(const struct run_options *options)
{
	struct watch watch = { .options = options };

	if (watch_open(&watch) != 0)
		return COMMAND_FAILED;
	sources_watch(&watch); /* before the build, so that what is saved meanwhile is built again */
	if (run_build(options) == COMMAND_OK)
		child_start(&watch);
	else if (watch.directory_count > 0)
		say_failed(&watch);
	else
		return COMMAND_FAILED; /* there is nothing here that could be built */
	while (!watch.ending || watch.child) {
		struct pollfd fds[] = { { watch.changes, POLLIN, 0 }, { watch.signals, POLLIN, 0 } };
		pid_t before = watch.child;

		poll(fds, sizeof fds / sizeof *fds, -1);
		signals_take(&watch);
		children_reap(&watch);
		if (before && !watch.child && !watch.ending)
			fprintf(stderr, "skerry run: ended with status %d; save a source to start it again\n",
				watch.status);
		if (changes_take(&watch) && !watch.ending)
			rebuild(&watch);
	}
	directories_forget(&watch);
	close(watch.changes);
	close(watch.signals);
	return watch.status;
}
