/* SPDX-License-Identifier: ISC
 *
 * The operator's question to a running process: SIGUSR1.
 */
#ifndef UNIX_INQUIRY_H
#define UNIX_INQUIRY_H

/* From now on the signal makes platform_wait() call platform_inquire(). Where the host has no descriptor for that, the
 * signal is left as it was. */
void inquiry_watch(void);

#endif
