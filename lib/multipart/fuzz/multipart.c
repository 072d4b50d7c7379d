/* SPDX-License-Identifier: ISC
 *
 * Fuzz target: a Content-Type, a line feed, a body. The body must tell the same story however it is cut; content must
 * lie in the input or in the parser, and a body is complete only if its end was seen.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <skerry/multipart.h>

/* A digest of the events; content is summed apart, so that where it is cut makes no difference. */
struct story {
	uint64_t events, content;
	bool failed;
};

static void mix(uint64_t *sum, const void *data, size_t len)
{
	const unsigned char *byte = data;
	for (size_t i = 0; i < len; i++)
		*sum = (*sum ^ byte[i]) * 0x100000001b3u;
}

static void mix_text(uint64_t *sum, const char *text)
{
	mix(sum, text, text != NULL ? strlen(text) + 1 : 0);
}

static void tell(struct story *story, const struct multipart *m, enum multipart_event event)
{
	if (event == MULTIPART_DATA) {
		if (m->data_len == 0)
			abort();
		mix(&story->content, m->data, m->data_len);
		return;
	}
	mix(&story->events, &story->content, sizeof story->content);
	mix(&story->events, &event, sizeof event);
	if (event == MULTIPART_PART) {
		mix_text(&story->events, m->name);
		mix_text(&story->events, m->filename);
		mix_text(&story->events, m->content_type);
	} else if (event == MULTIPART_ERROR) {
		mix_text(&story->events, m->error);
		story->failed = true;
	}
}

static uint64_t story_of(const char *type, const uint8_t *body, size_t len, size_t step)
{
	static struct multipart m;
	struct story story = { 0 };
	if (multipart_init(&m, type) < 0)
		return 0;
	for (size_t at = 0; at < len && !story.failed; at += step) {
		size_t count = step < len - at ? step : len - at;
		uint8_t *copy = malloc(count);
		const unsigned char *input = copy;
		enum multipart_event event = MULTIPART_MORE;
		if (copy == NULL)
			abort();
		memcpy(copy, body + at, count);
		while (!story.failed && (event = multipart_next(&m, &input, &count)) != MULTIPART_MORE)
			tell(&story, &m, event);
		free(copy);
	}
	if (!story.failed)
		tell(&story, &m, multipart_finish(&m));
	return story.events;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char type[256];
	const uint8_t *lf = memchr(data, '\n', size < sizeof type ? size : sizeof type);
	if (lf == NULL || lf == data + size - 1)
		return 0;
	memcpy(type, data, (size_t)(lf - data));
	type[lf - data] = '\0';
	const uint8_t *body = lf + 1;
	size_t len = size - (size_t)(body - data);
	uint64_t whole = story_of(type, body, len, len);
	static const size_t steps[] = { 1, 2, 3, 5, 7, 16, 61 };
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (story_of(type, body, len, steps[i]) != whole)
			abort();
	return 0;
}
