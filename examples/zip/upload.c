/* SPDX-License-Identifier: ISC
 *
 * Uploads become archives: body -> multipart -> zip -> queue -> response, none of which holds a file.
 *
 * A client may read while it sends, as curl does, or only afterwards, as every browser does. Whoever answers while it
 * reads has to know, because the archive must be somewhere meanwhile:
 *
 *	POST /upload              read while sent. The response has a task of its own, with a bounded queue in between
 *	                          that evens out the two directions; a client that does not read is given up.
 *	POST /upload?ticket=...   what the page's script sends. The archive goes through a bounded queue to the download
 *	                          with the same ticket, on another connection; any size.
 *	POST /upload?hold         what the page's form sends without script. The archive stays in the queue until all is
 *	                          read; one that is too large for the memory is refused, after its upload.
 *
 * Nothing is answered before the archive's first bytes, so a bad form gets a 400 that says why; after that an error
 * resets the connection, and no archive that is cut off looks whole.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <platform.h>
#include <skerry/log.h>
#include <skerry/multipart.h>
#include <skerry/queue.h>
#include <skerry/task.h>
#include <skerry/text.h>
#include <skerry/zip.h>

#include "handover.h"
#include "keys.h"
#include "upload.h"

LOG_SOURCE(zip);

enum {
	READ_BYTES = 32 << 10,
	ARCHIVE_BYTES = 400 << 10, /* what one upload takes while it is packed: mostly deflate's state */
	RESERVE_SHARE = 2,         /* the part of the memory that is left to queues, connections and their buffers */
	QUEUE_BYTES = 64 << 10,    /* evens out the two directions of a client that reads while it sends */
	PATIENT_BYTES = 1 << 20,   /* for clients that send more before they read, while there is room for that */
	HELD_SHARE = 4,            /* the part of the memory for all archives that wait to be read together */
	HELD_BYTES = 16 << 20,     /* that, where the platform does not limit memory */
	STALL_SECONDS = 45,        /* without room in the queue; shorter than HTTP's own limit, so that we say why */
};

enum mode { STREAM, TICKET, HOLD };

struct upload {
	struct http_exchange *exchange;
	enum mode mode;
	struct zip *zip;
	struct queue *queue;   /* NULL until there is output, or a download to take it */
	struct sink_queue out; /* the end of it that is written to */
	size_t held;           /* its part of held_by_all */
	struct task *sender;   /* of STREAM: reads the queue */
	bool in_file;
	const char *refusal; /* why the form was refused */
	struct multipart form;
	unsigned char input[READ_BYTES];
};

/* The response ------------------------------------------------------------------------------------------------- */

static int begin_response(struct http_exchange *exchange)
{
	int err = http_add(exchange, "Content-Disposition", "attachment; filename=\"archive.zip\"");
	if (err == 0)
		err = http_add(exchange, "Cache-Control", "no-store");
	if (err == 0)
		err = http_begin(exchange, 200, "application/zip");
	return err;
}

/* Writes what comes out of the queue. 0: the archive is whole; else begun says whether anything was written. */
static int send_archive(struct http_exchange *exchange, struct queue *queue, bool *begun)
{
	const void *data;
	ssize_t len;
	int err = 0;
	while (err == 0 && (len = queue_peek(queue, &data, FOREVER)) != 0) {
		err = len < 0 ? (int)len : *begun ? 0 : begin_response(exchange);
		*begun |= len > 0;
		if (err == 0)
			err = http_write(exchange, data, (size_t)len);
		if (err == 0)
			queue_drop(queue, (size_t)len);
	}
	return err;
}

/* Also what is left to do for a sender that was cancelled before it ran. */
static void leave(void *arg)
{
	struct upload *up = arg;
	queue_leave(up->queue, 0);
}

static int run_sender(void *arg)
{
	struct upload *up = arg;
	bool begun = false;
	return send_archive(up->exchange, up->queue, &begun);
}

/* The archive -------------------------------------------------------------------------------------------------- */

/* Room for archives that wait to be read. */
static size_t held_by_all;

/* Takes so much more of it. */
static bool reserve(struct upload *up, size_t len)
{
	struct platform_memory memory;
	platform_memory(&memory);
	if (held_by_all + len > (memory.total_bytes > 0 ? memory.total_bytes / HELD_SHARE : HELD_BYTES))
		return false;
	up->held += len;
	held_by_all += len;
	return true;
}

