/* SPDX-License-Identifier: ISC
 *
 * Streams in a guest, for the host's own tools to check: each TCP port is one composition. The disk holds a tar archive
 * with values in its dictionary "t".
 *
 *	9001	the disk, compressed with gzip; its SHA-256 is logged
 *	9002	the values as a tar archive, compressed with gzip
 *	9003	the values as a zip archive
 *	9004	takes a compressed tar archive and says the name, size and SHA-256 of each file
 *	9005	the same of a zip archive
 *	9006	takes lines and gives back those without a '#', in capital letters, 1000 bytes of them at most
 */
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <skerry/archive.h>
#include <skerry/codec.h>
#include <skerry/kv_stream.h>
#include <skerry/log.h>
#include <skerry/queue.h>
#include <skerry/tcp_stream.h>
#include <skerry/text.h>

LOG_SOURCE(streams);

enum {
	PORTS = 6,
	FIRST_PORT = 9001,
	QUEUE_BYTES = 10000,
	REPORT_BYTES = 4096,
	LINE_MAX_BYTES = 1000,
	TAKEN_BYTES = 1000
};

static struct block *disk;
static struct stack *network;
static struct kv *values;

static void write_digest(char text[2 * SHA256_LEN + 1], const uint8_t digest[SHA256_LEN])
{
	for (size_t i = 0; i < SHA256_LEN; i++)
		text_format(text + 2 * i, 3, "%02x", digest[i]);
}

/* What goes out -------------------------------------------------------------------------------------------------- */

static int send_disk(struct tcp *flow)
{
	uint64_t sectors = disk->info.capacity_bytes / disk->info.sector_bytes;
	struct source_block from;
	struct sink_sha256 hash;
	struct flow_tee tee;
	struct flow_zlib gzip;
	struct sink_tcp out;
	char text[2 * SHA256_LEN + 1];
	int err = stream_run(source_block(&from, disk, 0, sectors),
		flow_tee(&tee, sink_sha256(&hash), flow_deflate(&gzip, CODEC_GZIP, 6, sink_tcp(&out, flow))), FOREVER);

	write_digest(text, hash.digest);
	if (err == 0)
		log_info("disk %s", text);
	return err;
}

static int add_value(struct archive *archive, const char *name)
{
	char key[KV_KEY_MAX + 1];
	struct source_kv value;
	uint64_t size, mtime;
	int err;

	text_format(key, sizeof key, "t/%s", name);
	err = kv_size(values, key, &size);
	if (err == 0)
		err = kv_last_modified(values, key, &mtime);
	if (err == 0)
		err = stream_run(source_kv(&value, values, key), archive_file(archive, name, size, mtime), FOREVER);
	return err;
}

/* An archive that was opened, to its end. */
static int write_archive(struct archive *archive)
{
	struct kv_list list;
	int err = kv_list(values, "t", &list);

	if (err == 0) {
		for (size_t i = 0; err == 0 && i < list.count; i++)
			err = add_value(archive, list.entries[i].name);
		kv_list_free(&list);
	}
	return archive_close(archive, err, FOREVER);
}

static int produce_tar(void *context, struct sink *into)
{
	struct archive archive;
	int err = archive_open_tar(&archive, into);

	(void)context;
	return err < 0 ? err : write_archive(&archive);
}

/* By a task of its own, which writes the archive that is compressed here. */
static int send_tar(struct tcp *flow)
{
	struct source_task from;
	struct flow_zlib gzip;
	struct sink_tcp out;

	return stream_run(source_task(&from, QUEUE_BYTES, produce_tar, NULL),
		flow_deflate(&gzip, CODEC_GZIP, 6, sink_tcp(&out, flow)), FOREVER);
}

static int send_zip(struct tcp *flow)
{
	struct archive archive;
	struct sink_tcp out;
	int err = archive_open_zip(&archive, 6, sink_tcp(&out, flow));

	return err < 0 ? err : write_archive(&archive);
}

/* What comes in -------------------------------------------------------------------------------------------------- */

/* The entries of an archive: a line for each. Its last file is told when the next one comes, or all are there. */
struct report {
	char text[REPORT_BYTES];
	size_t len;
	char name[ARCHIVE_NAME_MAX + 1];
	struct sink_null count;
	struct sink_sha256 hash;
	struct flow_tee tee;
	bool open;
};

