/* SPDX-License-Identifier: ISC
 *
 * Scripts with which bash, zsh and fish complete the words of `skerry`. What has no list of values is a file's name.
 */
#include <string.h>

#include "tool/command.h"

static void print_names(FILE *out)
{
	for (size_t i = 0; commands[i]; i++)
		fprintf(out, "%s%s", i ? " " : "", commands[i]->name);
}

/* What the first operand of a subcommand can be, if that is a list of words. */
__attribute__((format(printf, 2, 0))) static void print_operands(
	FILE *out, const char *before, const struct command *command, const char *behind)
{
	if (!command->words && !command->takes_command)
		return;
	fprintf(out, before, command->name);
	if (command->takes_command)
		print_names(out);
	else
		fputs(command->words, out);
	fputs(behind, out);
}

/* bash --------------------------------------------------------------------------------------------------------- */

static void print_bash_values(FILE *out, const struct command *command)
{
	for (const struct command_option *option = command->options; option && option->id; option++) {
		if (!option->words)
			continue;
		fprintf(out, "\t\t%s:--%s", command->name, option->name);
		if (option->letter)
			fprintf(out, " | %s:-%c", command->name, option->letter);
		fprintf(out, ") words='%s' ;;\n", option->words);
	}
}

static void print_bash(FILE *out)
{
	/* "=" is a word of its own in COMP_WORDS. */
	fputs("# bash completion for skerry, made by: skerry help --completion=bash\n"
	      "_skerry()\n{\n"
	      "\tlocal current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=\n"
	      "\tlocal command=${COMP_WORDS[1]}\n"
	      "\tCOMPREPLY=()\n"
	      "\tif [ \"$current\" = = ]; then\n\t\tcurrent=\n"
	      "\telif [ \"$before\" = = ]; then\n\t\tbefore=${COMP_WORDS[COMP_CWORD - 2]}\n\tfi\n"
	      "\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\twords='",
		out);
	print_names(out);
	fputs("'\n\telif [[ $current != -* ]]; then\n\t\tcase $command:$before in\n", out);
	for (size_t i = 0; commands[i]; i++)
		print_bash_values(out, commands[i]);
	fputs("\t\t*)\n\t\t\tcase $command:$COMP_CWORD in\n", out);
	for (size_t i = 0; commands[i]; i++)
		print_operands(out, "\t\t\t%s:2) words='", commands[i], "' ;;\n");
	fputs("\t\t\tesac ;;\n\t\tesac\n\telse\n\t\tcase $command in\n", out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, "\t\t%s) words='--help", commands[i]->name);
		for (const struct command_option *option = commands[i]->options; option && option->id; option++)
			fprintf(out, " --%s%s", option->name, option->value ? "=" : "");
		fputs("' ;;\n", out);
	}
	fputs("\t\tesac\n\tfi\n"
	      "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
	      "\t[[ ${COMPREPLY[0]-} != *= ]] || compopt -o nospace\n"
	      "}\ncomplete -o default -F _skerry skerry\n",
		out);
}

/* zsh ---------------------------------------------------------------------------------------------------------- */

/* In single quotes, with what _arguments and _describe would take for their own. */
static void print_zsh_text(FILE *out, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			fputs("'\\''", out);
		else if (strchr("[]:\\", *text))
			fprintf(out, "\\%c", *text);
		else
			fputc(*text, out);
	}
}

static void print_zsh_option(FILE *out, const struct command_option *option)
{
	fputs(" \\\n\t\t\t", out);
	if (option->letter)
		fprintf(out, "'*'{-%c%s,--%s%s}", option->letter, option->value ? "+" : "", option->name,
			option->value ? "=" : "");
	else
		fprintf(out, "'*'--%s%s", option->name, option->value ? "=" : "");
	fputs("'[", out);
	print_zsh_text(out, option->doc);
	fputc(']', out);
	if (option->value) {
		fputc(':', out);
		print_zsh_text(out, option->value);
		fputc(':', out);
		if (option->words)
			fprintf(out, "(%s)", option->words);
		else
			fputs("_files", out);
	}
	fputc('\'', out);
}

static void print_zsh(FILE *out)
{
	fputs("#compdef skerry\n# zsh completion for skerry, made by: skerry help --completion=zsh\n"
	      "_skerry()\n{\n\tlocal -a commands\n\tif (( CURRENT == 2 )); then\n\t\tcommands=(\n",
		out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, "\t\t\t'%s:", commands[i]->name);
		print_zsh_text(out, commands[i]->summary);
		fputs("'\n", out);
	}
	fputs("\t\t)\n\t\t_describe command commands\n\t\treturn\n\tfi\n"
	      "\tshift words\n\t(( CURRENT-- ))\n\tcase $words[1] in\n",
		out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, "\t%s)\n\t\t_arguments '--help[Print a help text.]'", commands[i]->name);
		for (const struct command_option *option = commands[i]->options; option && option->id; option++)
			print_zsh_option(out, option);
		print_operands(out, " \\\n\t\t\t'1:word of %s:(", commands[i], ")'");
		fputs(" \\\n\t\t\t'*:file:_files' ;;\n", out);
	}
	fputs("\tesac\n}\n"
	      "if [ \"$funcstack[1]\" = _skerry ]; then\n\t_skerry \"$@\"\nelse\n\tcompdef _skerry skerry\nfi\n",
		out);
}

/* fish --------------------------------------------------------------------------------------------------------- */

static void print_fish_text(FILE *out, const char *text)
{
	for (; *text; text++)
		fprintf(out, strchr("'\\", *text) ? "\\%c" : "%c", *text);
}

static void print_fish_option(FILE *out, const char *command, const struct command_option *option)
{
	fprintf(out, "complete -c skerry -n '__fish_seen_subcommand_from %s' -l %s", command, option->name);
	if (option->letter)
		fprintf(out, " -s %c", option->letter);
	if (option->value)
		fputs(option->words ? " -x" : " -r", out);
	if (option->words)
		fprintf(out, " -a '%s'", option->words);
	fputs(" -d '", out);
	print_fish_text(out, option->doc);
	fputs("'\n", out);
}

static void print_fish(FILE *out)
{
	fputs("# fish completion for skerry, made by: skerry help --completion=fish\n", out);
	for (size_t i = 0; commands[i]; i++) {
		fprintf(out, "complete -c skerry -n __fish_use_subcommand -f -a %s -d '", commands[i]->name);
		print_fish_text(out, commands[i]->summary);
		fputs("'\n", out);
		for (const struct command_option *option = commands[i]->options; option && option->id; option++)
			print_fish_option(out, commands[i]->name, option);
		print_operands(
			out, "complete -c skerry -n '__fish_seen_subcommand_from %s' -f -a '", commands[i], "'\n");
	}
}

bool command_print_completion(FILE *out, const char *shell)
{
	static const struct {
		const char *name;
		void (*print)(FILE *out);
	} shells[] = { { "bash", print_bash }, { "zsh", print_zsh }, { "fish", print_fish } };

	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++) {
		if (strcmp(shells[i].name, shell) == 0) {
			shells[i].print(out);
			return true;
		}
	}
	return false;
}
