/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the symbol table of an image. Whatever it holds, a name is printable and in its room.
 */
#include <stdlib.h>
#include <string.h>

#include "tender/common/symbols.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void expect(bool condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t addresses[] = { 0, 0x100000, 0x100010, 0x1000ff, UINT64_MAX };
	struct tender_image image = { .name = "fuzz", .fd = -1, .bytes = data, .size = size };
	struct symbols symbols;
	char text[SYMBOL_TEXT_SIZE];

	symbols_read(&image, &symbols);
	expect(symbols.count <= SYMBOLS_MAX);
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		symbols_describe(&symbols, addresses[i], text);
		expect(strlen(text) > 0 && strlen(text) < sizeof text);
		for (const char *c = text; *c; c++)
			expect(*c >= ' ' && *c <= '~');
	}
	symbols_free(&symbols);
	return 0;
}
