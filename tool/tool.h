/* SPDX-License-Identifier: ISC
 *
 * The subcommands of `skerry`. Each gets its own name as argv[0], reports one line on stderr when it fails,
 * and returns the exit status: 0, or 1.
 */
#ifndef TOOL_H
#define TOOL_H

int cmd_crunch(int argc, char **argv);
int cmd_elf(int argc, char **argv);

#endif
