/* SPDX-License-Identifier: ISC
 *
 * The server on the host's sockets, as clients on loopback see it. What it says is compared to the byte, but for the
 * Date, which is checked and left out.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <skerry/http.h>
#include <skerry/log.h>
#include <skerry/task.h>
#include <skerry/tcp.h>
#include <skerry/text.h>

#define SOON     clock_deadline(SECOND(5)) /* never reached when all is well */
#define HOST     "Host: a\r\n"
#define LAST     "Host: a\r\nConnection: close\r\n"
#define TEXT     "Content-Type: text/plain; charset=utf-8\r\n"
#define SAYS_200 "HTTP/1.1 200 OK\r\n" TEXT
#define HELLO    "HTTP/1.1 200 OK\r\n" TEXT "Content-Length: 6\r\n\r\nhello\n"

enum { LARGE = 1 << 20, OUTCOME_NONE = 1 };

static struct stack *stack;
static uint16_t port;
static struct http_limits limits;
static ssize_t outcome; /* what the last call of a handler that keeps it has returned */

/* Handlers ----------------------------------------------------------------------------------------------------- */

static int hello(struct http_exchange *exchange, void *context)
{
	return http_respond_text(exchange, 200, context);
}

/* Reads all, then says how much it was. */
static int count(struct http_exchange *exchange, void *context)
{
	char buf[1000], text[32];
	uint64_t total = 0;

	(void)context;
	while ((outcome = http_read(exchange, buf, sizeof buf)) > 0)
		total += (uint64_t)outcome;
	if (outcome < 0)
		return (int)outcome;
	text_format(text, sizeof text, "%llu", (unsigned long long)total);
	return http_respond_text(exchange, 200, text);
}

/* Answers while it reads. */
static int echo(struct http_exchange *exchange, void *context)
{
	char buf[1000];
	int err = http_begin(exchange, 200, NULL);

	(void)context;
	while (err == 0 && (outcome = http_read(exchange, buf, sizeof buf)) > 0) {
		err = http_write(exchange, buf, (size_t)outcome);
		if (err == 0)
			err = http_flush(exchange);
	}
	return err < 0 ? err : (int)outcome;
}

static int write_hello(void *arg)
{
	int err = http_begin(arg, 200, NULL);

	return err < 0 ? err : http_write(arg, "hello\n", 6);
}

/* One task reads, another writes. */
static int echo_in_two_tasks(struct http_exchange *exchange, void *context)
{
	struct task *writer;
	char buf[100];
	int err;

	(void)context;
	outcome = http_read(exchange, buf, sizeof buf);
	assert_true(outcome > 0);
	assert_int_equal(task_spawn(NULL, write_hello, exchange, &writer), 0);
	while ((outcome = http_read(exchange, buf, sizeof buf)) > 0)
		;
	assert_int_equal(task_await(writer, &err, FOREVER), 0);
	return err;
}

static int fail_at_once(struct http_exchange *exchange, void *context)
{
	(void)exchange;
	return *(const int *)context;
}

static int fail_before_a_byte_is_sent(struct http_exchange *exchange, void *context)
{
	assert_int_equal(http_add(exchange, "X-Secret", "1"), 0);
	assert_int_equal(http_begin(exchange, 200, "text/plain"), 0);
	assert_int_equal(http_write(exchange, "secret", 6), 0);
	return *(const int *)context;
}

static int fail_within_the_response(struct http_exchange *exchange, void *context)
{
	assert_int_equal(http_begin(exchange, 200, NULL), 0);
	assert_int_equal(http_write(exchange, "hello\n", 6), 0);
	assert_int_equal(http_flush(exchange), 0);
	return *(const int *)context;
}

static int fail_after_the_response(struct http_exchange *exchange, void *context)
{
	assert_int_equal(http_respond_text(exchange, 200, "hello\n"), 0);
	return *(const int *)context;
}

static unsigned char pattern(size_t at)
{
	return (unsigned char)(at * 2654435761u >> 13);
}

static char *large_body(void)
{
	static char body[LARGE];

	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)pattern(i);
	return body;
}

static int large(struct http_exchange *exchange, void *context)
{
	(void)context;
	return http_respond(exchange, 200, NULL, large_body(), LARGE);
}

/* The same in pieces of growing size. */
static int stream_large(struct http_exchange *exchange, void *context)
{
	int err = http_begin(exchange, 200, NULL);
	size_t len;

	(void)context;
	for (size_t at = 0; err == 0 && at < LARGE; at += len) {
		len = LARGE - at < at + 1 ? LARGE - at : at + 1;
		err = http_write(exchange, large_body() + at, len);
	}
	return err < 0 ? err : http_end(exchange);
}

static int stream_without_end(struct http_exchange *exchange, void *context)
{
	int err = http_begin(exchange, 200, NULL);

	(void)context;
	while (err == 0)
		err = http_write(exchange, large_body(), LARGE);
	outcome = err;
	return err;
}

static int stream_nothing(struct http_exchange *exchange, void *context)
{
	return http_begin(exchange, *(const int *)context, NULL);
}

