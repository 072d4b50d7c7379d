/* SPDX-License-Identifier: ISC
 *
 * Text on the console, a line at a time. Within lib/core; programs use the log.
 */
#ifndef CONSOLE_H
#define CONSOLE_H

#include <stdarg.h>

/* Writes prefix and the formatted text as one line with one platform_console_write(): cut at LOG_LINE_MAX bytes
 * with its newline; control characters become '?'. Does not block, allocate or fail. */
void console_vline(const char *prefix, const char *format, va_list args) __attribute__((format(printf, 2, 0)));
void console_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
