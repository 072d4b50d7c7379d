/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a tar archive in pieces. The first byte says how large they are, and the second how headers' checksums
 * are: as they come, or right, so that mutations get past them. What is shown has a clean name, and each content ends
 * once; one that is complete has its size.
 */
#include "reading.h"

#include <stdio.h>

/* Puts a right checksum into each block that looks like a header. */
static void mend(uint8_t *data, size_t size)
{
	for (size_t at = 0; size - at >= 512; at += 512) {
		unsigned sum = 0;
		char text[8];

		if (memcmp(data + at + 257, "ustar", 5) != 0)
			continue;
		memset(data + at + 148, ' ', 8);
		for (size_t i = 0; i < 512; i++)
			sum += data[at + i];
		snprintf(text, sizeof text, "%06o", sum);
		memcpy(data + at + 148, text, 7);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t *archive;

	if (size < 2)
		return 0;
	archive = malloc(size);
	must_hold(archive != NULL);
	memcpy(archive, data + 2, size - 2);
	if (data[1] & 1)
		mend(archive, size - 2);
	read_in_pieces(sink_untar, archive, size - 2, 1u + data[0] * 3u);
	free(archive);
	return 0;
}
