/* SPDX-License-Identifier: ISC
 *
 * The life of a connection: one exchange after the other, in one task.
 *
 *	receive a head -> exchange -> drain what is left of the body -> receive the next head (which may be there
 *already)
 *
 * until one of these ends it:
 *	CLOSE   all was said and read: the flow is closed.
 *	LINGER  all was said, but the client may still be sending. Closing then would reset the connection, and the
 *	        reset may overtake the response (RFC 9112, 9.6). So our side is ended, and input thrown away for
 *	        some time.
 *	ABORT   a response was cut off: only a reset tells the client so.
 *
 * Memory: while a connection waits for its next request, half a KiB and its stack; from the first byte of one to the
 *end of the exchange 13 KiB more with the default limits, and a buffer for a streamed response. A request that comes in
 *one segment costs one tcp_read, or two if it has more than HTTP_FIRST_BYTES, its response one tcp_write, and no
 *reading of a clock beyond the scheduler's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/text.h>

#include "http_exchange.h"

LOG_SOURCE(http);

enum ending { GO_ON, CLOSE, LINGER, ABORT };

struct http_exchange *http_connection_new(struct http_server *server, struct tcp *flow, bool refused)
{
	struct http_exchange *exchange = malloc(sizeof *exchange);

	if (exchange == NULL)
		return NULL;
	*exchange = (struct http_exchange){
		.server = server,
		.flow = flow,
		.refused = refused,
		.input_size = server->limits.header_bytes + HTTP_BODY_ROOM,
	};
	tcp_peer(flow, &exchange->client);
	exchange->next = server->connections;
	if (exchange->next != NULL)
		exchange->next->previous = exchange;
	server->connections = exchange;
	*(refused ? &server->refusal_count : &server->connection_count) += 1;
	return exchange;
}

void http_connection_free(void *arg)
{
	struct http_exchange *exchange = arg;

	http_wait_end(exchange);
	if (exchange->next != NULL)
		exchange->next->previous = exchange->previous;
	if (exchange->previous != NULL)
		exchange->previous->next = exchange->next;
	else
		exchange->server->connections = exchange->next;
	*(exchange->refused ? &exchange->server->refusal_count : &exchange->server->connection_count) -= 1;
	tcp_close(exchange->flow);
	free(exchange->stream);
	free(exchange->buffers);
	free(exchange);
}

/* The head ----------------------------------------------------------------------------------------------------- */

/* Forgets the last exchange, but for the bytes that came behind it. */
static void prepare(struct http_exchange *exchange)
{
	if (exchange->end > exchange->begin)
		memmove(exchange->buffers->input, exchange->buffers->input + exchange->begin,
			exchange->end - exchange->begin);
	exchange->end -= exchange->begin;
	exchange->begin = 0;
	http_request_init(&exchange->request, exchange->server->limits.header_bytes);
	exchange->body_done = exchange->continue_due = exchange->head_only = exchange->on_wire = false;
	exchange->response = HTTP_RESPONSE_NONE;
	exchange->status = 0;
	exchange->sent = 0;
	exchange->added_len = 0;
	exchange->left = 0;
}

/* What the end of the input means: nothing between requests, else a status. */
static int input_ended(struct http_exchange *exchange, ssize_t len, bool begun)
{
	if (!begun || (len < 0 && len != -ETIMEDOUT))
		return -ECONNRESET;
	if (len == -ETIMEDOUT)
		return http_refuse(&exchange->request, 408, "the header took too long");
	return http_refuse(&exchange->request, 400, "the header is cut off");
}

/* 0 or -ENOMEM. */
static int buffers_new(struct http_exchange *exchange)
{
	exchange->buffers = malloc(sizeof *exchange->buffers + exchange->input_size);
	return exchange->buffers == NULL ? -ENOMEM : 0;
}

