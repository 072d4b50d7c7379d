/* SPDX-License-Identifier: ISC
 *
 * `skerry run`: runs the unikernel of this directory, or an image.
 *
 * It becomes the tender, or on unix the unikernel itself: so signals, the log and the exit status are the unikernel's
 * without anybody in between. Only with --watch does it stay, as the parent.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tool/run/run.h"
#include "tool/tool.h"

enum {
	OPTION_PUBLISH = COMMAND_FIRST_OPTION,
	OPTION_NET,
	OPTION_BLOCK,
	OPTION_MEM,
	OPTION_LOGS,
	OPTION_WATCH,
	OPTION_PRINT,
	OPTION_GDB,
	OPTION_CORE,
	OPTION_STRACE,
	OPTION_PCAP,
	STALE_SIZE = 512,
};

/* Command line ---------------------------------------------------------------------------------------------------- */

/* Appends to a list that has room for every word of the command line, and stays ended by NULL. */
static void append(const char **list, const char *word)
{
	while (*list)
		list++;
	*list = word;
}

/* An operand: the image, unless it looks like the value of the key before. */
static int take_operand(struct run_options *options, const char *word, const char *key)
{
	if (key && !strchr(key, '=') && access(word, F_OK) < 0)
		return command_fail(&command_run, "\"%s\": a key takes its value behind \"=\": %s=%s", word, key, word);
	if (options->image)
		return command_fail(&command_run,
			"\"%s\": expected one IMAGE, and %s is there; give keys as --KEY=VALUE", word, options->image);
	options->image = word;
	return COMMAND_OK;
}

static int take(struct run_options *options, int option, const char *value)
{
	switch (option) {
	case OPTION_PUBLISH:
		append(options->forwards, value);
		break;
	case OPTION_NET:
		append(options->nets, value);
		break;
	case OPTION_BLOCK:
		append(options->blocks, value);
		break;
	case OPTION_MEM:
		options->mem = value;
		break;
	case OPTION_LOGS:
		append(options->arguments, "-l");
		append(options->arguments, value);
		break;
	case OPTION_WATCH:
		options->watch = true;
		break;
	case OPTION_PRINT:
		options->print = true;
		break;
	case OPTION_GDB:
		options->gdb = true;
		break;
	case OPTION_CORE:
		options->core = value;
		break;
	case OPTION_STRACE:
		options->strace = true;
		break;
	case OPTION_PCAP:
		append(options->captures, value);
		break;
	case COMMAND_KEY:
		append(options->arguments, value);
		break;
	}
	return COMMAND_OK;
}

static int read_options(struct run_options *options, struct command_line *line)
{
	const char *value, *key = NULL;
	int option, status = COMMAND_OK;

	while (status == COMMAND_OK && (option = command_next(line, &value)) != COMMAND_END) {
		if (option == COMMAND_STOP)
			return line->status == COMMAND_OK ? COMMAND_STOP : line->status;
		if (option == COMMAND_OPERAND && line->behind_dashes)
			append(options->arguments, value);
		else if (option == COMMAND_OPERAND)
			status = take_operand(options, value, key);
		else
			status = take(options, option, value);
		key = option == COMMAND_KEY ? value : NULL;
	}
	if (status == COMMAND_OK && options->watch && options->image)
		return command_fail(
			&command_run, "--watch: expected no IMAGE; it builds the unikernel of this directory");
	if (status == COMMAND_OK && options->watch && options->gdb)
		return command_fail(&command_run, "--gdb: expected no --watch; gdb's own run starts it again");
	return status;
}

/* Running --------------------------------------------------------------------------------------------------------- */

static int load(const struct run_options *options, struct project *project, struct tender_error *error)
{
	return options->image ? project_of_image(options->image, project, error) : project_load(project, error);
}

/* A source can change without anything to be built, as when config.c comes to say the same in other words: then the
 * image gets the time of the build, which has found it to be right. */
static void note_build(const struct project *project)
{
	char text[STALE_SIZE];

	if (project_stale(project, text, sizeof text))
		utimensat(AT_FDCWD, project->image, NULL, 0);
}

int run_build(const struct run_options *options)
{
	struct tender_error error;
	struct project project;
	char text[STALE_SIZE];
	const char *stale;
	int status = 0;

	if (options->image)
		return 0;
	if (project_load(&project, &error) < 0)
		return command_fail(&command_run, "%s", error.text);
	stale = project_stale(&project, text, sizeof text);
	if (stale) {
		fprintf(stderr, "skerry run: %s %s: skerry build\n", project.image, stale);
		status = start_self("build");
		if (status < 0)
			status = command_fail(&command_run, "skerry build: %s", strerror(errno));
		if (status == 0)
			note_build(&project);
	}
	project_free(&project);
	return status;
}

int run_once(const struct run_options *options)
{
	struct tender_error error;
	struct run_wiring wiring = { 0 };
	struct start_words words = { 0 };
	struct project project;
	int err = load(options, &project, &error);

	if (err < 0)
		return command_fail(&command_run, "%s", error.text);
	err = run_wire(&project, options, &wiring, &error);
	if (err == 0)
		err = run_words(&project, options, &wiring, &words, &error);
	if (err == 0 && options->print) {
		start_print(stdout, &words);
	} else if (err == 0) {
		fflush(NULL);
		execvp(words.words[0], words.words); /* all but gdb have a slash in their names */
		err = tender_fail(&error, -errno, "%s: %s%s", words.words[0], strerror(errno),
			options->gdb ? "; apt-get install gdb" : "");
	}
	start_free(&words);
	run_wiring_free(&wiring);
	project_free(&project);
	return err < 0 ? command_fail(&command_run, "%s", error.text) : COMMAND_OK;
}

