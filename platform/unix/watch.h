/* SPDX-License-Identifier: ISC
 *
 * Descriptors that platform_wait watches: taps, and the sockets of lib/hostnet. Each has a platform_source, borrowed
 * until watch_remove, whose ready() is called from platform_wait.
 */
#ifndef UNIX_WATCH_H
#define UNIX_WATCH_H

#include <platform.h>

/* Watches for input, level-triggered: ready at every wait while there is unread input. 0 or -ENOMEM. */
int watch_add(int fd, struct platform_source *source);

/* Watches input, output, and the end of either, edge-triggered: ready once whenever one of them begins to be possible,
 * and once at first. For who always tries before waiting. 0 or -ENOMEM. */
int watch_add_edges(int fd, struct platform_source *source);

/* Before fd is closed. The source is not called any more, not even for an event that the current wait has seen. */
void watch_remove(int fd, struct platform_source *source);

/* What platform_wait does, with its contract. */
void watch_wait(uint64_t deadline_ns);

#endif
