/* SPDX-License-Identifier: ISC
 *
 * The list of tasks: every task once, below its parent, with what it does.
 */
#include "scenario.h"

#include <errno.h>
#include <regex.h>

#include <skerry/log.h>
#include <skerry/sync.h>

static struct wakener never = WAKENER_INIT;

#define AT(name, number) (&(const struct task_place){ .file = "here.c", .line = (number), .function = (name) })

static struct task *spawn(const char *name, int line, struct task_group *group, int (*run)(void *))
{
	struct task *task;

	must(task_spawn_at(AT(name, line), group, run, NULL, &task) == 0);
	return task;
}

static int run_nothing(void *arg)
{
	(void)arg;
	return 0;
}

static int wait_for_never(void *arg)
{
	(void)arg;
	return wakener_wait(&never, NULL, FOREVER);
}

static int sleep_long(void *arg)
{
	(void)arg;
	return task_sleep(task_now() + SECOND(100));
}

static int have_family(void *arg)
{
	spawn("grandchild", 3, NULL, wait_for_never);
	spawn("background", 4, task_orphans(), sleep_long);
	return sleep_long(arg);
}

static int list_all(void *arg)
{
	struct task *children[3] = { spawn("a", 1, NULL, have_family), spawn("b", 2, NULL, run_nothing) };

	(void)arg;
	must(task_sleep(clock_deadline(MSEC(1))) == 0);
	children[2] = spawn("c", 5, NULL, run_nothing);
	task_list();
	for (int i = 0; i < 3; i++)
		task_cancel(children[i]);
	return 0;
}

static int run_list_all(void *arg)
{
	int result = 1;

	(void)arg;
	return task_run_at(AT("main", 9), list_all, NULL, &result) < 0 ? 1 : result;
}

/* Whether the line holds a match, and where the next line begins. */
static const char *expect_line(const char *line, const char *pattern)
{
	const char *end = strchr(line, '\n');
	char text[512];
	regex_t regex;
	int found;

	assert_non_null(end);
	snprintf(text, sizeof text, "%.*s", (int)(end - line), line);
	assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&regex, text, 0, NULL, 0);
	regfree(&regex);
	if (found != 0)
		fail_msg("expected %s\nfound    %s", pattern, text);
	return end + 1;
}

static void every_task_is_listed_below_its_parent_with_what_it_does(void **state)
{
	struct outcome outcome = outcome_of(run_list_all, NULL);
	const char *line = outcome.output;

	(void)state;
	assert_int_equal(outcome.status, 0);
	line = expect_line(
		line, "APP \\[task\\] task \"main\" \\(spawned at here.c:9\\) runs; stack [0-9]+ of [0-9]+ bytes$");
	line = expect_line(line,
		"\\]   task \"a\" \\(spawned at here.c:1\\) waits in task_sleep for (99|100)\\.[0-9]{3} s; stack ");
	line = expect_line(line, "\\]     task \"grandchild\" \\(spawned at here.c:3\\) waits in wakener_wait; stack ");
	line = expect_line(line, "\\]     task \"background\" \\(spawned at here.c:4\\) waits in task_sleep for ");
	line = expect_line(line, "\\]   task \"c\" \\(spawned at here.c:5\\) is ready; stack ");
	line = expect_line(line, "\\]   task \"b\" \\(spawned at here.c:2\\) has ended and is to be awaited; stack ");
	assert_string_equal(line, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_task_is_listed_below_its_parent_with_what_it_does) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
