/* SPDX-License-Identifier: ISC
 *
 * The response, as its handler writes it.
 *
 * A whole response is one tcp_write if head and body fit in HTTP_OUTPUT_BYTES, which costs the body a copy; of a larger
 * one the rest goes out uncopied, from the handler's memory, in pieces of HTTP_PIECE_BYTES. A streamed response is
 * gathered in a buffer of HTTP_STREAM_BYTES that exists from http_begin to the end: each byte is copied once, and each
 * full buffer is one tcp_write that holds a chunk with its framing (the first one the head, the last one the last
 * chunk, too). A response to HTTP/1.0 has no framing and ends with the connection.
 *
 *	NONE -- http_respond --> DONE
 *	NONE -- http_begin --> STREAM -- http_end --> DONE
 *	STREAM -- http_response_discard, if nothing was sent --> NONE
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/task.h>
#include <skerry/text.h>

#include "http_conditional.h"
#include "http_exchange.h"
#include "http_text.h"

/* A chunk within the stream buffer: its size as four digits, CR LF, data, CR LF. Behind it there is always room for
 * the last chunk. */
static const char last_chunk[] = "0\r\n\r\n";
enum { CHUNK_HEAD = 6, CHUNK_TAIL = 2, LAST_CHUNK = sizeof last_chunk - 1 };
_Static_assert(HTTP_STREAM_BYTES < 0x10000, "a chunk's size fits in four digits");

int http_send(struct http_exchange *exchange, const void *data, size_t len)
{
	const char *bytes = data;

	while (exchange->write_error == 0 && len > 0) {
		size_t piece = len < HTTP_PIECE_BYTES ? len : HTTP_PIECE_BYTES;
		ssize_t sent;

		exchange->moving++;
		sent = tcp_write(exchange->flow, bytes, piece, http_deadline(exchange->server->limits.idle_ns));
		exchange->moving--;
		if (sent < 0)
			exchange->write_error = (int)sent;
		else
			http_moved(exchange, piece);
		bytes += piece;
		len -= piece;
	}
	return exchange->write_error;
}

/* The head ----------------------------------------------------------------------------------------------------- */

/* Fields that say where a message ends or what becomes of the connection: a second one would contradict ours. */
static bool is_ours(const char *name)
{
	static const char ours[] = "connection, content-length, date, keep-alive, trailer, transfer-encoding, upgrade";

	return http_list_has(ours, name);
}

int http_add(struct http_exchange *exchange, const char *name, const char *value)
{
	struct http_head head = { .buf = exchange->buffers->added, .size = HTTP_ADDED_MAX, .len = exchange->added_len };

	if (!http_field_is_safe(name, value) || is_ours(name))
		return -EINVAL;
	if (exchange->response != HTTP_RESPONSE_NONE)
		return -EALREADY;
	http_head_field(&head, name, value);
	if (head.full)
		return -ENOMEM;
	exchange->added_len = head.len;
	return 0;
}

/* The date is made once a second. */
static const char *date(struct http_server *server)
{
	uint64_t wall_ns;

	if (task_now() >= server->date_until) {
		wall_ns = clock_wall();
		http_date(wall_ns, server->date);
		server->date_until = http_deadline(SECOND(1) - wall_ns % SECOND(1));
	}
	return server->date;
}

/* Everything but the body's framing. 0, -EINVAL, -EALREADY. */
static int head_begin(struct http_exchange *exchange, struct http_head *head, int status, const char *content_type)
{
	if (status < 200 || status > 599 || (content_type != NULL && !http_field_is_safe("Content-Type", content_type)))
		return -EINVAL;
	if (exchange->response != HTTP_RESPONSE_NONE)
		return -EALREADY;
	http_head_status(head, status);
	http_head_field(head, "Date", date(exchange->server));
	if (exchange->server->site->server_name != NULL)
		http_head_field(head, "Server", exchange->server->site->server_name);
	if (content_type != NULL)
		http_head_field(head, "Content-Type", content_type);
	http_head_text(head, exchange->buffers->added, exchange->added_len);
	return 0;
}

