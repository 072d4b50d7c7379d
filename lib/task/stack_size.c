/* SPDX-License-Identifier: ISC
 *
 * The size of stacks. Alone in its file, so that a program which defines another is linked without this one.
 */
#include "scheduler.h"

const size_t task_stack_bytes = TASK_STACK_BYTES;
