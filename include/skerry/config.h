/* SPDX-License-Identifier: ISC
 *
 * The configuration language: plain C, run on the host when a unikernel is configured.
 *
 * config.c includes this header and defines configure(), which names the unikernel, its sources and keys, makes devices
 * and hands them to start(). The target and the values of keys can be asked for here, so plain `if` chooses, and what
 * is not chosen is not linked:
 *
 *	static const struct key_config port = PORT_KEY("port", "8080", "TCP port to listen on.");
 *
 *	void configure(struct unikernel *u)
 *	{
 *		unikernel_name(u, "site");
 *		unikernel_key(u, &port);
 *		unikernel_stack(u, generic_stack(u, default_network()));
 *		unikernel_kv_ro(u, generic_kv_ro(u, "htdocs"));
 *	}
 *
 * This one's program is `int start(struct stack *stack, struct kv *htdocs)`, and reads `keys.port` of "keys.h".
 *
 * Each kind of device is a C type of its own: one in the place of another is an error of the compiler at its line of
 * config.c. Other mistakes end the run with one line, "config.c:LINE: ...". Strings are borrowed until the end of the
 * run; paths are relative to config.c unless said otherwise.
 */
#ifndef SKERRY_CONFIG_H
#define SKERRY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct unikernel;

/* Defined by config.c. */
void configure(struct unikernel *unikernel);

/* Whether it is configured for this target: "unix", "spt", "hvt" or "virtio". */
bool target_is(const struct unikernel *unikernel, const char *target);

/* The unikernel -------------------------------------------------------------------------------------------------- */

/* Its name: 1 to 63 letters, digits, '-' and '_'. Every unikernel has one. */
void unikernel_name(struct unikernel *unikernel, const char *name);

/* A source in C, compiled for the target; "unikernel.c" if none is added. Sources find headers beside config.c and
 * "keys.h", and all of them see the prototype of start() that the devices make, so that another one is an error. */
void unikernel_source(struct unikernel *unikernel, const char *path);

/* A file to embed: #include "files.h" declares `extern const struct crunched_file symbol` (<skerry/crunch.h>). */
void unikernel_file(struct unikernel *unikernel, const char *symbol, const char *path);

/* A static library of a Debian package: libNAME.a, and the headers of the package. On targets other than unix it must
 * make no system call: the link says so if it does. */
void unikernel_library(struct unikernel *unikernel, const char *package, const char *library);

/* A step of the build: a shell command that makes a file from others, run when one of these has changed. In the command
 * $in and $out stand for the paths. The output is relative to the directory in which the unikernel is built; it may be
 * a source, and `skerry clean` removes it. */
enum { STEP_INPUTS_MAX = 8 };
struct build_step {
	const char *output;
	const char *command;
	const char *inputs[STEP_INPUTS_MAX]; /* files; NULL behind the last */
};
void unikernel_step(struct unikernel *unikernel, const struct build_step *step);

/* Keys ----------------------------------------------------------------------------------------------------------- */

/* When a key can be given. What `skerry configure --NAME=VALUE` sets of KEY_ALWAYS is the default at boot. */
enum key_stage {
	KEY_ALWAYS,
	KEY_AT_CONFIGURE, /* the program reads what was configured */
	KEY_AT_BOOT,
};

enum key_kind {
	KEY_STRING,      /* const char * */
	KEY_INT,         /* int64_t */
	KEY_BOOL,        /* bool */
	KEY_FLAG,        /* bool: present or not; takes no value */
	KEY_IPV4,        /* struct key_ipv4, <skerry/key.h>: 10.0.0.1 */
	KEY_PREFIX,      /* struct key_ipv4: 10.0.0.2/24 */
	KEY_IPV6,        /* struct key_ipv6: 2001:db8::1 */
	KEY_IPV6_PREFIX, /* struct key_ipv6: 2001:db8::2/64 */
	KEY_ENUM,        /* int: which of its choices, from 0; -1 without a default */
	KEY_LIST,        /* struct key_list: one,two,three */
};

/* A key; the program reads keys.name, where '-' becomes '_', as a value in C that goes with its kind. */
struct key_config {
	enum key_kind kind;
	const char *name;    /* 1 to 31 letters, digits, '-' and '_', the first a letter */
	const char *initial; /* the default as text; NULL: none */
	const char *doc;     /* one sentence, for the help */
	const char *choices; /* KEY_ENUM: "direct|socket" */
	long long min, max;  /* KEY_INT; both 0: any */
	enum key_stage stage;
	bool required; /* it must be given, at boot unless it is KEY_AT_CONFIGURE */
};

