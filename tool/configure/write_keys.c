/* SPDX-License-Identifier: ISC
 *
 * The keys in generated C: keys.h, and the table in main.c.
 */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "tool/configure/model.h"
#include "tool/configure/write.h"

const char *field_name(const char *name)
{
	char *field = strdup(name);

	if (!field)
		config_error("no memory");
	for (char *c = field; *c; c++)
		if (*c == '-')
			*c = '_';
	return field;
}

void write_literal(FILE *out, const char *text)
{
	fputc('"', out);
	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			fprintf(out, "\\%c", *c);
		else if (isprint(*c) && *c != '?') /* two question marks may begin a trigraph */
			fputc(*c, out);
		else
			fprintf(out, "\\%03o", *c);
	}
	fputc('"', out);
}

static void write_upper(FILE *out, const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		fputc(name[i] == '-' ? '_' : toupper((unsigned char)name[i]), out);
}

/* enum { KEY_NET_DIRECT, KEY_NET_SOCKET }; */
static void write_choices(FILE *out, const struct key_config *key)
{
	fprintf(out, "enum {");
	for (const char *choice = key->choices;; choice++) {
		size_t len = strcspn(choice, "|");

		fprintf(out, "%sKEY_", choice == key->choices ? " " : ", ");
		write_upper(out, key->name, strlen(key->name));
		fputc('_', out);
		write_upper(out, choice, len);
		choice += len;
		if (!*choice)
			break;
	}
	fprintf(out, " };\n");
}

size_t keys_count(void)
{
	size_t count = 0;

	for (size_t i = 0; i < model.key_count; i++)
		count += !model.keys[i].own;
	return count;
}

void write_keys_header(FILE *out)
{
	fprintf(out, GENERATED "the values of the keys. */\n#ifndef KEYS_H\n#define KEYS_H\n\n");
	fprintf(out, "#include <skerry/key.h>\n\n");
	for (size_t i = 0; i < model.key_count; i++)
		if (model.keys[i].config.kind == KEY_ENUM && !model.keys[i].own)
			write_choices(out, &model.keys[i].config);
	if (keys_count()) {
		fprintf(out, "struct keys {\n");
		for (size_t i = 0; i < model.key_count; i++)
			if (!model.keys[i].own)
				fprintf(out, "\t%s%s;\n", key_kinds[model.keys[i].config.kind].value_type,
					field_name(model.keys[i].config.name));
		fprintf(out, "};\nextern struct keys keys;\n\n");
	}
	fprintf(out, "#endif\n");
}

static void write_key(FILE *out, const struct model_key *key)
{
	const struct key_config *config = &key->config;

	fprintf(out, "\t{ .name = \"%s\", .type = &%s, .value = &keys.%s, .doc = ", config->name,
		key_kinds[config->kind].type_name, field_name(config->name));
	write_literal(out, config->doc ? config->doc : "");
	if (key_default(key)) {
		fprintf(out, ", .initial = ");
		write_literal(out, key_default(key));
	}
	if (config->min || config->max)
		fprintf(out, ", .min = %lld, .max = %lld", config->min, config->max);
	if (config->choices)
		fprintf(out, ", .choices = \"%s\"", config->choices);
	fprintf(out, "%s%s },\n", config->required && config->stage != KEY_AT_CONFIGURE ? ", .required = true" : "",
		config->stage == KEY_AT_CONFIGURE ? ", .fixed = true" : "");
}

void write_keys_table(FILE *out)
{
	if (!keys_count())
		return;
	fprintf(out, "struct keys keys;\n\nstatic const struct key table[] = {\n");
	for (size_t i = 0; i < model.key_count; i++)
		if (!model.keys[i].own)
			write_key(out, &model.keys[i]);
	fprintf(out, "};\n\n");
}
