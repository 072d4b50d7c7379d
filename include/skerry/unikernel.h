/* SPDX-License-Identifier: ISC
 *
 * What the configure step generates for the runtime: one constant that describes the unikernel. lib/task/boot.c
 * reads it at boot; nobody writes it by hand.
 */
#ifndef SKERRY_UNIKERNEL_H
#define SKERRY_UNIKERNEL_H

#include <stddef.h>

#include <skerry/key.h>

struct unikernel {
	const char *name;
	const struct key *keys;
	size_t key_count;
	/* The libraries that the image was linked from, each as a line "NAME VERSION\n". Written into the image by the
	 * build, behind the linker; "" in a program that was built in another way. */
	const char *libraries;
	int (*run)(void); /* in the main task: opens the devices, calls start(), closes them; returns start()'s value */
};
extern const struct unikernel unikernel;

/* What this instance is called: --name, or unikernel.name. It lives for ever. */
const char *unikernel_instance_name(void);

/* The exit status for what start() returned: itself if 0 to 255; a negative errno is logged by name and gives 1. */

#endif
