/* SPDX-License-Identifier: ISC
 *
 * The console is the tender's standard output.
 */
#include <platform.h>

#include "hvt.h"

void platform_console_write(const char *text, size_t len)
{
	struct hvt_puts puts = { .data = (uint64_t)(uintptr_t)text, .len = len };

	hvt_call(HVT_PUTS, &puts);
}
