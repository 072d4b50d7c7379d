/* SPDX-License-Identifier: ISC
 *
 * The configuration language's devices: nodes of a graph, whose edges go to the devices that one needs.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tool/configure/model.h"

/* Whoever gives a stack another key adds a line here. */
const struct stack_key stack_keys[] = {
	{ PREFIX_KEY("ipv4", "10.0.0.2/24", "The unikernel's IPv4 address and prefix length."), "ipv4", false },
	{ IPV4_KEY("ipv4-gateway", NULL, "The default gateway; without one only the own network is reached."),
		"gateway", false },
	{ IPV6_PREFIX_KEY("ipv6", NULL, "An IPv6 address and prefix length, beside those that routers make possible."),
		"ipv6_address", true },
	{ IPV6_KEY("ipv6-gateway", NULL, "The default IPv6 gateway, before those that advertise themselves."),
		"ipv6_gateway", true },
	{ BOOL_KEY("accept-router-advertisements", "true",
		  "Whether IPv6 routers are believed: gateways, prefixes, name servers."),
		"accept_router_advertisements", true },
	{ STRING_KEY("ipv6-secret", NULL,
		  "Makes IPv6 addresses that stay the same from boot to boot; without one they are new each time."),
		"ipv6_secret", true },
	{ BOOL_KEY(
		  "ipv6-temporary", "false", "Whether connections from here have IPv6 addresses that change each day."),
		"ipv6_temporary", true },
	{ BOOL_KEY("ipv4-only", "false", "No IPv6."), "ipv4_only", true },
	{ BOOL_KEY("ipv6-only", "false", "No IPv4."), "ipv6_only", true },
};
const size_t stack_key_count = sizeof stack_keys / sizeof *stack_keys;

static const struct key_config net_key = ENUM_KEY("net", NULL, "direct|socket",
	"The network stack: our own, or the host's sockets (unix only).", .stage = KEY_AT_CONFIGURE);
static const struct key_config dhcp_key = BOOL_KEY("dhcp", "false",
	"Whether a DHCP server is asked for the address, unless --ipv4 gives one.", .stage = KEY_AT_CONFIGURE);
static const struct key_config dual_stack_key =
	BOOL_KEY("dual-stack", "false", "Whether our own stack has IPv6 beside IPv4.", .stage = KEY_AT_CONFIGURE);
static const struct key_config kv_ro_key = ENUM_KEY("kv_ro", "crunch", "crunch|archive|fat|direct",
	"The store: in the image, a tar archive or FAT file system on a block device, or the host's directory (unix).",
	.stage = KEY_AT_CONFIGURE);

static const struct {
	const char *name, *type;
} kinds[] = {
	[DEVICE_NETWORK] = { "network", "struct net *" },
	[DEVICE_BLOCK] = { "block", "struct block *" },
	[DEVICE_DIRECT_STACK] = { "stack", "struct stack *" },
	[DEVICE_HOST_STACK] = { "host's sockets", "struct stack *" },
	[DEVICE_CRUNCH_KV] = { "files in the image", "struct kv *" },
	[DEVICE_TAR_KV] = { "tar archive", "struct kv *" },
	[DEVICE_TAR_KV_IN_IMAGE] = { "tar archive in the image", "struct kv *" },
	[DEVICE_FAT_KV] = { "FAT file system", "struct kv *" },
	[DEVICE_DIRECTORY_KV] = { "directory of the host", "struct kv *" },
	[DEVICE_MEMORY_KV] = { "store in memory", "struct kv *" },
	[DEVICE_LOG_KV] = { "store in a log", "struct kv *" },
	[DEVICE_DIRECTORY_KV_RW] = { "directory of the host", "struct kv *" },
	[DEVICE_CUSTOM] = { "custom", NULL },
};

const char *device_kind_name(const struct device *device)
{
	return kinds[device->kind].name;
}

bool device_in_manifest(const struct device *device)
{
	return device->kind == DEVICE_NETWORK || device->kind == DEVICE_BLOCK;
}

