/* SPDX-License-Identifier: ISC
 *
 * The `skerry` command: finds the subcommand in a table and calls it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "tender/common/tender.h"
#include "tool/tool.h"

/* In the order of use. */
const struct command *const commands[] = { &command_new, &command_configure, &command_build, &command_run,
	&command_describe, &command_query, &command_clean, &command_net, &command_doctor, &command_crunch, &command_elf,
	&command_help, NULL };

static int run(char **argv)
{
	const char *name = argv[0] && argv[1] ? argv[1] : "";
	struct command_line line = { 0 };

	if (!*name) {
		command_print_help(stderr, NULL);
		return COMMAND_FAILED;
	}
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0) {
		printf("skerry %s\n", TENDER_VERSION);
		return COMMAND_OK;
	}
	line.command = command_find(name);
	line.words = argv + 2;
	return line.command ? line.command->run(&line) : COMMAND_FAILED;
}

int main(int argc, char **argv)
{
	int status;

	(void)argc;
	status = run(argv);
	if (fflush(stdout) != 0 || ferror(stdout)) {
		fprintf(stderr, "skerry: standard output: %s\n", strerror(errno));
		return COMMAND_FAILED;
	}
	return status;
}
