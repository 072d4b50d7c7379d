/* SPDX-License-Identifier: ISC
 *
 * A library with a message.
 */
#ifndef LIBRARY_HELLO_H
#define LIBRARY_HELLO_H

/* The message; it lives for ever. */
const char *hello_message(void);

#endif
