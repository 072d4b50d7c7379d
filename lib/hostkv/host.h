/* SPDX-License-Identifier: ISC
 *
 * Inside the store of a host's directory. Names go one by one from the root down, none through a symbolic link, so that
 * nothing outside of the directory is reached.
 *
 * What the store needs for itself lies in ".skerry" in its root, which is no key: "part", the value that is being
 * written, and directories on their way out, under numbers. So a name in the store is a whole value at all times, and a
 * dictionary goes in one step, however much is in it.
 */
#ifndef HOSTKV_HOST_H
#define HOSTKV_HOST_H

#include <stdbool.h>
#include <sys/types.h>

#define HOST_OWN  ".skerry"
#define HOST_PART ".skerry/part"

/* errno as the error of a store. */
int hostkv_error(int number);

/* Opens what lies directly in a directory, if it is one. A file descriptor, -ENOTDIR if it is a file, -ENOENT if it is
 * something else or missing, or another error. */
int hostkv_enter(int at, const char *name, size_t len);

/* Opens the directory that a key's last name lies in: *name. `make` makes those that are missing, and says in *made
 * that it did (-EACCES where something else is); NULL: none. The key's first name is not ".skerry": -EINVAL. */
int hostkv_open_parent(int root, const char *key, bool *made, const char **name);

/* What a name in a directory is: its mode, 0 if it is neither file nor directory, or a negative errno. */
int hostkv_mode(int at, const char *name);

/* On stable storage with all its names: 0 or -EIO. */
int hostkv_sync(int at);

/* Removes the directories of a key that are empty, from the last one up. */
int hostkv_prune(int root, const char *key);

/* Takes a file or directory out of sight in one step, and then away. */
int hostkv_discard(int root, int at, const char *name);

/* Removes all that is on its way out. */
int hostkv_clear(int root);

#endif