static struct device *add_device(struct device device)
{
	config_check_room("devices", model.device_count, DEVICES_MAX);
	device.place = config_place;
	if (!device.type)
		device.type = kinds[device.kind].type;
	model.devices[model.device_count] = device;
	return &model.devices[model.device_count++];
}

/* Makes sure that a device's value came out of a constructor. */
static struct device *check_device(struct device *device)
{
	if (device < model.devices || device >= model.devices + model.device_count)
		config_error("this device was not made by any of the functions that make devices");
	return device;
}

/* Networks and stacks -------------------------------------------------------------------------------------------- */

enum { DEVICE_NAME_LEN_MAX = 67 };

struct network_device network(const char *name)
{
	config_check_name("network", name, "", DEVICE_NAME_LEN_MAX);
	return (struct network_device){ add_device((struct device){ .kind = DEVICE_NETWORK, .name = name }) };
}

struct network_device default_network(void)
{
	return network("service");
}

static bool is_first_stack(void)
{
	for (size_t i = 0; i < model.device_count; i++)
		if (model.devices[i].kind == DEVICE_DIRECT_STACK && !*model.devices[i].prefix)
			return false;
	return true;
}

/* Whether the stack that is being made is to have what this key says. */
static bool wants(const struct key_config *config)
{
	struct model_key *key = key_of_device(config);

	key->own = true;
	return strcmp(key_default(key), "true") == 0;
}

/* What is linked can be chosen at boot, too. */
static bool wants_dhcp(void)
{
	struct model_key *key = key_of_device(&dhcp_key);
	bool wanted = wants(&dhcp_key);

	if (wanted) {
		key->own = false;
		key->config.stage = KEY_ALWAYS;
	}
	return wanted;
}

struct stack_device direct_stack(struct unikernel *u, struct network_device link)
{
	const char *open_group = u->group;
	struct device device = { .kind = DEVICE_DIRECT_STACK, .needs = { check_device(link.device) } };

	device.name = link.device->name;
	if (!u->group && !is_first_stack())
		u->group = link.device->name;
	device.prefix = u->group ? config_text("%s-", u->group) : "";
	device.dhcp = wants_dhcp();
	device.ipv6 = wants(&dual_stack_key);
	for (size_t i = 0; i < stack_key_count; i++) {
		struct model_key *key;

		if (stack_keys[i].ipv6 && !device.ipv6)
			continue;
		key = key_of_device(&stack_keys[i].config);
		if (device.dhcp && !stack_keys[i].ipv6)
			key->config.initial = NULL;
	}
	u->group = open_group;
	return (struct stack_device){ add_device(device) };
}

struct stack_device host_stack(struct unikernel *u)
{
	if (!target_is(u, "unix"))
		config_error("host_stack(): the host's sockets are there on target unix only; use generic_stack()");
	return (struct stack_device){ add_device((struct device){ .kind = DEVICE_HOST_STACK, .name = "host" }) };
}

struct stack_device generic_stack(struct unikernel *u, struct network_device link)
{
	const char *net = key_default(key_of_device(&net_key));
	bool dhcp = wants(&dhcp_key);

	key_of_device(&net_key)->own = true;
	if (net && strcmp(net, "socket") == 0 && !target_is(u, "unix"))
		config_error("--net=socket: the host's sockets are there on target unix only; use --net=direct");
	if (net ? strcmp(net, "socket") == 0 : target_is(u, "unix") && !dhcp)
		return host_stack(u);
	return direct_stack(u, link);
}

/* Block devices -------------------------------------------------------------------------------------------------- */

static struct block_device add_block(struct device device)
{
	config_check_name("block", device.name, "", DEVICE_NAME_LEN_MAX);
	device.kind = DEVICE_BLOCK;
	return (struct block_device){ add_device(device) };
}

struct block_device block(const char *name)
{
	return add_block((struct device){ .name = name });
}

