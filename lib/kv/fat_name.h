/* SPDX-License-Identifier: ISC
 *
 * Names and other fields of FAT's directory entries. No I/O.
 */
#ifndef KV_FAT_NAME_H
#define KV_FAT_NAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	FAT_UNITS_MAX = 260,              /* of UTF-16 in a long name's 20 entries of 13 */
	FAT_NAME_MAX = 3 * FAT_UNITS_MAX, /* bytes of it as UTF-8 */
};

/* The long name that the entries before a short one spell, from its end to its start. */
struct fat_long_name {
	uint16_t units[FAT_UNITS_MAX];
	unsigned next; /* the number of the entry that must follow; 0: all are there */
	uint8_t sum;   /* of the short name that it belongs to */
	bool begun;
};
void fat_long_name_add(struct fat_long_name *name, const uint8_t *entry);

/* The name of an entry that is not part of a long one: that if it belongs to it, else the short one. Ends with a zero
 * byte. */
void fat_name(const uint8_t *entry, const struct fat_long_name *long_name, char name[FAT_NAME_MAX + 1]);

/* When it was last written: nanoseconds since 1970, 0 if that is no date. */
uint64_t fat_modified(const uint8_t *entry);

#endif