/* Initialisers: .stage = KEY_AT_CONFIGURE or .required = true may follow the last argument. */
#define CONFIG_KEY(key_kind, key_name, default_text, text, ...)                                                        \
	{                                                                                                              \
		.kind = (key_kind), .name = (key_name), .initial = (default_text), .doc = (text), __VA_ARGS__          \
	}
#define STRING_KEY(name, initial, ...)      CONFIG_KEY(KEY_STRING, name, initial, __VA_ARGS__, )
#define BOOL_KEY(name, initial, ...)        CONFIG_KEY(KEY_BOOL, name, initial, __VA_ARGS__, ) /* "true" or "false" */
#define FLAG_KEY(name, ...)                 CONFIG_KEY(KEY_FLAG, name, NULL, __VA_ARGS__, )
#define IPV4_KEY(name, initial, ...)        CONFIG_KEY(KEY_IPV4, name, initial, __VA_ARGS__, )   /* "10.0.0.1" */
#define PREFIX_KEY(name, initial, ...)      CONFIG_KEY(KEY_PREFIX, name, initial, __VA_ARGS__, ) /* "10.0.0.2/24" */
#define IPV6_KEY(name, initial, ...)        CONFIG_KEY(KEY_IPV6, name, initial, __VA_ARGS__, )   /* "2001:db8::1" */
#define IPV6_PREFIX_KEY(name, initial, ...) CONFIG_KEY(KEY_IPV6_PREFIX, name, initial, __VA_ARGS__, )
#define LIST_KEY(name, initial, ...)        CONFIG_KEY(KEY_LIST, name, initial, __VA_ARGS__, ) /* "one,two" */
#define INT_KEY(name, initial, low, high, ...)                                                                         \
	CONFIG_KEY(KEY_INT, name, initial, __VA_ARGS__, .min = (low), .max = (high))
#define PORT_KEY(name, initial, ...) INT_KEY(name, initial, 1, 65535, __VA_ARGS__)
/* The program sees an int that counts the choices from 0, with names: KEY_NET_DIRECT is "direct" of "net". */
#define ENUM_KEY(name, initial, choice_list, ...)                                                                      \
	CONFIG_KEY(KEY_ENUM, name, initial, __VA_ARGS__, .choices = (choice_list))

void unikernel_key(struct unikernel *unikernel, const struct key_config *key);

/* The value of a key that has been added and is not KEY_AT_BOOT: what `configure` was given, else the default.
 * key_text() is NULL and key_number() 0 without either; key_is() compares text; key_true() is for KEY_BOOL and
 * KEY_FLAG. */
const char *key_text(const struct unikernel *unikernel, const struct key_config *key);
long long key_number(const struct unikernel *unikernel, const struct key_config *key);
bool key_is(const struct unikernel *unikernel, const struct key_config *key, const char *text);
bool key_true(const struct unikernel *unikernel, const struct key_config *key);

/* From here on, all keys begin with "NAME-", those that devices bring too (--management-ipv4); NULL ends the group. */
void unikernel_group(struct unikernel *unikernel, const char *name);

/* Devices -------------------------------------------------------------------------------------------------------- */

/* What the functions below give, each of its own type, and what start() takes for it. */
struct device;
struct network_device { /* struct net *, <skerry/net.h> */
	struct device *device;
};
struct stack_device { /* struct stack *, <skerry/stack.h> */
	struct device *device;
};
struct block_device { /* struct block *, <skerry/block.h> */
	struct device *device;
};
struct kv_ro_device { /* struct kv *, <skerry/kv.h>, which is read only */
	struct device *device;
};
struct kv_rw_device { /* struct kv * */
	struct device *device;
};
struct custom_device { /* what its config says */
	struct device *device;
};

/* Adds a device to the arguments of start(), in the order of these calls. Devices are opened before start() is called,
 * and closed after it. */
