/* SPDX-License-Identifier: ISC
 *
 * The DHCP server's table. It is walked for each message: it has 4096 entries at most.
 */
#include <string.h>

#include "dhcp_binding.h"

static bool is_same(const struct dhcp_identity *a, const struct dhcp_identity *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}

struct dhcp_binding *dhcp_binding_of(const struct dhcp_bindings *bindings, const struct dhcp_identity *identity)
{
	struct dhcp_binding *found = NULL;

	for (size_t i = 0; i < bindings->count; i++) {
		struct dhcp_binding *binding = &bindings->all[i];

		if (binding->is_static && memcmp(binding->static_mac, identity->mac, sizeof identity->mac) == 0)
			return binding;
		if (!binding->is_static && is_same(&binding->identity, identity))
			found = binding;
	}
	return found;
}

struct dhcp_binding *dhcp_binding_at(const struct dhcp_bindings *bindings, uint32_t address)
{
	for (size_t i = 0; i < bindings->count; i++)
		if (bindings->all[i].address == address)
			return &bindings->all[i];
	return NULL;
}

bool dhcp_binding_available(const struct dhcp_binding *binding, uint64_t now)
{
	return !binding->is_static && (binding->state == BINDING_FREE || binding->until <= now);
}

struct dhcp_binding *dhcp_binding_choose(
	const struct dhcp_bindings *bindings, const struct dhcp_identity *identity, uint32_t wanted, uint64_t now)
{
	struct dhcp_binding *own = dhcp_binding_of(bindings, identity), *asked = dhcp_binding_at(bindings, wanted);
	struct dhcp_binding *best = NULL;

	if (own && (own->state != BINDING_DECLINED || own->until <= now))
		return own;
	if (asked && dhcp_binding_available(asked, now))
		return asked;
	for (size_t i = 0; i < bindings->count; i++) {
		struct dhcp_binding *binding = &bindings->all[i];

		if (!dhcp_binding_available(binding, now))
			continue;
		if (binding->identity.len == 0 && binding->state == BINDING_FREE)
			return binding;
		if (!best || binding->until < best->until)
			best = binding;
	}
	return best;
}
