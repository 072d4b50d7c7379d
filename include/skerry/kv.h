/* SPDX-License-Identifier: ISC
 *
 * Key-value stores: values of bytes under keys that are paths, as MirageOS's mirage-kv has them.
 *
 * A key is "secret" or "htdocs/css/style.css": names with '/' between them; one '/' at the front is allowed and means
 * nothing. A key names a value or a dictionary, which is what keys below it lie in; "" and "/" name the root
 * dictionary, which is always there. Names are bytes (UTF-8 where the store knows), and none is empty, "." or "..".
 *
 * What MirageOS's errors are here, and what every function below may return:
 *
 *	-ENOENT		Not_found: there is no such key
 *	-EISDIR		Value_expected: the key names a dictionary
 *	-ENOTDIR	Dictionary_expected: the key, or one that it lies below, names a value
 *	-ENOSPC		No_space
 *	-EINVAL		Rename_source_prefix: a key cannot be moved below itself; also: this is not a key
 *	-EEXIST		Already_present: a dictionary cannot replace another
 *	-ENAMETOOLONG	a key with more bytes than KV_KEY_MAX or more names than KV_DEPTH_MAX
 *	-EROFS		the store cannot be written
 *	-EACCES		the host does not permit it, or what has this name there is neither file nor directory
 *	-EBADMSG	the store's image contradicts itself
 *	-EIO, -ENOMEM	of the device and of the heap
 *
 * Keys, and values given, are borrowed for the call. Nothing here is kept open between calls, so a store needs closing
 * only. A call takes as long as the device does and lets no other task run; a store belongs to one task at a time.
 */
#ifndef SKERRY_KV_H
#define SKERRY_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct block;
struct crunched_file;
struct kv;

enum {
	KV_KEY_MAX = 1023,  /* bytes of a key, without a '/' at its front */
	KV_DEPTH_MAX = 32,  /* names in a key */
	KV_DIGEST_LEN = 32, /* SHA-256 (FIPS 180-4) */
};

enum kv_kind { KV_VALUE, KV_DICTIONARY };

/* Reading ----------------------------------------------------------------------------------------------------- */

int kv_exists(struct kv *kv, const char *key, enum kv_kind *kind);

/* A value's length in bytes. */
int kv_size(struct kv *kv, const char *key, uint64_t *size);

/* Reads up to size bytes of a value from offset. Returns their count, less than size only at the value's end; 0 there
 * and beyond. */
ssize_t kv_read(struct kv *kv, const char *key, uint64_t offset, void *buf, size_t size);

/* A whole value, which becomes the caller's to free(). A zero byte that does not count in len follows it. */
int kv_get(struct kv *kv, const char *key, uint8_t **value, size_t *len);

/* What lies directly in a dictionary, each name once, ordered by bytes. */
struct kv_list {
	struct kv_entry {
		char *name; /* without the dictionary's key */
		enum kv_kind kind;
	} * entries;
	size_t count;
};
/* The list becomes the caller's; kv_list_free() takes it back (one of all zeros too). */
int kv_list(struct kv *kv, const char *key, struct kv_list *list);
void kv_list_free(struct kv_list *list);

/* Nanoseconds of UTC since 1970, 0 if the store does not know. Of a dictionary: the latest of what is directly in it.
 */
int kv_last_modified(struct kv *kv, const char *key, uint64_t *wall_ns);

/* The SHA-256 of a value. Of a dictionary: of its entries in order, each as 'v' or 'd', its name, a zero byte and its
 * digest; so equal trees have equal digests in every kind of store. */
int kv_digest(struct kv *kv, const char *key, uint8_t digest[KV_DIGEST_LEN]);

/* Writing ----------------------------------------------------------------------------------------------------- */

/* Sets a value, new or in place of the old; the dictionaries that it lies in come with it. The old value stays when
 * this fails. */
int kv_set(struct kv *kv, const char *key, const void *value, size_t len);

/* Removes a value, or a dictionary with all in it. A dictionary goes with the last key in it. The root can be emptied
 * so, and stays. */
int kv_remove(struct kv *kv, const char *key);

/* Moves a value, over another if there is one, or a dictionary. */
int kv_rename(struct kv *kv, const char *from, const char *to);

/* Stores ------------------------------------------------------------------------------------------------------ */

/* Closes a store; NULL is ignored. What it was opened on stays open. */
void kv_close(struct kv *kv);

/* Files that `skerry crunch` put into the image, which are read-only and have no times. Keys are their names without
 * prefix ("examples/kv_ro/t/"); -EINVAL if a name does not begin with it or leaves no key, -EEXIST if two are one. */
int kv_crunch_open(const struct crunched_file *const *files, size_t count, const char *prefix, struct kv **kv);

