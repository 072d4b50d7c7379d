/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: the boot arguments. The input is cut into arguments at line ends; what the keys hold afterwards must
 * be within their types' and bounds' promises, and the result one of the three statuses.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/key.h>
#include <skerry/log.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

LOG_SOURCE(application);

enum { ARGS_MAX = 32 };

static struct {
	const char *text;
	int64_t port, any;
	bool yes, flag;
	struct key_ipv4 address, prefix;
} keys;

static const struct key table[] = {
	{ .name = "text",
		.letter = 't',
		.type = &key_type_string,
		.doc = "Text.",
		.initial = "x",
		.value = &keys.text },
	{ .name = "port", .type = &key_type_int, .doc = "A port.", .initial = "80", .value = &keys.port, .max = 65535 },
	{ .name = "any", .letter = 'a', .type = &key_type_int, .doc = "Any number.", .value = &keys.any },
	{ .name = "yes", .type = &key_type_bool, .doc = "Yes or no.", .value = &keys.yes },
	{ .name = "flag", .letter = 'f', .type = &key_type_flag, .doc = "A flag.", .value = &keys.flag },
	{ .name = "ipv4", .type = &key_type_ipv4, .doc = "An address.", .value = &keys.address },
	{ .name = "prefix", .type = &key_type_prefix, .doc = "A network.", .value = &keys.prefix },
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char program[] = "fuzz";
	char *argv[ARGS_MAX + 2] = { program };
	char *text = malloc(size + 1), *rest = text;
	int argc = 1, status;

	if (!text)
		abort();
	memcpy(text, data, size);
	text[size] = 0;
	while (argc <= ARGS_MAX && rest)
		argv[argc++] = strsep(&rest, "\n");
	status = key_parse(table, sizeof table / sizeof *table, argc, argv);
	if (status != 0 && status != EXIT_HELP && status != EXIT_BAD_ARGUMENT)
		abort();
	if (keys.port < 0 || keys.port > 65535 || keys.address.prefix_len > 32 || keys.prefix.prefix_len > 32)
		abort();
	free(text);
	return 0;
}
