/* SPDX-License-Identifier: ISC
 *
 * The table of targets. Which of them this skerry can build for is a matter of what libraries it has.
 */
#include "tool/configure/target.h"

#include <stddef.h>
#include <string.h>

static const struct target targets[] = {
	{ "unix", "", false },
	{ "spt", ".spt", true },
	{ "hvt", ".hvt", true },
	{ "virtio", ".virtio", true },
};

const struct target *target_find(const char *name)
{
	for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
		if (strcmp(targets[i].name, name) == 0)
			return &targets[i];
	return NULL;
}
