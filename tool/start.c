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

enum { WORDS_FIRST = 16, STATUS_OF_SIGNAL = 128, STATUS_NO_PROGRAM = 127, ANSWER_SECONDS = 5 };

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

/* Waits for a child that fork() has made. */
static int wait_for(pid_t child)
{
	int status;

	while (child > 0 && waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -1;
	return child < 0 ? -1 : start_status(status);
}

/* In the child: becomes the program, with no signal blocked. */
static _Noreturn void become(const char *path, char *const *words)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(path, words);
	_exit(STATUS_NO_PROGRAM);
}

int start_self(const char *subcommand)
{
	char name[] = "skerry";
	char *words[] = { name, start_text("%s", subcommand), NULL };
	pid_t child;
	int status;

	fflush(NULL); /* what the child says comes behind what we said */
	child = fork();
	if (child == 0) {
		dup2(STDERR_FILENO, STDOUT_FILENO);
		become("/proc/self/exe", words);
	}
	status = wait_for(child);
	free(words[1]);
	return status;
}

int start_program(char *const *words)
{
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		become(words[0], words);
	return wait_for(child);
}

/* In the child: what it writes to this descriptor goes nowhere. */
static void silence(int fd)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (null >= 0)
		dup2(null, fd);
}

/* exec changes none of the words; its type is older than const. */
static char *const *old_words(const char *const *words)
{
	return (char *const *)(uintptr_t)words;
}

int start_quietly(const char *const *words)
{
	pid_t child = fork();

	if (child == 0) {
		silence(STDOUT_FILENO);
		silence(STDERR_FILENO);
		become(words[0], old_words(words));
	}
	return wait_for(child);
}

pid_t start_reading(const char *const *words, FILE **output)
{
	int ends[2];
	pid_t child;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	child = fork();
	if (child == 0) {
		alarm(ANSWER_SECONDS); /* which exec keeps */
		silence(STDERR_FILENO);
		if (dup2(ends[1], STDOUT_FILENO) < 0)
			_exit(STATUS_NO_PROGRAM);
		become(words[0], old_words(words));
	}
	close(ends[1]);
	*output = child < 0 ? NULL : fdopen(ends[0], "r");
	if (*output)
		return child;
	close(ends[0]);
	wait_for(child);
	return -1;
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
