/* SPDX-License-Identifier: ISC
 *
 * The configuration language's devices that config.c brings itself.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tool/configure/model.h"

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
		device.needs[i] = device_check(config->needs[i]);
	if (!copy)
		config_error("no memory");
	*copy = *config;
	device.config = copy;
	return device_add(device);
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
