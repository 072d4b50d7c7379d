/* SPDX-License-Identifier: ISC
 *
 * The programs around `skerry`: where those of its own lie, and whether others are there.
 */
#ifndef CONFIGURE_TOOLCHAIN_H
#define CONFIGURE_TOOLCHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "tool/configure/target.h"

/* What belongs to this skerry, in the directory of a build or as make install laid it out. All texts live for ever. */
struct toolchain {
	const char *skerry;    /* itself */
	const char *compiler;  /* skerry-cc */
	const char *libraries; /* the directory of TARGET/libskerry.a */
	const char *image;     /* make-image */
};
const struct toolchain *toolchain_find(void);

/* Whether this skerry can build for a target: its library is there. */
bool toolchain_has_target(const struct target *target);

/* Whether a command can be found by its name. */
bool program_exists(const char *name);

#endif
