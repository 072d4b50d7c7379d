/* SPDX-License-Identifier: ISC
 *
 * The library's one function.
 */
#include "hello.h"

const char *hello_message(void)
{
	return "Hello!";
}
