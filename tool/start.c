/* SPDX-License-Identifier: ISC
 *
 * Starting programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool/start.h"

enum { WORDS_FIRST = 16, STATUS_OF_SIGNAL = 128, STATUS_NO_PROGRAM = 127, READ_FIRST = 4096 };

/* Command lines -------------------------------------------------------------------------------------------------- */

static _Noreturn void no_memory(void)
{
	fputs("skerry: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

__attribute__((format(printf, 1, 0))) static char *text_of(const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) < 0)
		no_memory();
	return text;
}

char *start_text(const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	text = text_of(format, args);
	va_end(args);
	return text;
}

void start_add(struct start_words *words, const char *format, ...)
{
	va_list args;

	if (words->count + 1 >= words->room) {
		size_t room = words->room ? words->room * 2 : WORDS_FIRST;
		char **larger = reallocarray(words->words, room, sizeof *larger);

		if (!larger)
			no_memory();
		words->words = larger;
		words->room = room;
	}
	va_start(args, format);
	words->words[words->count] = text_of(format, args);
	va_end(args);
	words->words[++words->count] = NULL;
}

void start_free(struct start_words *words)
{
	for (size_t i = 0; i < words->count; i++)
		free(words->words[i]);
	free(words->words);
	*words = (struct start_words){ 0 };
}

static void print_quoted(FILE *out, const char *word)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_./:,=@%+";

	if (*word && strspn(word, plain) == strlen(word)) {
		fputs(word, out);
		return;
	}
	fputc('\'', out);
	for (; *word; word++) {
		if (*word == '\'')
			fputs("'\\''", out);
		else
			fputc(*word, out);
	}
	fputc('\'', out);
}

void start_print(FILE *out, const struct start_words *words)
{
	for (size_t i = 0; i < words->count; i++) {
		if (i > 0)
			fputc(' ', out);
		print_quoted(out, words->words[i]);
	}
	fputc('\n', out);
}

/* Processes ------------------------------------------------------------------------------------------------------ */

int start_status(int status)
{
	return WIFSIGNALED(status) ? STATUS_OF_SIGNAL + WTERMSIG(status) : WEXITSTATUS(status);
}

int start_wait(pid_t child)
{
	int status;

	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return child < 0 ? -1 : start_status(status);
}

/* In the child: becomes the program. exec changes none of the words; its type is older than const. */
static _Noreturn void become(const char *path, const char *const *words)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(path, (char *const *)(uintptr_t)words);
	_exit(STATUS_NO_PROGRAM);
}

int start_program(const char *const *words)
{
	pid_t child;

	fflush(NULL); /* what the child says comes behind what we said */
	child = fork();
	if (child == 0)
		become(words[0], words);
	return start_wait(child);
}

int start_self(const char *subcommand)
{
	const char *const words[] = { "skerry", subcommand, NULL };
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		become("/proc/self/exe", words);
	}
	return start_wait(child);
}

/* What becomes of a child's standard error. */
enum errors { ERRORS_SHOWN, ERRORS_LOST, ERRORS_READ };

/* In the child. */
static void streams_set(int output, enum errors errors)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (dup2(output, STDOUT_FILENO) < 0)
		_exit(STATUS_NO_PROGRAM);
	if (errors == ERRORS_LOST && null >= 0)
		dup2(null, STDERR_FILENO);
	else if (errors == ERRORS_READ)
		dup2(output, STDERR_FILENO);
}

static pid_t start_piped(const char *const *words, enum errors errors, FILE **output)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	fflush(NULL);
	child = fork();
	if (child == 0) {
		streams_set(ends[1], errors);
		if (errors == ERRORS_LOST)
			alarm(START_ANSWER_SECONDS); /* which exec keeps */
		become(words[0], words);
	}
	close(ends[1]);
	*output = child < 0 ? NULL : fdopen(ends[0], "r");
	if (*output)
		return child;
	close(ends[0]);
	start_wait(child);
	return -1;
}

pid_t start_reading(const char *const *words, FILE **output)
{
	return start_piped(words, ERRORS_READ, output);
}

/* All that comes, with a NUL behind; what is too much is read and forgotten. */
static char *read_all(FILE *in)
{
	size_t room = READ_FIRST, len = 0, got;
	char *text = malloc(room), rest[READ_FIRST];

	while (text && (got = fread(text + len, 1, room - 1 - len, in)) > 0) {
		len += got;
		if (len < room - 1 || room >= START_OUTPUT_MAX)
			continue;
		room *= 2;
		text = realloc(text, room);
	}
	if (!text)
		no_memory();
	while (fread(rest, 1, sizeof rest, in) > 0)
		;
	text[len] = '\0';
	return text;
}

int start_ask(const char *const *words, bool quiet, char **output)
{
	FILE *in;
	pid_t child = start_piped(words, quiet ? ERRORS_LOST : ERRORS_SHOWN, &in);
	char *text;

	if (child < 0)
		return -1;
	text = read_all(in);
	fclose(in);
	if (output)
		*output = text;
	else
		free(text);
	return start_wait(child);
}

int start_neighbour(const char *name, char *path, size_t size)
{
	ssize_t len = readlink("/proc/self/exe", path, size - 1);
	char *slash;

	if (len < 0)
		return -1;
	path[len] = '\0';
	slash = strrchr(path, '/');
	if (!slash || (size_t)(slash + 1 - path) + strlen(name) >= size) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(slash + 1, name, strlen(name) + 1);
	return 0;
}
