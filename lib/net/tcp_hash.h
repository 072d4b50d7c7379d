/* SPDX-License-Identifier: ISC
 *
 * SipHash-2-4 (Aumasson and Bernstein 2012): a keyed hash, short and fast, that nobody without the key can predict.
 * It places flows in the table, and makes initial sequence numbers, ports and timestamp offsets (RFC 6528, 6056, 7323).
 */
#ifndef NET_TCP_HASH_H
#define NET_TCP_HASH_H

#include <stddef.h>
#include <stdint.h>

struct tcp_hash_key {
	uint64_t words[2];
};

uint64_t tcp_hash(const struct tcp_hash_key *key, const void *data, size_t len);

#endif
