/* SPDX-License-Identifier: ISC
 *
 * Uses a library that lies beside it: a header and a source like any other.
 */
#include <skerry/log.h>

#include "library/hello.h"

LOG_SOURCE(application);

int start(void)
{
	log_info("The hello library has a message for you: %s", hello_message());
	return 0;
}
