/* SPDX-License-Identifier: ISC
 *
 * `skerry clean`: removes what skerry has made here, and nothing else.
 */
#include "tool/configure/configure.h"
#include "tool/tool.h"

static int run(struct command_line *line)
{
	struct settings settings;
	int option = command_expect_end(line);

	if (option == COMMAND_STOP)
		return line->status;
	if (settings_read(&settings))
		outputs_remove(&settings.made);
	return COMMAND_OK;
}

static const char *const synopses[] = { "", NULL };
static const char *const description[] = {
	"Removes the files that configure and build have made in this directory, for all targets, and what they "
	"remember. "
	"Files of others stay, also in build/ and dist/.",
	NULL,
};

const struct command command_clean = {
	.name = "clean",
	.summary = "remove what configure and build have made",
	.synopses = synopses,
	.description = description,
	.run = run,
};
