/* SPDX-License-Identifier: ISC
 *
 * The same as forbidden, in a guest that has a network.
 */
#include "forbidden.c"

__attribute__((constructor)) static void open_network(void)
{
	static struct platform_source source;
	struct platform_net_info info;

	if (platform_net_open("tap", &source, &info) < 0)
		platform_exit(1);
}
