/* SPDX-License-Identifier: ISC
 *
 * Inside the hvt platform: the boot structure, hypercalls.
 */
#ifndef HVT_H
#define HVT_H

#include <stdint.h>

#include "abi/hvt.h"

extern const struct hvt_boot_info *hvt_boot;

/* A hypercall; the argument lies below 4 GiB, as all of a guest does. */
static inline void hvt_call(enum hvt_call number, void *argument)
{
	__asm__ volatile("outl %0, %1"
			 :
			 : "a"((uint32_t)(uintptr_t)argument), "d"((uint16_t)(HVT_PORT + (int)number))
			 : "memory");
}

/* Learns the processor's frequency. */
void hvt_time_init(void);

#endif
