/* SPDX-License-Identifier: ISC
 *
 * `skerry run` for those who look for a fault: gdb on every target, and what the tender of hvt has for it.
 *
 * gdb comes to its prompt with the image's symbols loaded and the guest at its beginning:
 *
 *	unix	the process is stopped at its first instruction
 *	spt	the tender is, where it is about to lock itself in: the guest is in memory then, and not before
 *	hvt	gdb connects to the tender, which gdb's shell has started in a session of its own, out of reach of
 *Ctrl-C
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool/run/run.h"

static bool is_machine(const char *target)
{
	return strcmp(target, "hvt") == 0 || strcmp(target, "virtio") == 0;
}

int run_debug_check(const struct run_options *options, const char *target, struct tender_error *error)
{
	const struct {
		bool wanted;
		const char *option, *process, *machine; /* what to use there; NULL: the option */
	} all[] = {
		{ options->core != NULL, "--core", "after ulimit -c unlimited the kernel leaves core files",
			"use --gdb, and its command generate-core-file" },
		{ options->strace, "--strace", "strace $(skerry run --print) shows system calls",
			"use --gdb and breakpoints" },
		{ options->captures[0] != NULL, "--pcap",
			"tcpdump -i tap0 watches a tap, and net_capture() any network from within", NULL },
	};

	for (size_t i = 0; strcmp(target, "hvt") != 0 && i < sizeof all / sizeof *all; i++) {
		const char *instead = is_machine(target) ? all[i].machine : all[i].process;

		if (all[i].wanted && instead)
			return tender_fail(error, -EINVAL, "%s: hvt has it; on %s, %s", all[i].option, target, instead);
	}
	return 0;
}

int run_debug_port(const struct run_options *options, const char *target, uint16_t *port, struct tender_error *error)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t size = sizeof address;
	int fd;

	*port = 0;
	if (!options->gdb || !is_machine(target))
		return 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (const struct sockaddr *)&address, size) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return tender_fail(error, -errno, "--gdb: no port of 127.0.0.1 is to be had: %s", strerror(errno));
	close(fd);
	*port = ntohs(address.sin_port);
	return 0;
}

void run_debug_options(
	const struct run_options *options, const struct run_wiring *wiring, uint16_t port, struct start_words *words)
{
	if (port > 0)
		start_add(words, "--gdb=%u", port);
	if (options->core)
		start_add(words, "--core=%s", options->core);
	if (options->strace)
		start_add(words, "--strace");
	for (size_t i = 0; i < wiring->count; i++)
		if (wiring->devices[i].capture)
			start_add(
				words, "--net-pcap:%s=%s", wiring->devices[i].device->name, wiring->devices[i].capture);
}

static void add_command(struct start_words *words, const char *command)
{
	start_add(words, "-ex");
	start_add(words, "%s", command);
}

/* The words as a line for a shell. */
static char *line_of(const struct start_words *words)
{
	char *line = NULL;
	size_t size;
	FILE *out = open_memstream(&line, &size);

	if (out) {
		start_print(out, words);
		if (fclose(out) == 0 && line) {
			line[strcspn(line, "\n")] = '\0';
			return line;
		}
	}
	fputs("skerry run: out of memory\n", stderr);
	exit(EXIT_FAILURE);
}

static void add_remote(struct start_words *gdb, const char *image, uint16_t port, const struct start_words *tender)
{
	char *line = line_of(tender);
	char *shell = start_text("shell setsid %s </dev/null &", line);
	char *remote = start_text("target remote 127.0.0.1:%u", port);

	add_command(gdb, shell);
	add_command(gdb, remote);
	start_add(gdb, "%s", image);
	free(line);
	free(shell);
	free(remote);
}

static void add_program(struct start_words *gdb, const char *target, const char *image, const struct start_words *words)
{
	if (strcmp(target, "unix") == 0) {
		add_command(gdb, "starti");
	} else {
		char *symbols = start_text("add-symbol-file \"%s\"", image);

		add_command(gdb, "tcatch syscall seccomp");
		add_command(gdb, "run");
		add_command(gdb, "set confirm off");
		add_command(gdb, symbols);
		add_command(gdb, "set confirm on");
		free(symbols);
	}
	start_add(gdb, "--args");
	for (size_t i = 0; i < words->count; i++)
		start_add(gdb, "%s", words->words[i]);
}

void run_debug_gdb(const char *target, const char *image, uint16_t port, struct start_words *words)
{
	struct start_words gdb = { 0 };

	start_add(&gdb, "gdb");
	start_add(&gdb, "-q");
	/* A guest's notes, which Solo5 has in the form of OpenBSD's, would make gdb expect that system. */
	start_add(&gdb, "-iex");
	start_add(&gdb, "set osabi GNU/Linux");
	if (is_machine(target))
		add_remote(&gdb, image, port, words);
	else
		add_program(&gdb, target, image, words);
	start_free(words);
	*words = gdb;
}
