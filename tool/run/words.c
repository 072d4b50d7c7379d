/* SPDX-License-Identifier: ISC
 *
 * `skerry run`: the command line of a tender, or of a unikernel that is an ordinary process.
 *
 * A tender gives its guest one line, which the guest takes apart again as a shell would. So each argument is quoted
 * here, in the way that all of Solo5's guests understand: between "...", with \ before " and \.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tender/common/options.h"
#include "tender/common/kvm.h"
#include "tool/run/run.h"

/* A target that has a tender. */
struct tender {
	const char *target;
	const char *program;
	bool needs_kvm;
};

static const struct tender tenders[] = {
	{ "spt", "skerry-spt", false },
	{ "hvt", "skerry-hvt", true },
	{ "virtio", "skerry-virtio", false },
};

static void add_quoted(struct start_words *words, const char *argument)
{
	char *quoted, *to;

	if (*argument && strcspn(argument, " \t\n'\"\\") == strlen(argument)) {
		start_add(words, "%s", argument);
		return;
	}
	quoted = start_text("\"%s%s\"", argument, argument); /* room for a \ before each character */
	for (to = quoted + 1; *argument; *to++ = *argument++)
		if (*argument == '"' || *argument == '\\')
			*to++ = '\\';
	memcpy(to, "\"", 2);
	start_add(words, "%s", quoted);
	free(quoted);
}

/* Why a tender cannot be used here, or NULL. */
static const char *unusable(const struct tender *tender, char *path, size_t path_size, char *text, size_t size)
{
	const char *problem, *fix;

	if (start_neighbour(tender->program, path, path_size) < 0 || access(path, X_OK) < 0) {
		snprintf(text, size, "no %s beside skerry: %s", tender->program, strerror(errno));
		return text;
	}
	problem = tender->needs_kvm ? kvm_problem(&fix) : NULL;
	if (!problem)
		return NULL;
	snprintf(text, size, "%s%s%s", problem, fix ? ": " : "", fix ? fix : "");
	return text;
}

/* A tender and the image to give it. */
struct choice {
	const struct tender *tender;
	char path[PATH_MAX], image[PATH_MAX];
};

/* Those of the target, or of spt when there is nothing to run hvt with. */
static int choose_tender(const struct project *project, struct choice *choice, struct tender_error *error)
{
	const struct tender *tender = NULL;
	const char *why;
	char text[PATH_MAX + 80];
	size_t stem;

	for (size_t i = 0; i < sizeof tenders / sizeof *tenders; i++)
		if (strcmp(tenders[i].target, project->target) == 0)
			tender = &tenders[i];
	if (!tender)
		return tender_fail(error, -EINVAL,
			"%s: built for %s; expected unix, spt, hvt or virtio: skerry configure -t spt", project->image,
			project->target);
	choice->tender = tender;
	snprintf(choice->image, sizeof choice->image, "%s", project->image);
	why = unusable(tender, choice->path, sizeof choice->path, text, sizeof text);
	if (!why)
		return 0;
	stem = strlen(choice->image) < strlen(".hvt") ? 0 : strlen(choice->image) - strlen(".hvt");
	if (tender == &tenders[0] || strcmp(choice->image + stem, ".hvt") != 0)
		return tender_fail(
			error, -ENOENT, "%s: %s; make install installs both in one place", project->image, why);
	memcpy(choice->image + stem, ".spt", sizeof ".spt");
	if (access(choice->image, R_OK) < 0)
		return tender_fail(
			error, -ENOENT, "%s; for the sandbox without it: skerry configure -t spt && skerry build", why);
	fprintf(stderr, "skerry run: %s; running %s instead\n", why, choice->image);
	choice->tender = &tenders[0];
	why = unusable(choice->tender, choice->path, sizeof choice->path, text, sizeof text);
	return why ? tender_fail(error, -ENOENT, "%s: %s", choice->image, why) : 0;
}

static void add_user_network(struct start_words *words, const struct run_device *device)
{
	start_add(words, "--net:%s=%s%s%s", device->device->name, device->attached, device->forwards ? "," : "",
		device->forwards ? device->forwards : "");
}

