/* SPDX-License-Identifier: ISC
 *
 * Messages of neighbour discovery (RFC 4861, 4) as bytes: checked once, then read by accessors that cannot fail.
 */
#ifndef NET_NDP_MESSAGE_H
#define NET_NDP_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where the fields of messages lie, from the ICMPv6 header on. */
enum {
	RS_OPTIONS = 8,
	RA_HOP_LIMIT = 4,
	RA_FLAGS = 5,
	RA_LIFETIME = 6,
	RA_REACHABLE = 8,
	RA_RETRANS = 12,
	RA_OPTIONS = 16,
	NS_TARGET = 8,
	NS_OPTIONS = 24,
	NA_FLAGS = 4,
	NA_TARGET = 8,
	NA_OPTIONS = 24,
	REDIRECT_TARGET = 8,
	REDIRECT_DESTINATION = 24,
	REDIRECT_OPTIONS = 40,
};
enum { NA_ROUTER = 0x80, NA_SOLICITED = 0x40, NA_OVERRIDE = 0x20 };

enum ndp_option_type {
	NDP_OPTION_SOURCE_MAC = 1,
	NDP_OPTION_TARGET_MAC = 2,
	NDP_OPTION_PREFIX = 3,
	NDP_OPTION_MTU = 5,
	NDP_OPTION_NONCE = 14,
	NDP_OPTION_ROUTE = 24,
	NDP_OPTION_RDNSS = 25,
};
enum { NDP_OPTION_MAC_LEN = 8, NDP_OPTION_PREFIX_LEN = 32, NDP_OPTION_MTU_LEN = 8, NDP_OPTION_NONCE_LEN = 8 };

/* Whether a message is long enough for its type, and its options fill it exactly (RFC 4861: one of length 0 makes the
 * message invalid). */
bool ndp_is_well_formed(const uint8_t *message, size_t len);

/* The next option of this type in a well-formed message: *at is where to look first (0: the beginning) and moves past
 * it. Gives the option and its length, which is at least what the type needs; shorter ones are skipped. NULL: there is
 * none. */
const uint8_t *ndp_option(
	const uint8_t *message, size_t len, enum ndp_option_type type, size_t *at, size_t *option_len);

/* The Ethernet address in the first option of this type; NULL: there is none, or one that no host can have. */
const uint8_t *ndp_mac(const uint8_t *message, size_t len, enum ndp_option_type type);

#endif
