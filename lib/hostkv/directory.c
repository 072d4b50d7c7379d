/* SPDX-License-Identifier: ISC
 *
 * A directory of the host as a key-value store: files are values. Symbolic links, devices and pipes are left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <skerry/clock.h>
#include <skerry/log.h>

#include "lib/kv/store.h"
#include "host.h"

LOG_SOURCE(kv);

struct directory {
	struct kv kv;
	int root;
};

static int root_of(struct kv *kv)
{
	return ((struct directory *)kv)->root;
}

/* Reading ----------------------------------------------------------------------------------------------------- */

static uint64_t time_of(const struct timespec *time)
{
	return time->tv_sec < 0 ? 0 : SECOND((uint64_t)time->tv_sec) + (uint64_t)time->tv_nsec;
}

static int directory_find(struct kv *kv, const char *key, struct kv_status *status)
{
	const char *name;
	struct stat file;
	int at, err = 0;

	*status = (struct kv_status){ .kind = KV_DICTIONARY };
	if (!*key)
		return 0;
	at = hostkv_open_parent(root_of(kv), key, NULL, &name);
	if (at < 0)
		return at;
	if (fstatat(at, name, &file, AT_SYMLINK_NOFOLLOW) < 0)
		err = hostkv_error(errno);
	close(at);
	if (err)
		return err;
	if (S_ISREG(file.st_mode))
		*status = (struct kv_status){ KV_VALUE, (uint64_t)file.st_size, time_of(&file.st_mtim) };
	return S_ISREG(file.st_mode) || S_ISDIR(file.st_mode) ? 0 : -ENOENT;
}

static int read_all(int fd, uint64_t offset, char *buf, size_t size)
{
	while (size > 0) {
		ssize_t len = pread(fd, buf, size, (off_t)offset);

		if (len < 0 && errno == EINTR)
			continue;
		if (len <= 0) /* 0: somebody has made the file shorter */
			return -EIO;
		buf += len;
		offset += (size_t)len;
		size -= (size_t)len;
	}
	return 0;
}

static int directory_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size)
{
	const char *name;
	int at = hostkv_open_parent(root_of(kv), key, NULL, &name), fd, err;

	if (at < 0)
		return at;
	fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	err = fd < 0 ? hostkv_error(errno) : read_all(fd, offset, buf, size);
	close(at);
	if (fd >= 0)
		close(fd);
	return err;
}

/* Opens a dictionary for its names. */
static int open_list(int root, const char *key, DIR **directory)
{
	const char *name;
	int at = hostkv_open_parent(root, key, NULL, &name), fd = at;

	if (at >= 0 && *name) {
		fd = hostkv_enter(at, name, strlen(name));
		close(at);
	}
	if (fd < 0)
		return fd;
	*directory = fdopendir(fd);
	if (*directory)
		return 0;
	close(fd);
	return -ENOMEM;
}

/* The next name that is a key's: its mode; 0 at the end; or an error. */
static int next_name(DIR *directory, bool root, const char **name)
{
	struct dirent *entry;
	int mode = 0;

	while (mode == 0 || mode == -ENOENT) {
		errno = 0;
		entry = readdir(directory);
		if (!entry)
			return errno ? -EIO : 0;
		*name = entry->d_name;
		mode = 0;
		if (strcmp(*name, ".") != 0 && strcmp(*name, "..") != 0 && !(root && strcmp(*name, HOST_OWN) == 0))
			mode = hostkv_mode(dirfd(directory), *name);
	}
	return mode;
}

static int directory_list(struct kv *kv, const char *key, struct kv_names *names)
{
	DIR *directory;
	const char *name;
	int mode, err = open_list(root_of(kv), key, &directory);

	if (err)
		return err;
	while (err == 0 && (mode = next_name(directory, !*key, &name)) != 0)
		err = mode < 0 ? mode
			       : kv_names_add(names, name, strlen(name), mode == S_IFDIR ? KV_DICTIONARY : KV_VALUE);
	closedir(directory);
	return err;
}

/* Writing ----------------------------------------------------------------------------------------------------- */

static int write_all(int fd, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t done = write(fd, bytes, len);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return hostkv_error(errno);
		bytes += done;
		len -= (size_t)done;
	}
	return fsync(fd) == 0 ? 0 : hostkv_error(errno);
}

