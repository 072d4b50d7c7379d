/* SPDX-License-Identifier: ISC
 *
 * The arguments of start(), and with them the end of configure(): which devices are used, and whether they go together.
 */
#include <string.h>

#include "tool/configure/model.h"

static void add_argument(struct unikernel *u, struct device *device)
{
	config_check_room("devices for start()", u->argument_count, ARGUMENTS_MAX);
	u->arguments[u->argument_count].device = device_check(device);
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