static int add_fields(struct http_exchange *exchange, void *context)
{
	static const char *const ours[] = { "Content-Length", "transfer-encoding", "CONNECTION", "Date" };
	char long_value[2000];

	(void)context;
	memset(long_value, 'x', sizeof long_value - 1);
	long_value[sizeof long_value - 1] = '\0';
	assert_int_equal(http_add(exchange, "X-A", "1"), 0);
	assert_int_equal(http_add(exchange, "X-B", "a\r\nX-C: b"), -EINVAL);
	assert_int_equal(http_add(exchange, "X B", "a"), -EINVAL);
	assert_int_equal(http_add(exchange, "X-L", long_value), -ENOMEM);
	for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
		assert_int_equal(http_add(exchange, ours[i], "1"), -EINVAL);
	assert_int_equal(http_respond(exchange, 99, NULL, "", 0), -EINVAL);
	assert_int_equal(http_respond(exchange, 600, NULL, "", 0), -EINVAL);
	assert_int_equal(http_respond(exchange, 200, "a\nb", "", 0), -EINVAL);
	assert_int_equal(http_write(exchange, "x", 1), -EPROTO);
	assert_int_equal(http_end(exchange), -EPROTO);
	assert_int_equal(http_respond(exchange, 201, NULL, "x", 1), 0);
	assert_int_equal(http_respond(exchange, 200, NULL, "y", 1), -EALREADY);
	assert_int_equal(http_begin(exchange, 200, NULL), -EALREADY);
	assert_int_equal(http_add(exchange, "X-D", "1"), -EALREADY);
	return 0;
}

static int tell_request(struct http_exchange *exchange, void *context)
{
	const char *joined = http_field(exchange, "x-many");
	struct ip_endpoint client;
	char text[256];

	(void)context;
	http_client(exchange, &client);
	assert_int_equal(client.address.bytes[12], 127);
	text_format(text, sizeof text, "%s %s %s %s", http_method(exchange), http_path(exchange), http_query(exchange),
		joined != NULL ? joined : "-");
	return http_respond_text(exchange, 200, text);
}

static int send_file(struct http_exchange *exchange, void *context)
{
	return http_respond_file(exchange, context);
}

static const struct crunched_file both = { "a.txt", "text/plain", "\"t\"", (const uint8_t *)"plain", 5,
	(const uint8_t *)"gz", 2 };
static const struct crunched_file plain = { "b.txt", "text/plain", "\"u\"", (const uint8_t *)"plain", 5, NULL, 0 };
static const int eio = -EIO, enomem = -ENOMEM, nothing = 0, ok = 200, no_content = 204;

static const struct http_route routes[] = {
	{ "GET", "/", hello, (void *)(uintptr_t) "hello\n" },
	{ "PUT", "/", count, NULL },
	{ "POST", "/count", count, NULL },
	{ "POST", "/echo", echo, NULL },
	{ "POST", "/two", echo_in_two_tasks, NULL },
	{ "POST", "/ignore", hello, (void *)(uintptr_t) "hello\n" },
	{ "GET", "/fail", fail_at_once, (void *)(uintptr_t)&eio },
	{ "GET", "/memory", fail_at_once, (void *)(uintptr_t)&enomem },
	{ "GET", "/silent", fail_at_once, (void *)(uintptr_t)&nothing },
	{ "GET", "/fail/early", fail_before_a_byte_is_sent, (void *)(uintptr_t)&eio },
	{ "GET", "/fail/within", fail_within_the_response, (void *)(uintptr_t)&eio },
	{ "GET", "/fail/late", fail_after_the_response, (void *)(uintptr_t)&eio },
	{ "GET", "/large", large, NULL },
	{ "GET", "/stream", stream_large, NULL },
	{ "GET", "/endless", stream_without_end, NULL },
	{ "GET", "/empty", stream_nothing, (void *)(uintptr_t)&ok },
	{ "GET", "/none", stream_nothing, (void *)(uintptr_t)&no_content },
	{ "GET", "/add", add_fields, NULL },
	{ "GET", "/tell/\xc3\xa4", tell_request, NULL },
	{ "GET", "/both", send_file, (void *)(uintptr_t)&both },
	{ "GET", "/plain", send_file, (void *)(uintptr_t)&plain },
	{ "GET", "/below/one", hello, (void *)(uintptr_t) "one\n" },
	{ "GET", "/below/*", hello, (void *)(uintptr_t) "any\n" },
};

/* The server under test ---------------------------------------------------------------------------------------- */

static int run_server(void *arg)
{
	const struct http_site site = {
		.routes = routes, .route_count = sizeof routes / sizeof *routes, .limits = limits
	};

	(void)arg;
	return http_serve(stack, port, &site);
}

static uint16_t free_port(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof address;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
	close(fd);
	return ntohs(address.sin_port);
}

static int body_with_server(void *arg)
{
	void (*body)(void) = *(void (**)(void))arg;
	struct stack_counters counters;
	struct task *server;

	outcome = OUTCOME_NONE;
	port = free_port();
	assert_int_equal(stack_open_host(&stack), 0);
	assert_int_equal(task_spawn(NULL, run_server, NULL, &server), 0);
	assert_int_equal(task_yield(), 0); /* it listens */
	body();
	task_cancel(server);
	stack_counters(stack, &counters);
	assert_int_equal(counters.tcp_flows, 0);
	stack_close(stack);
	limits = (struct http_limits){ 0 };
	return 0;
}

