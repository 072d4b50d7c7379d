/* SPDX-License-Identifier: ISC
 *
 * What every store must hold to, whatever its image: used by the fuzz targets.
 */
#ifndef KV_FUZZ_WALK_H
#define KV_FUZZ_WALK_H

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/kv.h>

/* Reads all of a store. Names are in order, and each is found as the kind that the list says. */
static inline void walk_store(struct kv *kv)
{
	struct kv_list list;
	uint8_t digest[KV_DIGEST_LEN];

	if (kv_list(kv, "", &list) == 0) {
		for (size_t i = 0; i < list.count; i++) {
			enum kv_kind kind;
			int err = kv_exists(kv, list.entries[i].name, &kind);

			if (err == 0 ? kind != list.entries[i].kind : err != -EBADMSG)
				abort();
			if (i > 0 && strcmp(list.entries[i - 1].name, list.entries[i].name) >= 0)
				abort();
		}
		kv_list_free(&list);
	}
	(void)!kv_digest(kv, "", digest);
	kv_close(kv);
}

#endif
