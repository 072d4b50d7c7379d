/* SPDX-License-Identifier: ISC
 *
 * The configure step as a program of its own: a unikernel's config.c is linked with it and run.
 *
 *	configure -t TARGET -o DIRECTORY [--KEY=VALUE]...
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tool/configure/model.h"
#include "tool/configure/target.h"
#include "tool/configure/write.h"

static void write_build(FILE *out)
{
	fprintf(out, "NAME=%s\nSOURCES=\"", model.name);
	for (size_t i = 0; i < model.source_count; i++)
		fprintf(out, "%s%s", i ? " " : "", model.sources[i]);
	fprintf(out, "\"\nFILES=\"");
	for (size_t i = 0; i < model.file_count; i++)
		fprintf(out, "%s%s:%s", i ? " " : "", model.files[i].symbol, model.files[i].path);
	fprintf(out, "\"\n");
}

static void write_file(const char *directory, const char *name, void (*write)(FILE *))
{
	const char *path = config_text("%s/%s", directory, name);
	FILE *out = fopen(path, "w");

	if (out)
		write(out);
	if (!out || fclose(out) != 0) {
		fprintf(stderr, "configure: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	const char *directory = ".";

	model.target = "unix";
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-t") == 0 && i + 1 < argc)
			model.target = argv[++i];
		else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc)
			directory = argv[++i];
		else if (strncmp(argv[i], "--", 2) == 0 && model.choice_count < CHOICES_MAX) {
			char *value = strchr(argv[i], '=');

			model.choices[model.choice_count++] =
				(struct choice){ argv[i] + 2, value ? value + 1 : NULL, false };
			if (value)
				*value = '\0';
		}
	}
	configure(&model);
	model_finish();
	write_file(directory, "keys.h", write_keys_header);
	write_file(directory, "start.h", write_start_header);
	write_file(directory, "main.c", write_main);
	write_file(directory, "manifest.json", write_manifest);
	write_file(directory, "build.sh", write_build);
	return 0;
}