static void run_body(void (*body)(void))
{
	int result = -1;

	assert_int_equal(task_run(body_with_server, (void *)&body, &result), 0);
	assert_int_equal(result, 0);
}

#define TEST(name)                                                                                                     \
	static void name##_body(void);                                                                                 \
	static void name(void **state)                                                                                 \
	{                                                                                                              \
		(void)state;                                                                                           \
		run_body(name##_body);                                                                                 \
	}                                                                                                              \
	static void name##_body(void)

/* Clients ------------------------------------------------------------------------------------------------------ */

static struct tcp *client_open(void)
{
	struct ip_endpoint peer = { .address = ip_from_v4((const uint8_t[]){ 127, 0, 0, 1 }), .port = port };
	struct tcp *flow;

	assert_int_equal(tcp_connect(stack, &peer, &flow, SOON), 0);
	return flow;
}

static void send_bytes(struct tcp *flow, const void *bytes, size_t len)
{
	assert_int_equal(tcp_write(flow, bytes, len, SOON), len);
}

static void send_text(struct tcp *flow, const char *text)
{
	send_bytes(flow, text, strlen(text));
}

/* Where the last line begins. */
static size_t last_line(const char *text, size_t len)
{
	while (len > 0 && text[len - 1] != '\n')
		len--;
	return len;
}

/* A Date line that is not complete yet: one that is has been left out. */
static bool in_date(const char *text, size_t len)
{
	size_t line = last_line(text, len);

	return len - line >= 6 && memcmp(text + line, "Date: ", 6) == 0;
}

/* The length without the last line, if it is a Date that has just become complete. */
static size_t without_date(const char *text, size_t len)
{
	size_t line = last_line(text, len - 1);

	if (text[len - 1] != '\n' || !in_date(text, len - 1))
		return len;
	assert_int_equal(len - line, sizeof "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n" - 1);
	assert_memory_equal(text + len - 6, " GMT\r\n", 6);
	return line;
}

/* The next bytes from the server are these. Reads one at a time, to leave what follows. */
static void says(struct tcp *flow, const char *expected)
{
	static char text[4096];
	size_t len = 0, wanted = strlen(expected);
	ssize_t got = 1;

	assert_true(wanted < sizeof text - 64);
	while ((len < wanted || in_date(text, len)) && (got = tcp_read(flow, text + len, 1, SOON)) > 0)
		len = without_date(text, len + 1);
	text[len] = '\0';
	assert_string_equal(text, expected);
}

static void ends(struct tcp *flow)
{
	char byte;

	assert_int_equal(tcp_read(flow, &byte, 1, SOON), 0);
	tcp_close(flow);
}

static void is_reset(struct tcp *flow)
{
	char buf[4096];
	ssize_t len;

	while ((len = tcp_read(flow, buf, sizeof buf, SOON)) > 0)
		;
	assert_int_equal(len, -ECONNRESET);
	tcp_close(flow);
}

/* One connection: this is sent, that comes back, and then the server ends it. */
static void answers(const char *request, const char *response)
{
	struct tcp *flow = client_open();

	send_text(flow, request);
	says(flow, response);
	ends(flow);
}

/* One byte of a large body at a time would take too long. */
static void says_large_body(struct tcp *flow, bool chunked)
{
	static char body[2 * LARGE];
	size_t len = 0, at = 0, expected = 0;
	ssize_t got;

	while ((got = tcp_read(flow, body + len, sizeof body - len, SOON)) > 0)
		len += (size_t)got;
	assert_int_equal(got, 0);
	while (at < len) {
		char *end = body + at;
		size_t piece = chunked ? strtoul(body + at, &end, 16) : len;

		at = (size_t)(end - body) + (chunked ? 2 : 0);
		for (size_t i = 0; i < piece; i++)
			assert_int_equal((unsigned char)body[at + i], pattern(expected++));
		at += piece + (chunked ? 2 : 0);
	}
	assert_int_equal(expected, LARGE);
	if (chunked)
		assert_memory_equal(body + len - 7, "\r\n0\r\n\r\n", 7);
	tcp_close(flow);
}

/* Messages ----------------------------------------------------------------------------------------------------- */

TEST(whole_response_has_type_length_and_date)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET / HTTP/1.1\r\n" HOST "\r\n");
	says(flow, HELLO);
	tcp_close(flow);
}

