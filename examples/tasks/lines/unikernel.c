/* SPDX-License-Identifier: ISC
 *
 * Echoes ten lines that come in after random pauses: one task makes them, another logs them, and a channel of one line
 * is between the two.
 */
#include <errno.h>
#include <string.h>

#include <skerry/channel.h>
#include <skerry/log.h>
#include <skerry/random.h>
#include <skerry/task.h>

#include "keys.h"

LOG_SOURCE(application);

enum { LINES = 10, LINE_MAX = 20 };

struct line {
	char text[LINE_MAX + 1];
};

static struct line room[1];
static struct channel lines = CHANNEL_INIT(room);

static int make_lines(void *arg)
{
	(void)arg;
	for (int i = 0; i < LINES; i++) {
		struct line line = { "" };
		int err = task_sleep(clock_deadline(MSEC(random_below((uint32_t)keys.pause))));

		if (err < 0)
			return err;
		memset(line.text, 'a', 1 + random_below(LINE_MAX));
		err = channel_send(&lines, &line, FOREVER);
		if (err < 0)
			return err;
	}
	channel_close(&lines);
	return 0;
}

static int echo_lines(void *arg)
{
	struct line line;
	int err;

	(void)arg;
	while ((err = channel_receive(&lines, &line, FOREVER)) == 0)
		log_info("%s", line.text);
	return err == -EPIPE ? 0 : err; /* the channel is closed and empty */
}

int start(void)
{
	struct task *tasks[2];
	int result = 0, err = random_init();

	if (err == 0)
		err = task_spawn(NULL, make_lines, NULL, &tasks[0]);
	if (err == 0)
		err = task_spawn(NULL, echo_lines, NULL, &tasks[1]);
	if (err == 0)
		err = task_join(tasks, 2, &result, FOREVER);
	return err < 0 ? err : result;
}
