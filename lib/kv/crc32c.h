/* SPDX-License-Identifier: ISC
 *
 * CRC-32C (Castagnoli's polynomial, RFC 3720 section 12.1): finds every error of up to 32 bits in a row and, in a
 * sector of 512 bytes, of up to 5 bits anywhere.
 */
#ifndef KV_CRC32C_H
#define KV_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* Goes on from the sum of what comes before; 0 at the start. */
uint32_t crc32c(uint32_t sum, const void *data, size_t len);

#endif
