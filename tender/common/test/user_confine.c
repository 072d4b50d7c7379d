/* SPDX-License-Identifier: ISC
 *
 * What the helper of a user-mode network can still do once it is confined: each test runs in a child of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "tender/common/user.h"

/* Runs check in a confined child; it returns 0 when all is as it should be, else which of its checks failed. */
static void expect_confined(int (*check)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		struct tender_error error;

		_exit(user_helper_confine(&error) < 0 ? 100 : check());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static bool refused(long result)
{
	return result < 0 && errno == EPERM;
}

static int check_calls(void)
{
	int pair[2];

	if (!refused(fork()))
		return 1;
	if (!refused(execl("/bin/true", "true", NULL)))
		return 2;
	if (!refused(socket(AF_UNIX, SOCK_STREAM, 0)) || !refused(socketpair(AF_UNIX, SOCK_STREAM, 0, pair)))
		return 3;
	if (!refused(socket(AF_NETLINK, SOCK_RAW, 0)))
		return 4;
	if (!refused(kill(getppid(), 0)))
		return 5;
	return refused(unlink("/nonexistent")) ? 0 : 6;
}

static int check_memory(void)
{
	char *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (page == MAP_FAILED)
		return 1;
	page[0] = 1;
	if (!refused(mprotect(page, 4096, PROT_READ | PROT_EXEC)))
		return 2;
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
			       errno == EPERM
		       ? 0
		       : 3;
}

static int check_sockets(void)
{
	int tcp = socket(AF_INET, SOCK_STREAM, 0);
	int udp = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (tcp < 0 || udp < 0)
		return 1;
	return bind(tcp, (struct sockaddr *)&name, sizeof name) < 0 || listen(tcp, 1) < 0 ? 2 : 0;
}

static int check_writing(void)
{
	if (!refused(open("/tmp/skerry-test-confine", O_WRONLY | O_CREAT, 0600)))
		return 1;
	return refused(open("/dev/null", O_RDWR)) ? 0 : 2;
}

static int check_reading(void)
{
	if (open("/etc/resolv.conf", O_RDONLY) < 0 && errno != ENOENT)
		return 1;
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES ? 0 : 2;
}

static void calls_that_reach_other_processes_are_refused(void **state)
{
	(void)state;
	expect_confined(check_calls);
}

static void memory_is_never_executable(void **state)
{
	(void)state;
	expect_confined(check_memory);
}

static void internet_sockets_still_work(void **state)
{
	(void)state;
	expect_confined(check_sockets);
}

static void no_file_can_be_written(void **state)
{
	(void)state;
	expect_confined(check_writing);
}

static void no_file_but_the_list_of_resolvers_can_be_read(void **state)
{
	(void)state;
	if (syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) < 0) {
		print_message("this kernel has no Landlock: %s\n", strerror(errno));
		skip();
	}
	expect_confined(check_reading);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_reach_other_processes_are_refused),
		cmocka_unit_test(memory_is_never_executable),
		cmocka_unit_test(internet_sockets_still_work),
		cmocka_unit_test(no_file_can_be_written),
		cmocka_unit_test(no_file_but_the_list_of_resolvers_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
