/* SPDX-License-Identifier: ISC
 *
 * The subcommands of `skerry`, each in the file of its name.
 */
#ifndef TOOL_H
#define TOOL_H

#include "tool/command.h"

extern const struct command command_build;
extern const struct command command_clean;
extern const struct command command_configure;
extern const struct command command_crunch;
extern const struct command command_describe;
extern const struct command command_doctor;
extern const struct command command_elf;
extern const struct command command_help;
extern const struct command command_net;
extern const struct command command_new;
extern const struct command command_query;
extern const struct command command_run;

#endif
