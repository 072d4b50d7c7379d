/* SPDX-License-Identifier: ISC
 *
 * The writers of what the build is made of, each from the model to a stream.
 */
#ifndef CONFIGURE_WRITE_H
#define CONFIGURE_WRITE_H

#include <stddef.h>
#include <stdio.h>

/* How each generated file begins. */
#define GENERATED "/* Written by skerry configure: "

/* In C. What lies in another directory than config.c is named relative to where the compiler runs. */
void write_keys_header(FILE *out);
void write_start_header(FILE *out);
void write_main(FILE *out);

/* The table of the program's keys, for main.c; nothing if keys_count() is 0. */
void write_keys_table(FILE *out);
size_t keys_count(void);

/* The devices of the manifest, in JSON. */
void write_manifest(FILE *out);

/* A text as a string literal of C, and of JSON where that is the same. */
void write_literal(FILE *out, const char *text);

/* A key's name as a C identifier: '-' becomes '_'. It lives for ever. */
const char *field_name(const char *name);

#endif
