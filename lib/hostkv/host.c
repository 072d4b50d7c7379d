/* SPDX-License-Identifier: ISC
 *
 * Ways through a host's directory that do not leave it.
 */
#include "host.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skerry/kv.h>
#include <skerry/text.h>

int hostkv_error(int number)
{
	switch (number) {
	case EPERM:
		return -EACCES;
	case EDQUOT:
	case EFBIG:
		return -ENOSPC;
	case ENOTEMPTY:
		return -EEXIST;
	case EACCES:
	case EEXIST:
	case ENAMETOOLONG:
	case ENOENT:
	case ENOMEM:
	case ENOSPC:
	case ENOTDIR:
	case EROFS:
		return -number;
	default:
		return -EIO;
	}
}

int hostkv_mode(int at, const char *name)
{
	struct stat status;

	if (fstatat(at, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
		return hostkv_error(errno);
	return S_ISREG(status.st_mode) || S_ISDIR(status.st_mode) ? (int)(status.st_mode & S_IFMT) : 0;
}

/* A name as a string: 0 or -ENAMETOOLONG. */
static int copy_name(char copy[NAME_MAX + 1], const char *name, size_t len)
{
	if (len > NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(copy, name, len);
	copy[len] = '\0';
	return 0;
}

int hostkv_enter(int at, const char *name, size_t len)
{
	char copy[NAME_MAX + 1];
	int fd, mode, err = copy_name(copy, name, len);

	if (err)
		return err;
	fd = openat(at, copy, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	if (errno != ENOTDIR && errno != ELOOP)
		return hostkv_error(errno);
	mode = hostkv_mode(at, copy);
	return mode < 0 ? mode : mode == S_IFREG ? -ENOTDIR : -ENOENT;
}

int hostkv_sync(int at)
{
	/* File systems that have nothing to do for a directory say EINVAL. */
	return fsync(at) == 0 || errno == EINVAL ? 0 : -EIO;
}

static int make_directory(int at, const char *name, size_t len)
{
	char copy[NAME_MAX + 1];
	int err = copy_name(copy, name, len);

	if (err == 0 && mkdirat(at, copy, 0777) < 0)
		err = errno == EEXIST ? -EACCES : hostkv_error(errno);
	return err ? err : hostkv_sync(at);
}

int hostkv_open_parent(int root, const char *key, bool *made, const char **name)
{
	int at = openat(root, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (at < 0)
		return hostkv_error(errno);
	if (strncmp(key, HOST_OWN, strlen(HOST_OWN)) == 0 && strchr("/", key[strlen(HOST_OWN)])) {
		close(at);
		return -EINVAL;
	}
	for (const char *slash; at >= 0 && (slash = strchr(key, '/')); key = slash + 1) {
		size_t len = (size_t)(slash - key);
		int next = hostkv_enter(at, key, len);

		if (next == -ENOENT && made) {
			next = make_directory(at, key, len);
			*made |= next == 0;
			next = next ? next : hostkv_enter(at, key, len);
		}
		close(at);
		at = next;
	}
	*name = key;
	return at;
}

int hostkv_prune(int root, const char *key)
{
	char path[KV_KEY_MAX + 1];
	int err = 0;

	memcpy(path, key, strlen(key) + 1);
	for (char *slash; err == 0 && (slash = strrchr(path, '/'));) {
		const char *name;
		bool removed;
		int at;

		*slash = '\0';
		at = hostkv_open_parent(root, path, NULL, &name);
		if (at < 0)
			return 0;
		removed = unlinkat(at, name, AT_REMOVEDIR) == 0;
		err = removed ? hostkv_sync(at) : 0;
		close(at);
		if (!removed)
			return 0;
	}
	return err;
}

/* On the way out ---------------------------------------------------------------------------------------------- */

/* Moves a directory out of sight, under the first number that is free. */
static int move_out(int root, int at, const char *name)
{
	char number[sizeof HOST_OWN + 11];

	for (unsigned i = 0; i < UINT_MAX; i++) {
		text_format(number, sizeof number, HOST_OWN "/%u", i);
		if (renameat(at, name, root, number) == 0)
			return 0;
		if (errno != EEXIST && errno != ENOTEMPTY)
			break;
	}
	return hostkv_error(errno);
}

static bool is_dot(const char *name)
{
	return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

/* Removes a directory that is out of sight; directories in it come out as well, so that depth does not matter. */
static int empty(int root, int own, const char *name)
{
	int fd = hostkv_enter(own, name, strlen(name)), err = 0;
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!directory) {
		err = fd < 0 ? fd : hostkv_error(errno);
		close(fd);
		return err;
	}
	while (err == 0 && (entry = readdir(directory))) {
		if (is_dot(entry->d_name) || unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		err = errno == EISDIR ? move_out(root, fd, entry->d_name) : hostkv_error(errno);
	}
	closedir(directory);
	if (err == 0 && unlinkat(own, name, AT_REMOVEDIR) < 0)
		err = hostkv_error(errno);
	return err;
}

int hostkv_clear(int root)
{
	int own = hostkv_enter(root, HOST_OWN, strlen(HOST_OWN)), err = 0;
	DIR *directory = own < 0 ? NULL : fdopendir(own);
	struct dirent *entry;

	if (!directory) {
		err = own < 0 ? own : hostkv_error(errno);
		close(own);
		return err == -ENOENT ? 0 : err;
	}
	/* From the start after each, for what came out of it. */
	while (err == 0 && (entry = readdir(directory))) {
		if (is_dot(entry->d_name) || unlinkat(own, entry->d_name, 0) == 0)
			continue;
		err = empty(root, own, entry->d_name);
		rewinddir(directory);
	}
	closedir(directory);
	return err;
}

int hostkv_discard(int root, int at, const char *name)
{
	int err;

	if (unlinkat(at, name, 0) == 0)
		return hostkv_sync(at);
	if (errno != EISDIR)
		return hostkv_error(errno);
	err = move_out(root, at, name);
	if (err == 0)
		err = hostkv_sync(at);
	return err ? err : hostkv_clear(root);
}
