/* SPDX-License-Identifier: ISC
 *
 * `skerry run`: what is attached to which device.
 *
 * A network that nobody names gets a user-mode network, which needs no rights; a block device the file that its
 * config.c names.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tender/common/user.h"
#include "tool/run/run.h"

enum { NAMES_SIZE = 512 };

static const char user[] = "user";

/* What a user is told when there is no such device: those that there are. */
static const char *names_of(const struct run_wiring *wiring, enum manifest_type type, char names[NAMES_SIZE])
{
	size_t used = 0;

	snprintf(names, NAMES_SIZE, "it has none");
	for (size_t i = 0; i < wiring->count; i++) {
		const struct project_device *device = wiring->devices[i].device;
		int len;

		if (device->type != type || used >= NAMES_SIZE)
			continue;
		len = snprintf(
			names + used, NAMES_SIZE - used, "%s%s", used ? ", " : "expected one of: ", device->name);
		used += (size_t)len;
	}
	return names;
}

/* The device of this name; len 0: the only one, or with first the first one. */
static int find(struct run_wiring *wiring, enum manifest_type type, const char *name, size_t len, bool first,
	struct run_device **found, struct tender_error *error)
{
	const char *kind = type == MANIFEST_NET_BASIC ? "network" : "block device";
	char names[NAMES_SIZE];
	struct run_device *only = NULL;
	size_t count = 0;

	for (size_t i = 0; i < wiring->count; i++) {
		struct run_device *device = &wiring->devices[i];

		if (device->device->type != type)
			continue;
		if (len > 0 && (strlen(device->device->name) != len || memcmp(device->device->name, name, len) != 0))
			continue;
		if (!only)
			only = device;
		count++;
	}
	if (count == 0 && len > 0)
		return tender_fail(error, -EINVAL, "no %s \"%.*s\" in this unikernel: %s", kind, (int)len, name,
			names_of(wiring, type, names));
	if (count == 0)
		return tender_fail(error, -EINVAL, "no %s in this unikernel, to which to attach \"%s\"", kind, name);
	if (count > 1 && !first)
		return tender_fail(error, -EINVAL, "\"%s\": which %s? %s, as in NAME=%s", name, kind,
			names_of(wiring, type, names), name);
	*found = only;
	return 0;
}

/* [NAME=]WHAT of --net and --block. */
static int attach(struct run_wiring *wiring, enum manifest_type type, const char *text, struct tender_error *error)
{
	const char *equals = strchr(text, '=');
	const char *what = equals ? equals + 1 : text;
	struct run_device *device;
	int err = find(wiring, type, text, equals ? (size_t)(equals - text) : 0, false, &device, error);

	if (err < 0)
		return err;
	if (!*what)
		return tender_fail(error, -EINVAL, "device \"%s\": expected what to attach, %s=%s",
			device->device->name, device->device->name,
			type == MANIFEST_NET_BASIC ? "tap0 or user" : "FILE");
	if (device->attached)
		return tender_fail(error, -EINVAL, "device \"%s\": attached twice, to %s and to %s",
			device->device->name, device->attached, what);
	/* A number alone is a descriptor: no interface may be called so by accident. */
	device->attached = start_text(
		"%s%s", type == MANIFEST_NET_BASIC && strspn(what, "0123456789") == strlen(what) ? "@" : "", what);
	return 0;
}

/* [NAME=]FILE of --pcap. */
static int capture(struct run_wiring *wiring, const char *text, struct tender_error *error)
{
	const char *equals = strchr(text, '=');
	struct run_device *device;
	int err = find(wiring, MANIFEST_NET_BASIC, text, equals ? (size_t)(equals - text) : 0, false, &device, error);

	if (err < 0)
		return err;
	if (device->capture)
		return tender_fail(error, -EINVAL, "--pcap: network \"%s\" is there twice", device->device->name);
	device->capture = start_text("%s", equals ? equals + 1 : text);
	return 0;
}

/* Whether the first field of a forward is a device's name: no protocol, port or address. */
static size_t name_len(const char *text)
{
	size_t len = strcspn(text, ":");

	if (text[len] != ':' || isdigit((unsigned char)*text) || strncmp(text, "tcp:", 4) == 0 ||
		strncmp(text, "udp:", 4) == 0)
		return 0;
	return len;
}

