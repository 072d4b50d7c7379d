/* SPDX-License-Identifier: ISC
 *
 * Streams over connections: a body compressed by a handler while a client streams it there and back; and what the other
 * side sees of a stream that fails.
 */
#include "lib/hostnet/test/peer.h"

#include "lib/stream/test/allocation.h"

#include <skerry/codec.h>
#include <skerry/http_stream.h>
#include <skerry/tcp_stream.h>
#include <skerry/text.h>

enum { BODY_LEN = 1 << 20 };

static uint8_t body[BODY_LEN], answer[BODY_LEN + 4096];
static int handled;
static size_t failing_allocation; /* of the handler's; 0: none */

static int compress(struct http_exchange *exchange, void *context)
{
	struct source_http from;
	struct flow_zlib gzip;
	struct sink_http to;

	(void)context;
	allocations_until_failure = failing_allocation;
	handled = http_begin(exchange, 200, "application/gzip");
	if (handled == 0)
		handled = stream_run(source_http(&from, exchange),
			flow_deflate(&gzip, CODEC_GZIP, 6, sink_http(&to, exchange)), FOREVER);
	failing_allocation = allocations_until_failure == 0 && failing_allocation > 0 ? failing_allocation + 1 : 0;
	allocations_until_failure = 0;
	return handled;
}

static int serve(void *arg)
{
	static const struct http_route route = { "POST", "/", compress, NULL };
	const struct http_site site = { .routes = &route, .route_count = 1 };

	return http_serve(stack, *(const uint16_t *)arg, &site);
}

static struct tcp *connect_soon(uint16_t port)
{
	struct ip_endpoint server = loopback_endpoint(port);
	struct tcp *flow = NULL;
	int err;

	do {
		assert_int_equal(task_yield(), 0);
		err = tcp_connect(stack, &server, &flow, SOON);
	} while (err == -ECONNREFUSED);
	assert_int_equal(err, 0);
	return flow;
}

struct upload {
	struct tcp *flow;
	size_t announced, len; /* of the body: what is sent may be less */
	int result;
};

static int send_request(void *arg)
{
	char head[64];
	struct upload *upload = arg;
	size_t head_len =
		text_format(head, sizeof head, "POST / HTTP/1.0\r\nContent-Length: %zu\r\n\r\n", upload->announced);
	struct stream_piece pieces[] = { { head, head_len }, { body, upload->len } };
	struct source_array array;
	struct sink_tcp sink;

	upload->result = stream_run(source_array(&array, pieces, 2), sink_tcp(&sink, upload->flow), SOON);
	return 0;
}

/* Sends a request and reads the answer, both as streams over one flow. */
static int exchange_with(uint16_t port, size_t announced, size_t len, struct sink_buffer *buffer)
{
	struct upload upload = { .flow = connect_soon(port), .announced = announced, .len = len };
	struct source_tcp source;
	struct task *sender;
	int err;

	assert_int_equal(task_spawn(NULL, send_request, &upload, &sender), 0);
	err = stream_run(source_tcp(&source, upload.flow), sink_buffer(buffer, answer, sizeof answer), SOON);
	assert_int_equal(task_await(sender, NULL, SOON), 0);
	assert_int_equal(upload.result, STREAM_COMPLETE);
	tcp_finish(upload.flow, err);
	return err;
}

TEST(body_is_compressed_while_it_comes_and_comes_back_whole)
{
	static uint8_t unpacked[BODY_LEN];
	uint16_t port = free_port(SOCK_STREAM);
	struct sink_buffer buffer, result;
	struct source_string string;
	struct flow_zlib inflate;
	struct task *server;
	uint8_t *content;

	for (size_t i = 0; i < BODY_LEN; i++)
		body[i] = (uint8_t)(i % 1000 < 500 ? i % 7 : i * 2654435761u >> 13);
	assert_int_equal(task_spawn(NULL, serve, &port, &server), 0);
	assert_int_equal(exchange_with(port, BODY_LEN, BODY_LEN, &buffer), STREAM_COMPLETE);
	task_cancel(server);
	assert_int_equal(handled, 0);
	content = memmem(answer, buffer.len, "\r\n\r\n", 4);
	assert_non_null(content);
	assert_memory_equal(answer, "HTTP/1.1 200 OK", 15);
	content += 4;
	source_bytes(&string, content, buffer.len - (size_t)(content - answer));
	assert_int_equal(stream_run(&string.source,
				 flow_inflate(&inflate, CODEC_GZIP, sink_buffer(&result, unpacked, BODY_LEN)), SOON),
		STREAM_LEFT);
	source_stop(&string.source, 0);
	assert_int_equal(result.len, BODY_LEN);
	assert_memory_equal(unpacked, body, BODY_LEN);
}

