/* SPDX-License-Identifier: ISC
 *
 * User-mode networks: the list of forwards, and the helper process as the guest meets it, frame by frame.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tender/common/user.h"

enum { PATIENCE_MS = 10000 };

static struct tender_error error;

/* The list ------------------------------------------------------------------------------------------------------- */

static void expect_list_error(const char *text, const char *shown)
{
	struct user_forward forwards[TENDER_FORWARDS_MAX];
	char expected[256];
	size_t count;

	snprintf(expected, sizeof expected,
		"device \"a\": forward \"%s\"; expected "
		"[tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT",
		shown);
	assert_int_equal(user_forwards_parse("a", text, forwards, &count, &error), -EINVAL);
	assert_string_equal(error.text, expected);
}

static void forwards_of_every_form_are_understood(void **state)
{
	struct user_forward forwards[TENDER_FORWARDS_MAX];
	size_t count;

	(void)state;
	assert_int_equal(user_forwards_parse("a", "8080:80,tcp:0.0.0.0:1:65535,udp:53:53,127.0.0.2:443:4433", forwards,
				 &count, &error),
		0);
	assert_int_equal(count, 4);
	assert_false(forwards[0].udp);
	assert_int_equal(forwards[0].host.s_addr, htonl(INADDR_LOOPBACK));
	assert_int_equal(forwards[0].host_port, 8080);
	assert_int_equal(forwards[0].guest_port, 80);
	assert_int_equal(forwards[1].host.s_addr, htonl(INADDR_ANY));
	assert_int_equal(forwards[1].guest_port, 65535);
	assert_true(forwards[2].udp);
	assert_int_equal(forwards[3].host.s_addr, htonl(0x7f000002));
	assert_int_equal(user_forwards_parse("a", "", forwards, &count, &error), 0);
	assert_int_equal(count, 0);
}

static void malformed_forwards_are_named(void **state)
{
	(void)state;
	expect_list_error("80", "80");
	expect_list_error("0:80", "0:80");
	expect_list_error("80:65536", "80:65536");
	expect_list_error("1.2.3:80:80", "1.2.3:80:80");
	expect_list_error("sctp:80:80", "sctp:80:80");
	expect_list_error("tcp:1.2.3.4:80:80:80", "tcp:1.2.3.4:80:80:80");
	expect_list_error("8080:80,,81:81", "");
	expect_list_error("8080:80,x", "x");
	expect_list_error("tcp:", "tcp:");
	expect_list_error("111111111111111111111111111111111111111111111111111111111111111111111111111111111111111:80",
		"11111111111111111111111111111111111111111111111111111111111111111111111111111111");
}

static void comma_at_the_end_is_named(void **state)
{
	struct user_forward forwards[TENDER_FORWARDS_MAX];
	size_t count;

	(void)state;
	assert_int_equal(user_forwards_parse("a", "80:80,", forwards, &count, &error), -EINVAL);
	assert_string_equal(error.text, "device \"a\": nothing after the last comma; expected a forward");
}

static void forward_33_is_one_too_many(void **state)
{
	struct user_forward forwards[TENDER_FORWARDS_MAX];
	char text[512] = "1:1";
	size_t count;

	(void)state;
	for (int i = 0; i < 32; i++)
		strcat(text, ",1:1");
	assert_int_equal(user_forwards_parse("a", text, forwards, &count, &error), -EINVAL);
	assert_string_equal(error.text, "device \"a\": expected at most 32 forwards");
}

/* The helper ----------------------------------------------------------------------------------------------------- */

/* The process that tender_open_user made last: our only child. */
static pid_t helper_find(void)
{
	char path[64], text[64] = "";
	int fd;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_true(read(fd, text, sizeof text - 1) > 0);
	close(fd);
	return (pid_t)strtol(text, NULL, 10);
}

static void helper_expect_end(pid_t helper)
{
	int status, waited = 0;

	while (waitpid(helper, &status, WNOHANG) == 0 && waited < PATIENCE_MS) {
		poll(NULL, 0, 10);
		waited += 10;
	}
	assert_true(waited < PATIENCE_MS);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A free port, for the moment. */
static uint16_t port_find(int *listener)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof name;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&name, &len), 0);
	if (listener)
		*listener = fd;
	else
		close(fd);
	return ntohs(name.sin_port);
}

static ssize_t frame_receive(int fd, uint8_t *frame, size_t size)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
	return read(fd, frame, size);
}

static const uint8_t arp_request[42] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4,
	0, 1, 2, 0, 0, 0, 0, 9, 10, 0, 0, 2, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1 };

