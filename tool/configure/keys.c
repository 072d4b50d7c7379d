/* SPDX-License-Identifier: ISC
 *
 * The configuration language's keys: what config.c and its devices declare, and what `configure` was given for them.
 *
 * Values are read by lib/core/key.c, as they will be at boot.
 */
#include <ctype.h>
#include <string.h>

#include "tool/configure/model.h"
#include "tool/configure/write.h"
#include "tool/crunch.h"

enum { PROBLEM_SIZE = 320, KEY_NAME_LEN_MAX = 31, GROUP_LEN_MAX = 20 };

const struct key_kind_in_c key_kinds[] = {
	[KEY_STRING] = { &key_type_string, "key_type_string", "const char *" },
	[KEY_INT] = { &key_type_int, "key_type_int", "int64_t " },
	[KEY_BOOL] = { &key_type_bool, "key_type_bool", "bool " },
	[KEY_FLAG] = { &key_type_flag, "key_type_flag", "bool " },
	[KEY_IPV4] = { &key_type_ipv4, "key_type_ipv4", "struct key_ipv4 " },
	[KEY_PREFIX] = { &key_type_prefix, "key_type_prefix", "struct key_ipv4 " },
	[KEY_IPV6] = { &key_type_ipv6, "key_type_ipv6", "struct key_ipv6 " },
	[KEY_IPV6_PREFIX] = { &key_type_ipv6_prefix, "key_type_ipv6_prefix", "struct key_ipv6 " },
	[KEY_ENUM] = { &key_type_choice, "key_type_choice", "int " },
	[KEY_LIST] = { &key_type_list, "key_type_list", "struct key_list " },
};

union value {
	const char *string;
	int64_t number;
	bool yes;
	int choice;
	struct key_ipv4 ipv4;
	struct key_ipv6 ipv6;
	struct key_list list;
};

/* Reads text as a value of this key; false and what was expected, if it is none. */
static bool read_value(
	const struct key_config *config, const char *text, union value *value, char *problem, size_t size)
{
	const struct key key = {
		.name = config->name,
		.type = key_kinds[config->kind].type,
		.choices = config->choices,
		.min = config->min,
		.max = config->max,
		.value = value,
	};

	memset(value, 0, sizeof *value);
	return key_set(&key, text, problem, size) == 0;
}

/* Reserved: those of every unikernel (lib/core/key.c), and of `skerry configure`. */
static bool name_is_taken(const char *name)
{
	static const char *const taken[] = { "help", "logs", "delay", "name", "target", "file", "output", "dry-run" };

	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (strcmp(taken[i], name) == 0)
			return true;
	return false;
}

static void check_choices(const struct key_config *config)
{
	const char *choice = config->choices;

	if (!choice)
		config_error("key \"%s\" has no choices; expected .choices such as \"one|two\"", config->name);
	for (;; choice++) {
		size_t len = strcspn(choice, "|");

		config_check_name("choice", config_text("%.*s", (int)len, choice), "-_", KEY_NAME_LEN_MAX);
		choice += len;
		if (!*choice)
			return;
	}
}

/* The choice for this key, if `configure` was given one. The last of several counts. */
static const char *find_choice(struct unikernel *u, const struct key_config *config)
{
	const char *text = NULL;

	for (size_t i = 0; i < u->choice_count; i++) {
		struct choice *choice = &u->choices[i];

		if (strcmp(choice->name, config->name) != 0)
			continue;
		choice->used = true;
		if (config->stage == KEY_AT_BOOT)
			choice_error(
				"--%s is given when the unikernel starts, not when it is configured", config->name);
		if (config->kind == KEY_FLAG && choice->value)
			choice_error("--%s \"%s\": expected no value", config->name, choice->value);
		if (config->kind != KEY_FLAG && !choice->value)
			choice_error("--%s: expected a value, --%s=VALUE", config->name, config->name);
		text = choice->value ? choice->value : "true";
	}
	return text;
}

static struct model_key *add_key(
	struct unikernel *u, const struct key_config *config, const struct key_config *declared)
{
	struct model_key *key = &u->keys[u->key_count];
	char problem[PROBLEM_SIZE];
	union value value;

