/* SPDX-License-Identifier: ISC
 *
 * The characters that HTTP is made of (RFC 9110, 5.5 and 5.6), and its comma-separated lists.
 */
#ifndef HTTP_TEXT_H
#define HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* A character of a token: a method, a field's name, a coding (5.6.2). */
bool http_is_token_char(char c);
/* At least one character, and all of them a token's. */
bool http_is_token(const char *text, size_t len);
/* A character that a field's value may have: visible, a space, a tab, or obs-text (5.5). */
bool http_is_value_char(char c);
bool http_is_space(char c); /* SP or HTAB: OWS (5.6.3) */
bool http_is_digit(char c);
int http_hex_value(char c); /* 0 to 15, or -1 */

/* Whether text is this word, compared without case (ASCII's only, whatever the locale). */
bool http_is_word(const char *text, size_t len, const char *word);

/* Takes the next element that is not empty from a list, without the space around it (5.6.1), and moves *list behind
 * it. False: there is none. Knows no quoted strings: only for lists whose elements have none. */
bool http_list_next(const char **list, const char **item, size_t *len);
/* Whether one of the list's elements is this word. A NULL list has none. */
bool http_list_has(const char *list, const char *word);

#endif
