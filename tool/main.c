/* SPDX-License-Identifier: ISC
 *
 * The `skerry` command: finds the subcommand in a table and calls it.
 */
#include <stdio.h>
#include <string.h>

#include "tender/common/tender.h"

#include "tool.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *summary;
} commands[] = {
	{ "crunch", cmd_crunch, "turn files into C constants, to be linked into a unikernel" },
	{ "elf", cmd_elf, "write and read the notes of an image: manifest and interface" },
};

static void print_usage(FILE *out)
{
	fprintf(out, "usage: skerry COMMAND [ARGUMENT]...\n\n");
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		fprintf(out, "  %-10s%s\n", commands[i].name, commands[i].summary);
	fprintf(out, "  %-10s%s\n\nskerry COMMAND --help says more.\n", "help", "print this");
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
		print_usage(stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		printf("skerry %s\n", TENDER_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(name, commands[i].name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	if (*name)
		fprintf(stderr, "skerry: unknown command \"%s\"; skerry help lists them\n", name);
	else
		print_usage(stderr);
	return 1;
}