void unikernel_network(struct unikernel *unikernel, struct network_device network);
void unikernel_stack(struct unikernel *unikernel, struct stack_device stack);
void unikernel_block(struct unikernel *unikernel, struct block_device block);
void unikernel_kv_ro(struct unikernel *unikernel, struct kv_ro_device kv);
void unikernel_kv_rw(struct unikernel *unikernel, struct kv_rw_device kv);
void unikernel_custom(struct unikernel *unikernel, struct custom_device device);

/* A network by its name in the manifest, 1 to 67 letters and digits. */
struct network_device network(const char *name);
struct network_device default_network(void); /* "service" */

/* A stack: our own on a network, on any target, with keys such as --ipv4, and with --dhcp=true at configure time (which
 * links the DHCP client) an address from a DHCP server if none is given; or the host's sockets, on unix only. A second
 * stack of our own outside a group has its network's name in front of its keys. With --dual-stack=true at configure
 * time our own stack has IPv6, too, with keys such as --ipv6, which makes an image 25 KB larger. */
struct stack_device direct_stack(struct unikernel *unikernel, struct network_device network);
struct stack_device host_stack(struct unikernel *unikernel);
/* Chosen by the key --net=direct|socket; if it is not given, the host's sockets on unix without --dhcp=true, and our
 * own stack elsewhere. */
struct stack_device generic_stack(struct unikernel *unikernel, struct network_device network);

/* A block device by its name in the manifest. A file is what is attached unless another is named at its start; it is
 * relative to the directory in which the unikernel is built, as a step's output is. */
struct block_device block(const char *name);
struct block_device block_of_file(const char *name, const char *file);
/* One whose file is made from a directory by the build: dist/NAME.tar by tar, dist/NAME.fat by mkfs.fat and mcopy. */
struct block_device block_of_tar(const char *name, const char *directory);
struct block_device block_of_fat(const char *name, const char *directory);

/* Key-value stores that are read. */
struct kv_ro_device crunch_kv(const char *directory);       /* all its files, in the image */
struct kv_ro_device tar_kv(struct block_device block);      /* a tar archive */
struct kv_ro_device tar_kv_in_image(const char *directory); /* a tar archive of it, in the image */
struct kv_ro_device fat_kv(struct block_device block);      /* a FAT file system */
struct kv_ro_device directory_kv(struct unikernel *unikernel, const char *directory); /* of the host; on unix only */
/* The files of a directory, as the key --kv_ro=crunch|archive|fat|direct says: crunch_kv() by default, tar_kv(),
 * fat_kv() or directory_kv(). Block devices have the directory's name, without what is not a letter or digit. */
struct kv_ro_device generic_kv_ro(struct unikernel *unikernel, const char *directory);

/* Key-value stores that are read and written. */
struct kv_rw_device memory_kv(size_t max_bytes);       /* empty at first, gone at the end */
struct kv_rw_device log_kv(struct block_device block); /* a log that survives cuts of power; formats a blank device */
struct kv_rw_device directory_kv_rw(struct unikernel *unikernel, const char *directory); /* of the host; on unix only */

/* A device that is neither, or an implementation of one that is. The build compiles its sources into the unikernel,
 * which calls, with the devices that it needs opened before,
 *	int OPEN(NEEDED..., [ARGUMENTS,] TYPE *device)	0 or a negative errno
 *	void CLOSE(TYPE device)				also with what OPEN has not set: NULL or 0
 */
enum { DEVICE_SOURCES_MAX = 8, DEVICE_NEEDS_MAX = 8 };
struct device_config {
	const char *name;   /* for messages and the graph */
	const char *type;   /* "struct counter *"; of custom() only */
	const char *header; /* "counter.h", which declares the type and the functions */
	const char *open, *close;
	const char *arguments;                   /* more arguments of OPEN, in C: "4096, keys.level"; NULL: none */
	const char *sources[DEVICE_SOURCES_MAX]; /* NULL behind the last */
	struct device *needs[DEVICE_NEEDS_MAX];  /* as in { disk.device }; NULL behind the last */
};
struct custom_device custom(const struct device_config *config);
struct network_device custom_network(const struct device_config *config);
struct stack_device custom_stack(const struct device_config *config);
struct block_device custom_block(const struct device_config *config);
struct kv_ro_device custom_kv_ro(const struct device_config *config);
struct kv_rw_device custom_kv_rw(const struct device_config *config);

/* Lines ---------------------------------------------------------------------------------------------------------- */