/* Waits without buffers for the first bytes of a request. Their number; 0 or an error when none come; -ENOMEM. */
static ssize_t receive_first(struct http_exchange *exchange, uint64_t deadline)
{
	char first[HTTP_FIRST_BYTES];
	ssize_t len;

	free(exchange->buffers);
	exchange->buffers = NULL;
	len = tcp_read(exchange->flow, first, sizeof first < exchange->input_size ? sizeof first : exchange->input_size,
		deadline);
	if (len <= 0)
		return len;
	if (buffers_new(exchange) < 0)
		return -ENOMEM;
	memcpy(exchange->buffers->input, first, (size_t)len);
	return len;
}

static ssize_t receive_more(struct http_exchange *exchange, uint64_t deadline)
{
	if (exchange->end == 0)
		return receive_first(exchange, deadline);
	return tcp_read(exchange->flow, exchange->buffers->input + exchange->end, exchange->input_size - exchange->end,
		deadline);
}

/* Reads until the head is complete: HTTP_HEAD_COMPLETE, the status to refuse with, or a negative errno if the
 * connection ended before it began, or has no memory. The input buffer is larger than any head, so there is always
 * room. */
static int receive_head(struct http_exchange *exchange)
{
	const struct http_limits *limits = &exchange->server->limits;
	uint64_t deadline = http_deadline(limits->idle_ns);
	bool begun = false;
	ssize_t len;
	int status = HTTP_HEAD_MORE;

	http_wait_begin(exchange);
	for (;;) {
		if (exchange->end > 0)
			status = http_request_feed(&exchange->request, exchange->buffers->input, exchange->end);
		if (status != HTTP_HEAD_MORE)
			return status;
		if (!begun && exchange->request.begin < exchange->end) {
			begun = true;
			deadline = http_deadline(limits->header_ns);
		}
		len = receive_more(exchange, deadline);
		if (len <= 0)
			return len == -ENOMEM ? -ENOMEM : input_ended(exchange, len, begun);
		exchange->end += (size_t)len;
	}
}

/* The end of an exchange --------------------------------------------------------------------------------------- */

static void log_access(const struct http_exchange *exchange)
{
	const struct http_request *request = &exchange->request;
	char client[IP_ENDPOINT_TEXT_MAX];

	if (log_source.level < LOG_DEBUG)
		return;
	log_debug("%s %s %d %llu bytes %llu ms from %s", request->method != NULL ? request->method : "-",
		request->path != NULL ? request->path : "-", exchange->status, (unsigned long long)exchange->sent,
		(unsigned long long)((task_now() - exchange->started) / MSEC(1)),
		ip_endpoint_format(&exchange->client, client));
}

/* The last response of a connection: a line of text that says why. */
static enum ending refuse(struct http_exchange *exchange, int status, const char *reason)
{
	char text[160];

	exchange->close = true;
	if (reason != NULL)
		text_format(text, sizeof text, "%d %s: %s\n", status, http_reason(status), reason);
	else
		text_format(text, sizeof text, "%d %s\n", status, http_reason(status));
	if (status == 503 && http_add(exchange, "Retry-After", "1") < 0)
		return ABORT;
	return http_respond_text(exchange, status, text) < 0 ? ABORT : LINGER;
}

/* The handler failed, or (err is 0) left no response. What went wrong with the body comes first. */
static enum ending refuse_after_failure(struct http_exchange *exchange, int err)
{
	switch (exchange->read_error) {
	case 0:
		break;
	case -EBADMSG:
		return refuse(exchange, 400, "the body is not chunked as it should be");
	case -EFBIG:
		return refuse(exchange, 413, NULL);
	case -ETIMEDOUT:
		return refuse(exchange, 408, "the body took too long");
	default:
		return ABORT;
	}
	if (err == -ECANCELED)
		return ABORT;
	if (err == 0)
		log_error("%s %s: the handler left no response", exchange->request.method, exchange->request.path);
	else
		log_error("%s %s: the handler failed with error %d", exchange->request.method, exchange->request.path,
			-err);
	return refuse(exchange, err == -ENOMEM ? 503 : 500, NULL);
}