	config_check_room("keys", u->key_count, MODEL_KEYS_MAX);
	if (!isalpha((unsigned char)*config->name))
		config_error("key \"%s\": expected a letter at the beginning of the name", config->name);
	if (name_is_taken(config->name))
		config_error("key \"%s\": every unikernel has one of this name; choose another", config->name);
	if (crunch_is_reserved(field_name(config->name)))
		config_error("key \"%s\" has a meaning in C; choose another name", config->name);
	for (size_t i = 0; i < u->key_count; i++)
		if (strcmp(field_name(u->keys[i].config.name), field_name(config->name)) == 0)
			config_error(
				"key \"%s\" is declared twice, first in line %d", config->name, u->keys[i].place.line);
	if ((size_t)config->kind >= sizeof key_kinds / sizeof *key_kinds)
		config_error("key \"%s\": expected one of enum key_kind", config->name);
	if (config->kind == KEY_ENUM)
		check_choices(config);
	if (config->initial && !read_value(config, config->initial, &value, problem, sizeof problem))
		config_error("key \"%s\": default \"%s\": %s", config->name, config->initial, problem);
	*key = (struct model_key){ .config = *config, .declared = declared, .place = config_place };
	key->chosen = find_choice(u, config);
	if (key->chosen && !read_value(config, key->chosen, &value, problem, sizeof problem))
		choice_error("--%s \"%s\": %s", config->name, key->chosen, problem);
	if (config->required && config->stage == KEY_AT_CONFIGURE && !key->chosen && !config->initial)
		choice_error("--%s=VALUE is required: %s", config->name, config->doc ? config->doc : "");
	u->key_count++;
	return key;
}

/* With the open group's name in front. */
static struct key_config in_group(const struct unikernel *u, const struct key_config *config)
{
	struct key_config grouped = *config;

	config_check_name("key", config->name, "-_", KEY_NAME_LEN_MAX);
	if (u->group)
		grouped.name = config_text("%s-%s", u->group, config->name);
	return grouped;
}

void unikernel_key(struct unikernel *u, const struct key_config *config)
{
	struct key_config grouped = in_group(u, config);

	add_key(u, &grouped, config);
}

void unikernel_group(struct unikernel *u, const char *name)
{
	if (name)
		config_check_name("group", name, "-", GROUP_LEN_MAX);
	u->group = name;
}

struct model_key *key_of_device(const struct key_config *config)
{
	struct key_config grouped = in_group(&model, config);

	for (size_t i = 0; i < model.key_count; i++)
		if (model.keys[i].declared == config && strcmp(model.keys[i].config.name, grouped.name) == 0)
			return &model.keys[i];
	return add_key(&model, &grouped, config);
}

const char *key_default(const struct model_key *key)
{
	return key->chosen ? key->chosen : key->config.initial;
}

static const struct model_key *find_key(const struct unikernel *u, const struct key_config *config)
{
	const struct model_key *found = NULL;

	/* One that was added in several groups: the last counts. */
	for (size_t i = 0; i < u->key_count; i++)
		if (u->keys[i].declared == config)
			found = &u->keys[i];
	if (!found)
		config_error("key \"%s\" has no value yet; call unikernel_key() first", config->name);
	if (config->stage == KEY_AT_BOOT)
		config_error("key \"%s\" has no value before boot; its stage is KEY_AT_BOOT", config->name);
	return found;
}

const char *key_text(const struct unikernel *u, const struct key_config *config)
{
	return key_default(find_key(u, config));
}

bool key_is(const struct unikernel *u, const struct key_config *config, const char *text)
{
	const char *value = key_default(find_key(u, config));
	char problem[PROBLEM_SIZE];
	union value unused;

	/* A misspelt word would never be the value. */
	if (!read_value(config, text, &unused, problem, sizeof problem))
		config_error("key \"%s\" is never \"%s\": %s", config->name, text, problem);
	return value && strcmp(value, text) == 0;
}

long long key_number(const struct unikernel *u, const struct key_config *config)
{
	const char *text = key_default(find_key(u, config));
	char problem[PROBLEM_SIZE];
	union value value;

	if (config->kind != KEY_INT)
		config_error("key \"%s\" is no number", config->name);
	/* It was read before without a mistake. */
	return text && read_value(config, text, &value, problem, sizeof problem) ? value.number : 0;
}

bool key_true(const struct unikernel *u, const struct key_config *config)
{
	const char *text = key_default(find_key(u, config));

	if (config->kind != KEY_BOOL && config->kind != KEY_FLAG)
		config_error("key \"%s\" is neither a flag nor true or false", config->name);
	return text && strcmp(text, "true") == 0;
}
