/* SPDX-License-Identifier: ISC
 *
 * User-mode networks, the tender's side: reads the list of forwards, starts the helper and waits until it listens.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tender/common/options.h"
#include "tender/common/user.h"

enum {
	FORWARD_TEXT_SIZE = 64,
	SOCKET_BYTES = 4 << 20, /* wished for each direction; the kernel may give less */
};

/* One [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT, in a buffer of the caller's that it cuts up. */
static bool forward_parse(char *text, struct user_forward *forward)
{
	char *fields[4];
	size_t count = 0;
	size_t at = 0;
	uint32_t port;

	for (char *next = text; next; count++) {
		if (count == sizeof fields / sizeof *fields)
			return false;
		fields[count] = strsep(&next, ":");
	}
	forward->udp = strcmp(fields[0], "udp") == 0;
	if (forward->udp || strcmp(fields[0], "tcp") == 0)
		at++;
	forward->host.s_addr = htonl(INADDR_LOOPBACK);
	if (count - at == 3 && inet_pton(AF_INET, fields[at++], &forward->host) != 1)
		return false;
	if (count - at != 2 || !tender_number_parse(fields[at], 1, UINT16_MAX, &port))
		return false;
	forward->host_port = (uint16_t)port;
	if (!tender_number_parse(fields[at + 1], 1, UINT16_MAX, &port))
		return false;
	forward->guest_port = (uint16_t)port;
	return true;
}

int user_forwards_parse(const char *device, const char *text, struct user_forward forwards[TENDER_FORWARDS_MAX],
	size_t *count, struct tender_error *error)
{
	size_t found = 0;

	while (*text) {
		char copy[FORWARD_TEXT_SIZE];
		size_t len = strcspn(text, ",");

		if (found == TENDER_FORWARDS_MAX)
			return tender_fail(error, -EINVAL, "device \"%s\": expected at most %d forwards", device,
				TENDER_FORWARDS_MAX);
		memcpy(copy, text, len < sizeof copy ? len : 0);
		copy[len < sizeof copy ? len : 0] = '\0';
		if (!forward_parse(copy, &forwards[found++]))
			return tender_fail(error, -EINVAL,
				"device \"%s\": forward \"%.*s\"; expected [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT",
				device, len < 80 ? (int)len : 80, text);
		text += len;
		if (*text == ',' && *++text == '\0')
			return tender_fail(error, -EINVAL,
				"device \"%s\": nothing after the last comma; expected a forward", device);
	}
	*count = found;
	return 0;
}

/* The child's part. A parent that is gone already would never be noticed by the death signal. */
static _Noreturn void helper_start(
	int fd, pid_t parent, const char *device, const struct user_forward *forwards, size_t count)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent)
		_exit(1);
	user_helper_run(fd, device, forwards, count);
}

/* Waits for the helper's report. */
static int report_read(int fd, const char *device, struct tender_error *error)
{
	char text[TENDER_ERROR_SIZE];
	ssize_t len;

	do
		len = recv(fd, text, sizeof text - 1, 0);
	while (len < 0 && errno == EINTR);
	if (len == 1) /* a packet of length 0 could not be told from the end */
		return 0;
	if (len <= 0)
		return tender_fail(error, -EIO, "device \"%s\": the helper of the user network ended early", device);
	text[len] = '\0';
	return tender_fail(error, -EIO, "%s", text);
}

int tender_open_user(struct tender_device *device, const char *forwards, struct tender_error *error)
{
	static const int bytes = SOCKET_BYTES;
	struct user_forward list[TENDER_FORWARDS_MAX];
	size_t count;
	pid_t parent = getpid();
	pid_t child;
	int pair[2];
	int err = user_forwards_parse(device->name, forwards, list, &count, error);

	if (err < 0)
		return err;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return tender_fail(error, -errno, "device \"%s\": %s", device->name, strerror(errno));
	for (size_t i = 0; i < 2; i++) /* best effort: smaller buffers only cost throughput */
		setsockopt(pair[i], SOL_SOCKET, SO_SNDBUF, &bytes, sizeof bytes);
	child = fork();
	if (child == 0)
		helper_start(pair[1], parent, device->name, list, count);
	close(pair[1]);
	if (child < 0)
		err = tender_fail(error, -errno, "device \"%s\": %s", device->name, strerror(errno));
	else
		err = report_read(pair[0], device->name, error);
	if (err == 0 && fcntl(pair[0], F_SETFL, O_NONBLOCK) < 0)
		err = tender_fail(error, -errno, "device \"%s\": %s", device->name, strerror(errno));
	if (err < 0) {
		close(pair[0]); /* which ends the helper */
		if (child > 0)
			waitpid(child, NULL, 0);
		return err;
	}
	device->hostfd = pair[0];
	device->u.net.mtu = USER_MTU;
	tender_mac_random(device->u.net.mac);
	return 0;
}
