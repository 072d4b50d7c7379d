/* SPDX-License-Identifier: ISC
 *
 * Says what is in the dictionary "t" of the archive or file system on its disk: each value's name, size and SHA-256.
 */
#include <errno.h>
#include <inttypes.h>

#include <skerry/kv.h>
#include <skerry/log.h>
#include <skerry/text.h>

LOG_SOURCE(kv);

static int show(struct kv *kv, const char *name)
{
	char key[KV_KEY_MAX + 1], hex[2 * KV_DIGEST_LEN + 1];
	uint8_t digest[KV_DIGEST_LEN];
	uint64_t size;
	int err;

	text_format(key, sizeof key, "t/%s", name);
	err = kv_size(kv, key, &size);
	if (err == 0)
		err = kv_digest(kv, key, digest);
	if (err)
		return err;
	for (size_t i = 0; i < sizeof digest; i++)
		text_format(hex + 2 * i, 3, "%02x", digest[i]);
	log_info("%s %" PRIu64 " %s", name, size, hex);
	return 0;
}

int start(struct block *disk)
{
	struct kv_list list;
	struct kv *kv;
	int err = kv_fat_open(kv_image_of_block(disk), &kv);

	if (err == -EBADMSG)
		err = kv_tar_open(kv_image_of_block(disk), &kv);
	if (err)
		return err;
	err = kv_list(kv, "t", &list);
	if (err == 0) {
		for (size_t i = 0; err == 0 && i < list.count; i++)
			err = show(kv, list.entries[i].name);
		kv_list_free(&list);
	}
	kv_close(kv);
	return err;
}