struct block_device block_of_file(const char *name, const char *file)
{
	config_check_path("file", file);
	return add_block((struct device){ .name = name, .path = file, .file = FILE_OF_USER });
}

struct block_device block_of_tar(const char *name, const char *directory)
{
	config_check_directory(directory);
	return add_block((struct device){
		.name = name, .path = config_text("dist/%s.tar", name), .directory = directory, .file = FILE_OF_TAR });
}

struct block_device block_of_fat(const char *name, const char *directory)
{
	config_check_directory(directory);
	return add_block((struct device){
		.name = name, .path = config_text("dist/%s.fat", name), .directory = directory, .file = FILE_OF_FAT });
}

/* Key-value stores ----------------------------------------------------------------------------------------------- */

static struct kv_ro_device add_kv_ro(struct device device)
{
	return (struct kv_ro_device){ add_device(device) };
}

struct kv_ro_device crunch_kv(const char *directory)
{
	config_check_directory(directory);
	return add_kv_ro((struct device){ .kind = DEVICE_CRUNCH_KV, .name = directory, .directory = directory });
}

struct kv_ro_device tar_kv(struct block_device disk)
{
	return add_kv_ro((struct device){
		.kind = DEVICE_TAR_KV, .name = disk.device->name, .needs = { check_device(disk.device) } });
}

struct kv_ro_device tar_kv_in_image(const char *directory)
{
	config_check_directory(directory);
	return add_kv_ro((struct device){ .kind = DEVICE_TAR_KV_IN_IMAGE, .name = directory, .directory = directory });
}

struct kv_ro_device fat_kv(struct block_device disk)
{
	return add_kv_ro((struct device){
		.kind = DEVICE_FAT_KV, .name = disk.device->name, .needs = { check_device(disk.device) } });
}

static struct device *add_directory(
	const struct unikernel *u, enum device_kind kind, const char *function, const char *directory)
{
	if (!target_is(u, "unix"))
		config_error("%s: the host's directories are there on target unix only", function);
	config_check_directory(directory);
	return add_device((struct device){ .kind = kind, .name = directory, .path = config_path(directory) });
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
	return (struct kv_rw_device){ add_device((struct device){
		.kind = DEVICE_LOG_KV, .name = disk.device->name, .needs = { check_device(disk.device) } }) };
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
	return (struct kv_rw_device){ add_device(
		(struct device){ .kind = DEVICE_MEMORY_KV, .name = "memory", .max_bytes = max_bytes }) };
}

/* Custom devices ------------------------------------------------------------------------------------------------- */

static void check_function(const char *device, const char *what, const char *name)
{
	if (!name || !(isalpha((unsigned char)*name) || *name == '_'))
		config_error("device \"%s\": expected the name of a C function in .%s", device, what);
	config_check_name(what, name, "_", 63);
}

/* type: in C, NULL: of the device's own. */
static struct device *add_custom(const struct device_config *config, const char *type)
{
	struct device device = { .kind = DEVICE_CUSTOM, .name = config->name, .type = type };
	struct device_config *copy = malloc(sizeof *copy);

	config_check_name("device", config->name, "-_", DEVICE_NAME_LEN_MAX);
	if (!type && !config->type)
		config_error("device \"%s\" has no .type, such as \"struct %s *\"", config->name, config->name);
	if (type && config->type && strcmp(type, config->type) != 0)
		config_error("device \"%s\": its .type is %s; expected none", config->name, type);
	if (!type)
		device.type = config_text("%s ", config->type);
	if (!config->header)
		config_error("device \"%s\" has no .header that declares its functions", config->name);
	config_check_path("header", config->header);
	check_function(config->name, "open", config->open);
	check_function(config->name, "close", config->close);
	for (size_t i = 0; i < DEVICE_SOURCES_MAX && config->sources[i]; i++)
		config_check_path("source", config->sources[i]);
	for (size_t i = 0; i < DEVICE_NEEDS_MAX && config->needs[i]; i++)
		device.needs[i] = check_device(config->needs[i]);
	if (!copy)
		config_error("no memory");
	*copy = *config;
	device.config = copy;
	return add_device(device);
}