/* 0; or -ENOMEM: the head did not fit, and nothing has happened. */
static int head_end(struct http_exchange *exchange, struct http_head *head, int status, enum http_response response)
{
	if (exchange->close)
		http_head_field(head, "Connection", "close");
	else if (exchange->request.minor == 0)
		http_head_field(head, "Connection", "keep-alive");
	http_head_text(head, "\r\n", 2);
	if (head->full)
		return -ENOMEM;
	exchange->status = status;
	exchange->response = response;
	return 0;
}

/* Statuses that never have a body, nor fields that describe one (RFC 9110, 6.4.1 and 8.6). */
static bool has_no_body(int status)
{
	return status == 204 || status == 304;
}

/* Whole responses ---------------------------------------------------------------------------------------------- */

/* A body that the handler did not want, and that is too long to be skipped: say at once that this is the last response.
 * One that waits for 100 Continue will not come, or will: nobody knows (RFC 9110, 10.1.1). */
static bool body_is_in_the_way(const struct http_exchange *exchange)
{
	return !exchange->body_done && (exchange->left > HTTP_DRAIN_BYTES || exchange->continue_due);
}

int http_respond(struct http_exchange *exchange, int status, const char *content_type, const void *body, size_t len)
{
	struct http_head head = { .buf = exchange->buffers->output, .size = HTTP_OUTPUT_BYTES };
	size_t first;
	int err = head_begin(exchange, &head, status, content_type);

	if (err < 0)
		return err;
	exchange->close |= body_is_in_the_way(exchange);
	if (!has_no_body(status))
		http_head_number(&head, "Content-Length", len);
	err = head_end(exchange, &head, status, HTTP_RESPONSE_DONE);
	if (err < 0)
		return err;
	if (exchange->head_only || has_no_body(status))
		len = 0;
	first = len < head.size - head.len ? len : head.size - head.len;
	if (first > 0)
		http_head_text(&head, body, first);
	exchange->on_wire = true;
	exchange->sent = len;
	err = http_send(exchange, head.buf, head.len);
	return err == 0 && len > first ? http_send(exchange, (const char *)body + first, len - first) : err;
}

int http_respond_text(struct http_exchange *exchange, int status, const char *text)
{
	return http_respond(exchange, status, "text/plain; charset=utf-8", text, strlen(text));
}

static bool is_get(const struct http_exchange *exchange)
{
	return strcmp(exchange->request.method, "GET") == 0 || strcmp(exchange->request.method, "HEAD") == 0;
}

/* The entity tag that the client has, of this file's two; NULL: neither. The one that would be sent goes first. */
static const char *tag_that_matches(const struct http_exchange *exchange, const char *tag, const char *other)
{
	const char *list = is_get(exchange) ? http_field(exchange, "If-None-Match") : NULL;

	if (http_etag_matches(list, tag))
		return tag;
	return http_etag_matches(list, other) ? other : NULL;
}

int http_respond_file(struct http_exchange *exchange, const struct crunched_file *file)
{
	bool gzip = file->gzip != NULL && http_accepts_gzip(http_field(exchange, "Accept-Encoding"));
	char gzip_etag[HTTP_ETAG_MAX];
	const char *tag, *other, *match;
	int err;

	http_gzip_etag(file->etag, gzip_etag);
	tag = gzip ? gzip_etag : file->etag;
	other = gzip || file->gzip == NULL ? file->etag : gzip_etag;
	match = tag_that_matches(exchange, tag, other);
	err = http_add(exchange, "ETag", match != NULL ? match : tag);
	if (err == 0 && file->gzip != NULL)
		err = http_add(exchange, "Vary", "Accept-Encoding");
	if (err == 0 && match != NULL)
		return http_respond(exchange, 304, NULL, NULL, 0);
	if (err == 0 && gzip)
		err = http_add(exchange, "Content-Encoding", "gzip");
	if (err < 0)
		return err;
	return http_respond(
		exchange, 200, file->content_type, gzip ? file->gzip : file->data, gzip ? file->gzip_len : file->len);
}

/* Streamed responses ------------------------------------------------------------------------------------------- */

