/* SPDX-License-Identifier: ISC
 *
 * The simulator: programs of tasks in virtual time, in an order that a seed decides.
 *
 * A test program that is linked with this directory runs its tasks on a clock that jumps to the next timer instead of
 * waiting; which ready task is next, and how late timers are, follows from the seed alone. So thousands of orders are
 * tried in a second, and one that fails is run again by its seed. When no task can ever run again, which is what a lost
 * wake-up or a deadlock comes to, all tasks are listed and the program aborts. Whatever makes it abort, the seed is
 * written with the command that runs it again.
 */
#ifndef SIM_H
#define SIM_H

#include <stdint.h>

/* The command that is written on an abort, before the seed; not copied. */
void sim_set_command(const char *command);

/* Runs a main task, as task_run does and with its results. */
int sim_run(uint64_t seed, int (*run)(void *arg), void *arg, int *result);

/* For the program's own choices: 0 to bound - 1, from the same seed. */
uint32_t sim_random(uint32_t bound);

#endif
