/* SPDX-License-Identifier: ISC
 *
 * Formatted text without the C library's streams, for the library and for programs that want to stay small.
 *
 * snprintf() is there too, but brings floating point in long double, error messages and streams along: 13 KB, about as
 * much as all else in a small image.
 */
#ifndef SKERRY_TEXT_H
#define SKERRY_TEXT_H

#include <stdarg.h>
#include <stddef.h>

/* As snprintf(): writes at most size bytes with the terminating 0 (nothing when size is 0) and returns the length that
 * the whole text has. Conversions: d i u o x X c s p %, as C17 says (7.21.6.1); f, F rounded correctly up to 17 digits
 * after the point, with e, g and a printed as f is, and numbers from 2^64 on as ">18446744073709551615". There is no n,
 * and no l before c and s: an unknown conversion, and all that follows it, is printed as it stands. */
size_t text_format(char *buf, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));
size_t text_vformat(char *buf, size_t size, const char *format, va_list args) __attribute__((format(printf, 3, 0)));

#endif
