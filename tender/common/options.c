/* SPDX-License-Identifier: ISC
 *
 * The command line: a table of options, each `--KEY=VALUE` or `--KEY:NAME=VALUE`.
 */
#include <errno.h>
#include <string.h>

#include "tender/common/options.h"

bool tender_number_parse(const char *text, uint32_t min, uint32_t max, uint32_t *number)
{
	uint64_t value = 0;
	const char *c = text;

	for (; *c >= '0' && *c <= '9' && value <= UINT32_MAX; c++)
		value = value * 10 + (uint64_t)(*c - '0');
	if (c == text || *c != '\0' || value < min || value > max)
		return false;
	*number = (uint32_t)value;
	return true;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef0123456789ABCDEF";
	const char *found = c ? strchr(digits, c) : NULL;

	return found ? (int)((found - digits) % 16) : -1;
}

static bool mac_parse(const char *text, uint8_t mac[6])
{
	for (size_t i = 0; i < 6; i++) {
		int high = hex_digit(text[0]);
		int low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || text[2] != (i < 5 ? ':' : '\0'))
			return false;
		mac[i] = (uint8_t)(high << 4 | low);
		text += 3;
	}
	return (mac[0] & 1) == 0 && memcmp(mac, (uint8_t[6]){ 0 }, 6) != 0;
}

/* The options of the device that one names. They come in any order, so the first one makes the entry. */
static int device_find(struct tender_options *options, const char *key, const char *name, enum manifest_type type,
	struct tender_device_option **found, struct tender_error *error)
{
	struct tender_device_option *device;

	if (!tender_device_name_valid(name))
		return tender_fail(error, -EINVAL, "--%s: device name \"%.80s\"; expected 1 to %d of [A-Za-z0-9]", key,
			name, MANIFEST_NAME_SIZE - 1);
	for (size_t i = 0; i < options->device_count; i++) {
		device = &options->devices[i];
		if (strcmp(device->name, name) != 0)
			continue;
		if (device->type != type)
			return tender_fail(error, -EINVAL,
				"device \"%s\": attached twice, as network and as block; expected one", name);
		*found = device;
		return 0;
	}
	if (options->device_count == TENDER_DEVICES_MAX)
		return tender_fail(error, -EINVAL, "device \"%s\": one too many; expected at most %d devices", name,
			TENDER_DEVICES_MAX);
	device = &options->devices[options->device_count++];
	*device = (struct tender_device_option){ .type = type, .sector_bytes = TENDER_SECTOR_DEFAULT };
	memcpy(device->name, name, strlen(name) + 1);
	*found = device;
	return 0;
}

static int backend_set(struct tender_options *options, const char *key, const char *name, const char *value,
	enum manifest_type type, struct tender_error *error)
{
	struct tender_device_option *device;
	int err = device_find(options, key, name, type, &device, error);

	if (err < 0)
		return err;
	if (device->backend)
		return tender_fail(error, -EINVAL, "device \"%s\": attached twice; expected once", name);
	if (*value == '\0')
		return tender_fail(error, -EINVAL, "--%s:%s: no value; expected what to attach", key, name);
	device->backend = value;
	return 0;
}

static int set_net(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	return backend_set(options, "net", name, value, MANIFEST_NET_BASIC, error);
}

static int set_block(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	return backend_set(options, "block", name, value, MANIFEST_BLOCK_BASIC, error);
}

static int set_mac(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	struct tender_device_option *device;
	int err = device_find(options, "net-mac", name, MANIFEST_NET_BASIC, &device, error);

	if (err < 0)
		return err;
	if (!mac_parse(value, device->mac))
		return tender_fail(error, -EINVAL,
			"--net-mac:%s: \"%.80s\"; expected a unicast address such as 02:00:00:00:00:01", name, value);
	device->has_mac = true;
	return 0;
}

static int set_sector_size(
	struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	struct tender_device_option *device;
	uint32_t size;
	int err = device_find(options, "block-sector-size", name, MANIFEST_BLOCK_BASIC, &device, error);

	if (err < 0)
		return err;
	if (!tender_number_parse(value, TENDER_SECTOR_DEFAULT, TENDER_SECTOR_MAX, &size) || (size & (size - 1)) != 0)
		return tender_fail(error, -EINVAL,
			"--block-sector-size:%s: \"%.80s\"; expected a power of two, %d to %d", name, value,
			TENDER_SECTOR_DEFAULT, TENDER_SECTOR_MAX);
	device->sector_bytes = size;
	return 0;
}

static int set_mem(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	uint32_t mb;

	(void)name;
	if (!tender_number_parse(value, TENDER_MEM_MB_MIN, TENDER_MEM_MB_MAX, &mb))
		return tender_fail(error, -EINVAL, "--mem: \"%.80s\"; expected %d to %d (MB)", value, TENDER_MEM_MB_MIN,
			TENDER_MEM_MB_MAX);
	options->mem_bytes = (uint64_t)mb << 20;
	return 0;
}

