/* SPDX-License-Identifier: ISC
 *
 * The configuration language: plain C, run on the host when a unikernel is configured.
 *
 * config.c includes this header and defines configure(), which names the unikernel, its keys and its devices. Devices
 * are passed to start() in the order in which configure() adds them. A target or key is an ordinary value here, so
 * plain `if` chooses.
 */
#ifndef SKERRY_CONFIG_H
#define SKERRY_CONFIG_H

#include <stdbool.h>
#include <stddef.h>

struct unikernel;

/* Defined by config.c. */
void configure(struct unikernel *unikernel);

/* "unix", "spt", ... */
bool target_is(const struct unikernel *unikernel, const char *target);

/* The unikernel's name (letters, digits, '-'), and its sources beside config.c; "unikernel.c" if none is added. */
void unikernel_name(struct unikernel *unikernel, const char *name);
void unikernel_source(struct unikernel *unikernel, const char *path);

/* A file that `skerry crunch` embeds: #include "files.h" declares `extern const struct crunched_file symbol`. */
void unikernel_file(struct unikernel *unikernel, const char *symbol, const char *path);

enum key_kind { CONFIG_STRING, CONFIG_INT, CONFIG_BOOL, CONFIG_FLAG, CONFIG_IPV4, CONFIG_PREFIX };
/* A key, set at boot by --name; the program reads keys.name ('-' becomes '_'). */
struct key_config {
	enum key_kind kind;
	const char *name;
	const char *initial; /* default as text; NULL: none */
	const char *doc;
	long long min, max; /* CONFIG_INT; both 0: any */
};
#define STRING_KEY(key_name, default_text, text)                                                                       \
	{                                                                                                              \
		.kind = CONFIG_STRING, .name = (key_name), .initial = (default_text), .doc = (text)                    \
	}
#define INT_KEY(key_name, default_text, low, high, text)                                                               \
	{                                                                                                              \
		.kind = CONFIG_INT, .name = (key_name), .initial = (default_text), .doc = (text), .min = (low),        \
		.max = (high)                                                                                          \
	}
#define PORT_KEY(key_name, default_text, text) INT_KEY(key_name, default_text, 1, 65535, text)
#define FLAG_KEY(key_name, text)                                                                                       \
	{                                                                                                              \
		.kind = CONFIG_FLAG, .name = (key_name), .doc = (text)                                                 \
	}
void unikernel_key(struct unikernel *unikernel, const struct key_config *key);

/* A network device by its name in the manifest; default_network is "service". */
struct network_config {
	const char *name;
};
struct network_config network(const char *name);
struct network_config default_network(void);

/* Adds a device: an argument of start(). */
void unikernel_network(struct unikernel *unikernel, struct network_config network); /* struct net * */
void unikernel_block(struct unikernel *unikernel, const char *name);                /* struct block * */

/* A stack: host sockets or our own. Adds the keys --ipv4 and --ipv4-gateway for our own. */
struct stack_choice {
	bool host;
	struct network_config network;
};
struct stack_choice direct_stack(struct network_config network); /* our own stack on the device, on any target */
struct stack_choice host_stack(void);                            /* the host's sockets; unix only */
/* The host's sockets on unix unless configured with --net=direct; our own elsewhere. */
struct stack_choice generic_stack(struct unikernel *unikernel, struct network_config network);
void unikernel_stack(struct unikernel *unikernel, struct stack_choice stack); /* struct stack * */

#endif
