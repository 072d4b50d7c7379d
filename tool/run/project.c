/* SPDX-License-Identifier: ISC
 *
 * Reading build/unikernel.json, and asking images.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/run/project.h"
#include "tool/start.h"

/* From JSON ------------------------------------------------------------------------------------------------------ */

static int malformed(const char *member, const char *expected, struct tender_error *error)
{
	return tender_fail(error, -EINVAL, "%s: \"%s\": expected %s; `skerry configure` writes the file anew",
		PROJECT_FILE, member, expected);
}

static int device_read(const char *from, json_t *object, struct project *project, struct tender_error *error)
{
	struct project_device *device = &project->devices[project->device_count];
	const char *name = json_string_value(json_object_get(object, "name"));
	const char *type = json_string_value(json_object_get(object, "type"));

	if (!name || !tender_device_name_valid(name) || project->device_count == TENDER_DEVICES_MAX)
		return tender_fail(error, -EINVAL, "%s: devices[%zu]: expected at most %d, named by letters and digits",
			from, project->device_count, TENDER_DEVICES_MAX);
	*device = (struct project_device){ .file = json_string_value(json_object_get(object, "file")) };
	memcpy(device->name, name, strlen(name) + 1);
	if (type && strcmp(type, tender_device_type_name(MANIFEST_NET_BASIC)) == 0)
		device->type = MANIFEST_NET_BASIC;
	else if (type && strcmp(type, tender_device_type_name(MANIFEST_BLOCK_BASIC)) == 0)
		device->type = MANIFEST_BLOCK_BASIC;
	else
		return tender_fail(
			error, -EINVAL, "%s: device \"%s\": expected a type, NET_BASIC or BLOCK_BASIC", from, name);
	project->device_count++;
	return 0;
}

static int devices_read(const char *from, json_t *devices, struct project *project, struct tender_error *error)
{
	json_t *object;
	size_t i;
	int err = 0;

	json_array_foreach(devices, i, object)
	{
		err = device_read(from, object, project, error);
		if (err < 0)
			break;
	}
	return err;
}

static int members_read(struct project *project, struct tender_error *error)
{
	const struct {
		const char *member;
		const char **to;
	} strings[] = { { "name", &project->name }, { "target", &project->target }, { "image", &project->image } };

	for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
		*strings[i].to = json_string_value(json_object_get(project->root, strings[i].member));
		if (!*strings[i].to || !**strings[i].to)
			return malformed(strings[i].member, "a text", error);
	}
	if (!json_is_array(json_object_get(project->root, "devices")))
		return malformed("devices", "a list", error);
	project->host_sockets = json_is_true(json_object_get(project->root, "host_sockets"));
	return devices_read(PROJECT_FILE, json_object_get(project->root, "devices"), project, error);
}

int project_load(struct project *project, struct tender_error *error)
{
	json_error_t problem;
	int err;

	*project = (struct project){ .configured = true };
	if (access(PROJECT_FILE, R_OK) < 0 && errno == ENOENT)
		return access("config.c", F_OK) == 0
			       ? tender_fail(error, -ENOENT, "not configured yet: skerry configure -t spt")
			       : tender_fail(error, -ENOENT,
					 "no unikernel in this directory (no config.c); skerry new NAME makes one, and "
					 "skerry run IMAGE runs an image");
	project->root = json_load_file(PROJECT_FILE, JSON_REJECT_DUPLICATES, &problem);
	if (!project->root)
		return tender_fail(error, -EINVAL, "%s:%d: %s; `skerry configure` writes the file anew", PROJECT_FILE,
			problem.line, problem.text);
	err = members_read(project, error);
	if (err < 0)
		project_free(project);
	return err;
}

void project_free(struct project *project)
{
	json_decref(project->root);
	project->root = NULL;
}

/* From an image -------------------------------------------------------------------------------------------------- */

/* A unikernel that is an ordinary program prints its manifest. */
static int program_ask(const char *path, struct project *project, struct tender_error *error)
{
	char program[PATH_MAX], *answer = NULL;
	const char *const words[] = { program, "--manifest", NULL };
	json_t *devices;

	/* Without a slash it would be looked for in PATH. */
	snprintf(program, sizeof program, "%s%s", strchr(path, '/') ? "" : "./", path);
	if (start_ask(words, true, &answer) == 0)
		project->root = json_loads(answer, 0, NULL);
	free(answer);
	devices = json_object_get(project->root, "devices");
	if (!json_is_array(devices))
		return tender_fail(
			error, -ENOEXEC, "%s: not a unikernel; expected what skerry build makes in dist/", path);
	return devices_read(path, devices, project, error);
}

static int manifest_take(const struct tender_image *image, struct project *project, struct tender_error *error)
{
	struct tender_manifest manifest;
	int err = tender_manifest_read(image, &manifest, error);

	for (uint32_t i = 1; err == 0 && i < manifest.entries; i++) {
		struct project_device *device = &project->devices[project->device_count++];

		*device = (struct project_device){ .type = manifest.e[i].type };
		memcpy(device->name, manifest.e[i].name, sizeof device->name);
	}
	return err;
}

int project_of_image(const char *path, struct project *project, struct tender_error *error)
{
	const char *slash = strrchr(path, '/');
	struct tender_error no_image;
	struct tender_image image;
	struct abi1 abi;
	int err = tender_image_open(path, &image, error);

	*project = (struct project){ .image = path, .name = slash ? slash + 1 : path };
	if (err < 0)
		return err;
	if (tender_abi_read(&image, &abi, &no_image) == 0) {
		project->target = tender_abi_target_name(abi.target);
		err = project->target ? manifest_take(&image, project, error)
				      : tender_fail(error, -ENOEXEC, "%s: built for an unknown target", path);
	} else if (access(path, X_OK) == 0) {
		project->target = "unix";
		err = program_ask(path, project, error);
	} else {
		*error = no_image;
		err = -ENOEXEC;
	}
	tender_image_close(&image);
	if (err < 0)
		project_free(project);
	return err;
}

/* Questions ------------------------------------------------------------------------------------------------------ */

static const char *member_at(const struct project *project, const char *member, size_t i)
{
	return json_string_value(json_array_get(json_object_get(project->root, member), i));
}

const char *project_source(const struct project *project, size_t i)
{
	return member_at(project, "sources", i);
}

const char *project_key(const struct project *project, size_t i)
{
	return member_at(project, "keys", i);
}

struct project_device *project_device(struct project *project, enum manifest_type type, const char *name)
{
	for (size_t i = 0; i < project->device_count; i++)
		if (project->devices[i].type == type && (!name || strcmp(project->devices[i].name, name) == 0))
			return &project->devices[i];
	return NULL;
}

static bool is_newer(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec > b->st_mtim.tv_sec ||
	       (a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec > b->st_mtim.tv_nsec);
}

const char *project_stale(const struct project *project, char *text, size_t size)
{
	struct stat image, source;
	const char *name;

	if (!project->configured)
		return NULL;
	if (stat(project->image, &image) < 0)
		return "is not built yet";
	for (size_t i = 0; (name = project_source(project, i)); i++) {
		if (stat(name, &source) == 0 && !is_newer(&source, &image))
			continue;
		snprintf(text, size, "is older than %s", name);
		return text;
	}
	return NULL;
}
