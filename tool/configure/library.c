/* SPDX-License-Identifier: ISC
 *
 * Static libraries of Debian's packages: where they lie, as dpkg knows it.
 */
#include <string.h>

#include "tool/configure/plan.h"
#include "tool/configure/target.h"
#include "tool/configure/toolchain.h"
#include "tool/start.h"

/* A guest sees of the host's headers only what is linked here. */
static void link_header(const char *path)
{
	static const char *const places[] = { "/usr/include/x86_64-linux-gnu/", "/usr/include/" };
	size_t len = strlen(path);

	if (len < 2 || strcmp(path + len - 2, ".h") != 0)
		return;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (strncmp(path, places[i], strlen(places[i])) != 0)
			continue;
		output_link(config_text("%s/include/%s", plan.directory, path + strlen(places[i])), path);
		return;
	}
}

static void find_library(const struct model_library *library)
{
	const char *archive = config_text("/lib%s.a", library->library);
	const char *const words[] = { "dpkg-query", "-L", library->package, NULL };
	const char *found = NULL;
	char *list = NULL, *rest;

	if (!program_exists("dpkg-query"))
		config_error_at(
			&library->place, "package \"%s\": dpkg-query is not there to find it", library->package);
	if (start_ask(words, true, &list) != 0)
		config_error_at(&library->place, "package \"%s\" is not installed; apt-get install %s",
			library->package, library->package);
	for (const char *path = strtok_r(list, "\n", &rest); path; path = strtok_r(NULL, "\n", &rest)) {
		size_t len = strlen(path), archive_len = strlen(archive);

		if (len > archive_len && strcmp(path + len - archive_len, archive) == 0)
			found = path;
		else if (target_find(model.target)->guest)
			link_header(path);
	}
	if (!found)
		config_error_at(&library->place, "package \"%s\" has no static library \"%s\", lib%s.a",
			library->package, library->library, library->library);
	plan.libraries[plan.library_count++] = (struct plan_library){ found, library->package };
}

void plan_libraries(void)
{
	for (size_t i = 0; i < model.library_count; i++)
		find_library(&model.libraries[i]);
}
