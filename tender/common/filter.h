/* SPDX-License-Identifier: ISC
 *
 * A filter of system calls: a list of what is allowed, by descriptor and argument; anything else, and any call of
 * another architecture, kills the process with SIGSYS.
 */
#ifndef TENDER_COMMON_FILTER_H
#define TENDER_COMMON_FILTER_H

#include <seccomp.h>

#include "tender/common/tender.h"

/* The filter under construction, and the first error, so that rules can be listed without a check after each. */
struct filter {
	scmp_filter_ctx context;
	int err;
};

struct filter filter_new(void);

/* Allows call when the count arguments compare so. Arguments are compared as 64 bits. */
void filter_allow(struct filter *filter, int call, unsigned int count, const struct scmp_arg_cmp *arguments);
/* Allows call when its first argument is exactly this. */
void filter_allow_first(struct filter *filter, int call, int first);
/* Allows a frame's read() and write() on the manifest's networks (and readv(), writev() on those with features, which
 * may be ended by TUNSETOFFLOAD), and a sector's pread() and pwrite() within its
 * blocks. */
void filter_allow_devices(struct filter *filter, const struct tender_manifest *manifest);

/* Sets no_new_privs and loads the filter. */
int filter_load(struct filter *filter, struct tender_error *error);

#endif