/* A store in memory, empty at first, that takes at most max_bytes for keys and values: -ENOSPC beyond. */
int kv_memory_open(size_t max_bytes, struct kv **kv);

/* A directory of the host, on unix only: files are values, directories dictionaries, also empty ones. Symbolic links,
 * devices and pipes are left out, and nothing outside of the directory is reached. A name is at most 255 bytes
 * (-ENAMETOOLONG), and ".skerry" in the root is the store's own (-EINVAL). kv_set() makes a new file and puts it in the
 * old one's place; what returns without error is on stable storage. Keeps a descriptor of the directory. Errors are
 * logged with what to do: -ENOENT, -ENOTDIR, -EACCES, -EROFS; -EBUSY when another program has it open for writing;
 * -ENOMEM, -EIO. */
int kv_directory_open(const char *path, bool read_only, struct kv **kv);

/* A store on a block device that survives a cut of power at any moment (docs/kv-log.md): what a call that returned
 * without error has changed is there afterwards, and of one that had not returned either all or nothing. Names are held
 * in memory, values on the device, so the store needs about 150 bytes and the key for each value.
 *
 * A value takes whole sectors. An eighth of the device, and as much as the largest value takes, stay free, so that
 * space can be won back; and a value that is replaced goes when the new one is there: so one value can take a quarter
 * of the device. -ENOSPC before more is used; kv_remove() works then too. A write moves at most the live values once,
 * and about eight times its own size while the store is nearly full.
 *
 * After -EIO from a write nothing more is written (-EIO) until the store is opened again, for only then it is known
 * what is on the device. A value that the device has damaged gives -EBADMSG, never other bytes. */
enum {
	KV_LOG_SECTORS_MIN = 64, /* of a device */
	KV_LOG_KEYS_MAX = 65536, /* values in a store: -ENOSPC beyond */
};

/* Makes an empty store, whatever was on the device. -ENOSPC: the device has fewer than KV_LOG_SECTORS_MIN sectors;
 * -EROFS, -EIO, -ENOMEM. */
int kv_log_format(struct block *block);

/* Opens a store. The block device must outlive it and is not to be written by anything else. With format_blank a
 * device of which every byte is zero is formatted first; a device that holds anything is never formatted here. Reads
 * the log's headers, one or two sectors a record. Errors are logged with what to do:
 *
 *	-ENODATA	the device is blank, and format_blank is not given
 *	-EBADMSG	the device holds something else, or a store that is damaged or cut off
 *	-EINVAL		the store was made with sectors of another size
 *	-ENOTSUP	the store is of a later version
 *	-ENOSPC		the blank device is too small
 *	-EROFS		the blank device is read-only; a store on one can be opened, and read
 *	-EIO, -ENOMEM
 */
int kv_log_open(struct block *block, bool format_blank, struct kv **kv);

/* What an archive lies in: a block device or memory, which must outlive the store. */
struct kv_image {
	uint64_t size; /* bytes */
	/* Reads len bytes that lie within the image: 0, -EIO, -ENOMEM. */
	int (*read)(const struct kv_image *image, uint64_t offset, void *buf, size_t len);
	struct block *block;
	const uint8_t *data;
};
struct kv_image kv_image_of_block(struct block *block);
struct kv_image kv_image_of_memory(const void *data, size_t size);

/* A tar archive, read-only: ustar, GNU's with long names, and pax (POSIX.1-2017, pax, "Extended Interchange Format"),
 * to its end mark or the image's end. Of several entries of one name the last counts; a hard link is the value that it
 * names; symbolic links, devices and pipes are left out. The index of names is read here, values when they are asked
 * for. -EBADMSG for what is not an archive, is cut off or leads out of it by ".."; -ENOTSUP for sparse, multi-volume
 * and unknown entries; -EFBIG for more than KV_TAR_ENTRIES_MAX entries; -ENAMETOOLONG. */
enum { KV_TAR_ENTRIES_MAX = 65536 };
int kv_tar_open(struct kv_image image, struct kv **kv);

/* A FAT12, FAT16 or FAT32 file system (Microsoft, "FAT: General Overview of On-Disk Format", 1.03), read-only. Names
 * are the long ones in UTF-8, else the short ones with NT's lower-case flags, where '_' stands for a byte above 127;
 * they are compared byte for byte. Times are taken for UTC. The index of names is read here, values when they are asked
 * for: then a chain of clusters that does not fit its file gives -EBADMSG. -EBADMSG for what is not FAT or contradicts
 * itself, such as a directory that is found twice; -EFBIG for more than KV_FAT_ENTRIES_MAX names or
 * KV_FAT_DIRECTORIES_MAX directories; -ENAMETOOLONG. */
enum { KV_FAT_ENTRIES_MAX = 65536, KV_FAT_DIRECTORIES_MAX = 4096 };
int kv_fat_open(struct kv_image image, struct kv **kv);

#endif
