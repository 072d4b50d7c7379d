/* SPDX-License-Identifier: ISC
 *
 * The configuration language's devices: nodes of a graph, whose edges go to the devices that one needs.
 */
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
static const struct key_config hostname_key = STRING_KEY(
	"hostname", NULL, "What a DHCP server is told that this host is called; if not given, what --name says.");
static const struct key_config dual_stack_key =
	BOOL_KEY("dual-stack", "false", "Whether our own stack has IPv6 beside IPv4.", .stage = KEY_AT_CONFIGURE);

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

struct device *device_add(struct device device)
{
	config_check_room("devices", model.device_count, DEVICES_MAX);
	device.place = config_place;
	if (!device.type)
		device.type = kinds[device.kind].type;
	model.devices[model.device_count] = device;
	return &model.devices[model.device_count++];
}

struct device *device_check(struct device *device)
{
	if (device < model.devices || device >= model.devices + model.device_count)
		config_error("this device was not made by any of the functions that make devices");
	return device;
}

/* Networks and stacks -------------------------------------------------------------------------------------------- */

struct network_device network(const char *name)
{
	config_check_name("network", name, "", DEVICE_NAME_LEN_MAX);
	return (struct network_device){ device_add((struct device){ .kind = DEVICE_NETWORK, .name = name }) };
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
	struct device device = { .kind = DEVICE_DIRECT_STACK, .needs = { device_check(link.device) } };

	device.name = link.device->name;
	if (!u->group && !is_first_stack())
		u->group = link.device->name;
	device.prefix = u->group ? config_text("%s-", u->group) : "";
	device.dhcp = wants_dhcp();
	if (device.dhcp)
		(void)key_of_device(&hostname_key);
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
	return (struct stack_device){ device_add(device) };
}

struct stack_device host_stack(struct unikernel *u)
{
	if (!target_is(u, "unix"))
		config_error("host_stack(): the host's sockets are there on target unix only; use generic_stack()");
	return (struct stack_device){ device_add((struct device){ .kind = DEVICE_HOST_STACK, .name = "host" }) };
}

struct stack_device generic_stack(struct unikernel *u, struct network_device link)
{
	const char *net = key_default(key_of_device(&net_key));
	bool dhcp = wants(&dhcp_key);

	(void)wants(&dual_stack_key); /* the host's sockets have both families in any case */
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
	return (struct block_device){ device_add(device) };
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
