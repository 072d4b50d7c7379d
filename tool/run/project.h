/* SPDX-License-Identifier: ISC
 *
 * What is to be run: a unikernel that was configured in a directory (build/unikernel.json), or an image by itself.
 */
#ifndef TOOL_RUN_PROJECT_H
#define TOOL_RUN_PROJECT_H

#include <jansson.h>

#include "tender/common/tender.h"

#define PROJECT_FILE "build/unikernel.json"

struct project_device {
	char name[MANIFEST_NAME_SIZE];
	enum manifest_type type;
	const char *file; /* of a block device: its default; NULL: none */
};

/* Strings are borrowed from root, and from the caller. */
struct project {
	json_t *root;
	bool configured; /* in this directory; else it is an image by itself */
	const char *name;
	const char *target; /* "unix", "spt", "hvt", ... */
	const char *image;  /* path */
	size_t device_count;
	struct project_device devices[TENDER_DEVICES_MAX];
	bool host_sockets; /* it uses the sockets of its host: no network device */
};

/* Reads PROJECT_FILE. -ENOENT when the unikernel has not been configured, -EINVAL when the file is not as `skerry
 * configure` writes it, -EIO, -ENOMEM. */
int project_load(struct project *project, struct tender_error *error);

/* Describes an image from its notes, or if it is an ordinary program, from what it says of itself; path stays borrowed.
 * -ENOEXEC when it is neither. */
int project_of_image(const char *path, struct project *project, struct tender_error *error);

void project_free(struct project *project);

/* Why the image must be built: NULL if it need not. "not built yet", or "older than SOURCE", in text. */
const char *project_stale(const struct project *project, char *text, size_t size);

/* The i-th source, NULL behind the last; the same for the boot keys' names. */
const char *project_source(const struct project *project, size_t i);
const char *project_key(const struct project *project, size_t i);

/* The device of this type and name; name NULL: the first of the type. NULL: there is none. */
struct project_device *project_device(struct project *project, enum manifest_type type, const char *name);

#endif
