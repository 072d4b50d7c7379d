/* SPDX-License-Identifier: ISC
 *
 * Finding what belongs to this skerry, and running other programs.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/configure/model.h"
#include "tool/configure/toolchain.h"

const struct toolchain *toolchain_find(void)
{
	static struct toolchain found;
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof path - 1);
	const char *directory, *installed;

	if (found.skerry)
		return &found;
	if (len < 0)
		config_error_at(&(struct place){ "/proc/self/exe", 0 }, "%s", strerror(errno));
	path[len] = '\0';
	found.skerry = config_text("%s", path);
	*strrchr(path, '/') = '\0';
	directory = config_text("%s", path);
	installed = config_text("%s/../lib/skerry", directory);
	found.compiler = config_text("%s/skerry-cc", directory);
	found.libraries = access(installed, F_OK) == 0 ? installed : directory;
	found.image = config_text("%s/make-image", found.libraries);
	return &found;
}

bool toolchain_has_target(const struct target *target)
{
	return access(config_text("%s/%s/libskerry.a", toolchain_find()->libraries, target->name), F_OK) == 0;
}

bool program_exists(const char *name)
{
	const char *path = getenv("PATH");

	for (const char *at = path ? path : ""; *at;) {
		size_t len = strcspn(at, ":");

		if (len > 0 && access(config_text("%.*s/%s", (int)len, at, name), X_OK) == 0)
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

static char *read_all(int fd)
{
	size_t len = 0, size = 4096;
	char *text = malloc(size);
	ssize_t got = 1;

	while (text && got != 0) {
		got = read(fd, text + len, size - len - 1);
		if (got < 0 && errno != EINTR)
			break;
		len += got > 0 ? (size_t)got : 0;
		if (size - len < 2) {
			char *larger = realloc(text, size *= 2);

			if (!larger)
				free(text);
			text = larger;
		}
	}
	if (!text)
		config_error("no memory");
	text[len] = '\0';
	return text;
}

static int run(char *const *argv, char **output, bool quietly)
{
	int ends[2], status;
	pid_t pid;

	fflush(stdout);
	if (output && pipe(ends) < 0)
		return -1;
	pid = fork();
	if (pid == 0) {
		if (output) {
			dup2(ends[1], STDOUT_FILENO);
			close(ends[0]);
			close(ends[1]);
		}
		if (quietly && !freopen("/dev/null", "w", stderr))
			_exit(127);
		execvp(argv[0], argv);
		_exit(127);
	}
	if (output) {
		close(ends[1]);
		*output = pid > 0 ? read_all(ends[0]) : NULL;
		close(ends[0]);
	}
	if (pid < 0)
		return -1;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int program_run(char *const *argv, char **output)
{
	return run(argv, output, false);
}

int program_run_quietly(char *const *argv, char **output)
{
	return run(argv, output, true);
}