struct custom_device custom(const struct device_config *config)
{
	return (struct custom_device){ add_custom(config, NULL) };
}

struct network_device custom_network(const struct device_config *config)
{
	return (struct network_device){ add_custom(config, "struct net *") };
}

struct stack_device custom_stack(const struct device_config *config)
{
	return (struct stack_device){ add_custom(config, "struct stack *") };
}

struct block_device custom_block(const struct device_config *config)
{
	return (struct block_device){ add_custom(config, "struct block *") };
}

struct kv_ro_device custom_kv_ro(const struct device_config *config)
{
	return (struct kv_ro_device){ add_custom(config, "struct kv *") };
}

struct kv_rw_device custom_kv_rw(const struct device_config *config)
{
	return (struct kv_rw_device){ add_custom(config, "struct kv *") };
}

/* Arguments of start() ------------------------------------------------------------------------------------------- */

static void add_argument(struct unikernel *u, struct device *device)
{
	config_check_room("devices for start()", u->argument_count, ARGUMENTS_MAX);
	u->arguments[u->argument_count].device = check_device(device);
	u->arguments[u->argument_count++].place = config_place;
}

void unikernel_network(struct unikernel *u, struct network_device network)
{
	add_argument(u, network.device);
}

void unikernel_stack(struct unikernel *u, struct stack_device stack)
{
	add_argument(u, stack.device);
}

void unikernel_block(struct unikernel *u, struct block_device block)
{
	add_argument(u, block.device);
}

void unikernel_kv_ro(struct unikernel *u, struct kv_ro_device kv)
{
	add_argument(u, kv.device);
}

void unikernel_kv_rw(struct unikernel *u, struct kv_rw_device kv)
{
	add_argument(u, kv.device);
}

void unikernel_custom(struct unikernel *u, struct custom_device device)
{
	add_argument(u, device.device);
}

/* The end of configure() ----------------------------------------------------------------------------------------- */

/* Devices come behind what they need, so that one pass from the last to the first finds all that is used. */
static void find_used(void)
{
	for (size_t i = 0; i < model.argument_count; i++)
		model.arguments[i].device->used = true;
	for (size_t i = model.device_count; i-- > 0;)
		for (size_t j = 0; model.devices[i].used && j < DEVICE_NEEDS_MAX && model.devices[i].needs[j]; j++)
			model.devices[i].needs[j]->used = true;
}

static void check_names(void)
{
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];

		for (size_t j = 0; j < i; j++) {
			const struct device *other = &model.devices[j];

			if (device->used && other->used && device_in_manifest(device) && device_in_manifest(other) &&
				strcmp(device->name, other->name) == 0)
				config_error_at(&device->place,
					"device \"%s\" has the name of another, made in line %d; give it its own",
					device->name, other->place.line);
		}
	}
}

/* A stack or store takes over what lies below it; a second user of a network would miss frames. */
static void check_owners(void)
{
	for (size_t i = 0; i < model.device_count; i++) {
		const struct device *device = &model.devices[i];
		size_t users = 0;

		if (!device->used || strcmp(device->type, "struct net *") != 0)
			continue;
		for (size_t j = 0; j < model.argument_count; j++)
			users += model.arguments[j].device == device;
		for (size_t j = 0; j < model.device_count; j++)
			for (size_t k = 0; model.devices[j].used && k < DEVICE_NEEDS_MAX && model.devices[j].needs[k];
				k++)
				users += model.devices[j].needs[k] == device;
		if (users > 1)
			config_error_at(
				&device->place, "network \"%s\" is used twice; each has one owner", device->name);
	}
}

void model_finish(void)
{
	config_place.line = 0;
	if (!model.name)
		config_error("the unikernel has no name; call unikernel_name()");
	if (model.source_count == 0)
		unikernel_source(&model, "unikernel.c");
	find_used();
	check_names();
	check_owners();
}
