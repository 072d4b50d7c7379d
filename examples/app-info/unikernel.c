/* SPDX-License-Identifier: ISC
 *
 * Tells what it is made of: the libraries that the linker has taken, which the
 * build writes into the image.
 */
#include <stdio.h>
#include <string.h>

#include <skerry/unikernel.h>

int start(void)
{
	const char *line = unikernel.libraries; /* each line is a name, a space, and a version */

	printf("libraries:\n");
	while (*line) {
		size_t name_len = strcspn(line, " "), len = strcspn(line, "\n");

		if (name_len < len)
			printf("  - %.*s.%.*s\n", (int)name_len, line, (int)(len - name_len - 1), line + name_len + 1);
		line += len + (line[len] == '\n');
	}
	return 0;
}
