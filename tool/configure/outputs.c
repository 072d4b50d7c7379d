/* SPDX-License-Identifier: ISC
 *
 * Writing and removing files without touching anybody else's.
 */
#include "tool/configure/outputs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/configure/model.h"
#include "tool/elf.h"

static struct output {
	const char *text; /* NULL: not a file that is written */
	const char *link; /* NULL: not a symbolic link */
} outputs[PATHS_MAX];
static struct paths outputs_list;

/* Ends with what went wrong with a path. */
static _Noreturn void fail(const char *path, int err)
{
	config_error_at(&(struct place){ path, 0 }, "%s%s", strerror(err),
		err == ENOSPC                   ? "; make room"
		: err == EACCES || err == EROFS ? "; run this where you may write"
						: "");
}

bool paths_has(const struct paths *paths, const char *path)
{
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->items[i], path) == 0)
			return true;
	return false;
}

void paths_add(struct paths *paths, const char *path)
{
	if (paths_has(paths, path))
		return;
	config_check_room("files", paths->count, PATHS_MAX);
	paths->items[paths->count++] = path;
}

static void add(const char *path, const struct output *output)
{
	size_t count = outputs_list.count;

	paths_add(&outputs_list, path);
	if (outputs_list.count == count)
		config_error_at(&(struct place){ path, 0 }, "two things would be written here");
	outputs[count] = *output;
}

void output_file(const char *path, void (*write)(FILE *out))
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	if (out)
		write(out);
	if (!out || fclose(out) != 0)
		config_error("no memory");
	add(path, &(struct output){ .text = text });
}

void output_file_first(const char *path, void (*write)(FILE *out))
{
	struct output last;

	output_file(path, write);
	last = outputs[outputs_list.count - 1];
	memmove(outputs + 1, outputs, (outputs_list.count - 1) * sizeof *outputs);
	memmove(outputs_list.items + 1, outputs_list.items, (outputs_list.count - 1) * sizeof *outputs_list.items);
	outputs[0] = last;
	outputs_list.items[0] = path;
}

void output_link(const char *path, const char *to)
{
	add(path, &(struct output){ .link = to });
}

void output_built(const char *path)
{
	add(path, &(struct output){ .text = NULL });
}

const struct paths *outputs_paths(void)
{
	return &outputs_list;
}

const char *outputs_text(const char *path)
{
	for (size_t i = 0; i < outputs_list.count; i++)
		if (strcmp(outputs_list.items[i], path) == 0)
			return outputs[i].text;
	return NULL;
}

/* Also without a record, as when somebody has removed build/: an image lists its libraries, as no other file does. */
static bool is_ours(const struct paths *record, const char *path)
{
	struct tender_error error;
	char *libraries;

	if (paths_has(record, path))
		return true;
	libraries = elf_sbom_read(path, &error);
	free(libraries);
	return libraries != NULL;
}

void outputs_check(const struct paths *record)
{
	struct stat status;

	for (size_t i = 0; i < outputs_list.count; i++)
		if (lstat(outputs_list.items[i], &status) == 0 && !is_ours(record, outputs_list.items[i]))
			config_error_at(&(struct place){ outputs_list.items[i], 0 },
				"is there and was not made by skerry; move it away, or it would be overwritten");
}

/* Whether the file holds this text, or the link leads there, already. */
static bool is_same(const char *path, const struct output *output)
{
	const char *wanted = output->text ? output->text : output->link;
	size_t len = strlen(wanted), got;
	char *buf = malloc(len + 1);
	FILE *in;

	if (!buf)
		config_error("no memory");
	if (output->link) {
		ssize_t link_len = readlink(path, buf, len + 1);

		got = link_len < 0 ? len + 1 : (size_t)link_len;
	} else {
		in = fopen(path, "r");
		got = in ? fread(buf, 1, len + 1, in) : len + 1;
		if (in)
			fclose(in);
	}
	got = got == len && memcmp(buf, wanted, len) == 0;
	free(buf);
	return got;
}

/* Makes the directories in which a path lies. */
static void make_parents(const char *path)
{
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		const char *directory = config_text("%.*s", (int)(slash - path), path);

		if (slash > path && mkdir(directory, 0777) < 0 && errno != EEXIST)
			fail(directory, errno);
	}
}

/* Writes beside the path and then puts it in its place, so that nobody sees half a file. */
static void write_output(const char *path, const struct output *output)
{
	const char *temporary = config_text("%s.new", path);
	FILE *out;
	int err = 0;

	if (output->link) {
		if ((unlink(temporary) < 0 && errno != ENOENT) || symlink(output->link, temporary) < 0)
			fail(path, errno);
	} else {
		out = fopen(temporary, "w");
		if (!out)
			fail(path, errno);
		if (fputs(output->text, out) < 0)
			err = errno;
		if (fclose(out) < 0 && !err)
			err = errno;
	}
	if (!err && rename(temporary, path) < 0)
		err = errno;
	if (err) {
		unlink(temporary);
		fail(path, err);
	}
}

void outputs_write(void)
{
	for (size_t i = 0; i < outputs_list.count; i++) {
		const char *path = outputs_list.items[i];

		if ((!outputs[i].text && !outputs[i].link) || is_same(path, &outputs[i]))
			continue;
		make_parents(path);
		write_output(path, &outputs[i]);
	}
}

void outputs_tell(void)
{
	for (size_t i = 0; i < outputs_list.count; i++)
		if (outputs[i].text || outputs[i].link)
			printf("%s %s\n", is_same(outputs_list.items[i], &outputs[i]) ? "unchanged" : "write    ",
				outputs_list.items[i]);
}

/* From the innermost out, until one is not empty. */
static void remove_empty_parents(const char *path)
{
	for (const char *slash = strrchr(path, '/'); slash; slash = strrchr(path, '/')) {
		path = config_text("%.*s", (int)(slash - path), path);
		/* ".." and what lies outside was never made here. */
		if (strcmp(path, "..") == 0 || (strlen(path) > 2 && strcmp(path + strlen(path) - 3, "/..") == 0))
			return;
		if (!*path || rmdir(path) < 0)
			return;
	}
}

void outputs_remove(const struct paths *record)
{
	for (size_t i = record->count; i-- > 0;)
		if (unlink(record->items[i]) < 0 && errno != ENOENT && errno != ENOTDIR)
			fail(record->items[i], errno);
	for (size_t i = record->count; i-- > 0;)
		remove_empty_parents(record->items[i]);
}
