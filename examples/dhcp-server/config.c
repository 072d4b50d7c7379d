/* SPDX-License-Identifier: ISC */
#include <skerry/config.h>

static const struct key_config keys[] = {
	PREFIX_KEY("ipv4", "192.168.1.5/24", "The server's own address and prefix length."),
	IPV4_KEY("first", "192.168.1.70", "The first address that clients are given."),
	IPV4_KEY("last", "192.168.1.100", "The last."),
	INT_KEY("lease", "3600", 4, 86400, "Seconds until a client has to renew its lease, unless it wants others."),
	STRING_KEY("domain", "pampas", "The domain that clients are told."),
};

void configure(struct unikernel *u)
{
	unikernel_name(u, "dhcp-server");
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		unikernel_key(u, &keys[i]);
	unikernel_network(u, default_network());
}
