/* SPDX-License-Identifier: ISC
 *
 * For a debugger: a variable in start(), and in a function that start() calls.
 */
#include <skerry/log.h>

LOG_SOURCE(application);

__attribute__((noinline)) static int twice(int number)
{
	volatile int result = 2 * number;

	log_info("twice %d is %d", number, result);
	return result;
}

int start(void)
{
	volatile int answer = 21;

	answer = twice(answer);
	log_info("the answer is %d", answer);
	return answer == 42 ? 0 : 1;
}
