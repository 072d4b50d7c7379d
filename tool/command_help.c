/* SPDX-License-Identifier: ISC
 *
 * The help of a subcommand, and of all, as text for a terminal of 80 columns.
 */
#include <string.h>

#include "tool/command.h"

enum { WIDTH = 80, MARGIN = 2, COLUMN = 26, FORM_SIZE = 120 };

/* Writes words from this column on, in lines that begin at indent; ends the last one. */
static void wrap(FILE *out, const char *text, size_t column, size_t indent)
{
	bool first = true;

	for (text += strspn(text, " "); *text; text += strspn(text, " ")) {
		size_t len = strcspn(text, " ");

		if (!first && column + 1 + len >= WIDTH) {
			fputc('\n', out);
			column = 0;
			first = true;
		}
		if (column < indent) {
			fprintf(out, "%*s", (int)(indent - column), "");
			column = indent;
		}
		fprintf(out, "%s%.*s", first ? "" : " ", (int)len, text);
		column += len + !first;
		first = false;
		text += len;
	}
	fputc('\n', out);
}

/* What is on the left, and its explanation on the right or, when there is no room, below. */
static void print_pair(FILE *out, const char *subject, const char *doc)
{
	size_t column = MARGIN + strlen(subject);

	fprintf(out, "%*s%s", MARGIN, "", subject);
	if (column >= COLUMN) {
		fputc('\n', out);
		column = 0;
	}
	wrap(out, doc, column, COLUMN);
}

static void print_notes(FILE *out, const char *heading, const struct command_note *notes)
{
	if (!notes)
		return;
	fprintf(out, "\n%s:\n", heading);
	for (; notes->subject; notes++)
		print_pair(out, notes->subject, notes->doc);
}

static void print_option(FILE *out, const struct command_option *option)
{
	char form[FORM_SIZE], letter[8] = "    ";

	if (option->letter)
		snprintf(letter, sizeof letter, "-%c, ", option->letter);
	snprintf(form, sizeof form, "%s--%s%s%s", letter, option->name, option->value ? "=" : "",
		option->value ? option->value : "");
	print_pair(out, form, option->doc);
}

void command_print_options(FILE *out, const char *heading, const struct command_option *options)
{
	fprintf(out, "\n%s:\n", heading);
	for (; options->id; options++)
		print_option(out, options);
}

static void print_all(FILE *out)
{
	fputs("Usage: skerry COMMAND [ARGUMENT]...\n\n"
	      "Builds unikernels in C and runs them: one program, linked with only the parts\n"
	      "of an operating system that it uses.\n\nCommands:\n",
		out);
	for (size_t i = 0; commands[i]; i++)
		print_pair(out, commands[i]->name, commands[i]->summary);
	fputs("\nskerry help COMMAND says more; a command's name may be shortened.\n"
	      "From nothing to a page: skerry new web && cd web && skerry configure -t spt &&\n"
	      "skerry build && skerry run -p 8080:80\n",
		out);
}

void command_print_help(FILE *out, const struct command *command)
{
	static const struct command_option help[] = {
		{ COMMAND_FIRST_OPTION, 'h', "help", NULL, "Print this.", NULL },
		{ 0 },
	};

	size_t indent;

	if (!command) {
		print_all(out);
		return;
	}
	indent = strlen("Usage: skerry ") + strlen(command->name) + 1;
	fprintf(out, "skerry %s: %s\n\n", command->name, command->summary);
	for (size_t i = 0; command->synopses[i]; i++) {
		fprintf(out, "%s skerry %s%s", i ? "      " : "Usage:", command->name,
			*command->synopses[i] ? " " : "");
		wrap(out, command->synopses[i], indent, indent);
	}
	for (size_t i = 0; command->description[i]; i++) {
		fputc('\n', out);
		wrap(out, command->description[i], 0, 0);
	}
	fputs("\nOptions:\n", out);
	for (const struct command_option *option = command->options; option && option->id; option++)
		print_option(out, option);
	print_option(out, help);
	print_notes(out, "Examples", command->examples);
	print_notes(out, "Exit status", command->statuses);
	if (command->help_append)
		command->help_append(out);
}
