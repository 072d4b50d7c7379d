/* SPDX-License-Identifier: ISC
 *
 * `skerry doctor`: looks at what building and running need on this machine, and names the fix for what is missing.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tender/common/kvm.h"
#include "tool/start.h"
#include "tool/tool.h"

#define LIBRARIES "/usr/lib/x86_64-linux-gnu/"

enum { SAID_SIZE = 400, LINUX_MAJOR = 5, LINUX_MINOR = 9 };

enum verdict {
	WELL,    /* it is there */
	MISSING, /* unix or spt does not work without */
	NOTE,    /* something else would need it */
};

/* Looks at argument, and says what is there, or what is wrong and how it is put right. */
struct check {
	const char *subject;
	enum verdict (*look)(const struct check *check, char said[SAID_SIZE]);
	const char *arguments[4]; /* programs or files; NULL ends them */
	const char *fix;
};

__attribute__((format(printf, 3, 4))) static enum verdict say(
	char said[SAID_SIZE], enum verdict verdict, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(said, SAID_SIZE, format, args);
	va_end(args);
	return verdict;
}

/* Programs and files ---------------------------------------------------------------------------------------------- */

/* The first line that the program says of its version. */
static bool ask_version(const char *program, char line[SAID_SIZE])
{
	const char *const words[] = { program, "--version", NULL };
	char *answer = NULL;
	int status = start_ask(words, true, &answer);

	snprintf(line, SAID_SIZE, "%.*s", answer ? (int)strcspn(answer, "\n") : 0, answer ? answer : "");
	free(answer);
	return status == 0;
}

static enum verdict look_program(const struct check *check, char said[SAID_SIZE])
{
	char line[SAID_SIZE];

	for (size_t i = 0; check->arguments[i]; i++)
		if (!ask_version(check->arguments[i], line))
			return say(said, MISSING, "no %s: %s", check->arguments[i], check->fix);
	return say(said, WELL, "%s", line);
}

static bool is_file(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 && S_ISREG(status.st_mode) && access(path, R_OK) == 0;
}

static enum verdict look_files(const struct check *check, char said[SAID_SIZE])
{
	for (size_t i = 0; check->arguments[i]; i++)
		if (!is_file(check->arguments[i]))
			return say(said, MISSING, "no %s: %s", check->arguments[i], check->fix);
	return say(said, WELL, "%s", check->arguments[0]);
}

/* What is beside this program in a tree (build/unix/...), or was installed with it (lib/skerry/unix/...). */
static enum verdict look_library(const struct check *check, char said[SAID_SIZE])
{
	char path[PATH_MAX], installed[80];

	for (size_t i = 0; check->arguments[i]; i++) {
		snprintf(installed, sizeof installed, "../lib/skerry/%s", check->arguments[i]);
		if (start_neighbour(check->arguments[i], path, sizeof path) == 0 && is_file(path))
			continue;
		if (start_neighbour(installed, path, sizeof path) < 0 || !is_file(path))
			return say(said, MISSING, "no %s beside skerry: %s", check->arguments[i], check->fix);
	}
	return say(said, WELL, "%s", path);
}

static enum verdict look_tender(const struct check *check, char said[SAID_SIZE])
{
	char path[PATH_MAX], line[SAID_SIZE];

	if (start_neighbour(check->arguments[0], path, sizeof path) < 0 || !ask_version(path, line))
		return say(said, MISSING, "no %s beside skerry: %s", check->arguments[0], check->fix);
	return say(said, WELL, "%s", line);
}

static enum verdict look_loadable(const struct check *check, char said[SAID_SIZE])
{
	void *library = dlopen(check->arguments[0], RTLD_LAZY | RTLD_LOCAL);

	if (!library)
		return say(said, MISSING, "no %s: %s", check->arguments[0], check->fix);
	dlclose(library);
	return say(said, WELL, "%s", check->arguments[0]);
}

/* The kernel ------------------------------------------------------------------------------------------------------ */

static enum verdict look_machine(const struct check *check, char said[SAID_SIZE])
{
	unsigned major = 0, minor = 0;
	struct utsname name;

	if (uname(&name) < 0 || strcmp(name.machine, "x86_64") != 0)
		return say(said, MISSING, "%s: images are for x86_64", name.machine);
	sscanf(name.release, "%u.%u", &major, &minor);
	if (major < LINUX_MAJOR || (major == LINUX_MAJOR && minor < LINUX_MINOR))
		return say(said, MISSING, "Linux %s: %s", name.release, check->fix);
	return say(said, WELL, "Linux %s on %s", name.release, name.machine);
}

static enum verdict look_seccomp(const struct check *check, char said[SAID_SIZE])
{
	static const uint32_t action = SECCOMP_RET_KILL_PROCESS;

	if (syscall(SYS_seccomp, SECCOMP_GET_ACTION_AVAIL, 0, &action) < 0)
		return say(said, MISSING, "%s: %s", strerror(errno), check->fix);
	return say(said, WELL, "filters that kill are there");
}

static enum verdict look_kvm(const struct check *check, char said[SAID_SIZE])
{
	const char *fix, *problem = kvm_problem(&fix);

	(void)check;
	if (!problem)
		return say(said, WELL, "/dev/kvm runs guests");
	return say(said, NOTE, "only hvt needs it: %s%s%s", problem, fix ? ": " : "", fix ? fix : "");
}

static enum verdict look_qemu(const struct check *check, char said[SAID_SIZE])
{
	char line[SAID_SIZE];

	if (!ask_version(check->arguments[0], line))
		return say(said, NOTE, "only virtio needs it: %s", check->fix);
	return say(said, WELL, "%s", line);
}