static int tender_words(const struct project *project, const struct run_options *options,
	const struct run_wiring *wiring, struct start_words *words, struct tender_error *error)
{
	struct choice choice;
	uint16_t port = 0;
	int err = choose_tender(project, &choice, error);

	if (err == 0)
		err = run_debug_check(options, choice.tender->target, error);
	if (err == 0)
		err = run_debug_port(options, choice.tender->target, &port, error);
	if (err < 0)
		return err;
	start_add(words, "%s", choice.path);
	run_debug_options(options, wiring, port, words);
	if (options->mem)
		start_add(words, "--mem=%s", options->mem);
	for (size_t i = 0; i < wiring->count; i++) {
		const struct run_device *device = &wiring->devices[i];

		if (device->device->type == MANIFEST_NET_BASIC)
			add_user_network(words, device);
		else
			start_add(words, "--block:%s=%s", device->device->name, device->attached);
	}
	start_add(words, "--");
	start_add(words, "%s", choice.image);
	for (size_t i = 0; options->arguments[i]; i++)
		add_quoted(words, options->arguments[i]);
	if (options->gdb)
		run_debug_gdb(choice.tender->target, choice.image, port, words);
	return 0;
}

/* A process cannot say what is wrong with a tap as well as a tender can, and makes no user network: so a tap is tried,
 * and a user network opened here and handed over. */
static int process_network(
	const struct run_device *device, bool print, struct start_words *words, struct tender_error *error)
{
	struct tender_device_option option = { .type = MANIFEST_NET_BASIC, .backend = device->attached };
	struct tender_device opened;
	char *backend;
	int err;

	memcpy(option.name, device->device->name, sizeof option.name);
	if (device->attached[0] == '@' || print) {
		add_user_network(words, device);
		return 0;
	}
	backend = start_text(
		"%s%s%s", device->attached, device->forwards ? "," : "", device->forwards ? device->forwards : "");
	option.backend = backend;
	err = tender_option_open(&option, &opened, error);
	free(backend);
	if (err < 0)
		return err;
	if (strncmp(device->attached, "user", 4) != 0) {
		close(opened.hostfd);
		add_user_network(words, device);
		return 0;
	}
	if (fcntl(opened.hostfd, F_SETFD, 0) < 0)
		return tender_fail(error, -errno, "device \"%s\": %s", option.name, strerror(errno));
	start_add(words, "--net:%s=@%d", option.name, opened.hostfd);
	return 0;
}

static int process_words(const struct project *project, const struct run_options *options,
	const struct run_wiring *wiring, struct start_words *words, struct tender_error *error)
{
	int err = run_debug_check(options, project->target, error);

	/* Without a slash it would be looked for in PATH. */
	start_add(words, "%s%s", strchr(project->image, '/') ? "" : "./", project->image);
	if (options->mem)
		fprintf(stderr, "skerry run: --mem has no effect on an ordinary process\n");
	for (size_t i = 0; err == 0 && i < wiring->count; i++) {
		const struct run_device *device = &wiring->devices[i];

		if (device->device->type == MANIFEST_NET_BASIC)
			err = process_network(device, options->print, words, error);
		else
			start_add(words, "--block:%s=%s", device->device->name, device->attached);
	}
	for (size_t i = 0; options->arguments[i]; i++)
		start_add(words, "%s", options->arguments[i]);
	if (err == 0 && options->gdb)
		run_debug_gdb(project->target, project->image, 0, words);
	return err;
}

int run_words(const struct project *project, const struct run_options *options, struct run_wiring *wiring,
	struct start_words *words, struct tender_error *error)
{
	uint32_t mb;

	if (options->mem && !tender_number_parse(options->mem, TENDER_MEM_MB_MIN, TENDER_MEM_MB_MAX, &mb))
		return tender_fail(error, -EINVAL, "--mem: \"%s\"; expected %d to %d (MB)", options->mem,
			TENDER_MEM_MB_MIN, TENDER_MEM_MB_MAX);
	if (strcmp(project->target, "unix") == 0)
		return process_words(project, options, wiring, words, error);
	return tender_words(project, options, wiring, words, error);
}
