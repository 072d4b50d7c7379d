/* SPDX-License-Identifier: ISC
 *
 * Keys: the typed arguments of a unikernel, given at boot as --NAME=VALUE.
 *
 * The configure step generates a `struct keys` with one typed field per key and the table below; programs read
 * `keys.port` and never see a string. --help, -l/--logs, --delay and --name exist in every unikernel.
 */
#ifndef SKERRY_KEY_H
#define SKERRY_KEY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct key_ipv4 {
	uint8_t address[4];
	uint8_t prefix_len; /* 0 to 32; 32 for an address alone */
	bool set;           /* false: neither a default nor a value */
};

struct key_ipv6 {
	uint8_t address[16];
	uint8_t prefix_len; /* 0 to 128; 128 for an address alone */
	bool set;
};

struct key_list {
	const char *const *items; /* they live for ever */
	size_t count;
};

struct key;

/* What values of a key can be. Only the types of the keys that a program has are linked. */
struct key_type {
	int (*store)(const struct key *key, const char *text); /* 0, -EINVAL or -ENOMEM */
	size_t size;                                           /* of the value, whose bytes are 0 without one */
	const char *placeholder; /* for --help, such as "=NUMBER"; "": it takes no value */
	const char *expected;    /* for messages, such as "a whole number"; not of choices */
};
extern const struct key_type key_type_string;      /* const char * */
extern const struct key_type key_type_int;         /* int64_t, decimal or 0x hexadecimal, with optional bounds */
extern const struct key_type key_type_bool;        /* bool: true or false */
extern const struct key_type key_type_flag;        /* bool: present or not; takes no value */
extern const struct key_type key_type_ipv4;        /* struct key_ipv4: 10.0.0.1 */
extern const struct key_type key_type_prefix;      /* struct key_ipv4: 10.0.0.2/24 */
extern const struct key_type key_type_ipv6;        /* struct key_ipv6: 2001:db8::1 */
extern const struct key_type key_type_ipv6_prefix; /* struct key_ipv6: 2001:db8::2/64 */
extern const struct key_type key_type_choice;      /* int: which of its choices, from 0; -1 without a default */
extern const struct key_type key_type_list;        /* struct key_list: one,two,three */

struct key {
	const char *name; /* as after the two dashes */
	char letter;      /* one-letter form (-l VALUE), or 0 */
	const struct key_type *type;
	const char *doc;     /* one sentence, for --help */
	const char *initial; /* the default as text, parsed at boot; NULL: none */
	void *value;         /* where the typed value goes */
	int64_t min, max;    /* of numbers; both 0: any */
	const char *choices; /* names with '|' between them */
	bool required;       /* it must be given */
	bool fixed;          /* has its default and cannot be given: it was chosen when the unikernel was configured */
};

/* Exit statuses of every unikernel. */
enum { EXIT_HELP = 63, EXIT_BAD_ARGUMENT = 64 };

/* What --delay and --name say, for the runtime; programs ask unikernel_instance_name() (<skerry/unikernel.h>). */
extern struct key_boot {
	int64_t delay_s;  /* to wait before the start */
	const char *name; /* NULL: not given */
} key_boot;

/* Sets defaults, then what argv says; later arguments win. Returns 0 to go on; EXIT_HELP after printing the help
 * to the console; EXIT_BAD_ARGUMENT after printing one line there that names the argument and what was expected.
 * Accepts --NAME=VALUE, --NAME VALUE, -x VALUE and -xVALUE. Ignores --solo5:LEVEL options at the front. argv[0] is
 * the program's name; the strings must outlive the keys. Known keys plus the built-in ones, at most 64. */
int key_parse(const struct key *keys, size_t count, int argc, char **argv);

/* Stores text in *key->value as key_parse() does. 0; -EINVAL and what was expected, or -ENOMEM and that, in problem. */
int key_set(const struct key *key, const char *text, char *problem, size_t size);

#endif