/* Each of these calls notes its line first, for messages; not where the functions are defined. */
void config_at(const char *file, int line);
#ifndef CONFIG_WITHOUT_LINES
#define CONFIG_CALL(function, ...) (config_at(__FILE__, __LINE__), function(__VA_ARGS__))
#define target_is(...)             CONFIG_CALL(target_is, __VA_ARGS__)
#define unikernel_name(...)        CONFIG_CALL(unikernel_name, __VA_ARGS__)
#define unikernel_source(...)      CONFIG_CALL(unikernel_source, __VA_ARGS__)
#define unikernel_file(...)        CONFIG_CALL(unikernel_file, __VA_ARGS__)
#define unikernel_library(...)     CONFIG_CALL(unikernel_library, __VA_ARGS__)
#define unikernel_step(...)        CONFIG_CALL(unikernel_step, __VA_ARGS__)
#define unikernel_key(...)         CONFIG_CALL(unikernel_key, __VA_ARGS__)
#define key_text(...)              CONFIG_CALL(key_text, __VA_ARGS__)
#define key_number(...)            CONFIG_CALL(key_number, __VA_ARGS__)
#define key_is(...)                CONFIG_CALL(key_is, __VA_ARGS__)
#define key_true(...)              CONFIG_CALL(key_true, __VA_ARGS__)
#define unikernel_group(...)       CONFIG_CALL(unikernel_group, __VA_ARGS__)
#define unikernel_network(...)     CONFIG_CALL(unikernel_network, __VA_ARGS__)
#define unikernel_stack(...)       CONFIG_CALL(unikernel_stack, __VA_ARGS__)
#define unikernel_block(...)       CONFIG_CALL(unikernel_block, __VA_ARGS__)
#define unikernel_kv_ro(...)       CONFIG_CALL(unikernel_kv_ro, __VA_ARGS__)
#define unikernel_kv_rw(...)       CONFIG_CALL(unikernel_kv_rw, __VA_ARGS__)
#define unikernel_custom(...)      CONFIG_CALL(unikernel_custom, __VA_ARGS__)
#define network(...)               CONFIG_CALL(network, __VA_ARGS__)
#define default_network()          CONFIG_CALL(default_network, )
#define direct_stack(...)          CONFIG_CALL(direct_stack, __VA_ARGS__)
#define host_stack(...)            CONFIG_CALL(host_stack, __VA_ARGS__)
#define generic_stack(...)         CONFIG_CALL(generic_stack, __VA_ARGS__)
#define block(...)                 CONFIG_CALL(block, __VA_ARGS__)
#define block_of_file(...)         CONFIG_CALL(block_of_file, __VA_ARGS__)
#define block_of_tar(...)          CONFIG_CALL(block_of_tar, __VA_ARGS__)
#define block_of_fat(...)          CONFIG_CALL(block_of_fat, __VA_ARGS__)
#define crunch_kv(...)             CONFIG_CALL(crunch_kv, __VA_ARGS__)
#define tar_kv(...)                CONFIG_CALL(tar_kv, __VA_ARGS__)
#define tar_kv_in_image(...)       CONFIG_CALL(tar_kv_in_image, __VA_ARGS__)
#define fat_kv(...)                CONFIG_CALL(fat_kv, __VA_ARGS__)
#define directory_kv(...)          CONFIG_CALL(directory_kv, __VA_ARGS__)
#define generic_kv_ro(...)         CONFIG_CALL(generic_kv_ro, __VA_ARGS__)
#define memory_kv(...)             CONFIG_CALL(memory_kv, __VA_ARGS__)
#define log_kv(...)                CONFIG_CALL(log_kv, __VA_ARGS__)
#define directory_kv_rw(...)       CONFIG_CALL(directory_kv_rw, __VA_ARGS__)
#define custom(...)                CONFIG_CALL(custom, __VA_ARGS__)
#define custom_network(...)        CONFIG_CALL(custom_network, __VA_ARGS__)
#define custom_stack(...)          CONFIG_CALL(custom_stack, __VA_ARGS__)
#define custom_block(...)          CONFIG_CALL(custom_block, __VA_ARGS__)
#define custom_kv_ro(...)          CONFIG_CALL(custom_kv_ro, __VA_ARGS__)
#define custom_kv_rw(...)          CONFIG_CALL(custom_kv_rw, __VA_ARGS__)
#endif

#endif
