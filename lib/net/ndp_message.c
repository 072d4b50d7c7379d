/* SPDX-License-Identifier: ISC
 *
 * Messages of neighbour discovery as bytes.
 */
#include <string.h>

#include "ipv6_wire.h"
#include "ndp_message.h"

enum { OPTION_TYPE = 0, OPTION_LENGTH = 1, OPTION_DATA = 2, UNIT = 8 };

/* Where a message's options begin; 0: it is none of ours. */
static size_t options_of(uint8_t type)
{
	switch (type) {
	case NDP_ROUTER_SOLICITATION:
		return RS_OPTIONS;
	case NDP_ROUTER_ADVERTISEMENT:
		return RA_OPTIONS;
	case NDP_NEIGHBOUR_SOLICITATION:
		return NS_OPTIONS;
	case NDP_NEIGHBOUR_ADVERTISEMENT:
		return NA_OPTIONS;
	case NDP_REDIRECT:
		return REDIRECT_OPTIONS;
	default:
		return 0;
	}
}

bool ndp_is_well_formed(const uint8_t *message, size_t len)
{
	size_t at = len > 0 ? options_of(message[ICMPV6_TYPE]) : 0;

	if (at == 0 || at > len)
		return false;
	while (at < len) {
		size_t option_len = len - at >= OPTION_DATA ? message[at + OPTION_LENGTH] * (size_t)UNIT : 0;

		if (option_len == 0 || option_len > len - at)
			return false;
		at += option_len;
	}
	return true;
}

static size_t least_len(enum ndp_option_type type)
{
	return type == NDP_OPTION_PREFIX ? NDP_OPTION_PREFIX_LEN : UNIT;
}

const uint8_t *ndp_option(const uint8_t *message, size_t len, enum ndp_option_type type, size_t *at, size_t *option_len)
{
	if (*at == 0)
		*at = options_of(message[ICMPV6_TYPE]);
	while (*at < len) {
		const uint8_t *option = message + *at;

		*option_len = option[OPTION_LENGTH] * (size_t)UNIT;
		*at += *option_len;
		if (option[OPTION_TYPE] == type && *option_len >= least_len(type))
			return option;
	}
	return NULL;
}

const uint8_t *ndp_mac(const uint8_t *message, size_t len, enum ndp_option_type type)
{
	static const uint8_t none[6];
	size_t at = 0, option_len;
	const uint8_t *option = ndp_option(message, len, type, &at, &option_len);

	if (!option || option_len != NDP_OPTION_MAC_LEN || option[OPTION_DATA] & 1 ||
		memcmp(option + OPTION_DATA, none, sizeof none) == 0)
		return NULL;
	return option + OPTION_DATA;
}
