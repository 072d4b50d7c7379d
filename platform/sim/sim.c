/* SPDX-License-Identifier: ISC
 *
 * One simulated run: its seed, and the random numbers that come of it.
 */
#include "sim.h"

#include <platform.h>
#include <skerry/task.h>
#include <skerry/text.h>

#include "inside.h"

static const char *command = "the program, with";
static uint64_t seed, state;

void sim_set_command(const char *text)
{
	command = text;
}

/* xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators", 2016). */
uint32_t sim_random(uint32_t bound)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return (uint32_t)(((state * 2685821657736338717u) >> 32) * bound >> 32);
}

void sim_write_seed(void)
{
	char text[256];
	size_t len = text_format(text, sizeof text, "seed %llu failed; run it again: %.128s %llu\n",
		(unsigned long long)seed, command, (unsigned long long)seed);

	platform_console_write(text, len);
}

int sim_run(uint64_t with_seed, int (*run)(void *arg), void *arg, int *result)
{
	seed = with_seed;
	state = (seed + 1) * 0x9e3779b97f4a7c15u; /* never 0, and neighbours are far apart */
	sim_reset_clock();
	return task_run(run, arg, result);
}
