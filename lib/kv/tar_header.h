/* SPDX-License-Identifier: ISC
 *
 * The two encodings in a tar archive: header blocks, and the records of pax. No I/O.
 */
#ifndef KV_TAR_HEADER_H
#define KV_TAR_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TAR_BLOCK = 512, TAR_NAME_MAX = 256 };

struct tar_header {
	char type;
	char name[TAR_NAME_MAX + 1]; /* of prefix and name */
	char link[101];
	uint64_t size, modified_s;
};

/* Decodes a block whose checksum fits. 0; -EBADMSG if it does not, or a number is none. */
int tar_header_decode(const uint8_t block[TAR_BLOCK], struct tar_header *header);
bool tar_is_end(const uint8_t block[TAR_BLOCK]);

/* What extended headers say about the entry after them, instead of its own header. */
struct tar_extra {
	char *path, *link; /* heap, or NULL */
	bool has_size, has_time, sparse;
	uint64_t size, modified_s;
};
/* Takes the records of a pax header; later ones win. 0, -EBADMSG, -ENOMEM. */
int tar_pax_decode(const char *text, size_t len, struct tar_extra *extra);
void tar_extra_fini(struct tar_extra *extra);

#endif
