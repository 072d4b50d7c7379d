/* SPDX-License-Identifier: ISC
 *
 * Fuzzes the parser of request heads: any segmentation gives the same answer, and what is accepted has legal values.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../http_conditional.h"
#include "../http_parse.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 8192 };

static void expect(int holds)
{
	if (!holds)
		abort();
}

/* As it comes from a network: some bytes, more, and never a second look at what came before. */
static int feed_in_pieces(struct http_request *request, char *buf, size_t size)
{
	int status = HTTP_HEAD_MORE;

	http_request_init(request, LIMIT);
	for (size_t len = 1; len < size && status == HTTP_HEAD_MORE; len += 1 + len % 7)
		status = http_request_feed(request, buf, len);
	return status == HTTP_HEAD_MORE ? http_request_feed(request, buf, size) : status;
}

static void check_strings(const struct http_request *request)
{
	expect(request->path[0] == '/' || strcmp(request->path, "*") == 0);
	expect(strpbrk(request->query, "\r\n ") == NULL);
	expect(!request->chunked || request->content_length == 0);
	expect(request->minor == 0 || http_request_field(request, "host") != NULL);
	for (size_t i = 0; i < request->line_count; i++) {
		expect(http_request_field(request, request->lines[i].name) == request->lines[i].value);
		expect(strpbrk(request->lines[i].value, "\r\n") == NULL);
		http_accepts_gzip(request->lines[i].value);
		http_etag_matches(request->lines[i].value, "\"abc\"");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct http_request whole, pieces;
	char *first = malloc(size + 1), *second = malloc(size + 1);
	int status;

	expect(first != NULL && second != NULL);
	if (size > 0) {
		memcpy(first, data, size);
		memcpy(second, data, size);
	}
	http_request_init(&whole, LIMIT);
	status = http_request_feed(&whole, first, size);
	expect(feed_in_pieces(&pieces, second, size) == status);
	expect(status <= HTTP_HEAD_COMPLETE ? status >= 0 : status >= 400 && whole.reason != NULL);
	if (status == HTTP_HEAD_COMPLETE) {
		expect(whole.head_len <= size && whole.head_len <= LIMIT && pieces.head_len == whole.head_len);
		check_strings(&whole);
	}
	free(first);
	free(second);
	return 0;
}
