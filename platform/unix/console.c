/* SPDX-License-Identifier: ISC
 *
 * The console, and the ways out of an ordinary process.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include <platform.h>

void platform_exit(int status)
{
	_exit(status);
}

void platform_abort(void)
{
	abort();
}

void platform_console_write(const char *text, size_t len)
{
	while (len > 0) {
		ssize_t written = write(STDOUT_FILENO, text, len);

		if (written < 0 && errno != EINTR)
			return;
		if (written > 0) {
			text += written;
			len -= (size_t)written;
		}
	}
}
