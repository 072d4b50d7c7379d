/* SPDX-License-Identifier: ISC
 *
 * `skerry crunch --directory`: which files lie in a directory, at any depth, and the rule of make that depends on them.
 */
#include <errno.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>

#include "tool/crunch.h"

enum { OPEN_DIRECTORIES_MAX = 32 };

static struct crunch_tree *walked; /* nftw() takes no context */

static int add(char ***paths, size_t *count, const char *path)
{
	char **larger = realloc(*paths, (*count + 1) * sizeof **paths);

	if (!larger)
		return -1;
	*paths = larger;
	larger[*count] = strdup(path);
	if (!larger[*count])
		return -1;
	++*count;
	return 0;
}

static int visit(const char *path, const struct stat *status, int type, struct FTW *position)
{
	(void)status;
	(void)position;
	if (type == FTW_F)
		return add(&walked->files, &walked->file_count, path);
	if (type == FTW_D)
		return add(&walked->directories, &walked->directory_count, path);
	return crunch_complain(path, "cannot be read");
}

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int crunch_tree_read(const char *directory, struct crunch_tree *tree)
{
	walked = tree;
	errno = 0;
	if (nftw(directory, visit, OPEN_DIRECTORIES_MAX, 0) != 0)
		return errno ? crunch_complain(directory, "%s", strerror(errno)) : -1;
	if (tree->directory_count == 0)
		return crunch_complain(directory, "expected a directory");
	if (tree->file_count)
		qsort(tree->files, tree->file_count, sizeof *tree->files, compare);
	return 0;
}

void crunch_tree_free(struct crunch_tree *tree)
{
	for (size_t i = 0; i < tree->file_count; i++)
		free(tree->files[i]);
	for (size_t i = 0; i < tree->directory_count; i++)
		free(tree->directories[i]);
	free(tree->files);
	free(tree->directories);
}

static void write_path(FILE *out, const char *path)
{
	fputc(' ', out);
	for (; *path; path++) {
		if (*path == ' ' || *path == '#')
			fputc('\\', out);
		else if (*path == '$')
			fputc('$', out);
		fputc(*path, out);
	}
}

int crunch_tree_write_rule(const char *path, const char *target, const struct crunch_tree *tree)
{
	FILE *out = fopen(path, "w");

	if (!out)
		return crunch_complain(path, "%s", strerror(errno));
	fprintf(out, "%s:", target);
	for (size_t i = 0; i < tree->directory_count; i++)
		write_path(out, tree->directories[i]);
	for (size_t i = 0; i < tree->file_count; i++)
		write_path(out, tree->files[i]);
	fputc('\n', out);
	return fclose(out) == 0 ? 0 : crunch_complain(path, "%s", strerror(errno));
}
