/* SPDX-License-Identifier: ISC
 *
 * Files of the host as streams: on unix only, where a program links what others do not have.
 *
 * Disks are waited for by the process, not by the task: meanwhile no other runs.
 */
#ifndef SKERRY_FILE_STREAM_H
#define SKERRY_FILE_STREAM_H

#include <skerry/stream.h>

/* The path is borrowed until the stream is run. The errors of open and read, -ENOMEM. */
struct source_file {
	struct source source;
	const char *path;
	uint8_t *buf;
	int fd;
};
struct source *source_file(struct source_file *file, const char *path);

/* The file appears, or replaces another, only when the stream is complete and written to disk; until then it is
 * PATH.part, which a failed stream removes. The path is borrowed until the sink is stopped. The errors of open, write,
 * fsync and rename; -ENAMETOOLONG. */
enum { FILE_PATH_MAX = 1023 };
struct sink_file {
	struct sink sink;
	const char *path;
	int fd;
};
struct sink *sink_file(struct sink_file *file, const char *path);

#endif
