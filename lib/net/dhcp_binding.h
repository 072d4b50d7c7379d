/* SPDX-License-Identifier: ISC
 *
 * The DHCP server's table: one binding for each address that it may give, and to whom that belongs.
 */
#ifndef NET_DHCP_BINDING_H
#define NET_DHCP_BINDING_H

#include <skerry/clock.h>
#include <skerry/dhcp.h>

enum dhcp_binding_state { BINDING_FREE, BINDING_OFFERED, BINDING_BOUND, BINDING_DECLINED };

/* Who asks: by his identifier, or without one by his hardware's type and address (RFC 2131, 4.2). */
struct dhcp_identity {
	uint8_t mac[6];
	uint8_t len;
	uint8_t bytes[DHCP_CLIENT_ID_MAX];
};

struct dhcp_binding {
	uint32_t address;
	enum dhcp_binding_state state;
	uint64_t until;                /* of OFFERED, BOUND and DECLINED; of FREE: since when */
	struct dhcp_identity identity; /* len 0: nobody had it yet. It stays when the lease ends: 4.3.1 */
	bool is_static;
	uint8_t static_mac[6];
	char static_name[DHCP_LABEL_MAX + 1];
	char name[DHCP_LABEL_MAX + 1];
};

/* In the order of the addresses. */
struct dhcp_bindings {
	size_t count;
	struct dhcp_binding *all;
};

/* The client's own, which he has or had: NULL, he has none. */
struct dhcp_binding *dhcp_binding_of(const struct dhcp_bindings *bindings, const struct dhcp_identity *identity);
struct dhcp_binding *dhcp_binding_at(const struct dhcp_bindings *bindings, uint32_t address);
/* Whether a client that does not have it may have it now. */
bool dhcp_binding_available(const struct dhcp_binding *binding, uint64_t now);
/* What a client is offered (4.3.1): his own; else the wanted address; else one that nobody had; else the one that is
 * free for the longest time. NULL: all are taken. */
struct dhcp_binding *dhcp_binding_choose(
	const struct dhcp_bindings *bindings, const struct dhcp_identity *identity, uint32_t wanted, uint64_t now);

#endif
