/* SPDX-License-Identifier: ISC
 *
 * The manual page of a subcommand, and of all, in roff with the man macros (man(7)).
 */
#include <ctype.h>

#include "tender/common/tender.h"
#include "tool/command.h"

enum { NAME_SIZE = 40 };

/* Text as it is to appear: nothing in it is a request or an escape, and a dash can be copied from the page. */
static void print_text(FILE *out, const char *text)
{
	/* At the start of a line these would begin a request. */
	if (*text == '.' || *text == '\'')
		fputs("\\&", out);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", out);
		else if (*text == '-')
			fputs("\\-", out);
		else if (*text == '\'')
			fputs("\\(aq", out);
		else
			fputc(*text, out);
	}
}

static void print_line(FILE *out, const char *before, const char *text)
{
	fputs(before, out);
	print_text(out, text);
	fputc('\n', out);
}

static void print_option(FILE *out, const struct command_option *option)
{
	fputs(".TP\n", out);
	if (option->letter)
		fprintf(out, "\\fB\\-%c\\fR, ", option->letter);
	fputs("\\fB\\-\\-", out);
	print_text(out, option->name);
	fputs("\\fR", out);
	if (option->value) {
		fputs("=\\fI", out);
		print_text(out, option->value);
		fputs("\\fR", out);
	}
	fputc('\n', out);
	print_line(out, "", option->doc);
}

static void print_notes(FILE *out, const char *heading, const struct command_note *notes)
{
	if (!notes)
		return;
	fprintf(out, ".SH %s\n", heading);
	for (; notes->subject; notes++) {
		fputs(".TP\n", out);
		print_line(out, "\\fB", notes->subject);
		print_line(out, "\\fR", notes->doc);
	}
}

/* name: "", or a dash and the subcommand's. */
static void print_title(FILE *out, const char *name, const char *summary)
{
	fputs(".\\\" SPDX-License-Identifier: ISC\n.TH SKERRY", out);
	for (const char *c = name; *c; c++)
		fputc(toupper((unsigned char)*c), out);
	fprintf(out, " 1 \"\" \"skerry %s\" \"Skerry\"\n.SH NAME\nskerry", TENDER_VERSION);
	print_text(out, name);
	fputs(" \\- ", out);
	print_line(out, "", summary);
	fputs(".SH SYNOPSIS\n", out);
}

static void print_overview(FILE *out)
{
	print_title(out, "", "build unikernels in C and run them");
	fputs("\\fBskerry\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR]...\n"
	      ".SH DESCRIPTION\n"
	      "A unikernel is one program, linked with only the parts of an operating system that it uses. It runs in "
	      "a "
	      "sandbox, or as an ordinary process. A command's name may be shortened.\n"
	      ".SH COMMANDS\n",
		out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, ".TP\n\\fBskerry\\-%s\\fR(1)\n", commands[i]->name);
		print_line(out, "", commands[i]->summary);
	}
	fputs(".SH EXAMPLES\nFrom nothing to a page on http://127.0.0.1:8080/:\n.PP\n.nf\nskerry new web\ncd web\n"
	      "skerry configure \\-t spt\nskerry build\nskerry run \\-p 8080:80\n.fi\n",
		out);
}

void command_print_page(FILE *out, const struct command *command)
{
	static const struct command_note usual[] = {
		{ "0", "Success." },
		{ "1", "Failure; one line on standard error says what failed, and what to do." },
		{ NULL, NULL },
	};
	static const struct command_option help[] = { { COMMAND_FIRST_OPTION, 'h', "help", NULL, "Print a help text.",
		NULL } };

	char name[NAME_SIZE];

	if (!command) {
		print_overview(out);
		return;
	}
	snprintf(name, sizeof name, "-%s", command->name);
	print_title(out, name, command->summary);
	for (size_t i = 0; command->synopses[i]; i++) {
		fprintf(out, "%s\\fBskerry %s\\fR ", i ? ".br\n" : "", command->name);
		print_line(out, "", command->synopses[i]);
	}
	fputs(".SH DESCRIPTION\n", out);
	for (size_t i = 0; command->description[i]; i++)
		print_line(out, i ? ".PP\n" : "", command->description[i]);
	fputs(".SH OPTIONS\n", out);
	for (const struct command_option *option = command->options; option && option->id; option++)
		print_option(out, option);
	print_option(out, help);
	print_notes(out, "EXAMPLES", command->examples);
	print_notes(out, "EXIT STATUS", command->statuses ? command->statuses : usual);
	fputs(".SH SEE ALSO\n\\fBskerry\\fR(1)\n", out);
}
