/* SPDX-License-Identifier: ISC
 *
 * Fuzzes the chunked decoder: a body cut in pieces gives the same data and the same end as the whole, and the data is
 * never more than the input.
 */
#include <stdint.h>
#include <stdlib.h>

#include "../http_chunked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
	enum http_chunked_event event;
	uint64_t hash, data_len, used;
};

static void decode(const uint8_t *data, size_t size, size_t step, struct outcome *outcome)
{
	struct http_chunked chunked = { 0 };

	*outcome = (struct outcome){ .event = HTTP_CHUNKED_MORE };
	for (size_t at = 0; at < size && outcome->event == HTTP_CHUNKED_MORE; at += step) {
		const char *input = (const char *)data + at;
		size_t len = size - at < step ? size - at : step, left = len;

		while ((outcome->event = http_chunked_next(&chunked, &input, &left)) == HTTP_CHUNKED_DATA)
			for (size_t i = 0; i < chunked.data_len; i++, outcome->data_len++)
				outcome->hash = (outcome->hash ^ (unsigned char)chunked.data[i]) * 0x100000001b3u;
		outcome->used += len - left;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct outcome whole, pieces;

	decode(data, size, size + 1, &whole);
	for (size_t step = 1; step <= 5; step++) {
		decode(data, size, step, &pieces);
		if (pieces.event != whole.event || pieces.hash != whole.hash || pieces.used != whole.used ||
			whole.data_len > size)
			abort();
	}
	return 0;
}