/* The first output of an upload without ticket: from now on there is an archive. */
static int begin_queue(struct upload *up)
{
	size_t size = up->mode == HOLD ? SIZE_MAX : reserve(up, PATIENT_BYTES) ? PATIENT_BYTES : QUEUE_BYTES;
	struct queue *queue = queue_new(size);
	if (queue == NULL)
		return -ENOMEM;
	up->queue = queue;
	int err = up->mode == STREAM ? task_spawn_with(NULL, run_sender, up, leave, &up->sender) : 0;
	if (err < 0) {
		queue_leave(queue, 0);
		queue_end(queue, err);
		up->queue = NULL;
	}
	return err;
}

/* Nobody reads before the end: what finds no room now finds none at all. */
static int hold(struct upload *up, const void *data, size_t len)
{
	return reserve(up, len) && sink_feed(&up->out.sink, data, len, 0) == 0 ? 0 : -EFBIG;
}

static int output(void *context, const void *data, size_t len)
{
	struct upload *up = context;
	int err = up->queue == NULL ? begin_queue(up) : 0;
	if (err < 0)
		return err;
	if (up->out.queue == NULL)
		sink_queue(&up->out, up->queue);
	if (up->mode == HOLD)
		return hold(up, data, len);
	err = sink_feed(&up->out.sink, data, len, clock_deadline(SECOND(STALL_SECONDS)));
	if (err == -ETIMEDOUT)
		log_warn("a client does not read its archive: given up");
	return err;
}

/* Only files that were chosen are packed: a field of text has no filename, an empty file field an empty one. */
static int handle_event(struct upload *up, enum multipart_event event)
{
	const struct multipart *form = &up->form;
	switch (event) {
	case MULTIPART_PART:
		up->in_file = form->filename != NULL && form->filename[0] != '\0';
		return up->in_file ? zip_begin(up->zip, form->filename, clock_wall()) : 0;
	case MULTIPART_DATA:
		return up->in_file ? zip_write(up->zip, form->data, form->data_len) : 0;
	case MULTIPART_PART_END:
		return up->in_file ? zip_end(up->zip) : 0;
	case MULTIPART_ERROR:
		up->refusal = form->error;
		return -EBADMSG;
	default:
		return 0;
	}
}

static int pack_piece(struct upload *up, size_t len)
{
	const unsigned char *input = up->input;
	enum multipart_event event;
	int err = 0;
	while (err == 0 && (event = multipart_next(&up->form, &input, &len)) != MULTIPART_MORE)
		err = handle_event(up, event);
	return err;
}

static int pack(struct upload *up)
{
	struct zip_totals totals;
	ssize_t len;
	int err = 0;
	while (err == 0 && (len = http_read(up->exchange, up->input, sizeof up->input)) != 0)
		err = len < 0 ? (int)len : pack_piece(up, (size_t)len);
	if (err < 0)
		return err;
	if (multipart_finish(&up->form) != MULTIPART_END)
		return handle_event(up, MULTIPART_ERROR);
	zip_totals(up->zip, &totals);
	if (totals.entries == 0) {
		up->refusal = "no file was chosen";
		return -EBADMSG;
	}
	return zip_finish(up->zip);
}

/* The requests ------------------------------------------------------------------------------------------------- */

/* What a client can be told while no byte of an archive has gone out on its connection. */
static int refuse(struct http_exchange *exchange, int err, const char *refusal)
{
	static const struct {
		int err, status;
		const char *text;
	} answers[] = {
		{ -EINVAL, 400, "That is no ticket.\n" },
		{ -EEXIST, 409, "This ticket is in use.\n" },
		{ -EBUSY, 503, "Too many archives are waiting. Please try again.\n" },
		{ -ENOMEM, 503, "There is no memory for another archive now. Please try again.\n" },
		{ -ENOSPC, 413, "That is more files than an archive takes.\n" },
		{ -EPIPE, 409, "The download was stopped, so the archive is not complete.\n" },
		{ -ETIMEDOUT, 408, "The other half of this archive did not come, or stopped.\n" },
		{ -EFBIG, 413,
			"The archive is too large to be held until its upload ends, which it has to be without "
			"JavaScript.\n" },
	};
	char text[200];
	if (refusal != NULL) {
		text_format(text, sizeof text, "The form was refused: %s.\n", refusal);
		return http_respond_text(exchange, 400, text);
	}
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
		if (answers[i].err == err)
			return http_respond_text(exchange, answers[i].status, answers[i].text);
	return err;
}

static void log_archive(const struct zip_totals *totals)
{
	struct platform_memory memory;
	platform_memory(&memory);
	log_info("archive of %" PRIu32 " files: %" PRIu64 " bytes in, %" PRIu64
		 " out; heap %zu, at most %zu of %zu bytes",
		totals->entries, totals->bytes_in, totals->bytes_out, memory.used_bytes, memory.peak_bytes,
		memory.total_bytes);
}

