/* SPDX-License-Identifier: ISC
 *
 * Running a unikernel's config.c.
 */
#ifndef CONFIGURE_LOAD_H
#define CONFIGURE_LOAD_H

#include <stdbool.h>

#include "tool/configure/settings.h"

/* Compiles config.c, runs its configure() and checks what it has declared, which is in `model` then. Exits with a
 * message for any mistake. strict: a choice that no key takes is one; else it is left out. Once in a process. */
void load_unikernel(struct settings *settings, bool strict);

/* Runs a function in a process of its own, since config.c is a program, which may crash. Returns the function's value,
 * or what it exits with; 1 after telling that it crashed. */
int run_apart(int (*run)(void *context), void *context);

#endif
