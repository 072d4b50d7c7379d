/* SPDX-License-Identifier: ISC
 *
 * What every tender does to its own process before the guest runs.
 */
#ifndef TENDER_COMMON_PROCESS_H
#define TENDER_COMMON_PROCESS_H

#include "tender/common/tender.h"

/* Adds a descriptor, or the manifest's networks with their handles as data, to an epoll set. -EPERM for one that cannot
 * be polled, and epoll_ctl(2)'s other errors; tender_watch without a text. */
int tender_watch(int epoll, int fd, uint32_t events, uint64_t data);
int tender_watch_networks(int epoll, const struct tender_manifest *manifest, struct tender_error *error);

/* A descriptor that can be read when somebody asks what the guest is doing: SIGUSR1, which is blocked from now on. */
int tender_inquiry_open(struct tender_error *error);

/* Closes every descriptor but 1 and 2, the count given and the manifest's. 2 stays for a last error line. */
int tender_descriptors_keep(
	const struct tender_manifest *manifest, const int *descriptors, size_t count, struct tender_error *error);
enum { TENDER_KEEP_MAX = 8 + TENDER_DEVICES_MAX };

/* Makes the process another user's, in an empty root directory and in namespaces of its own for mounts, networks, IPC
 * and host names; what is open stays usable. user is a name or number; NULL: does nothing. -EPERM when not root,
 * -EINVAL for a user who does not exist or has root's rights, and the errors of unshare(2), mount(2), pivot_root(2). */
int tender_jail_enter(const char *user, struct tender_error *error);

/* Ignores SIGPIPE and SIGCHLD; SIGTERM and SIGINT end the process with status 1 and a line on the console, by write(),
 * tender_taps_release() and exit_group() alone. */
int tender_signals_set(const char *program, const struct tender_manifest *manifest, struct tender_error *error);

/* Gives taps with features back plain: for who ends the process, after tender_signals_set. By ioctl() alone. */
void tender_taps_release(void);

/* A tender's main(): reads the command line, opens image and devices, and runs. */
struct tender_front {
	const char *program;
	enum abi_target target;
	uint32_t abi_version;
	int (*run)(const struct tender_config *config, struct tender_error *error); /* returns only with an error */
};
int tender_main(const struct tender_front *front, int argc, char **argv);

#endif
