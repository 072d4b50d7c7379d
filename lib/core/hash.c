/* SPDX-License-Identifier: ISC
 *
 * SipHash-2-4 (Aumasson and Bernstein 2012).
 */
#include <stddef.h>

#include <skerry/hash.h>

/* Once or more for each segment that arrives, forged ones too: in registers, and unrolled. */
#pragma GCC optimize("O2")

struct sip {
	uint64_t a, b, c, d;
};

static inline uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static inline struct sip sip_round(struct sip s)
{
	s.a += s.b;
	s.c += s.d;
	s.b = rotate(s.b, 13) ^ s.a;
	s.d = rotate(s.d, 16) ^ s.c;
	s.a = rotate(s.a, 32);
	s.c += s.b;
	s.a += s.d;
	s.b = rotate(s.b, 17) ^ s.c;
	s.d = rotate(s.d, 21) ^ s.a;
	s.c = rotate(s.c, 32);
	return s;
}

static inline uint64_t little_endian(const uint8_t *bytes, size_t len)
{
	uint64_t word = 0;

	for (size_t i = 0; i < len; i++)
		word |= (uint64_t)bytes[i] << (8 * i);
	return word;
}

uint64_t hash_keyed(const struct hash_key *key, const void *data, size_t len)
{
	const uint8_t *bytes = data;
	struct sip s = {
		key->words[0] ^ 0x736f6d6570736575u,
		key->words[1] ^ 0x646f72616e646f6du,
		key->words[0] ^ 0x6c7967656e657261u,
		key->words[1] ^ 0x7465646279746573u,
	};

	for (size_t at = 0; at <= len; at += 8) {
		size_t rest = len - at;
		uint64_t word = rest >= 8 ? little_endian(bytes + at, 8)
					  : little_endian(bytes + at, rest) | (uint64_t)len << 56;

		s.d ^= word;
		s = sip_round(sip_round(s));
		s.a ^= word;
	}
	s.c ^= 0xff;
	s = sip_round(sip_round(sip_round(sip_round(s))));
	return s.a ^ s.b ^ s.c ^ s.d;
}
