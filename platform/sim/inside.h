/* SPDX-License-Identifier: ISC
 *
 * What the simulator's files tell each other.
 */
#ifndef SIM_INSIDE_H
#define SIM_INSIDE_H

void sim_reset_clock(void);
void sim_write_seed(void);

#endif