/* STREAM: waits for the last byte of the response, or stops it. */
static int finish_stream(struct upload *up, int err)
{
	int result = err;
	queue_end(up->queue, err);
	if (err < 0 || task_await(up->sender, &result, FOREVER) < 0) {
		task_cancel(up->sender);
		return err < 0 ? err : -ECANCELED;
	}
	return result;
}

/* HOLD: the client has sent all and reads now. If not, it is let finish: it would not see an answer before. */
static int finish_hold(struct upload *up, int err)
{
	bool begun = false;
	int result = 0;
	queue_end(up->queue, err);
	if (err == 0)
		result = send_archive(up->exchange, up->queue, &begun);
	leave(up);
	if (err == 0)
		return result;
	if (err == -EFBIG)
		while (http_read(up->exchange, up->input, sizeof up->input) > 0)
			;
	return refuse(up->exchange, err, up->refusal);
}

/* TICKET: the archive went elsewhere; here it is told how that went. */
static int finish_ticket(struct upload *up, int err)
{
	struct zip_totals totals;
	char text[80];
	queue_end(up->queue, err);
	if (err < 0)
		return refuse(up->exchange, err, up->refusal);
	zip_totals(up->zip, &totals);
	text_format(text, sizeof text, "Done: %" PRIu32 " %s packed.\n", totals.entries,
		totals.entries == 1 ? "file" : "files");
	return http_respond_text(up->exchange, 200, text);
}

static int answer(struct upload *up, int err)
{
	static int (*const finish[])(struct upload *, int) = { finish_stream, finish_ticket, finish_hold };
	struct zip_totals totals;
	if (up->queue == NULL)
		return refuse(up->exchange, err, up->refusal);
	if (err == 0) {
		zip_totals(up->zip, &totals);
		log_archive(&totals);
	}
	return finish[up->mode](up, err);
}

static enum mode mode_of(const char *query)
{
	return query[0] == '\0' ? STREAM : strcmp(query, "hold") == 0 ? HOLD : TICKET;
}

static bool is_form(const char *content_type)
{
	static const char form[] = "multipart/form-data";
	return content_type != NULL && strncasecmp(content_type, form, sizeof form - 1) == 0;
}

/* Everything between the first byte of the form and the last of the archive. */
static int make_archive(struct upload *up, const char *content_type)
{
	int err = 0;
	if (multipart_init(&up->form, content_type) < 0) {
		up->refusal = "its Content-Type has no good boundary";
		return -EBADMSG;
	}
	up->zip = zip_new((int)keys.level, output, up);
	if (up->zip == NULL)
		return -ENOMEM;
	if (up->mode == TICKET)
		err = handover_meet(http_query(up->exchange), HANDOVER_UPLOAD, &up->queue);
	return err < 0 ? err : pack(up);
}

/* Whether there is memory to begin, and to finish, another archive. Asked first, because what is begun can only be
 * broken off. */
static bool can_begin(void)
{
	struct platform_memory memory;
	platform_memory(&memory);
	return memory.total_bytes == 0 ||
	       memory.used_bytes + ARCHIVE_BYTES <= memory.total_bytes - memory.total_bytes / RESERVE_SHARE;
}

int upload(struct http_exchange *exchange, void *context)
{
	const char *type = http_field(exchange, "Content-Type");
	(void)context;
	if (!is_form(type))
		return http_respond_text(exchange, 415, "Files are sent as multipart/form-data.\n");
	struct upload *up = can_begin() ? calloc(1, sizeof *up) : NULL;
	if (up == NULL)
		return refuse(exchange, -ENOMEM, NULL);
	up->exchange = exchange;
	up->mode = mode_of(http_query(exchange));
	int err = answer(up, make_archive(up, type));
	held_by_all -= up->held;
	zip_free(up->zip);
	free(up);
	return err;
}

int download(struct http_exchange *exchange, void *context)
{
	struct queue *queue;
	bool begun = false;
	int err;
	(void)context;
	if (strcmp(http_method(exchange), "HEAD") == 0) {
		err = handover_look(http_query(exchange));
		return err == 0 ? begin_response(exchange) : refuse(exchange, err, NULL);
	}
	err = handover_meet(http_query(exchange), HANDOVER_DOWNLOAD, &queue);
	if (err == 0) {
		err = send_archive(exchange, queue, &begun);
		queue_leave(queue, 0);
	}
	if (err == 0 || begun)
		return err;
	return refuse(exchange, err, err == -EBADMSG ? "the other request says why" : NULL);
}
