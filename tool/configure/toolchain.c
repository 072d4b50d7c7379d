/* SPDX-License-Identifier: ISC
 *
 * Finding what belongs to this skerry, and other programs.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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