TEST(head_is_answered_as_get_without_body)
{
	answers("HEAD / HTTP/1.1\r\n" LAST "\r\n", SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\n");
	answers("HEAD /empty HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
	answers("HEAD /stream HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(unknown_path_is_404)
{
	answers("GET /no HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 404 Not Found\r\n" TEXT "Content-Length: 14\r\nConnection: close\r\n\r\n404 Not Found\n");
}

TEST(path_that_ends_in_a_star_takes_what_begins_so_and_no_earlier_route_took)
{
	answers("GET /below/one HTTP/1.1\r\n" LAST "\r\n",
		SAYS_200 "Content-Length: 4\r\nConnection: close\r\n\r\none\n");
	answers("GET /below/one/more HTTP/1.1\r\n" LAST "\r\n",
		SAYS_200 "Content-Length: 4\r\nConnection: close\r\n\r\nany\n");
	answers("GET /below/ HTTP/1.1\r\n" LAST "\r\n", SAYS_200 "Content-Length: 4\r\nConnection: close\r\n\r\nany\n");
	answers("GET /below HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 404 Not Found\r\n" TEXT "Content-Length: 14\r\nConnection: close\r\n\r\n404 Not Found\n");
	answers("POST /below/one/more HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n" TEXT "Allow: GET, HEAD, OPTIONS\r\nContent-Length: 23\r\n"
		"Connection: close\r\n\r\n405 Method Not Allowed\n");
}

TEST(other_method_is_405_with_allow)
{
	answers("DELETE / HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n" TEXT "Allow: GET, HEAD, PUT, OPTIONS\r\nContent-Length: 23\r\n"
		"Connection: close\r\n\r\n405 Method Not Allowed\n");
	answers("GET /count HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 405 Method Not Allowed\r\n" TEXT "Allow: POST, OPTIONS\r\nContent-Length: 23\r\n"
		"Connection: close\r\n\r\n405 Method Not Allowed\n");
}

TEST(options_are_told)
{
	answers("OPTIONS /count HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 204 No Content\r\nAllow: POST, OPTIONS\r\nConnection: close\r\n\r\n");
	answers("OPTIONS * HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 204 No Content\r\nAllow: GET, HEAD, PUT, POST, OPTIONS\r\nConnection: close\r\n\r\n");
	answers("OPTIONS /no HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 404 Not Found\r\n" TEXT "Content-Length: 14\r\nConnection: close\r\n\r\n404 Not Found\n");
}

TEST(handler_sees_the_request)
{
	answers("GET /tell/%C3%A4?q=%20 HTTP/1.1\r\nX-Many: 1\r\n" LAST "x-many: 2\r\n\r\n",
		SAYS_200 "Content-Length: 23\r\nConnection: close\r\n\r\nGET /tell/\xc3\xa4 q=%20 1, 2");
}

TEST(fields_are_added_and_cannot_break_the_message)
{
	answers("GET /add HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 201 Created\r\nX-A: 1\r\nContent-Length: 1\r\nConnection: close\r\n\r\nx");
}

TEST(large_response_arrives_whole)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET /large HTTP/1.1\r\n" LAST "\r\n");
	says(flow, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\nConnection: close\r\n\r\n");
	says_large_body(flow, false);
}

TEST(streamed_response_is_chunked)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET /stream HTTP/1.1\r\n" LAST "\r\n");
	says(flow, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
	says_large_body(flow, true);
}

TEST(streamed_response_to_http_1_0_ends_with_the_connection)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	says(flow, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n");
	says_large_body(flow, false);
}

TEST(streamed_response_may_be_empty)
{
	answers("GET /empty HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n");
	answers("GET /none HTTP/1.1\r\n" LAST "\r\n", "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
}

TEST(files_are_compressed_for_those_who_ask_and_not_sent_to_those_who_have_them)
{
	answers("GET /both HTTP/1.1\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"t\"\r\nVary: Accept-Encoding\r\n"
		"Content-Length: 5\r\nConnection: close\r\n\r\nplain");
	answers("GET /both HTTP/1.1\r\nAccept-Encoding: gzip\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"t-gzip\"\r\nVary: Accept-Encoding\r\n"
		"Content-Encoding: gzip\r\nContent-Length: 2\r\nConnection: close\r\n\r\ngz");
	answers("GET /both HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-None-Match: \"t-gzip\"\r\n" LAST "\r\n",
		"HTTP/1.1 304 Not Modified\r\nETag: \"t-gzip\"\r\nVary: Accept-Encoding\r\nConnection: close\r\n\r\n");
	answers("HEAD /both HTTP/1.1\r\nIf-None-Match: W/\"x\", \"t-gzip\"\r\n" LAST "\r\n",
		"HTTP/1.1 304 Not Modified\r\nETag: \"t-gzip\"\r\nVary: Accept-Encoding\r\nConnection: close\r\n\r\n");
	answers("GET /both HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-None-Match: *\r\n" LAST "\r\n",
		"HTTP/1.1 304 Not Modified\r\nETag: \"t-gzip\"\r\nVary: Accept-Encoding\r\nConnection: close\r\n\r\n");
	answers("GET /plain HTTP/1.1\r\nAccept-Encoding: gzip\r\nIf-None-Match: \"t\"\r\n" LAST "\r\n",
		"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nETag: \"u\"\r\nContent-Length: 5\r\n"
		"Connection: close\r\n\r\nplain");
}

/* Connections -------------------------------------------------------------------------------------------------- */

TEST(pipelined_requests_are_answered_in_order)
{
	answers("\r\nGET / HTTP/1.1\r\n" HOST "\r\nPOST /count HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		"POST /count HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n2\r\ncd\r\n0\r\n\r\n"
		"POST /ignore HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\nabc"
		"GET / HTTP/1.1\r\n" LAST "\r\n",
		HELLO SAYS_200 "Content-Length: 1\r\n\r\n3" SAYS_200 "Content-Length: 1\r\n\r\n4" HELLO SAYS_200
			       "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
}

TEST(request_that_comes_byte_by_byte_is_answered)
{
	static const char request[] =
		"POST /count HTTP/1.1\r\n" LAST "Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n";
	struct tcp *flow = client_open();

	tcp_set_nodelay(flow, true);
	for (size_t i = 0; i < sizeof request - 1; i++) {
		send_bytes(flow, request + i, 1);
		assert_int_equal(task_yield(), 0);
	}
	says(flow, SAYS_200 "Content-Length: 1\r\nConnection: close\r\n\r\n3");
	ends(flow);
}

TEST(http_1_0_closes_unless_asked_not_to)
{
	struct tcp *flow;

	answers("GET / HTTP/1.0\r\n\r\n", SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	flow = client_open();
	send_text(flow, "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
	says(flow, SAYS_200 "Content-Length: 6\r\nConnection: keep-alive\r\n\r\nhello\n");
	send_text(flow, "GET / HTTP/1.0\r\n\r\n");
	says(flow, SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	ends(flow);
}

TEST(client_that_has_ended_its_stream_is_answered)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET / HTTP/1.1\r\n" HOST "\r\n");
	assert_int_equal(tcp_shutdown(flow), 0);
	says(flow, HELLO);
	ends(flow);
}

TEST(exchange_flows_both_ways_at_once)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST /echo HTTP/1.1\r\n" LAST "Content-Length: 6\r\n\r\nabc");
	says(flow, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0003\r\nabc\r\n");
	send_text(flow, "def");
	says(flow, "0003\r\ndef\r\n0\r\n\r\n");
	ends(flow);
}

TEST(one_task_may_read_while_another_writes)
{
	answers("POST /two HTTP/1.1\r\n" LAST "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\nb\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
		"0006\r\nhello\n\r\n0\r\n\r\n");
}

TEST(body_that_nobody_read_is_skipped)
{
	static char body[200000];
	struct tcp *flow = client_open();

	send_text(flow, "POST /ignore HTTP/1.1\r\n" HOST "Content-Length: 200000\r\n\r\n");
	send_bytes(flow, body, sizeof body);
	says(flow, HELLO);
	send_text(flow, "POST /no HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n30d40\r\n");
	send_bytes(flow, body, sizeof body);
	send_text(flow, "\r\n0\r\n\r\nGET / HTTP/1.1\r\n" LAST "\r\n");
	says(flow, "HTTP/1.1 404 Not Found\r\n" TEXT "Content-Length: 14\r\n\r\n404 Not Found\n" SAYS_200
		   "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	ends(flow);
}

/* The client sends all of it before it reads: a reset would cost it the response. */
TEST(body_that_is_too_long_to_skip_ends_the_connection_and_the_response_is_seen)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST /ignore HTTP/1.1\r\n" HOST "Content-Length: 1048576\r\n\r\n");
	send_bytes(flow, large_body(), LARGE);
	says(flow, SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	ends(flow);
}

TEST(continue_is_sent_when_the_handler_reads)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST /count HTTP/1.1\r\n" LAST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
	says(flow, "HTTP/1.1 100 Continue\r\n\r\n");
	send_text(flow, "abc");
	says(flow, SAYS_200 "Content-Length: 1\r\nConnection: close\r\n\r\n3");
	ends(flow);
}

TEST(continue_is_not_sent_when_nobody_reads_or_the_body_is_there)
{
	answers("POST /ignore HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n",
		SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	answers("POST /count HTTP/1.1\r\n" LAST "Expect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
		SAYS_200 "Content-Length: 1\r\nConnection: close\r\n\r\n3");
	answers("POST /count HTTP/1.1\r\n" LAST "Expect: 100-continue\r\n\r\n",
		SAYS_200 "Content-Length: 1\r\nConnection: close\r\n\r\n0");
	answers("POST /count HTTP/1.1\r\n" LAST "Expect: a-miracle\r\n\r\n",
		"HTTP/1.1 417 Expectation Failed\r\n" TEXT "Content-Length: 63\r\nConnection: close\r\n\r\n"
		"417 Expectation Failed: an expectation other than 100-continue\n");
}

/* Refusals ----------------------------------------------------------------------------------------------------- */

TEST(malformed_request_is_told_why)
{
	answers("GET / HTTP/1.1\n",
		"HTTP/1.1 400 Bad Request\r\n" TEXT "Content-Length: 40\r\nConnection: close\r\n\r\n"
		"400 Bad Request: a line ends without CR\n");
	answers("GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 400 Bad Request\r\n" TEXT "Content-Length: 31\r\nConnection: close\r\n\r\n"
		"400 Bad Request: no Host field\n");
}

/* Much is sent behind what is refused, and still the answer is seen. */
TEST(refusal_is_seen_by_a_client_that_goes_on_sending)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST / HTTP/3.0\r\n\r\n");
	send_bytes(flow, large_body(), LARGE);
	says(flow, "HTTP/1.1 505 HTTP Version Not Supported\r\n" TEXT "Content-Length: 60\r\nConnection: close\r\n\r\n"
		   "505 HTTP Version Not Supported: this server speaks HTTP/1.1\n");
	ends(flow);
}

TEST(header_over_the_limit_is_431)
{
	char head[300];

	memset(head, 'x', sizeof head - 1);
	memcpy(head, "GET / HTTP/1.1\r\nX:", 18);
	head[sizeof head - 1] = '\0';
	answers(head, "HTTP/1.1 431 Request Header Fields Too Large\r\n" TEXT "Content-Length: 61\r\n"
		      "Connection: close\r\n\r\n"
		      "431 Request Header Fields Too Large: the header is too large\n");
}

TEST(slow_header_is_408)
{
	struct tcp *flow = client_open();
	uint64_t begin = clock_monotonic();

	send_text(flow, "GET / HTTP");
	assert_int_equal(task_sleep(clock_deadline(MSEC(60))), 0);
	send_text(flow, "/1.1\r\n"); /* does not prolong it */
	says(flow, "HTTP/1.1 408 Request Timeout\r\n" TEXT "Content-Length: 46\r\nConnection: close\r\n\r\n"
		   "408 Request Timeout: the header took too long\n");
	assert_true(clock_monotonic() - begin < MSEC(160));
	ends(flow);
}

TEST(idle_connection_is_closed_without_a_word)
{
	struct tcp *flow = client_open();

	ends(flow);
	flow = client_open();
	send_text(flow, "GET / HTTP/1.1\r\n" HOST "\r\n\r\n"); /* an empty line too many is no request */
	says(flow, HELLO);
	ends(flow);
}

TEST(slow_body_is_408)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST /count HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	says(flow, "HTTP/1.1 408 Request Timeout\r\n" TEXT "Content-Length: 44\r\nConnection: close\r\n\r\n"
		   "408 Request Timeout: the body took too long\n");
	assert_int_equal(outcome, -ETIMEDOUT);
	ends(flow);
}

TEST(client_that_does_not_read_is_reset)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET /endless HTTP/1.1\r\n" HOST "\r\n");
	while (outcome == OUTCOME_NONE)
		assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	assert_int_equal(outcome, -ETIMEDOUT);
	is_reset(flow);
}

TEST(body_over_the_limit_is_413)
{
	static const char says_413[] = "HTTP/1.1 413 Content Too Large\r\n" TEXT "Content-Length: 22\r\n"
				       "Connection: close\r\n\r\n413 Content Too Large\n";

	answers("POST /count HTTP/1.1\r\n" HOST "Content-Length: 11\r\n\r\n", says_413);
	assert_int_equal(outcome, OUTCOME_NONE);
	answers("POST /count HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n5\r\nabcde\r\n",
		says_413);
	assert_int_equal(outcome, -EFBIG);
	answers("POST /count HTTP/1.1\r\n" LAST "Content-Length: 10\r\n\r\n0123456789",
		SAYS_200 "Content-Length: 2\r\nConnection: close\r\n\r\n10");
}

TEST(malformed_chunk_is_400)
{
	answers("POST /count HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
		"HTTP/1.1 400 Bad Request\r\n" TEXT "Content-Length: 57\r\nConnection: close\r\n\r\n"
		"400 Bad Request: the body is not chunked as it should be\n");
	assert_int_equal(outcome, -EBADMSG);
}

TEST(body_that_is_cut_off_is_an_error_and_no_end)
{
	struct tcp *flow = client_open();

	send_text(flow, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
	says(flow, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n");
	assert_int_equal(tcp_shutdown(flow), 0);
	is_reset(flow);
	assert_int_equal(outcome, -ECONNRESET);
}

static void is_served(void)
{
	answers("GET / HTTP/1.1\r\n" LAST "\r\n", SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
}

static void is_refused(struct tcp *flow)
{
	send_text(flow, "GET / HTTP/1.1\r\n" HOST "\r\n");
	says(flow, "HTTP/1.1 503 Service Unavailable\r\n" TEXT "Retry-After: 1\r\nContent-Length: 24\r\n"
		   "Connection: close\r\n\r\n503 Service Unavailable\n");
	ends(flow);
}

TEST(one_connection_too_many_is_503_and_a_place_that_gets_free_is_taken)
{
	struct tcp *busy = client_open();

	send_text(busy, "POST /echo HTTP/1.1\r\n" LAST "Content-Length: 6\r\n\r\nabc");
	says(busy, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0003\r\nabc\r\n");
	is_refused(client_open());
	send_text(busy, "def");
	says(busy, "0003\r\ndef\r\n0\r\n\r\n");
	ends(busy);
	is_served();
}

TEST(connection_that_waits_longest_makes_room_for_a_new_one)
{
	struct tcp *idle = client_open(), *trickling = client_open(), *another;

	send_text(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	says(idle, HELLO); /* so it has begun to wait after the other */
	send_text(trickling, "GET / HT");
	another = client_open();
	send_text(another, "GET / HTTP/1.1\r\n" HOST "\r\n");
	says(another, HELLO);
	is_reset(trickling);
	send_text(idle, "GET / HTTP/1.1\r\n" HOST "\r\n");
	says(idle, HELLO); /* it is the other that waits longest again */
	is_served();
	is_reset(another);
	send_text(idle, "GET / HTTP/1.1\r\n" LAST "\r\n");
	says(idle, SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
	ends(idle);
}

/* Its last bytes are in the host's buffers, so that it waits for the next request already, or nearly. */
TEST(connection_whose_response_is_on_its_way_makes_no_room)
{
	struct tcp *loading = client_open();
	size_t total = 0;
	ssize_t len;
	char buf[4096];

	send_text(loading, "GET /large HTTP/1.1\r\n" HOST "\r\n");
	says(loading, "HTTP/1.1 200 OK\r\nContent-Length: 1048576\r\n\r\n");
	is_refused(client_open());
	while (total < LARGE && (len = tcp_read(loading, buf, sizeof buf, SOON)) > 0)
		total += (size_t)len;
	assert_int_equal(total, LARGE);
	is_served();
	is_reset(loading);
}

/* Asks until it is served; how often it was refused before. */
static unsigned refusals_before_it_is_served(void)
{
	uint64_t end = clock_deadline(SECOND(20));

	for (unsigned refused = 0;; refused++) {
		struct tcp *flow = client_open();
		char head[10];

		assert_true(clock_monotonic() < end);
		send_text(flow, "GET / HTTP/1.1\r\n" LAST "\r\n");
		for (size_t i = 0; i < sizeof head; i++)
			assert_int_equal(tcp_read(flow, &head[i], 1, SOON), 1);
		tcp_close(flow);
		if (head[9] == '2')
			return refused;
		assert_int_equal(task_sleep(clock_deadline(MSEC(50))), 0);
	}
}

/* What hardly moves makes room after a while, although it is in the middle of a body: these two at the same time. */
TEST(connections_that_have_stalled_in_their_bodies_make_room_for_new_ones)
{
	struct tcp *sending = client_open(), *loading = client_open(), *idle;

	send_text(sending, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
	says(sending, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n");
	send_text(loading, "GET /endless HTTP/1.1\r\n" HOST "\r\n");
	says(loading, "HTTP/1.1 200 OK\r\n");
	assert_true(refusals_before_it_is_served() > 10);
	is_reset(sending);
	idle = client_open();
	send_text(idle, "POST /echo HTTP/1.1\r\n" HOST "Content-Length: 6\r\n\r\nabc");
	says(idle, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0003\r\nabc\r\n");
	refusals_before_it_is_served();
	is_reset(loading);
	tcp_close(idle);
}

/* The client's request is there before the server looks, which takes a plain socket: to close at once would reset the
 * connection. */
TEST(connection_without_memory_is_503)
{
	static const char request[] = "GET / HTTP/1.1\r\n" HOST "\r\n";
	static const char response[] = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
				       "Connection: close\r\n\r\n";
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = { htonl(INADDR_LOOPBACK) }
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0), error = -1;
	socklen_t len = sizeof error;
	char text[sizeof response];

	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
	assert_int_equal(send(fd, request, sizeof request - 1, 0), sizeof request - 1);
	assert_int_equal(task_sleep(clock_deadline(MSEC(20))), 0);
	assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), sizeof response - 1);
	assert_memory_equal(text, response, sizeof response - 1);
	assert_int_equal(recv(fd, text, sizeof text, MSG_DONTWAIT), 0);
	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len), 0);
	assert_int_equal(error, 0); /* Linux lets us read on after a reset, others do not */
	close(fd);
}

/* Handlers that fail ------------------------------------------------------------------------------------------- */

TEST(handler_that_fails_or_says_nothing_is_500_without_internals)
{
	static const char says_500[] = "HTTP/1.1 500 Internal Server Error\r\n" TEXT "Content-Length: 26\r\n"
				       "Connection: close\r\n\r\n500 Internal Server Error\n";

	answers("GET /fail HTTP/1.1\r\n" HOST "\r\n", says_500);
	answers("GET /silent HTTP/1.1\r\n" HOST "\r\n", says_500);
	answers("GET /fail/early HTTP/1.1\r\n" HOST "\r\n", says_500);
}

TEST(handler_without_memory_is_503)
{
	answers("GET /memory HTTP/1.1\r\n" HOST "\r\n",
		"HTTP/1.1 503 Service Unavailable\r\n" TEXT "Retry-After: 1\r\nContent-Length: 24\r\n"
		"Connection: close\r\n\r\n503 Service Unavailable\n");
}

TEST(handler_that_fails_within_its_response_resets_the_connection)
{
	struct tcp *flow = client_open();

	send_text(flow, "GET /fail/within HTTP/1.1\r\n" HOST "\r\n");
	says(flow, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0006\r\nhello\n\r\n");
	is_reset(flow);
}

TEST(handler_that_fails_after_its_response_has_said_all)
{
	answers("GET /fail/late HTTP/1.1\r\n" LAST "\r\n",
		SAYS_200 "Content-Length: 6\r\nConnection: close\r\n\r\nhello\n");
}

TEST(cancelled_server_ends_its_connections)
{
	struct tcp *idle = client_open(), *busy = client_open();

	/* What body_with_server finds out when this test has ended: no flow is left. */
	send_text(busy, "POST /count HTTP/1.1\r\n" HOST "Content-Length: 3\r\n\r\na");
	assert_int_equal(task_sleep(clock_deadline(MSEC(5))), 0);
	tcp_close(idle);
	tcp_close(client_open()); /* accepted perhaps, and not yet run */
	tcp_close(busy);
}

/* Tests with other limits than the default: set before the server starts. */
static int limit_connections(void **state)
{
	(void)state;
	limits = (struct http_limits){ .connections = 1 };
	return 0;
}

static int limit_to_two_connections(void **state)
{
	(void)state;
	limits = (struct http_limits){ .connections = 2 };
	return 0;
}

static int limit_body(void **state)
{
	(void)state;
	limits = (struct http_limits){ .body_bytes = 10 };
	return 0;
}

static int limit_header(void **state)
{
	(void)state;
	limits = (struct http_limits){ .header_bytes = 256 };
	return 0;
}

/* More than there is, so that no connection can be made. */
static int limit_memory(void **state)
{
	(void)state;
	limits = (struct http_limits){ .header_bytes = (size_t)1 << 46 };
	return 0;
}

const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "allocator_may_return_null=1";
}

static int limit_time(void **state)
{
	(void)state;
	limits = (struct http_limits){ .header_ns = MSEC(100), .idle_ns = MSEC(100) };
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(whole_response_has_type_length_and_date),
		cmocka_unit_test(head_is_answered_as_get_without_body),
		cmocka_unit_test(unknown_path_is_404),
		cmocka_unit_test(path_that_ends_in_a_star_takes_what_begins_so_and_no_earlier_route_took),
		cmocka_unit_test(other_method_is_405_with_allow),
		cmocka_unit_test(options_are_told),
		cmocka_unit_test(handler_sees_the_request),
		cmocka_unit_test(fields_are_added_and_cannot_break_the_message),
		cmocka_unit_test(large_response_arrives_whole),
		cmocka_unit_test(streamed_response_is_chunked),
		cmocka_unit_test(streamed_response_to_http_1_0_ends_with_the_connection),
		cmocka_unit_test(streamed_response_may_be_empty),
		cmocka_unit_test(files_are_compressed_for_those_who_ask_and_not_sent_to_those_who_have_them),
		cmocka_unit_test(pipelined_requests_are_answered_in_order),
		cmocka_unit_test(request_that_comes_byte_by_byte_is_answered),
		cmocka_unit_test(http_1_0_closes_unless_asked_not_to),
		cmocka_unit_test(client_that_has_ended_its_stream_is_answered),
		cmocka_unit_test(exchange_flows_both_ways_at_once),
		cmocka_unit_test(one_task_may_read_while_another_writes),
		cmocka_unit_test(body_that_nobody_read_is_skipped),
		cmocka_unit_test(body_that_is_too_long_to_skip_ends_the_connection_and_the_response_is_seen),
		cmocka_unit_test(continue_is_sent_when_the_handler_reads),
		cmocka_unit_test(continue_is_not_sent_when_nobody_reads_or_the_body_is_there),
		cmocka_unit_test(malformed_request_is_told_why),
		cmocka_unit_test(refusal_is_seen_by_a_client_that_goes_on_sending),
		cmocka_unit_test_setup(header_over_the_limit_is_431, limit_header),
		cmocka_unit_test_setup(slow_header_is_408, limit_time),
		cmocka_unit_test_setup(idle_connection_is_closed_without_a_word, limit_time),
		cmocka_unit_test_setup(slow_body_is_408, limit_time),
		cmocka_unit_test_setup(client_that_does_not_read_is_reset, limit_time),
		cmocka_unit_test_setup(body_over_the_limit_is_413, limit_body),
		cmocka_unit_test(malformed_chunk_is_400),
		cmocka_unit_test(body_that_is_cut_off_is_an_error_and_no_end),
		cmocka_unit_test_setup(
			one_connection_too_many_is_503_and_a_place_that_gets_free_is_taken, limit_connections),
		cmocka_unit_test_setup(
			connection_that_waits_longest_makes_room_for_a_new_one, limit_to_two_connections),
		cmocka_unit_test_setup(connection_whose_response_is_on_its_way_makes_no_room, limit_connections),
		cmocka_unit_test_setup(
			connections_that_have_stalled_in_their_bodies_make_room_for_new_ones, limit_to_two_connections),
		cmocka_unit_test_setup(connection_without_memory_is_503, limit_memory),
		cmocka_unit_test(handler_that_fails_or_says_nothing_is_500_without_internals),
		cmocka_unit_test(handler_without_memory_is_503),
		cmocka_unit_test(handler_that_fails_within_its_response_resets_the_connection),
		cmocka_unit_test(handler_that_fails_after_its_response_has_said_all),
		cmocka_unit_test(cancelled_server_ends_its_connections),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