static enum ending finish_failed(struct http_exchange *exchange, int err)
{
	if (http_response_discard(exchange))
		return refuse_after_failure(exchange, err);
	if (exchange->read_error == 0)
		log_error("%s %s: the handler failed with error %d within its response", exchange->request.method,
			exchange->request.path, -err);
	return ABORT;
}

/* Reads what the handler left of the body: whether the next request can follow. */
static bool drain(struct http_exchange *exchange)
{
	uint64_t deadline = http_deadline(HTTP_LINGER_NS), limit = exchange->body_bytes + HTTP_DRAIN_BYTES;
	ssize_t len;

	if (exchange->continue_due && exchange->begin == exchange->end)
		return false;
	if (exchange->idle_ns > HTTP_LINGER_NS)
		exchange->idle_ns = HTTP_LINGER_NS;
	http_wait_begin(exchange);
	while (!exchange->body_done && exchange->body_bytes + exchange->left <= limit && task_now() < deadline) {
		len = http_read(exchange, exchange->buffers->output, HTTP_OUTPUT_BYTES);
		if (len < 0)
			break;
	}
	http_wait_end(exchange);
	return exchange->body_done;
}

static enum ending finish(struct http_exchange *exchange, int err)
{
	err = err > 0 ? 0 : err;
	if (err == 0 && exchange->response == HTTP_RESPONSE_STREAM)
		err = http_end(exchange);
	if (exchange->write_error < 0)
		return ABORT;
	if (exchange->response != HTTP_RESPONSE_DONE)
		return finish_failed(exchange, err);
	if (!exchange->close && drain(exchange))
		return GO_ON;
	return exchange->body_done && exchange->begin == exchange->end ? CLOSE : LINGER;
}

static enum ending serve_request(struct http_exchange *exchange)
{
	enum ending ending;
	int status;

	prepare(exchange);
	if (exchange->refused)
		status = buffers_new(exchange) < 0 ? -ENOMEM : 503;
	else
		status = receive_head(exchange);
	http_wait_end(exchange);
	exchange->started = task_now();
	if (status == -ENOMEM)
		return http_refuse_without_memory(exchange->server, exchange->flow) < 0 ? ABORT : LINGER;
	if (status < 0)
		return CLOSE;
	if (status == HTTP_HEAD_COMPLETE) {
		http_exchange_begin(exchange);
		ending = exchange->left > exchange->server->limits.body_bytes ? refuse(exchange, 413, NULL)
									      : finish(exchange, http_route(exchange));
	} else {
		ending = refuse(exchange, status, exchange->request.reason);
	}
	log_access(exchange);
	return ending;
}

/* Its end ------------------------------------------------------------------------------------------------------ */

static void linger(struct http_exchange *exchange)
{
	uint64_t deadline = http_deadline(HTTP_LINGER_NS);
	char thrown_away[HTTP_FIRST_BYTES];
	size_t total = 0;
	ssize_t len = tcp_shutdown(exchange->flow) < 0 ? -1 : 1;

	free(exchange->buffers);
	exchange->buffers = NULL;
	http_wait_begin(exchange);
	while (len > 0 && total < HTTP_LINGER_BYTES) {
		len = tcp_read(exchange->flow, thrown_away, sizeof thrown_away, deadline);
		total += len > 0 ? (size_t)len : 0;
	}
}

int http_connection_serve(void *arg)
{
	struct http_exchange *exchange = arg;
	enum ending ending;

	exchange->task = task_self();
	tcp_set_nodelay(exchange->flow, true); /* what goes together is written together */
	do
		ending = serve_request(exchange);
	while (ending == GO_ON);
	if (ending == LINGER)
		linger(exchange);
	if (ending == ABORT || exchange->evicted) {
		tcp_abort(exchange->flow);
		exchange->flow = NULL;
	}
	return 0;
}
