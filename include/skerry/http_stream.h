/* SPDX-License-Identifier: ISC
 *
 * An HTTP exchange as a stream: the request's body as a source, the response's as a sink. A handler that returns what
 * the run returned has its connection reset when that failed, so that the client sees it:
 *
 *	int err = http_begin(exchange, 200, "application/gzip");
 *	if (err == 0)
 *		err = stream_run(source_http(&body, exchange),
 *			flow_deflate(&gzip, CODEC_GZIP, 6, sink_http(&response, exchange)), FOREVER);
 *	return err;
 */
#ifndef SKERRY_HTTP_STREAM_H
#define SKERRY_HTTP_STREAM_H

#include <skerry/http.h>
#include <skerry/stream.h>

/* http_read's errors, -ENOMEM. The server's limits hold, and not the run's deadline, while a client is waited for. */
struct source_http {
	struct source source;
	struct http_exchange *exchange;
	uint8_t *buf;
};
struct source *source_http(struct source_http *source, struct http_exchange *exchange);

/* After http_begin. Completes the response when the stream is complete, and only then. http_write's errors. */
struct sink_http {
	struct sink sink;
	struct http_exchange *exchange;
};
struct sink *sink_http(struct sink_http *sink, struct http_exchange *exchange);

#endif
