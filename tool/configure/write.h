/* SPDX-License-Identifier: ISC
 *
 * The writers of what the build is made of, each from the model to a stream.
 */
#ifndef CONFIGURE_WRITE_H
#define CONFIGURE_WRITE_H

#include <stdio.h>

/* In C. What lies in another directory than config.c is named relative to where the compiler runs. */
void write_keys_header(FILE *out);
void write_start_header(FILE *out);
void write_main(FILE *out);

/* The devices of the manifest, in JSON. */
void write_manifest(FILE *out);

/* A text as a string literal of C, and of JSON where that is the same. */
void write_literal(FILE *out, const char *text);

/* A key's name as a C identifier: '-' becomes '_'. It lives for ever. */
const char *field_name(const char *name);

#endif