/* Networks -------------------------------------------------------------------------------------------------------- */

static enum verdict look_tun(const struct check *check, char said[SAID_SIZE])
{
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	(void)check;
	if (fd < 0 && errno == EACCES)
		return say(said, NOTE,
			"only taps need /dev/net/tun, which this user may not open: chmod 666 /dev/net/tun");
	if (fd < 0)
		return say(said, NOTE, "only taps need /dev/net/tun: %s: modprobe tun", strerror(errno));
	close(fd);
	return say(said, WELL, "/dev/net/tun opens");
}

/* The number in a file of /proc, or -1. */
static int number_of(const char *path)
{
	FILE *file = fopen(path, "r");
	int number;

	if (!file)
		return -1;
	if (fscanf(file, "%d", &number) != 1)
		number = -1;
	fclose(file);
	return number;
}

static enum verdict look_taps(const struct check *check, char said[SAID_SIZE])
{
	size_t used = 0;
	glob_t found;

	(void)check;
	if (glob("/sys/class/net/*/tun_flags", 0, NULL, &found) != 0)
		return say(said, NOTE, "none: skerry net up makes one; skerry run has a network of its own without");
	for (size_t i = 0; i < found.gl_pathc && used < SAID_SIZE; i++) {
		const char *name = found.gl_pathv[i] + strlen("/sys/class/net/");
		int len =
			snprintf(said + used, SAID_SIZE - used, "%s%.*s", i ? ", " : "", (int)strcspn(name, "/"), name);

		used += (size_t)len;
	}
	globfree(&found);
	return WELL;
}

static enum verdict look_ports(const struct check *check, char said[SAID_SIZE])
{
	int first = number_of("/proc/sys/net/ipv4/ip_unprivileged_port_start");

	(void)check;
	if (first <= 80 || geteuid() == 0)
		return say(said, WELL, "skerry run -p 80:80 is allowed");
	return say(said, NOTE,
		"only from %d on: skerry run -p 8080:80; for 80: sysctl net.ipv4.ip_unprivileged_port_start=80", first);
}

static enum verdict look_forwarding(const struct check *check, char said[SAID_SIZE])
{
	(void)check;
	if (number_of("/proc/sys/net/ipv4/ip_forward") == 1)
		return say(said, WELL, "on");
	return say(said, NOTE, "off: unikernels on taps reach this machine only: skerry net up --nat");
}

/* In the order of use. */
static const struct check checks[] = {
	{ "machine", look_machine, { NULL }, "needs Linux 5.9 or newer" },
	{ "C compiler", look_program, { "gcc", NULL }, "apt-get install gcc libc6-dev" },
	{ "linker", look_program, { "strip", "ld", NULL }, "apt-get install binutils" },
	{ "C library", look_files, { "/usr/include/stdio.h", NULL }, "apt-get install libc6-dev" },
	{ "musl", look_files, { "/usr/lib/x86_64-linux-musl/libc.a", "/usr/include/x86_64-linux-musl/stdio.h", NULL },
		"apt-get install musl-dev" },
	{ "BearSSL", look_files, { LIBRARIES "libbearssl.a", "/usr/include/bearssl.h", NULL },
		"apt-get install libbearssl-dev" },
	{ "zlib", look_files, { LIBRARIES "libz.a", "/usr/include/zlib.h", NULL }, "apt-get install zlib1g-dev" },
	{ "ninja", look_program, { "ninja", NULL }, "apt-get install ninja-build" },
	{ "libraries", look_library, { "unix/libskerry.a", "spt/libskerry.a", NULL }, "make, or make install" },
	{ "tender", look_tender, { "skerry-spt", NULL }, "make, or make install" },
	{ "sandbox", look_seccomp, { NULL }, "needs a kernel with CONFIG_SECCOMP_FILTER" },
	{ "user network", look_loadable, { "libslirp.so.0", NULL }, "apt-get install libslirp0" },
	{ "low ports", look_ports, { NULL }, NULL },
	{ "taps", look_tun, { NULL }, NULL },
	{ "taps there", look_taps, { NULL }, NULL },
	{ "forwarding", look_forwarding, { NULL }, NULL },
	{ "KVM", look_kvm, { NULL }, NULL },
	{ "QEMU", look_qemu, { "qemu-system-x86_64", NULL }, "apt-get install qemu-system-x86" },
};

static int run(struct command_line *line)
{
	static const char *const words[] = { [WELL] = "ok", [MISSING] = "FAIL", [NOTE] = "note" };
	char said[SAID_SIZE];
	size_t missing = 0;

	if (command_expect_end(line) == COMMAND_STOP)
		return line->status;
	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		enum verdict verdict = checks[i].look(&checks[i], said);

		missing += verdict == MISSING;
		printf("%-6s%-14s%s\n", words[verdict], checks[i].subject, said);
	}
	if (missing > 0)
		return command_fail(&command_doctor, "%zu missing: put right what says FAIL, and ask again", missing);
	puts("\nskerry new web makes a unikernel; skerry run runs it.");
	return COMMAND_OK;
}

static const struct command_note statuses[] = {
	{ "0", "Unikernels build and run here, as processes and in the sandbox." },
	{ "1", "Something that they need is missing." },
	{ NULL, NULL },
};

const struct command command_doctor = {
	.name = "doctor",
	.summary = "check what this machine has, and name what is missing",
	.synopses = (const char *const[]){ "", NULL },
	.description =
		(const char *const[]){
			"Prints a line for each thing that building and running take: ok, FAIL with the command that "
			"puts it right, or a note on what only some uses need. It changes nothing.",
			NULL,
		},
	.statuses = statuses,
	.run = run,
};
