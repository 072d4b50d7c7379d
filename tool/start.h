/* SPDX-License-Identifier: ISC
 *
 * Starting programs: lists of words, and processes.
 */
#ifndef TOOL_START_H
#define TOOL_START_H

#include <stdbool.h>
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

/* Each of these finds a program in PATH, unless its name has a slash, and runs it with no signal blocked. Results are
 * exit statuses: 128 + N if signal N ended it, 127 if it could not be run, -1 with errno if no process could be made.
 */

/* Waits for it. */
int start_program(const char *const *words);

/* A subcommand of this very program, all of whose output goes to standard error. */
int start_self(const char *subcommand);

/* Gives what it prints (up to START_OUTPUT_MAX bytes, with a NUL; the caller's to free), if output is not NULL. When
 * quiet, its standard error is not shown, and it is ended after START_ANSWER_SECONDS. */
enum { START_ANSWER_SECONDS = 30, START_OUTPUT_MAX = 16 << 20 };
int start_ask(const char *const *words, bool quiet, char **output);

/* Starts it, and gives its standard output and error to be read as one stream. The caller closes that, and then waits
 * for the process with start_wait(). -1 with errno. */
pid_t start_reading(const char *const *words, FILE **output);
int start_wait(pid_t child);

/* The exit status that stands for what waitpid() said. */
int start_status(int status);

/* The path of a program beside this one, such as "skerry-spt". 0, or -1 with errno. */
int start_neighbour(const char *name, char *path, size_t size);

#endif