static void host_answers_arp(void **state)
{
	struct tender_device device = { .name = "a", .type = MANIFEST_NET_BASIC };
	uint8_t frame[USER_FRAME_SIZE];
	pid_t helper;

	(void)state;
	assert_int_equal(tender_open_user(&device, "", &error), 0);
	helper = helper_find();
	assert_int_equal(device.u.net.mtu, USER_MTU);
	assert_int_equal(device.u.net.mac[0] & 3, 2);
	assert_true(fcntl(device.hostfd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(read(device.hostfd, frame, sizeof frame), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(write(device.hostfd, arp_request, sizeof arp_request), sizeof arp_request);
	assert_true(frame_receive(device.hostfd, frame, sizeof frame) >= 42);
	assert_int_equal(frame[21], 2);                         /* reply */
	assert_memory_equal(frame + 28, "\x0a\x00\x00\x01", 4); /* from 10.0.0.1 */
	close(device.hostfd);
	helper_expect_end(helper);
}

static void connection_to_a_forward_reaches_the_guest(void **state)
{
	struct tender_device device = { .name = "a", .type = MANIFEST_NET_BASIC };
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint8_t frame[USER_FRAME_SIZE];
	char forward[32];
	uint16_t port = port_find(NULL);
	pid_t helper;
	int client;

	(void)state;
	snprintf(forward, sizeof forward, "%u:7", port);
	assert_int_equal(tender_open_user(&device, forward, &error), 0);
	helper = helper_find();
	client = socket(AF_INET, SOCK_STREAM, 0);
	name.sin_port = htons(port);
	assert_int_equal(connect(client, (struct sockaddr *)&name, sizeof name), 0);
	/* The guest announces itself, so that the helper need not ask for it. */
	assert_int_equal(write(device.hostfd, arp_request, sizeof arp_request), sizeof arp_request);
	do
		assert_true(frame_receive(device.hostfd, frame, sizeof frame) >= 42);
	while (!(frame[12] == 8 && frame[13] == 0));
	assert_memory_equal(frame + 30, "\x0a\x00\x00\x02", 4); /* to 10.0.0.2 */
	assert_int_equal(frame[23], IPPROTO_TCP);
	assert_int_equal(frame[37], 7);    /* port 7 */
	assert_int_equal(frame[47], 0x02); /* SYN */
	close(client);
	close(device.hostfd);
	helper_expect_end(helper);
}

static void port_in_use_is_named(void **state)
{
	struct tender_device device = { .name = "a", .type = MANIFEST_NET_BASIC };
	char forward[32], expected[128];
	int listener;
	uint16_t port = port_find(&listener);

	(void)state;
	snprintf(forward, sizeof forward, "%u:7", port);
	snprintf(expected, sizeof expected,
		"device \"a\": tcp:127.0.0.1:%u: Address already in use; expected a free port that this user may open",
		port);
	assert_int_equal(tender_open_user(&device, forward, &error), -EIO);
	assert_string_equal(error.text, expected);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
	assert_int_equal(errno, ECHILD);
	close(listener);
}

static void frames_that_no_one_reads_are_dropped_not_awaited(void **state)
{
	struct tender_device device = { .name = "a", .type = MANIFEST_NET_BASIC };
	uint8_t frame[USER_FRAME_SIZE];
	pid_t helper;
	ssize_t received = 0;

	(void)state;
	assert_int_equal(tender_open_user(&device, "", &error), 0);
	helper = helper_find();
	for (int i = 0; i < 100000; i++) { /* far more answers than socket and queue hold */
		struct pollfd wait = { .fd = device.hostfd, .events = POLLOUT };

		assert_int_equal(poll(&wait, 1, PATIENCE_MS), 1);
		if (write(device.hostfd, arp_request, sizeof arp_request) < 0)
			assert_int_equal(errno, EAGAIN);
	}
	while (read(device.hostfd, frame, sizeof frame) > 0)
		received++;
	assert_true(received > 100);
	assert_int_equal(write(device.hostfd, arp_request, sizeof arp_request), sizeof arp_request);
	assert_true(frame_receive(device.hostfd, frame, sizeof frame) >= 42);
	close(device.hostfd);
	helper_expect_end(helper);
}

static void frame_longer_than_the_mtu_is_lost_alone(void **state)
{
	struct tender_device device = { .name = "a", .type = MANIFEST_NET_BASIC };
	uint8_t frame[USER_FRAME_SIZE + 100] = { 0 };
	pid_t helper;

	(void)state;
	assert_int_equal(tender_open_user(&device, "", &error), 0);
	helper = helper_find();
	assert_int_equal(write(device.hostfd, frame, sizeof frame), sizeof frame);
	assert_int_equal(write(device.hostfd, frame, 1), 1);
	assert_int_equal(write(device.hostfd, arp_request, sizeof arp_request), sizeof arp_request);
	assert_true(frame_receive(device.hostfd, frame, sizeof frame) >= 42);
	close(device.hostfd);
	helper_expect_end(helper);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_of_every_form_are_understood),
		cmocka_unit_test(malformed_forwards_are_named),
		cmocka_unit_test(comma_at_the_end_is_named),
		cmocka_unit_test(forward_33_is_one_too_many),
		cmocka_unit_test(host_answers_arp),
		cmocka_unit_test(connection_to_a_forward_reaches_the_guest),
		cmocka_unit_test(port_in_use_is_named),
		cmocka_unit_test(frames_that_no_one_reads_are_dropped_not_awaited),
		cmocka_unit_test(frame_longer_than_the_mtu_is_lost_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
