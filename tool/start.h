/* SPDX-License-Identifier: ISC
 *
 * Starting programs: lists of words, and processes.
 */
#ifndef TOOL_START_H
#define TOOL_START_H

#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

/* A command line that grows; words[count] is NULL as soon as there is a word. */
struct start_words {
	char **words;
	size_t count, room;
};

/* Text that the caller frees; and a list with one word more. When memory is out these say so and end the process: there
 * is nothing to clean up yet. */
char *start_text(const char *format, ...) __attribute__((format(printf, 1, 2)));
void start_add(struct start_words *words, const char *format, ...) __attribute__((format(printf, 2, 3)));
void start_free(struct start_words *words);

/* Prints it as one line that can be given to a shell. */
void start_print(FILE *out, const struct start_words *words);

/* Runs a subcommand of this very program, with no signal blocked and all that it says on standard error, and waits: its
 * exit status, 128 + N if signal N ended it, or -1 with errno. */
int start_self(const char *subcommand);

/* Runs a program, found in PATH unless its name has a slash, and waits for it: as start_self(). */
int start_program(char *const *words);

/* The same, with nothing of its output shown. */
int start_quietly(const char *const *words);

/* Starts a program whose standard output can be read and whose standard error is not shown; the caller closes the one
 * and waits for the other, which is ended after five seconds. -1 with errno. */
pid_t start_reading(const char *const *words, FILE **output);

/* The exit status that stands for what waitpid() said. */
int start_status(int status);

/* The path of a program beside this one, such as "skerry-spt". 0, or -1 with errno. */
int start_neighbour(const char *name, char *path, size_t size);

#endif