/* A value, whole and on stable storage, where no key leads to. */
static int write_part(int root, const void *value, size_t len)
{
	int fd, err;

	if (mkdirat(root, HOST_OWN, 0777) < 0 && errno != EEXIST)
		return hostkv_error(errno);
	fd = openat(root, HOST_PART, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
	if (fd < 0)
		return hostkv_error(errno);
	err = write_all(fd, value, len);
	if (close(fd) < 0 && err == 0)
		err = hostkv_error(errno);
	if (err)
		unlinkat(root, HOST_PART, 0);
	return err;
}

static int directory_set(struct kv *kv, const char *key, const void *value, size_t len)
{
	int root = root_of(kv), err = write_part(root, value, len), at, mode;
	bool made = false;
	const char *name;

	if (err)
		return err;
	at = hostkv_open_parent(root, key, &made, &name);
	mode = at < 0 ? at : hostkv_mode(at, name);
	if (at < 0)
		err = at;
	else if (mode == 0)
		err = -EACCES;
	else if (renameat(root, HOST_PART, at, name) < 0)
		err = hostkv_error(errno);
	else
		err = hostkv_sync(at);
	if (at >= 0)
		close(at);
	if (err) {
		unlinkat(root, HOST_PART, 0);
		if (made)
			hostkv_prune(root, key);
	}
	return err;
}

static int remove_all(int root)
{
	DIR *directory;
	const char *name;
	int mode, err = open_list(root, "", &directory);

	if (err)
		return err;
	while (err == 0 && (mode = next_name(directory, true, &name)) != 0)
		err = mode < 0 ? mode : hostkv_discard(root, dirfd(directory), name);
	closedir(directory);
	return err;
}

static int directory_remove(struct kv *kv, const char *key)
{
	int root = root_of(kv), at, err;
	const char *name;

	if (mkdirat(root, HOST_OWN, 0777) < 0 && errno != EEXIST)
		return hostkv_error(errno);
	if (!*key)
		return remove_all(root);
	at = hostkv_open_parent(root, key, NULL, &name);
	if (at < 0)
		return at;
	err = hostkv_discard(root, at, name);
	close(at);
	return err ? err : hostkv_prune(root, key);
}

/* Whether all keys below a directory stay keys when they get so many bytes and names more. Calls itself for each level,
 * which KV_DEPTH_MAX bounds. */
static int check_keys(int at, const char *name, size_t len, size_t depth)
{
	int fd = hostkv_enter(at, name, strlen(name)), mode, err = 0;
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (!directory) {
		err = fd < 0 ? fd : -ENOMEM;
		close(fd);
		return err;
	}
	while (err == 0 && (mode = next_name(directory, false, &name)) != 0) {
		size_t longer = len + 1 + strlen(name);

		if (longer > KV_KEY_MAX || depth + 1 > KV_DEPTH_MAX)
			err = -ENAMETOOLONG;
		else if (mode != S_IFREG)
			err = mode < 0 ? mode : check_keys(fd, name, longer, depth + 1);
	}
	closedir(directory);
	return err;
}

static size_t depth_of(const char *key)
{
	size_t depth = 1;

	while (*key)
		depth += *key++ == '/';
	return depth;
}

static int move(int source, const char *from, int target, const char *to)
{
	int mode = hostkv_mode(target, to);

	if (mode == 0) /* neither value nor dictionary, but there */
		return -EACCES;
	if (renameat(source, from, target, to) < 0)
		return hostkv_error(errno);
	/* Two names of one file are left as they are by POSIX. */
	if (mode == S_IFREG)
		unlinkat(source, from, 0);
	mode = hostkv_sync(target);
	return mode ? mode : hostkv_sync(source);
}

static int directory_rename(struct kv *kv, const char *from, const char *to)
{
	int root = root_of(kv), source, target, mode, err = 0;
	const char *source_name, *target_name;
	bool made = false;

	source = hostkv_open_parent(root, from, NULL, &source_name);
	if (source < 0)
		return source;
	mode = hostkv_mode(source, source_name);
	if (mode == S_IFDIR)
		err = check_keys(source, source_name, strlen(to), depth_of(to));
	target = err ? err : hostkv_open_parent(root, to, &made, &target_name);
	if (target >= 0) {
		err = move(source, source_name, target, target_name);
		close(target);
	} else {
		err = target;
	}
	close(source);
	if (err && made)
		hostkv_prune(root, to);
	return err ? err : hostkv_prune(root, from);
}

/* Opening ----------------------------------------------------------------------------------------------------- */

static void directory_close(struct kv *kv)
{
	/* Stays if something is in it, which the next to open the store for writing clears. */
	if (kv->ops->set)
		unlinkat(root_of(kv), HOST_OWN, AT_REMOVEDIR);
	close(root_of(kv));
	free(kv);
}

static const struct kv_ops read_only_ops = {
	.find = directory_find,
	.read = directory_read,
	.list = directory_list,
	.close = directory_close,
};

static const struct kv_ops writable_ops = {
	.find = directory_find,
	.read = directory_read,
	.list = directory_list,
	.set = directory_set,
	.remove = directory_remove,
	.rename = directory_rename,
	.close = directory_close,
};

/* Takes the directory for this program and clears what another one has left behind. */
static int take(int root)
{
	if (flock(root, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : hostkv_error(errno);
	if (faccessat(root, ".", W_OK | X_OK, AT_EACCESS) < 0)
		return hostkv_error(errno);
	return hostkv_clear(root);
}

static const char *reason(int err)
{
	switch (err) {
	case -ENOENT:
		return "it is missing: make it with mkdir -p";
	case -ENOTDIR:
		return "it is not a directory";
	case -EBUSY:
		return "another program writes it: end that one, or open it read-only";
	case -EROFS:
	case -EACCES:
		return "the host does not permit it: see its mode and its owner";
	default:
		return "the host reports an error";
	}
}

int kv_directory_open(const char *path, bool read_only, struct kv **kv)
{
	struct directory *directory = calloc(1, sizeof *directory);
	int err = 0;

	if (!directory)
		return -ENOMEM;
	directory->kv.ops = read_only ? &read_only_ops : &writable_ops;
	directory->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory->root < 0)
		err = hostkv_error(errno);
	else if (!read_only)
		err = take(directory->root);
	if (err == 0) {
		*kv = &directory->kv;
		return 0;
	}
	log_error("directory \"%s\" cannot be %s: %s", path, read_only ? "read" : "written", reason(err));
	if (directory->root >= 0)
		close(directory->root);
	free(directory);
	return err;
}
