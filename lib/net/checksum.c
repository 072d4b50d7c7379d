/* SPDX-License-Identifier: ISC
 *
 * The Internet checksum (RFC 1071). A partial sum is kept in the processor's byte order, which RFC 1071, 2 (B) shows to
 * be enough: only the finished sum is put into network order.
 *
 * The loop adds 64 bytes a turn as 32-bit words into independent 64-bit accumulators, which cannot overflow below
 * 2^32 words; so there is no carry to wait for, and the compiler may use vector registers. It is written out, since
 * images are compiled for size: 26 GB/s so, and 38 for speed, where a loop over a copy of the block had 3 and 22.
 */
#include <string.h>

#include "ip.h"
#include "wire.h"

enum { BLOCK = 64, WORD = 4 };

static uint32_t fold32(uint64_t sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	return (uint32_t)((sum & 0xffffffff) + (sum >> 32));
}

static inline uint64_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof value);
	return value;
}

uint32_t checksum_add(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *at = data;
	uint64_t a = sum, b = 0, c = 0, d = 0;
	uint8_t rest[WORD] = { 0 };

	for (; len >= BLOCK; at += BLOCK, len -= BLOCK) {
		a += word(at) + word(at + 16) + word(at + 32) + word(at + 48);
		b += word(at + 4) + word(at + 20) + word(at + 36) + word(at + 52);
		c += word(at + 8) + word(at + 24) + word(at + 40) + word(at + 56);
		d += word(at + 12) + word(at + 28) + word(at + 44) + word(at + 60);
	}
	for (; len >= WORD; at += WORD, len -= WORD)
		a += word(at);
	for (size_t i = 0; i < len; i++)
		rest[i] = at[i];
	a += word(rest);
	return fold32((uint64_t)fold32(a) + fold32(b) + fold32(c) + fold32(d));
}

uint32_t checksum_pseudo(
	const struct ip_address *source, const struct ip_address *destination, uint8_t protocol, size_t len)
{
	uint8_t tail[8] = { 0 };
	uint32_t sum = 0;

	/* RFC 9293, 3.1 and RFC 8200, 8.1: with the same fields, the two headers differ by zeros only. */
	if (ip_is_v4(source)) {
		sum = checksum_add(sum, source->bytes + 12, 4);
		sum = checksum_add(sum, destination->bytes + 12, 4);
	} else {
		sum = checksum_add(sum, source->bytes, 16);
		sum = checksum_add(sum, destination->bytes, 16);
	}
	wire_put32(tail, (uint32_t)len);
	tail[7] = protocol;
	return checksum_add(sum, tail, sizeof tail);
}

uint16_t checksum_finish(uint32_t sum)
{
	uint16_t native;
	uint8_t bytes[2];

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	native = (uint16_t)~sum;
	memcpy(bytes, &native, sizeof bytes);
	return wire_get16(bytes);
}
