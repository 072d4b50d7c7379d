/* SPDX-License-Identifier: ISC
 *
 * `skerry help`: what there is and how it is used, as text, as manual pages and as completion scripts.
 */
#include <stddef.h>

#include "tool/command.h"
#include "tool/tool.h"

enum { OPTION_MAN = COMMAND_FIRST_OPTION, OPTION_COMPLETION, OPTION_LIST };

static int run(struct command_line *line)
{
	const char *name = NULL, *shell = NULL, *value;
	const struct command *command = NULL;
	bool page = false, list = false;
	int option;

	while ((option = command_next(line, &value)) >= 0) {
		if (option == OPTION_MAN)
			page = true;
		else if (option == OPTION_LIST)
			list = true;
		else if (option == OPTION_COMPLETION)
			shell = value;
		else if (name)
			return command_fail(
				&command_help, "\"%s\": expected one COMMAND, and \"%s\" is there", value, name);
		else
			name = value;
	}
	if (option == COMMAND_STOP)
		return line->status;
	if (name) {
		command = command_find(name);
		if (!command)
			return COMMAND_FAILED;
	}
	for (size_t i = 0; list && commands[i]; i++)
		puts(commands[i]->name);
	if (list)
		return COMMAND_OK;
	if (page)
		command_print_page(stdout, command);
	else if (!shell)
		command_print_help(stdout, command);
	else if (!command_print_completion(stdout, shell))
		return command_fail(&command_help, "--completion: \"%s\"; expected bash, zsh or fish", shell);
	return COMMAND_OK;
}

static const struct command_option options[] = {
	{ OPTION_MAN, 0, "man", NULL, "Print a manual page, for man(1).", NULL },
	{ OPTION_COMPLETION, 0, "completion", "SHELL",
		"Print a script with which bash, zsh or fish completes the words of skerry.", "bash zsh fish" },
	{ OPTION_LIST, 0, "list", NULL, "Print the commands' names, one in a line.", NULL },
	{ 0 },
};

static const struct command_note examples[] = {
	{ "skerry help run", "What skerry run takes; skerry run --help says the same." },
	{ "skerry help configure", "With the keys of the unikernel in this directory." },
	{ ". <(skerry help --completion=bash)", "Completion in this shell, if it was not installed." },
	{ NULL, NULL },
};

const struct command command_help = {
	.name = "help",
	.summary = "say what there is, and how it is used",
	.synopses = (const char *const[]){ "[--man] [COMMAND]", "--completion=bash|zsh|fish", "--list", NULL },
	.description = (const char *const[]){ "Lists the commands, or describes one.", NULL },
	.options = options,
	.examples = examples,
	.takes_command = true,
	.run = run,
};
