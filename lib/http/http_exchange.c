/* SPDX-License-Identifier: ISC
 *
 * The request, as its handler reads it.
 *
 * A body's bytes that came together with the head, or with the framing of chunks, are copied once, from the input
 * buffer; all others go from the flow straight into the handler's buffer: within a chunk as well as within
 * Content-Length, so a body of 64 KiB chunks costs one tcp_read for each of the handler's, and one of at most 2 KiB a
 * chunk. Nothing is allocated.
 */
#include <errno.h>
#include <string.h>

#include <skerry/task.h>

#include "http_exchange.h"

uint64_t http_deadline(uint64_t ns)
{
	uint64_t now = task_now();

	return ns < FOREVER - now ? now + ns : FOREVER;
}

const char *http_method(const struct http_exchange *exchange)
{
	return exchange->request.method;
}

const char *http_path(const struct http_exchange *exchange)
{
	return exchange->request.path;
}

const char *http_query(const struct http_exchange *exchange)
{
	return exchange->request.query;
}

const char *http_field(const struct http_exchange *exchange, const char *name)
{
	return http_request_field(&exchange->request, name);
}

void http_client(const struct http_exchange *exchange, struct ip_endpoint *peer)
{
	*peer = exchange->client;
}

void http_exchange_begin(struct http_exchange *exchange)
{
	const struct http_request *request = &exchange->request;

	exchange->begin = request->head_len;
	exchange->idle_ns = exchange->server->limits.idle_ns;
	exchange->left = request->content_length;
	exchange->body_bytes = 0;
	exchange->chunked = (struct http_chunked){ 0 };
	exchange->body_done = !request->chunked && request->content_length == 0;
	exchange->continue_due = request->expects_continue && !exchange->body_done;
	exchange->read_error = 0;
	exchange->moved = 0;
	exchange->moved_at = task_now();
	exchange->close = !request->keep_alive;
	exchange->head_only = strcmp(request->method, "HEAD") == 0;
}

int http_exchange_continue(struct http_exchange *exchange)
{
	static const char head[] = "HTTP/1.1 100 Continue\r\n\r\n";
	bool due =
		exchange->continue_due && exchange->begin == exchange->end && exchange->response == HTTP_RESPONSE_NONE;

	exchange->continue_due = false;
	return due ? http_send(exchange, head, sizeof head - 1) : 0;
}

static size_t smaller(size_t a, uint64_t b)
{
	return a < b ? a : (size_t)b;
}

/* 1 to size bytes of the flow, or an error: the end is one within a body. */
static ssize_t receive(struct http_exchange *exchange, void *buf, size_t size)
{
	ssize_t len;

	exchange->moving++;
	len = tcp_read(exchange->flow, buf, size, http_deadline(exchange->idle_ns));
	exchange->moving--;
	if (len <= 0)
		return len == 0 ? -ECONNRESET : len;
	http_moved(exchange, (size_t)len);
	return len;
}

/* A body of Content-Length. */
static ssize_t read_plain(struct http_exchange *exchange, void *buf, size_t size)
{
	size_t wanted = smaller(size, exchange->left);
	ssize_t len = (ssize_t)smaller(wanted, exchange->end - exchange->begin);

	if (len > 0) {
		memcpy(buf, exchange->buffers->input + exchange->begin, (size_t)len);
		exchange->begin += (size_t)len;
	} else {
		len = receive(exchange, buf, wanted);
		if (len < 0)
			return len;
	}
	exchange->left -= (uint64_t)len;
	exchange->body_done = exchange->left == 0;
	return len;
}

/* More input behind the head, which stays. */
static int refill(struct http_exchange *exchange)
{
	ssize_t len;

	exchange->begin = exchange->end = exchange->request.head_len;
	len = receive(exchange, exchange->buffers->input + exchange->end, exchange->input_size - exchange->end);
	if (len < 0)
		return (int)len;
	exchange->end += (size_t)len;
	return 0;
}

/* Decodes what is in the input buffer: 1 to size bytes of data, 0 when there is none or the body is complete. */
static ssize_t decode(struct http_exchange *exchange, void *buf, size_t size)
{
	struct http_chunked *chunked = &exchange->chunked;
	const char *input = exchange->buffers->input + exchange->begin;
	size_t len = smaller(size, exchange->end - exchange->begin); /* so that no piece is larger than buf */
	enum http_chunked_event event = http_chunked_next(chunked, &input, &len);

	exchange->begin = (size_t)(input - exchange->buffers->input);
	switch (event) {
	case HTTP_CHUNKED_DATA:
		memcpy(buf, chunked->data, chunked->data_len);
		return (ssize_t)chunked->data_len;
	case HTTP_CHUNKED_END:
		exchange->body_done = true;
		return 0;
	case HTTP_CHUNKED_ERROR:
		return -EBADMSG;
	default:
		return 0;
	}
}

static ssize_t read_chunked(struct http_exchange *exchange, void *buf, size_t size)
{
	struct http_chunked *chunked = &exchange->chunked;
	ssize_t len = 0;

	while (len == 0 && !exchange->body_done) {
		if (exchange->begin < exchange->end) {
			len = decode(exchange, buf, size);
		} else if (chunked->left > 0) {
			len = receive(exchange, buf, smaller(size, chunked->left));
			if (len > 0)
				http_chunked_skip(chunked, (uint64_t)len);
		} else {
			len = refill(exchange);
		}
	}
	return len;
}

ssize_t http_read(struct http_exchange *exchange, void *buf, size_t size)
{
	ssize_t len;

	if (exchange->read_error < 0)
		return exchange->read_error;
	if (exchange->body_done || size == 0)
		return 0;
	len = http_exchange_continue(exchange);
	if (len == 0)
		len = exchange->request.chunked ? read_chunked(exchange, buf, size) : read_plain(exchange, buf, size);
	if (len > 0) {
		exchange->body_bytes += (uint64_t)len;
		if (exchange->body_bytes > exchange->server->limits.body_bytes)
			len = -EFBIG;
	}
	if (len < 0)
		exchange->read_error = (int)len;
	return len;
}
