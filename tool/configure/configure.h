/* SPDX-License-Identifier: ISC
 *
 * What the subcommands around configure, build, describe and query share.
 */
#ifndef CONFIGURE_CONFIGURE_H
#define CONFIGURE_CONFIGURE_H

#include "tool/command.h"
#include "tool/configure/settings.h"
#include "tool/configure/target.h"

/* The options of all that evaluate config.c; a subcommand's own ids follow. */
enum { OPTION_TARGET = COMMAND_FIRST_OPTION, OPTION_CONFIG, OPTION_OUTPUT, OPTION_OWN };
#define SETTINGS_OPTIONS                                                                                               \
	{ OPTION_TARGET, 't', "target", "TARGET",                                                                      \
		"What to build for: unix, which is the default, spt, hvt or virtio.", TARGET_WORDS },                  \
		{ OPTION_CONFIG, 'f', "file", "FILE", "The configuration, if it is not config.c.", NULL },             \
	{                                                                                                              \
		OPTION_OUTPUT, 'o', "output", "NAME", "The result's name in dist/, if not the unikernel's.", NULL      \
	}

/* Takes one of these options or a key; the first makes it forget what was remembered. 0; COMMAND_FAILED after a
 * complaint. */
int settings_take(struct settings *settings, const struct command *command, int option, const char *value);

/* The help's part on the keys of the unikernel in the current directory, if one is there. */
void settings_help(FILE *out);

/* Configures: writes all files, or only tells which (dry). The exit status. */
int configure_run(struct settings *settings, bool strict, bool dry);

/* Evaluates config.c and makes the plan and the texts of all files, but writes none. In a process of its own. */
void configure_evaluate(struct settings *settings, bool strict);

#endif