static int run(struct command_line *line)
{
	struct run_options options = { 0 };
	const char ***lists[] = { &options.nets, &options.blocks, &options.forwards, &options.captures,
		&options.arguments };
	size_t words = 1;
	int status = COMMAND_OK;

	while (line->words[words - 1])
		words++;
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
		*lists[i] = calloc(2 * words, sizeof **lists[i]); /* no word adds more than two */
		if (!*lists[i])
			status = command_fail(&command_run, "out of memory");
	}
	if (status == COMMAND_OK)
		status = read_options(&options, line);
	if (status == COMMAND_OK && options.watch)
		status = run_watch(&options);
	else if (status == COMMAND_OK && (status = run_build(&options)) == COMMAND_OK)
		status = run_once(&options);
	for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
		free(*lists[i]);
	return status == COMMAND_STOP ? COMMAND_OK : status;
}

/* The table ------------------------------------------------------------------------------------------------------- */

static const struct command_option options[] = {
	{ OPTION_PUBLISH, 'p', "publish", "[NAME:][tcp:|udp:][ADDRESS:]HOST:GUEST",
		"Port HOST of this machine (of 127.0.0.1, if no other ADDRESS is given) leads to port GUEST of the "
		"unikernel, on network NAME, or the first.",
		NULL },
	{ OPTION_NET, 0, "net", "[NAME=]tap0|user|FD",
		"What network NAME is attached to: a tap interface (skerry net up makes one), a user-mode network, "
		"which "
		"is the default and needs no rights, or an open descriptor that carries one frame in each message.",
		NULL },
	{ OPTION_BLOCK, 0, "block", "[NAME=]FILE",
		"The file, or disk, behind block device NAME; the default is in config.c.", NULL },
	{ OPTION_MEM, 0, "mem", "MB", "Memory of the unikernel in the sandbox (512).", NULL },
	{ OPTION_LOGS, 'l', "logs", "LEVELS",
		"Log levels, such as *:debug or tcp:debug,*:info; the key of every unikernel.", NULL },
	{ OPTION_WATCH, 0, "watch", NULL,
		"When a source is saved: build, and start again. What fails to build leaves the old one running.",
		NULL },
	{ OPTION_PRINT, 0, "print", NULL, "Print the command line that would run, for scripts and service files.",
		NULL },
	{ OPTION_GDB, 0, "gdb", NULL,
		"Under gdb, with the unikernel's symbols, and stopped where it begins: break start, continue.", NULL },
	{ OPTION_CORE, 0, "core", "DIRECTORY",
		"On hvt: a crash leaves a core file there, for gdb IMAGE CORE. (Elsewhere the kernel does, after "
		"ulimit -c unlimited.)",
		NULL },
	{ OPTION_STRACE, 0, "strace", NULL, "On hvt: print each hypercall with its arguments and its time.", NULL },
	{ OPTION_PCAP, 0, "pcap", "[NAME=]FILE",
		"On hvt and virtio: capture the frames of network NAME in a file for tcpdump or wireshark.", NULL },
	{ 0 },
};

static const struct command_note examples[] = {
	{ "skerry run -p 8080:80", "The unikernel of this directory; its port 80 is http://127.0.0.1:8080/." },
	{ "skerry run --net service=tap0 --ipv4=10.0.0.2/24", "On a tap, with an address of its own." },
	{ "skerry run --block storage=disk.img dist/block.spt", "An image." },
	{ "skerry run --hello='Hello, world!'", "With a key of the unikernel's; spaces stay what they are." },
	{ "skerry run -- --help", "The keys of the unikernel." },
	{ "skerry run -p 8080:80 --watch", "Built and started again at each save." },
	{ "skerry run --gdb", "In the debugger." },
	{ NULL, NULL },
};

static const struct command_note statuses[] = {
	{ "0", "The unikernel ended well." },
	{ "1", "It failed, or could not be built or started; one line says why." },
	{ "63, 64", "It has printed its help; it was given a bad key." },
	{ "255", "It was aborted: a fault in the program." },
	{ "others", "What its start() returned; for a shell, 128 + N if signal N ended it." },
	{ NULL, NULL },
};

const struct command command_run = {
	.name = "run",
	.summary = "run the unikernel of this directory, or an image",
	.synopses =
		(const char *const[]){
			"[-p HOST:GUEST]... [--net NAME=tap0]... [--block NAME=FILE]... [--mem=MB] [--watch|--gdb] "
			"[IMAGE] "
			"[--KEY=VALUE]... [-- ARGUMENT...]",
			NULL,
		},
	.description =
		(const char *const[]){
			"Runs what skerry build has built, and builds it first if its sources are newer. An image for "
			"the sandbox is given to its tender, one for virtio to QEMU; one for unix is an ordinary "
			"process. Where hvt cannot be "
			"used, an image for spt takes its place, with a word about it.",
			"Each network without --net gets a user-mode network, which needs no rights: the unikernel is "
			"10.0.0.2 there, and reached through -p. Other words that begin with -- are keys, and what "
			"follows \"--\" is the unikernel's.",
			NULL,
		},
	.options = options,
	.examples = examples,
	.statuses = statuses,
	.takes_keys = true,
	.run = run,
};