TEST(body_that_is_cut_off_resets_the_answer)
{
	uint16_t port = free_port(SOCK_STREAM);
	struct sink_buffer buffer;
	struct task *server;

	assert_int_equal(task_spawn(NULL, serve, &port, &server), 0);
	assert_int_equal(exchange_with(port, BODY_LEN, BODY_LEN / 2, &buffer), -ECONNRESET);
	task_cancel(server);
	assert_int_equal(handled, -ECONNRESET);
}

TEST(body_without_memory_for_its_stream_is_503)
{
	uint16_t port = free_port(SOCK_STREAM);
	struct sink_buffer buffer;
	struct task *server;
	unsigned refused = 0;

	assert_int_equal(task_spawn(NULL, serve, &port, &server), 0);
	for (failing_allocation = 1; failing_allocation > 0; refused += handled < 0) {
		assert_int_equal(exchange_with(port, 1000, 1000, &buffer), STREAM_COMPLETE);
		assert_int_equal(handled, failing_allocation > 0 ? -ENOMEM : 0);
		assert_memory_equal(answer, handled < 0 ? "HTTP/1.1 503" : "HTTP/1.1 200", 12);
	}
	assert_in_range(refused, 4, 10);
	task_cancel(server);
}

TEST(peer_of_a_stream_that_failed_sees_a_reset_and_not_an_end)
{
	uint16_t port = free_port(SOCK_STREAM), peer_port;
	struct tcp_listener *listener;
	struct source_string string;
	struct flow_split split;
	struct sink_tcp sink;
	struct tcp *flow;
	char byte;
	int peer, err;

	assert_int_equal(tcp_listen(stack, port, &listener), 0);
	peer = peer_connect(port, &peer_port);
	assert_int_equal(tcp_accept(listener, &flow, SOON), 0);
	err = stream_run(
		source_string(&string, "too long\n"), flow_split(&split, '\n', 4, sink_tcp(&sink, flow)), SOON);
	assert_int_equal(err, -EMSGSIZE);
	tcp_finish(flow, err);
	assert_int_equal(recv(peer, &byte, 1, 0), -1);
	assert_int_equal(errno, ECONNRESET);
	close(peer);
	tcp_unlisten(listener);
}

TEST(deadline_ends_a_stream_from_a_silent_peer)
{
	uint16_t port = free_port(SOCK_STREAM), peer_port;
	struct tcp_listener *listener;
	struct source_tcp source;
	struct sink_buffer buffer;
	struct tcp *flow;
	int peer, err;

	assert_int_equal(tcp_listen(stack, port, &listener), 0);
	peer = peer_connect(port, &peer_port);
	assert_int_equal(tcp_accept(listener, &flow, SOON), 0);
	err = stream_run(source_tcp(&source, flow), sink_buffer(&buffer, answer, 10), clock_deadline(MSEC(5)));
	assert_int_equal(err, -ETIMEDOUT);
	tcp_finish(flow, err);
	close(peer);
	tcp_unlisten(listener);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(body_is_compressed_while_it_comes_and_comes_back_whole),
		cmocka_unit_test(body_that_is_cut_off_resets_the_answer),
		cmocka_unit_test(body_without_memory_for_its_stream_is_503),
		cmocka_unit_test(peer_of_a_stream_that_failed_sees_a_reset_and_not_an_end),
		cmocka_unit_test(deadline_ends_a_stream_from_a_silent_peer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
