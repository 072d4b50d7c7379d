/* SPDX-License-Identifier: ISC
 *
 * The operator asks what the unikernel is doing: its stack answers, too.
 */
#include <skerry/stack.h>
#include <skerry/task.h>

int stack_print_when_asked(void *stack)
{
	int err;

	while ((err = task_inquiry(FOREVER)) == 0)
		stack_print(stack);
	return err;
}
