/* SPDX-License-Identifier: ISC
 *
 * A unikernel as its config.c declares it: what the functions of <skerry/config.h> collect and the writers read. All is
 * in tables of fixed size; a declaration too many is a mistake like any other.
 */
#ifndef CONFIGURE_MODEL_H
#define CONFIGURE_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#define CONFIG_WITHOUT_LINES
#include <skerry/config.h>
#include <skerry/key.h>

enum {
	SOURCES_MAX = 256,
	FILES_MAX = 256,
	LIBRARIES_MAX = 32,
	STEPS_MAX = 64,
	MODEL_KEYS_MAX = 58, /* lib/core/key.c takes 64, with those that every unikernel has */
	CHOICES_MAX = 64,    /* --KEY=VALUE of one command line */
	DEVICES_MAX = 128,
	ARGUMENTS_MAX = 63, /* of start(): C allows 127, a manifest 63 devices */
};

/* A line of config.c, or of a file that it includes. */
struct place {
	const char *file;
	int line;
};

/* --NAME=VALUE as `configure` was given it. */
struct choice {
	const char *name, *value; /* value: NULL for --NAME */
	bool used;
};

struct model_key {
	struct key_config config;          /* with the group's prefix in its name */
	const struct key_config *declared; /* as config.c knows it */
	struct place place;
	const char *chosen; /* as text, by a choice; else NULL */
	bool own;           /* the configure step's own: the program has no such field */
};

enum device_kind {
	DEVICE_NETWORK,
	DEVICE_BLOCK,
	DEVICE_DIRECT_STACK,
	DEVICE_HOST_STACK,
	DEVICE_CRUNCH_KV,
	DEVICE_TAR_KV,
	DEVICE_TAR_KV_IN_IMAGE,
	DEVICE_FAT_KV,
	DEVICE_DIRECTORY_KV,
	DEVICE_MEMORY_KV,
	DEVICE_LOG_KV,
	DEVICE_DIRECTORY_KV_RW,
	DEVICE_CUSTOM,
};

/* How a block device's file comes about. */
enum block_file { FILE_NONE, FILE_OF_USER, FILE_OF_TAR, FILE_OF_FAT };

struct device {
	enum device_kind kind;
	struct place place;
	const char *type;                       /* in C, as start() takes it, with a space or '*' at its end */
	const char *name;                       /* in the manifest, or for messages */
	const char *path;                       /* a block device's file; else a store's directory on the host */
	const char *directory;                  /* what the file is made from */
	enum block_file file;                   /* of a block device */
	size_t max_bytes;                       /* of a store in memory */
	const char *prefix;                     /* of a stack's keys: "" or "management-" */
	bool dhcp;                              /* a stack asks a DHCP server for its address */
	bool ipv6;                              /* a stack has IPv6 */
	const struct device_config *config;     /* of a custom device */
	struct device *needs[DEVICE_NEEDS_MAX]; /* NULL behind the last */
	bool used;                              /* start() or another device that is used needs it */
};

struct unikernel {
	const char *target;
	struct choice choices[CHOICES_MAX];
	size_t choice_count;

	const char *name;
	const char *group; /* that is open, or NULL */
	struct {
		const char *path;
		struct place place;
	} sources[SOURCES_MAX];
	size_t source_count;
	struct {
		const char *symbol, *path;
		struct place place;
	} files[FILES_MAX];
	size_t file_count;
	struct model_library {
		const char *package, *library;
		struct place place;
	} libraries[LIBRARIES_MAX];
	size_t library_count;
	struct {
		struct build_step step;
		struct place place;
	} steps[STEPS_MAX];
	size_t step_count;
	struct model_key keys[MODEL_KEYS_MAX];
	size_t key_count;
	struct device devices[DEVICES_MAX]; /* in an order in which each comes behind those that it needs */
	size_t device_count;
	struct {
		struct device *device;
		struct place place;
	} arguments[ARGUMENTS_MAX];
	size_t argument_count;
};

/* The one that is being configured: constructors of devices have no other way to it. */
extern struct unikernel model;
extern struct place config_place; /* of the call that runs now */

/* The directory of config.c, with a '/' behind it; "" for the current one. And what lies in it; the text lives for
 * ever.
 */
extern const char *config_directory;
const char *config_path(const char *path);

/* Prints "config.c:LINE: message" and exits with 1: a mistake in the configuration. */
_Noreturn void config_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
_Noreturn void config_error_at(const struct place *place, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The same for a mistake in what `configure` was given: "skerry configure: message". */
_Noreturn void choice_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A formatted text that lives for ever. */
const char *config_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Names go into C, JSON, the shell and ELF notes: only letters, digits and this punctuation pass, and max characters.
 */
void config_check_name(const char *what, const char *name, const char *punctuation, size_t max);
/* A path to something that the build reads or writes; to a directory that is there. */
void config_check_path(const char *what, const char *path);
void config_check_directory(const char *path);
void config_check_room(const char *what, size_t count, size_t max);

/* What each kind of key is for the program: its type in lib/core (the host reads values with it, too), its name in C,
 * and its value's type in C. In the order of enum key_kind. */
struct key_kind_in_c {
	const struct key_type *type;
	const char *type_name, *value_type;
};
extern const struct key_kind_in_c key_kinds[];

/* A key that a device brings; if there is one of this name, that of a device already, it is this one. */
struct model_key *key_of_device(const struct key_config *config);
/* What the program has without an argument at boot: the choice, else the default; NULL: neither. */
const char *key_default(const struct model_key *key);

/* A stack's keys, and the member of struct stack_config that each goes to. */
struct stack_key {
	struct key_config config;
	const char *member;
	bool ipv6; /* only of a stack with IPv6 */
};
extern const struct stack_key stack_keys[];
extern const size_t stack_key_count;

/* When configure() has returned: finds the devices that are used, and the mistakes that no single call shows. */
void model_finish(void);

/* Adds a node to the graph, at the line of the call that runs now; and makes sure that a value that config.c hands over
 * is one. */
enum { DEVICE_NAME_LEN_MAX = 67 };
struct device *device_add(struct device device);
struct device *device_check(struct device *device);

/* Whether a device is in the manifest. */
bool device_in_manifest(const struct device *device);
/* What the graph calls this kind of device, such as "network". */
const char *device_kind_name(const struct device *device);

#endif
