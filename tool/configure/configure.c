/* SPDX-License-Identifier: ISC
 *
 * The host half of <skerry/config.h>: a unikernel's config.c is linked with this file and run. It collects
 *what configure() declares, checks it, and writes main.c, keys.h, manifest.json and build.sh into a
 *directory.
 *
 *	configure -t TARGET -o DIRECTORY [--net=direct|socket]
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "configure.h"

void config_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("config.c: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* Names go into C source, shell and ELF notes: only plain characters pass. */
static void check_name(const char *what, const char *name, const char *punctuation, size_t max)
{
	if (!name || !*name || strlen(name) > max)
		config_error("%s \"%s\": a name has 1 to %zu characters", what, name ? name : "", max);
	for (const char *c = name; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr(punctuation, *c))
			config_error("%s \"%s\": only letters, digits%s%s can be in the name", what, name,
				*punctuation ? " and " : "", punctuation);
}

bool target_is(const struct unikernel *u, const char *target)
{
	return strcmp(u->target, target) == 0;
}

void unikernel_name(struct unikernel *u, const char *name)
{
	check_name("unikernel", name, "-", 63);
	u->name = name;
}

static void check_room(const char *what, size_t count, size_t max)
{
	if (count >= max)
		config_error("more than %zu %s", max, what);
}

void unikernel_source(struct unikernel *u, const char *path)
{
	check_room("sources", u->source_count, SOURCES_MAX);
	check_name("source", path, "-_./", 255);
	u->sources[u->source_count++] = path;
}

void unikernel_file(struct unikernel *u, const char *symbol, const char *path)
{
	check_room("files", u->file_count, FILES_MAX);
	check_name("file symbol", symbol, "_", 63);
	check_name("file", path, "-_./", 255);
	u->files[u->file_count].symbol = symbol;
	u->files[u->file_count++].path = path;
}

void unikernel_key(struct unikernel *u, const struct key_config *key)
{
	check_room("keys", u->key_count, KEYS_MAX);
	check_name("key", key->name, "-", 31);
	for (size_t i = 0; i < u->key_count; i++)
		if (strcmp(u->keys[i].name, key->name) == 0)
			config_error("key \"%s\" is declared twice", key->name);
	u->keys[u->key_count++] = *key;
}

struct network_config network(const char *name)
{
	check_name("network", name, "", 67);
	return (struct network_config){ .name = name };
}

struct network_config default_network(void)
{
	return network("service");
}

static void add_device(struct unikernel *u, struct device device)
{
	check_room("devices", u->device_count, DEVICES_MAX);
	for (size_t i = 0; device.name && i < u->device_count; i++)
		if (u->devices[i].name && strcmp(u->devices[i].name, device.name) == 0)
			config_error("device \"%s\" is used twice; each device has one owner", device.name);
	u->devices[u->device_count++] = device;
}

void unikernel_network(struct unikernel *u, struct network_config config)
{
	add_device(u, (struct device){ .kind = DEVICE_NETWORK, .name = config.name });
}

void unikernel_block(struct unikernel *u, const char *name)
{
	check_name("block", name, "", 67);
	add_device(u, (struct device){ .kind = DEVICE_BLOCK, .name = name });
}

struct stack_choice direct_stack(struct network_config config)
{
	return (struct stack_choice){ .host = false, .network = config };
}

struct stack_choice host_stack(void)
{
	return (struct stack_choice){ .host = true };
}

struct stack_choice generic_stack(struct unikernel *u, struct network_config config)
{
	return target_is(u, "unix") && !u->direct ? host_stack() : direct_stack(config);
}

/* The first stack's keys are plain (--ipv4), a further one's begin with its network's name
 * (--management-ipv4). */
void unikernel_stack(struct unikernel *u, struct stack_choice stack)
{
	static const struct key_config address = { .kind = CONFIG_PREFIX,
		.name = "ipv4",
		.initial = "10.0.0.2/24",
		.doc = "The unikernel's IPv4 address and prefix length." };
	static const struct key_config gateway = { .kind = CONFIG_IPV4,
		.name = "ipv4-gateway",
		.doc = "The default gateway; without one only the own network is reached." };
	const struct key_config *const stack_keys[] = { &address, &gateway };
	char *prefix;

	if (stack.host && !target_is(u, "unix"))
		config_error("host_stack(): the host's sockets exist on target unix only; use generic_stack()");
	add_device(u, (struct device){ .kind = DEVICE_STACK, .name = stack.network.name });
	if (stack.host)
		return;
	prefix = strdup("");
	for (size_t i = 0; i + 1 < u->device_count; i++)
		if (u->devices[i].keys_prefix && asprintf(&prefix, "%s-", stack.network.name) < 0)
			abort();
	u->devices[u->device_count - 1].keys_prefix = prefix;
	for (size_t i = 0; i < 2; i++) {
		struct key_config key = *stack_keys[i];
		char *name;

		if (asprintf(&name, "%s%s", prefix, key.name) < 0)
			abort();
		key.name = name;
		unikernel_key(u, &key);
	}
}

static void write_file(const struct unikernel *u, const char *directory, const char *name,
	void (*write)(FILE *, const struct unikernel *))
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof path, "%s/%s", directory, name);
	out = fopen(path, "w");
	if (out)
		write(out, u);
	if (!out || fclose(out) != 0) {
		fprintf(stderr, "configure: %s: %s\n", path, strerror(errno));
		exit(1);
	}
}

int main(int argc, char **argv)
{
	static struct unikernel u = { .target = "spt" };
	const char *directory = NULL;

	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "-t") == 0 && i + 1 < argc) {
			u.target = argv[++i];
		} else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc) {
			directory = argv[++i];
		} else if (strcmp(argv[i], "--net=direct") == 0 || strcmp(argv[i], "--net=socket") == 0) {
			u.direct = strcmp(argv[i], "--net=direct") == 0;
		} else {
			fprintf(stderr, "configure: %s: expected -t TARGET, -o DIRECTORY or --net=direct|socket\n",
				argv[i]);
			return 1;
		}
	}
	if (!target_is(&u, "unix") && !target_is(&u, "spt")) {
		fprintf(stderr, "configure: unknown target \"%s\"; known are unix and spt\n", u.target);
		return 1;
	}
	if (!directory) {
		fprintf(stderr, "configure: -o DIRECTORY is missing\n");
		return 1;
	}
	configure(&u);
	if (!u.name)
		config_error("the unikernel has no name; call unikernel_name()");
	if (u.source_count == 0)
		unikernel_source(&u, "unikernel.c");
	write_file(&u, directory, "keys.h", write_keys_header);
	write_file(&u, directory, "main.c", write_main);
	write_file(&u, directory, "manifest.json", write_manifest);
	write_file(&u, directory, "build.sh", write_build);
	return 0;
}
