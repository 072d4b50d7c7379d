/* SPDX-License-Identifier: ISC
 *
 * Running QEMU, and giving its guest's end as one's own.
 *
 * The machine has no exit status, so the guest writes it to a port that QEMU leads into a pipe. The tender stays as the
 * parent: it passes on what is asked by SIGUSR1, as a byte to the machine's serial port, and ends with its guest, as
 * the guest with it.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "virtio.h"

enum { STATUS_LOST = 255, STATUS_SIZE = 64 };

/* Ends of pipes. */
struct ends {
	int input, input_far;   /* what the tender writes, QEMU reads */
	int status, status_far; /* what QEMU writes, the tender reads */
	int signal;             /* what the tender is told */
	sigset_t signals;
};

static int prepare(struct ends *ends, struct tender_error *error)
{
	int input[2], status[2];

	sigemptyset(&ends->signals);
	sigaddset(&ends->signals, SIGCHLD);
	sigaddset(&ends->signals, SIGUSR1);
	sigaddset(&ends->signals, SIGTERM);
	sigaddset(&ends->signals, SIGINT);
	if (pipe2(input, O_CLOEXEC | O_NONBLOCK) < 0 || pipe2(status, O_CLOEXEC) < 0 ||
		fcntl(status[0], F_SETFL, O_NONBLOCK) < 0 || sigprocmask(SIG_BLOCK, &ends->signals, NULL) < 0)
		return tender_fail(error, -errno, "pipes and signals: %s", strerror(errno));
	ends->signal = signalfd(-1, &ends->signals, SFD_CLOEXEC);
	if (ends->signal < 0)
		return tender_fail(error, -errno, "signals: %s", strerror(errno));
	ends->input = input[1];
	ends->input_far = input[0];
	ends->status = status[0];
	ends->status_far = status[1];
	return 0;
}

static int inherit(int fd)
{
	return fcntl(fd, F_SETFD, 0);
}

/* In the child. Its own process group keeps the terminal's signals away: it ends when the tender does. */
static _Noreturn void become(
	const struct tender_config *config, const struct ends *ends, struct virtio_words *words, pid_t parent)
{
	int err = inherit(ends->status_far) | inherit(config->image.fd);

	for (size_t i = 0; i < config->device_count; i++)
		err |= inherit(config->devices[i].hostfd);
	if (err == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent && setpgid(0, 0) == 0 &&
		dup2(ends->input_far, STDIN_FILENO) >= 0 && sigprocmask(SIG_UNBLOCK, &ends->signals, NULL) == 0)
		execvp(words->words[0], words->words);
	if (errno == ENOENT)
		fprintf(stderr, "%s: no %s; apt-get install qemu-system-x86, or build for target spt\n",
			config->program, VIRTIO_QEMU);
	else
		fprintf(stderr, "%s: %s: %s\n", config->program, VIRTIO_QEMU, strerror(errno));
	_exit(1);
}

/* The last line of what the guest has written to the port; -1: there is none. */
static int status_read(int fd)
{
	char text[STATUS_SIZE + 1];
	ssize_t len = read(fd, text, STATUS_SIZE);
	char *end;
	long status;

	if (len <= 0)
		return -1;
	text[len] = '\0';
	status = strtol(text, &end, 10);
	return end > text && *end == '\n' && status >= 0 && status <= 255 ? (int)status : -1;
}

static int ended(const struct tender_config *config, int how, int status)
{
	if (status >= 0)
		return status;
	if (WIFSIGNALED(how))
		fprintf(stderr, "%s: %s was ended by signal %d\n", config->program, VIRTIO_QEMU, WTERMSIG(how));
	else if (WEXITSTATUS(how) == 0)
		fprintf(stderr, "%s: guest: the machine went down without an exit status\n", config->program);
	/* Else QEMU has said what it did not like. */
	return WIFEXITED(how) && WEXITSTATUS(how) == 0 ? STATUS_LOST : 1;
}

static bool has_offloads(const struct tender_device *device)
{
	return device->type == MANIFEST_NET_BASIC && device->u.net.features;
}

/* The machine is gone. Its taps keep what its guest could take, and their next owner may know nothing of that. */
static _Noreturn void end(const struct tender_config *config, int status)
{
	for (size_t i = 0; i < config->device_count; i++)
		if (has_offloads(&config->devices[i]))
			(void)ioctl(config->devices[i].hostfd, TUNSETOFFLOAD, 0);
	exit(status);
}

static _Noreturn void watch(const struct tender_config *config, const struct ends *ends, pid_t qemu)
{
	for (;;) {
		struct signalfd_siginfo info = { 0 };
		int number, how;

		if (read(ends->signal, &info, sizeof info) != (ssize_t)sizeof info)
			continue;
		number = (int)info.ssi_signo;
		if (number == SIGTERM || number == SIGINT) {
			kill(qemu, SIGKILL);
			waitpid(qemu, &how, 0);
			printf("%s: Exiting on signal %d\n", config->program, number);
			end(config, 1);
		}
		/* A pipe that is full has questions enough. */
		if (number == SIGUSR1 && write(ends->input, "?", 1) < 0)
			continue;
		if (waitpid(qemu, &how, WNOHANG) == qemu)
			end(config, ended(config, how, status_read(ends->status)));
	}
}

int tender_virtio_run(const struct tender_config *config, struct tender_error *error)
{
	static struct virtio_words words;
	struct ends ends;
	pid_t parent = getpid(), qemu;
	int err = prepare(&ends, error);

	if (err == 0)
		err = virtio_words(config, ends.status_far, &words, error);
	if (err < 0)
		return err;
	qemu = fork();
	if (qemu < 0)
		return tender_fail(error, -errno, "fork: %s", strerror(errno));
	if (qemu == 0)
		become(config, &ends, &words, parent);
	if (config->gdb_port)
		fprintf(stderr, "%s: waiting for gdb: target remote :%u\n", config->program, config->gdb_port);
	close(ends.input_far);
	close(ends.status_far);
	for (size_t i = 0; i < config->device_count; i++)
		if (config->devices[i].type == MANIFEST_NET_BASIC && !has_offloads(&config->devices[i]))
			close(config->devices[i].hostfd);
	watch(config, &ends, qemu);
}