static int set_capture(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	struct tender_device_option *device;
	int err = device_find(options, "net-pcap", name, MANIFEST_NET_BASIC, &device, error);

	if (err == 0)
		device->capture = value;
	return err;
}

static int set_trace(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	(void)name, (void)value, (void)error;
	options->trace = true;
	return 0;
}

static int set_gdb(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	uint32_t port;

	(void)name;
	if (!tender_number_parse(value, 1, UINT16_MAX, &port))
		return tender_fail(error, -EINVAL, "--gdb: \"%.80s\"; expected a port, 1 to %d", value, UINT16_MAX);
	options->gdb_port = (uint16_t)port;
	return 0;
}

static int set_core(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	(void)name, (void)error;
	options->core_directory = value;
	return 0;
}

static int set_jail(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	(void)name, (void)error;
	options->jail_user = value;
	return 0;
}

static int set_help(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	(void)name, (void)value, (void)error;
	options->action = TENDER_HELP;
	return 0;
}

static int set_version(struct tender_options *options, const char *name, const char *value, struct tender_error *error)
{
	(void)name, (void)value, (void)error;
	options->action = TENDER_SHOW_VERSION;
	return 0;
}

enum { OF_HVT = 1 << ABI_TARGET_HVT, OF_SPT = 1 << ABI_TARGET_SPT, OF_VIRTIO = 1 << ABI_TARGET_VIRTIO };

static const struct option {
	const char *key;
	bool has_name, has_value;
	const char *form;
	const char *help;
	int (*set)(struct tender_options *options, const char *name, const char *value, struct tender_error *error);
	unsigned int targets; /* bits 1 << ABI_TARGET_...; 0: of every tender */
} table[] = {
	{ "mem", false, true, "--mem=MB", "memory of the guest (512)", set_mem, 0 },
	{ "net", true, true, "--net:NAME=IFACE", "attach a tap interface to network NAME", set_net, 0 },
	{ "net", true, true, "--net:NAME=@FD", "attach an open descriptor: a frame each read and write", set_net, 0 },
	{ "net", true, true, "--net:NAME=user[,[tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT]...",
		"attach a user-mode network, and forward ports of this host (127.0.0.1) to the guest", set_net, 0 },
	{ "net-mac", true, true, "--net-mac:NAME=HWADDR", "the guest's address on it (random)", set_mac, 0 },
	{ "block", true, true, "--block:NAME=PATH", "attach a file or disk to block device NAME", set_block, 0 },
	{ "block-sector-size", true, true, "--block-sector-size:NAME=N", "its sector size (512)", set_sector_size, 0 },
	{ "net-pcap", true, true, "--net-pcap:NAME=FILE", "capture its frames in a file for tcpdump or wireshark",
		set_capture, OF_HVT | OF_VIRTIO },
	{ "gdb", false, true, "--gdb=PORT", "wait for gdb: target remote :PORT", set_gdb, OF_HVT | OF_VIRTIO },
	{ "core", false, true, "--core=DIR", "leave a core file for gdb there after a crash", set_core, OF_HVT },
	{ "strace", false, false, "--strace", "print each hypercall with its time", set_trace, OF_HVT },
	{ "jail", false, true, "--jail=USER",
		"started by root: run as USER, with an empty root directory and no networks", set_jail,
		OF_HVT | OF_SPT },
	{ "help", false, false, "--help", "print this", set_help, 0 },
	{ "version", false, false, "--version", "print the version", set_version, 0 },
};
static const size_t table_count = sizeof table / sizeof *table;

static bool has_option(enum abi_target target, size_t i)
{
	return table[i].targets == 0 || (table[i].targets & 1U << target);
}

void tender_options_print(FILE *out, const char *program, enum abi_target target)
{
	fprintf(out,
		"usage: %s [OPTION]... [--] IMAGE [ARG]...\n\n"
		"Runs a unikernel. Each device that it declares must be attached. The ARGs are the unikernel's "
		"own.\n\n",
		program);
	for (size_t i = 0; i < table_count; i++) {
		if (!has_option(target, i))
			continue;
		fprintf(out, strlen(table[i].form) < 30 ? "  %-30s%s\n" : "  %s\n%32s%s\n", table[i].form,
			strlen(table[i].form) < 30 ? table[i].help : "", table[i].help);
	}
}

static int unknown(const char *argument, struct tender_error *error)
{
	return tender_fail(error, -EINVAL,
		"unknown option \"%.80s\"; expected --mem, --net, --net-mac, --block, --block-sector-size, --help or "
		"--version",
		argument);
}