/* [NAME:][tcp:|udp:][HOSTADDR:]HOST:GUEST of -p. */
static int forward(struct run_wiring *wiring, const char *text, struct tender_error *error)
{
	struct user_forward parsed[TENDER_FORWARDS_MAX];
	size_t len = name_len(text), count;
	const char *what = len > 0 ? text + len + 1 : text;
	struct run_device *device;
	char *all;
	int err = find(wiring, MANIFEST_NET_BASIC, text, len, true, &device, error);

	if (err < 0)
		return err;
	if (strncmp(device->attached, user, strlen(user)) != 0)
		return tender_fail(error, -EINVAL,
			"-p %s: network \"%s\" is attached to %s, where the unikernel has an address of its own; "
			"connect to that",
			text, device->device->name, device->attached);
	all = start_text("%s%s%s", device->forwards ? device->forwards : "", device->forwards ? "," : "", what);
	free(device->forwards);
	device->forwards = all;
	return user_forwards_parse(device->device->name, all, parsed, &count, error);
}

/* Ports of a unikernel that has no network device. */
static int refuse_forwards(const struct project *project, const char *text, struct tender_error *error)
{
	const char *guest = strrchr(text, ':');
	char host[16];
	const char *at = guest;

	if (!project->host_sockets && strcmp(project->target, "unix") != 0)
		return tender_fail(error, -EINVAL, "-p %s: this unikernel has no network", text);
	while (at && at > text && isdigit((unsigned char)at[-1]))
		at--;
	snprintf(host, sizeof host, "%.*s", at ? (int)(guest - at) : 0, at ? at : "");
	for (size_t i = 0; project_key(project, i); i++)
		if (strcmp(project_key(project, i), "port") == 0)
			return tender_fail(error, -EINVAL,
				"-p %s: this unikernel uses the host's own sockets, and its keys say which port: "
				"--port=%s",
				text, *host ? host : "PORT");
	return tender_fail(error, -EINVAL,
		"-p %s: this unikernel uses the host's own sockets; see which of its keys is the port: "
		"skerry run -- --help",
		text);
}

static void attach_defaults(struct run_wiring *wiring)
{
	for (size_t i = 0; i < wiring->count; i++) {
		struct run_device *device = &wiring->devices[i];
		const char *initial = device->device->type == MANIFEST_NET_BASIC ? user : device->device->file;

		if (!device->attached && initial)
			device->attached = start_text("%s", initial);
	}
}

static int check_files(const struct run_wiring *wiring, struct tender_error *error)
{
	for (size_t i = 0; i < wiring->count; i++) {
		const struct run_device *device = &wiring->devices[i];

		if (device->device->type != MANIFEST_BLOCK_BASIC)
			continue;
		if (!device->attached)
			return tender_fail(error, -EINVAL,
				"block device \"%s\" has no file: --block %s=FILE (truncate -s 1M FILE makes one)",
				device->device->name, device->device->name);
		if (access(device->attached, F_OK) == 0)
			continue;
		if (errno == ENOENT)
			return tender_fail(error, -ENOENT,
				"block device \"%s\": no file %s; truncate -s 1M %s makes an empty one of 1 MiB",
				device->device->name, device->attached, device->attached);
		return tender_fail(error, -errno, "block device \"%s\": %s: %s", device->device->name, device->attached,
			strerror(errno));
	}
	return 0;
}

int run_wire(struct project *project, const struct run_options *options, struct run_wiring *wiring,
	struct tender_error *error)
{
	int err = 0;

	*wiring = (struct run_wiring){ .count = project->device_count };
	for (size_t i = 0; i < wiring->count; i++)
		wiring->devices[i].device = &project->devices[i];
	for (size_t i = 0; err == 0 && options->nets[i]; i++)
		err = attach(wiring, MANIFEST_NET_BASIC, options->nets[i], error);
	for (size_t i = 0; err == 0 && options->blocks[i]; i++)
		err = attach(wiring, MANIFEST_BLOCK_BASIC, options->blocks[i], error);
	attach_defaults(wiring);
	if (err == 0 && options->forwards[0] && !project_device(project, MANIFEST_NET_BASIC, NULL))
		err = refuse_forwards(project, options->forwards[0], error);
	for (size_t i = 0; err == 0 && options->forwards[i]; i++)
		err = forward(wiring, options->forwards[i], error);
	for (size_t i = 0; err == 0 && options->captures[i]; i++)
		err = capture(wiring, options->captures[i], error);
	return err < 0 ? err : check_files(wiring, error);
}

void run_wiring_free(struct run_wiring *wiring)
{
	for (size_t i = 0; i < wiring->count; i++) {
		free(wiring->devices[i].attached);
		free(wiring->devices[i].forwards);
		free(wiring->devices[i].capture);
	}
	wiring->count = 0;
}
