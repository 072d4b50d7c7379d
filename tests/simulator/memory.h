/* SPDX-License-Identifier: ISC
 *
 * The heap of the stacks under test: the linker leads their malloc() and its family here (--wrap), so that what is
 * not given back is found, and so that memory can be short.
 */
#ifndef SIMULATOR_MEMORY_H
#define SIMULATOR_MEMORY_H

#include <stddef.h>
#include <stdint.h>

/* From now on so many in 10,000 allocations fail, drawn from this seed; 0: none. */
void memory_fails(uint32_t in_10000, uint64_t seed);
/* How many allocations were not freed yet, and how many failed since memory_fails. */
uint64_t memory_count(void);
uint64_t memory_failures(void);

/* The simulator's own: always succeeds, all zero, and is not counted. */
void *memory_own(size_t bytes);
void memory_free_own(void *memory);

#endif
