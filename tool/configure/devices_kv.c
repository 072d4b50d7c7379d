/* SPDX-License-Identifier: ISC
 *
 * The configuration language's key-value stores.
 */
#include <ctype.h>
#include <string.h>

#include "tool/configure/model.h"

static const struct key_config kv_ro_key = ENUM_KEY("kv_ro", "crunch", "crunch|archive|fat|direct",
	"The store: in the image, a tar archive or FAT file system on a block device, or the host's directory (unix).",
	.stage = KEY_AT_CONFIGURE);

static struct kv_ro_device add_kv_ro(struct device device)
{
	return (struct kv_ro_device){ device_add(device) };
}

static struct device *add_on_block(enum device_kind kind, struct block_device disk)
{
	struct device *below = device_check(disk.device);

	return device_add((struct device){ .kind = kind, .name = below->name, .needs = { below } });
}

struct kv_ro_device crunch_kv(const char *directory)
{
	config_check_directory(directory);
	return add_kv_ro((struct device){ .kind = DEVICE_CRUNCH_KV, .name = directory, .directory = directory });
}

struct kv_ro_device tar_kv(struct block_device disk)
{
	return (struct kv_ro_device){ add_on_block(DEVICE_TAR_KV, disk) };
}

struct kv_ro_device tar_kv_in_image(const char *directory)
{
	config_check_directory(directory);
	return add_kv_ro((struct device){ .kind = DEVICE_TAR_KV_IN_IMAGE, .name = directory, .directory = directory });
}

struct kv_ro_device fat_kv(struct block_device disk)
{
	return (struct kv_ro_device){ add_on_block(DEVICE_FAT_KV, disk) };
}

static struct device *add_directory(
	const struct unikernel *u, enum device_kind kind, const char *function, const char *directory)
{
	if (!target_is(u, "unix"))
		config_error("%s: the host's directories are there on target unix only", function);
	config_check_directory(directory);
	return device_add((struct device){ .kind = kind, .name = directory, .path = config_path(directory) });
}

struct kv_ro_device directory_kv(struct unikernel *u, const char *directory)
{
	return (struct kv_ro_device){ add_directory(u, DEVICE_DIRECTORY_KV, "directory_kv()", directory) };
}

struct kv_rw_device directory_kv_rw(struct unikernel *u, const char *directory)
{
	return (struct kv_rw_device){ add_directory(u, DEVICE_DIRECTORY_KV_RW, "directory_kv_rw()", directory) };
}

struct kv_rw_device log_kv(struct block_device disk)
{
	return (struct kv_rw_device){ add_on_block(DEVICE_LOG_KV, disk) };
}

/* What of a directory's name can be a device's. */
static const char *block_name(const char *directory)
{
	char name[DEVICE_NAME_LEN_MAX + 1];
	size_t len = 0;

	for (const char *c = directory; *c && len < DEVICE_NAME_LEN_MAX; c++)
		if (isalnum((unsigned char)*c))
			name[len++] = *c;
	name[len] = '\0';
	return config_text("%s", name);
}

struct kv_ro_device generic_kv_ro(struct unikernel *u, const char *directory)
{
	struct model_key *key = key_of_device(&kv_ro_key);
	const char *choice = key_default(key);

	key->own = true;
	config_check_directory(directory);
	if (strcmp(choice, "archive") == 0)
		return tar_kv(block_of_tar(block_name(directory), directory));
	if (strcmp(choice, "fat") == 0)
		return fat_kv(block_of_fat(block_name(directory), directory));
	if (strcmp(choice, "crunch") == 0)
		return crunch_kv(directory);
	if (!target_is(u, "unix"))
		config_error("--%s=direct: the host's directories are there on target unix only; expected "
			     "crunch, archive or fat",
			key->config.name);
	return directory_kv(u, directory);
}

struct kv_rw_device memory_kv(size_t max_bytes)
{
	if (max_bytes == 0)
		config_error("memory_kv(0): expected the most bytes that the store may take");
	return (struct kv_rw_device){ device_add(
		(struct device){ .kind = DEVICE_MEMORY_KV, .name = "memory", .max_bytes = max_bytes }) };
}
