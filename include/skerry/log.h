/* SPDX-License-Identifier: ISC
 *
 * The log: one line of text a message, on the console.
 *
 *	2018-06-21 12:16:28 -00:00: INF [application] hello
 *
 * A file that logs declares its source once, at file scope: `LOG_SOURCE(tcp);` and then says
 * `log_warn("no memory for a connection from %s", peer)`. Levels are set per source at boot:
 * -l '*:debug', -l 'tcp:debug,*:info'. The default is info for every source.
 */
#ifndef SKERRY_LOG_H
#define SKERRY_LOG_H

#include <stdarg.h>
#include <stddef.h>

enum log_level { LOG_QUIET, LOG_APP, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG };

struct log_source {
	const char *name;
	enum log_level level;
};

/* Declares this file's source. All sources linked into the image lie in one section, so that -l can name them.
 * Several files may declare a source of one name: they are set together. */
#define LOG_SOURCE(source_name)                                                                                        \
	static struct log_source log_source __attribute__((                                                            \
		section("log_sources"), used, aligned(16))) = { .name = #source_name, .level = LOG_INFO }

/* The arguments are evaluated only when the source's level lets the message through. */
#define log_at(lvl, ...) ((lvl) <= log_source.level ? log_write(&log_source, (lvl), __VA_ARGS__) : (void)0)
#define log_app(...)     log_at(LOG_APP, __VA_ARGS__) /* what the user is to see at every level but quiet */
#define log_error(...)   log_at(LOG_ERROR, __VA_ARGS__)
#define log_warn(...)    log_at(LOG_WARNING, __VA_ARGS__)
#define log_info(...)    log_at(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_at(LOG_DEBUG, __VA_ARGS__)

/* Writes one line, formatted by text_format() (<skerry/text.h>), cut at LOG_LINE_MAX bytes; control characters in the
 * text become '?' so that what the network sent cannot forge a line. Does not block, allocate or fail. */
enum { LOG_LINE_MAX = 512 };
void log_write(const struct log_source *source, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Sets levels from a comma-separated list of SOURCE:LEVEL or LEVEL (the same as *:LEVEL); later ones win. A level is
 * quiet, app, error, warning, info or debug. Returns 0; or -EINVAL and, in error, one line that names the item and
 * what is known (unknown sources are named together with the list of sources in this image). Nothing is changed
 * then. */
int log_configure(const char *spec, char *error, size_t error_size);

/* Reports a programmer's fault and ends the unikernel with status 255. */
_Noreturn void log_panic(const char *file, int line, const char *format, ...) __attribute__((format(printf, 3, 4)));
#define panic(...) log_panic(__FILE__, __LINE__, __VA_ARGS__)

/* An assertion that stays on in production. Never looks at data of the wire, the guest's user or the operator. */
#define must(condition) ((condition) ? (void)0 : panic("%s does not hold", #condition))

#endif
