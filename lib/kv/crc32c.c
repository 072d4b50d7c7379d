/* SPDX-License-Identifier: ISC
 *
 * CRC-32C, eight bytes at a time: table[n][b] is the remainder of the byte b with n zero bytes behind it.
 */
#include "crc32c.h"

enum { AT_ONCE = 8 };
static const uint32_t polynomial = 0x82f63b78; /* 0x1edc6f41, bits reversed */
static uint32_t table[AT_ONCE][256];

static void make_table(void)
{
	for (uint32_t byte = 0; byte < 256; byte++) {
		uint32_t sum = byte;

		for (int bit = 0; bit < 8; bit++)
			sum = sum >> 1 ^ (sum & 1 ? polynomial : 0);
		table[0][byte] = sum;
	}
	for (size_t n = 1; n < AT_ONCE; n++)
		for (size_t byte = 0; byte < 256; byte++)
			table[n][byte] = table[n - 1][byte] >> 8 ^ table[0][table[n - 1][byte] & 0xff];
}

uint32_t crc32c(uint32_t sum, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	if (!table[0][1])
		make_table();
	sum = ~sum;
	for (; len >= AT_ONCE; bytes += AT_ONCE, len -= AT_ONCE)
		sum = table[7][bytes[0] ^ (sum & 0xff)] ^ table[6][bytes[1] ^ (sum >> 8 & 0xff)] ^
		      table[5][bytes[2] ^ (sum >> 16 & 0xff)] ^ table[4][bytes[3] ^ sum >> 24] ^ table[3][bytes[4]] ^
		      table[2][bytes[5]] ^ table[1][bytes[6]] ^ table[0][bytes[7]];
	while (len-- > 0)
		sum = sum >> 8 ^ table[0][(*bytes++ ^ sum) & 0xff];
	return ~sum;
}
