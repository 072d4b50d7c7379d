/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a zip archive in pieces, whose size the first byte says. What is shown has a clean name, and each
 * content ends once; one that is complete has its size.
 */
#include "reading.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 0)
		read_in_pieces(sink_unzip, data + 1, size - 1, 1u + data[0] * 3u);
	return 0;
}
