/* SPDX-License-Identifier: ISC
 *
 * The names of an image's functions, for whoever reads about a crash.
 */
#ifndef TENDER_COMMON_SYMBOLS_H
#define TENDER_COMMON_SYMBOLS_H

#include "tender/common/tender.h"

enum {
	SYMBOLS_MAX = 1 << 16,
	SYMBOLS_TEXT_MAX = 4 << 20, /* bytes of all names */
	SYMBOLS_SECTIONS_MAX = 256,
	SYMBOL_TEXT_SIZE = 64, /* of what symbols_describe writes */
};

struct symbol {
	uint64_t address;
	uint64_t bytes; /* 0: not known, up to the next one */
	uint32_t name;  /* in text */
};

struct symbols {
	struct symbol *list; /* ascending */
	size_t count;
	char *text; /* ends with a NUL */
};

/* Reads the symbols of functions. An image that is stripped, or whose table is malformed or beyond the limits above,
 * has none: what runs does not depend on it. */
void symbols_read(const struct tender_image *image, struct symbols *symbols);
void symbols_free(struct symbols *symbols);

/* Writes "NAME+0xOFFSET" of the function in which the address lies, cut to the room, with every byte that is not
 * printable ASCII shown as '?'; "?" if it is in none. */
void symbols_describe(const struct symbols *symbols, uint64_t address, char text[SYMBOL_TEXT_SIZE]);

#endif