static void report_file(struct report *report)
{
	char digest[2 * SHA256_LEN + 1];

	if (!report->open)
		return;
	report->open = false;
	write_digest(digest, report->hash.digest);
	if (report->len < REPORT_BYTES)
		report->len += text_format(report->text + report->len, REPORT_BYTES - report->len, "%s %llu %s\n",
			report->name, (unsigned long long)report->count.bytes, digest);
}

static int visit(void *context, const struct archive_entry *entry, struct sink **content)
{
	struct report *report = context;

	report_file(report);
	if (entry->kind != ARCHIVE_FILE)
		return 0;
	strcpy(report->name, entry->name);
	report->open = true;
	*content = flow_tee(&report->tee, sink_sha256(&report->hash), sink_null(&report->count));
	return 0;
}

static int answer(struct report *report, struct tcp *flow, int err)
{
	struct source_string text;
	struct sink_tcp out;

	if (err < 0)
		return err;
	report_file(report);
	if (report->len >= REPORT_BYTES)
		return -EMSGSIZE;
	return stream_run(source_bytes(&text, report->text, report->len), sink_tcp(&out, flow), FOREVER);
}

static int receive_tar(struct tcp *flow)
{
	struct report report = { .len = 0 };
	struct source_tcp in;
	struct flow_zlib gunzip;
	struct flow_tee tee; /* and whatever follows the archive, up to the checksum of all */
	struct sink_null rest;
	struct sink_archive tar;

	return answer(&report, flow,
		stream_run(source_tcp(&in, flow),
			flow_inflate(&gunzip, CODEC_GZIP,
				flow_tee(&tee, sink_untar(&tar, visit, &report), sink_null(&rest))),
			FOREVER));
}

static int receive_zip(struct tcp *flow)
{
	struct report report = { .len = 0 };
	struct source_tcp in;
	struct sink_archive zip;

	return answer(&report, flow, stream_run(source_tcp(&in, flow), sink_unzip(&zip, visit, &report), FOREVER));
}

static bool is_no_comment(void *context, const void *data, size_t len)
{
	(void)context;
	return !memchr(data, '#', len);
}

/* With the newline that was taken off. */
static int shout(void *context, const void **data, size_t *len)
{
	const char *line = *data;
	char *shouted = context;

	for (size_t i = 0; i < *len; i++)
		shouted[i] = (char)toupper((unsigned char)line[i]);
	shouted[(*len)++] = '\n';
	*data = shouted;
	return 0;
}

static int shout_lines(struct tcp *flow)
{
	char shouted[LINE_MAX_BYTES + 1];
	struct source_tcp in;
	struct flow_split lines;
	struct flow_filter filter;
	struct flow_map map;
	struct flow_take take;
	struct sink_tcp out;
	int err;

	source_tcp(&in, flow);
	err = stream_run(&in.source,
		flow_split(&lines, '\n', LINE_MAX_BYTES,
			flow_filter(&filter, is_no_comment, NULL,
				flow_map(&map, shout, shouted, flow_take(&take, TAKEN_BYTES, sink_tcp(&out, flow))))),
		FOREVER);
	if (err == STREAM_LEFT)
		source_stop(&in.source, 0);
	return err < 0 ? err : 0;
}

/* The server ----------------------------------------------------------------------------------------------------- */

static int serve(void *arg)
{
	static int (*const compositions[PORTS])(
		struct tcp * flow) = { send_disk, send_tar, send_zip, receive_tar, receive_zip, shout_lines };
	const uint16_t *port = arg;
	struct tcp_listener *listener;
	struct tcp *flow;
	int err = tcp_listen(network, *port, &listener);

	if (err < 0)
		return err;
	while ((err = tcp_accept(listener, &flow, FOREVER)) == 0)
		tcp_finish(flow, compositions[*port - FIRST_PORT](flow));
	tcp_unlisten(listener);
	return err;
}

int start(struct block *storage, struct stack *stack)
{
	uint16_t ports[PORTS];
	struct task *servers[PORTS] = { NULL };
	size_t ended;
	int result, err;

	disk = storage;
	network = stack;
	err = kv_tar_open(kv_image_of_block(disk), &values);
	if (err < 0)
		return err;
	for (uint16_t i = 0; err == 0 && i < PORTS; i++) {
		ports[i] = (uint16_t)(FIRST_PORT + i);
		err = task_spawn(NULL, serve, &ports[i], &servers[i]);
	}
	if (err == 0)
		err = task_await_first(servers, PORTS, &ended, &result, FOREVER);
	for (int i = 0; i < PORTS; i++)
		task_cancel(servers[i]);
	kv_close(values);
	return err < 0 ? err : result;
}
