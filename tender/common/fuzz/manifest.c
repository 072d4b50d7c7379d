/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a manifest's bytes. What is accepted has well-formed, unique names, known types, and nothing attached.
 */
#include <stdlib.h>
#include <string.h>

#include "tender/common/tender.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct tender_manifest manifest;
	struct tender_error error;

	if (tender_manifest_parse("fuzz", data, size, &manifest, &error) < 0)
		return 0;
	for (uint32_t i = 1; i < manifest.entries; i++) {
		const struct manifest_entry *entry = &manifest.e[i];

		if (!tender_device_name_valid(entry->name) || !tender_device_type_name(entry->type) || entry->attached)
			abort();
		for (uint32_t j = 1; j < i; j++)
			if (strcmp(manifest.e[j].name, entry->name) == 0)
				abort();
	}
	return 0;
}