static void open_chunk(struct http_exchange *exchange)
{
	exchange->chunk_at = exchange->stream_len;
	exchange->stream_len += exchange->framed ? CHUNK_HEAD : 0;
}

static size_t room(const struct http_exchange *exchange)
{
	return HTTP_STREAM_BYTES - exchange->stream_len - (exchange->framed ? CHUNK_TAIL + LAST_CHUNK : 0);
}

static void append(struct http_exchange *exchange, const void *data, size_t len)
{
	memcpy(exchange->stream + exchange->stream_len, data, len);
	exchange->stream_len += len;
}

/* An empty chunk would be the last one, so it is taken back. */
static void close_chunk(struct http_exchange *exchange)
{
	size_t len = exchange->stream_len - exchange->chunk_at - CHUNK_HEAD;
	char size[CHUNK_HEAD + 1];

	if (!exchange->framed)
		return;
	if (len == 0) {
		exchange->stream_len = exchange->chunk_at;
		return;
	}
	text_format(size, sizeof size, "%04x\r\n", (unsigned)len);
	memcpy(exchange->stream + exchange->chunk_at, size, CHUNK_HEAD);
	append(exchange, "\r\n", CHUNK_TAIL);
}

static int send_stream(struct http_exchange *exchange)
{
	int err;

	exchange->on_wire = true;
	err = http_send(exchange, exchange->stream, exchange->stream_len);
	exchange->stream_len = 0;
	return err;
}

int http_begin(struct http_exchange *exchange, int status, const char *content_type)
{
	struct http_head head = { .buf = malloc(HTTP_STREAM_BYTES), .size = HTTP_STREAM_BYTES / 2 };
	bool empty = exchange->head_only || has_no_body(status);
	int err = head.buf != NULL ? head_begin(exchange, &head, status, content_type) : -ENOMEM;

	if (err < 0)
		goto failed;
	exchange->framed = exchange->request.minor > 0 && !empty;
	if (exchange->request.minor == 0 && !empty)
		exchange->close = true;
	if (exchange->request.minor > 0 && !has_no_body(status))
		http_head_field(&head, "Transfer-Encoding", "chunked");
	err = head_end(exchange, &head, status, HTTP_RESPONSE_STREAM);
	if (err < 0)
		goto failed;
	exchange->head_only = empty;
	exchange->stream = head.buf;
	exchange->stream_len = head.len;
	open_chunk(exchange);
	return 0;
failed:
	free(head.buf);
	return err;
}

int http_write(struct http_exchange *exchange, const void *data, size_t len)
{
	const char *bytes = data;

	if (exchange->response != HTTP_RESPONSE_STREAM)
		return -EPROTO;
	if (exchange->head_only)
		return exchange->write_error;
	exchange->sent += len;
	while (exchange->write_error == 0 && len > 0) {
		size_t piece = len < room(exchange) ? len : room(exchange);

		append(exchange, bytes, piece);
		bytes += piece;
		len -= piece;
		if (room(exchange) == 0)
			http_flush(exchange);
	}
	return exchange->write_error;
}

int http_flush(struct http_exchange *exchange)
{
	if (exchange->response != HTTP_RESPONSE_STREAM)
		return -EPROTO;
	close_chunk(exchange);
	send_stream(exchange);
	open_chunk(exchange);
	return exchange->write_error;
}

int http_end(struct http_exchange *exchange)
{
	if (exchange->response != HTTP_RESPONSE_STREAM)
		return -EPROTO;
	close_chunk(exchange);
	if (exchange->framed)
		append(exchange, last_chunk, LAST_CHUNK);
	exchange->response = HTTP_RESPONSE_DONE;
	send_stream(exchange);
	free(exchange->stream);
	exchange->stream = NULL;
	return exchange->write_error;
}

bool http_response_discard(struct http_exchange *exchange)
{
	if (exchange->on_wire)
		return false;
	free(exchange->stream);
	exchange->stream = NULL;
	exchange->stream_len = 0;
	exchange->added_len = 0;
	exchange->head_only = strcmp(exchange->request.method, "HEAD") == 0;
	exchange->response = HTTP_RESPONSE_NONE;
	return true;
}