/* One `--KEY[:NAME][=VALUE]`. */
static int option_parse(
	struct tender_options *options, enum abi_target target, const char *argument, struct tender_error *error)
{
	char name[MANIFEST_NAME_SIZE] = "";
	const char *key = argument + 2;
	size_t key_len = strcspn(key, ":=");
	const char *at = key + key_len;
	const char *value;
	size_t name_len;

	for (size_t i = 0; i < table_count; i++) {
		const struct option *option = &table[i];

		if (!has_option(target, i) || strlen(option->key) != key_len || strncmp(option->key, key, key_len) != 0)
			continue;
		name_len = *at == ':' ? strcspn(at + 1, "=") : 0;
		value = at + (*at == ':' ? 1 + name_len : 0);
		if ((*at == ':') != option->has_name || (*value == '=') != option->has_value || name_len >= sizeof name)
			return tender_fail(error, -EINVAL, "option \"%.100s\"; expected %s", argument, option->form);
		memcpy(name, at + 1, name_len);
		return option->set(options, name, value + (*value == '='), error);
	}
	return unknown(argument, error);
}

static int arguments_join(struct tender_options *options, int argc, char **argv, struct tender_error *error)
{
	size_t used = 0;

	for (int i = 0; i < argc; i++) {
		size_t len = strlen(argv[i]);
		size_t space = i > 0 ? 1 : 0;

		/* A byte for the NUL. The first comparison keeps the second from wrapping round. */
		if (len >= sizeof options->cmdline || used + space + len >= sizeof options->cmdline)
			return tender_fail(error, -E2BIG,
				"arguments of the image: too long; expected at most %zu characters",
				sizeof options->cmdline - 1);
		if (space)
			options->cmdline[used++] = ' ';
		memcpy(options->cmdline + used, argv[i], len);
		used += len;
	}
	options->cmdline[used] = '\0';
	return 0;
}

static int options_check(const struct tender_options *options, struct tender_error *error)
{
	for (size_t i = 0; i < options->device_count; i++) {
		const struct tender_device_option *device = &options->devices[i];
		const char *key = device->type == MANIFEST_NET_BASIC ? "net" : "block";

		if (device->backend == NULL)
			return tender_fail(error, -EINVAL,
				"device \"%s\": properties, but nothing attached; expected a --%s:%s=...", device->name,
				key, device->name);
	}
	if (options->jail_user && options->core_directory)
		return tender_fail(error, -EINVAL, "--jail: expected no --core; from a jail no file can be named");
	return 0;
}

int tender_options_parse(
	int argc, char **argv, enum abi_target target, struct tender_options *options, struct tender_error *error)
{
	int i = 1;
	int err = 0;

	options->action = TENDER_RUN;
	options->mem_bytes = (uint64_t)TENDER_MEM_MB_DEFAULT << 20;
	options->trace = false;
	options->gdb_port = 0;
	options->core_directory = NULL;
	options->jail_user = NULL;
	options->device_count = 0;
	for (; i < argc && argv[i][0] == '-' && strcmp(argv[i], "--") != 0; i++) {
		err = argv[i][1] == '-' ? option_parse(options, target, argv[i], error) : unknown(argv[i], error);
		if (err < 0 || options->action != TENDER_RUN)
			return err;
	}
	if (i < argc && strcmp(argv[i], "--") == 0)
		i++;
	if (i >= argc)
		return tender_fail(error, -EINVAL, "no image; expected [OPTION]... [--] IMAGE [ARG]... (see --help)");
	options->image_path = argv[i++];
	err = options_check(options, error);
	return err < 0 ? err : arguments_join(options, argc - i, argv + i, error);
}

static int net_open(const char *backend, struct tender_device *device, struct tender_error *error)
{
	uint32_t fd;

	if (backend[0] == '@') {
		if (!tender_number_parse(backend + 1, 0, INT32_MAX, &fd))
			return tender_fail(error, -EINVAL,
				"device \"%s\": \"%.80s\"; expected @ and a descriptor's number", device->name,
				backend);
		return tender_adopt_net(device, (int)fd, error);
	}
	if (strcmp(backend, "user") == 0)
		return tender_open_user(device, "", error);
	if (strncmp(backend, "user,", 5) == 0)
		return tender_open_user(device, backend + 5, error);
	return tender_open_tap(device, backend, error);
}

int tender_option_open(
	const struct tender_device_option *option, struct tender_device *device, struct tender_error *error)
{
	int err;

	device->name = option->name;
	device->type = option->type;
	device->capture = option->capture;
	if (option->type == MANIFEST_BLOCK_BASIC)
		return tender_open_block(device, option->backend, option->sector_bytes, error);
	err = net_open(option->backend, device, error);
	if (err == 0 && option->has_mac)
		memcpy(device->u.net.mac, option->mac, sizeof option->mac);
	return err;
}
