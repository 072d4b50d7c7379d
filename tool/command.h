/* SPDX-License-Identifier: ISC
 *
 * command.h: a subcommand of `skerry` as a table. From it come the reading of its command line, its help, its manual
 * page and its part of the shells' completion, so that they cannot say different things.
 *
 * A subcommand defines one `const struct command command_NAME` and is listed in tool/main.c. Its run() goes
 *
 *	while ((option = command_next(line, &value)) >= 0)
 *		switch (option) {
 *		case COMMAND_OPERAND: ...
 *		case OPTION_FORCE: ...
 *		}
 *	if (option == COMMAND_STOP)
 *		return line->status;
 *
 * All texts are one language's: English, plain ASCII, without a newline at the end. All strings live for ever.
 */
#ifndef TOOL_COMMAND_H
#define TOOL_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Exit statuses of all subcommands; `run` has its unikernel's as well. */
enum { COMMAND_OK, COMMAND_FAILED };

/* What command_next() returns beside the options' ids. */
enum {
	COMMAND_STOP = -2, /* help has been printed, or an error: return line->status */
	COMMAND_END = -1,
	COMMAND_OPERAND = 0,
	COMMAND_KEY = 1,          /* --KEY=VALUE, --KEY: an option that only the unikernel knows; with takes_keys */
	COMMAND_FIRST_OPTION = 2, /* the smallest id of an option */
};

struct command_option {
	int id;            /* COMMAND_FIRST_OPTION or more; 0 ends the table */
	char letter;       /* -p; 0: none */
	const char *name;  /* --publish, without the dashes */
	const char *value; /* what the help calls its value, such as "FILE"; NULL: it takes none */
	const char *doc;   /* sentences */
	const char *words; /* the values it can have, separated by spaces, for completion; NULL: no list */
};

/* A pair for the help: an example and what it does, an exit status and what it means. */
struct command_note {
	const char *subject; /* NULL ends the table */
	const char *doc;
};

struct command_line;

struct command {
	const char *name;
	const char *summary;            /* one line, without a capital and a full stop */
	const char *const *synopses;    /* each what follows "skerry NAME"; NULL ends the list */
	const char *const *description; /* paragraphs; NULL ends the list */
	const struct command_option *options;
	const struct command_note *examples;
	const struct command_note *statuses;   /* beside 0 and 1, which all have; NULL: none */
	const char *words;                     /* what the first operand can be; NULL: anything */
	bool takes_command;                    /* the first operand is a subcommand */
	bool takes_keys;                       /* unknown --KEY[=VALUE] are COMMAND_KEY */
	void (*help_append)(FILE *out);        /* at the end of the help (not of the page), or NULL */
	int (*run)(struct command_line *line); /* the exit status; an error has been reported by one line */
};

struct command_line {
	const struct command *command;
	char **words;       /* those not read yet; NULL ends them */
	bool behind_dashes; /* "--" has been read: only operands follow */
	int status;         /* with COMMAND_STOP */
};

/* The next word or words: an option's id with its value (NULL: it takes none), COMMAND_OPERAND with the word,
 * COMMAND_KEY with the whole word, or one of the negative values above. Options and operands may be mixed. --help is
 * answered here, and what is wrong reported. */
int command_next(struct command_line *line, const char **value);

/* For a subcommand that takes neither operands nor options of its own: COMMAND_END or COMMAND_STOP. */
int command_expect_end(struct command_line *line);

/* "skerry NAME: ...", a line on standard error. Returns COMMAND_FAILED, so that a function can end with it. */
int command_fail(const struct command *command, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* All subcommands, in the order of the help; NULL ends the list (main.c). */
extern const struct command *const commands[];

/* The subcommand of this name, or the only one whose name starts so. NULL after reporting that there is none. */
const struct command *command_find(const char *name);

/* The one of some words, separated by spaces, that is most like this one: copied, with a NUL, if it is near and shorter
 * than size. False: none is. */
bool command_nearest(const char *word, const char *words, char *nearest, size_t size);

/* Help: of one subcommand, of all (NULL); and as a manual page in roff. */
void command_print_help(FILE *out, const struct command *command);
void command_print_page(FILE *out, const struct command *command);

/* The lines of the help for these options, and a heading such as "Keys" above. For help_append. */
void command_print_options(FILE *out, const char *heading, const struct command_option *options);

/* The completion script for "bash", "zsh" or "fish". False: another shell. */
bool command_print_completion(FILE *out, const char *shell);

#endif
