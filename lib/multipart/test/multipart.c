/* SPDX-License-Identifier: ISC
 *
 * The multipart parser. Each body is parsed whole, byte by byte and cut in two at every place, each piece in a block of
 * its own so that the sanitizers see a byte read too much; what comes out is told as text and must be the same.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <skerry/multipart.h>

#define SIZE(text) (text), sizeof(text) - 1

/* The story of a body: "part(name,filename,type)", "[content]", "end", "done" or "error: why". */
struct story {
	char *text;
	size_t len;
	FILE *out;
	bool in_content;
};

static void tell_content(struct story *story, const unsigned char *data, size_t len)
{
	if (!story->in_content)
		fputc('[', story->out);
	story->in_content = true;
	fwrite(data, 1, len, story->out);
}

static void tell(struct story *story, const struct multipart *m, enum multipart_event event)
{
	if (event == MULTIPART_DATA) {
		assert_true(m->data_len > 0);
		tell_content(story, m->data, m->data_len);
		return;
	}
	if (story->in_content)
		fputc(']', story->out);
	story->in_content = false;
	if (event == MULTIPART_PART)
		fprintf(story->out, "part(%s,%s,%s)", m->name, m->filename != NULL ? m->filename : "-",
			m->content_type);
	else if (event == MULTIPART_PART_END)
		fputs("end ", story->out);
	else if (event == MULTIPART_END)
		fputs("done", story->out);
	else if (event == MULTIPART_ERROR)
		fprintf(story->out, "error: %s", m->error);
}

static bool feed(struct story *story, struct multipart *m, const char *piece, size_t len)
{
	unsigned char *copy = malloc(len + !len);
	const unsigned char *input = copy;
	enum multipart_event event;
	memcpy(copy, piece, len);
	while ((event = multipart_next(m, &input, &len)) != MULTIPART_MORE) {
		tell(story, m, event);
		if (event == MULTIPART_ERROR)
			break;
	}
	assert_true(event == MULTIPART_ERROR || len == 0);
	free(copy);
	return event != MULTIPART_ERROR;
}

/* cut: where the second piece begins; step: the size of all pieces, 0: two pieces. The caller frees the text. */
static char *story_of(const char *type, const char *body, size_t len, size_t cut, size_t step)
{
	struct multipart *m = malloc(sizeof *m);
	struct story story = { 0 };
	bool well = true;
	story.out = open_memstream(&story.text, &story.len);
	assert_int_equal(multipart_init(m, type), 0);
	for (size_t at = 0, count; well && at < len; at += count) {
		count = step > 0 ? step : at == 0 && cut > 0 ? cut : len - at;
		count = count < len - at ? count : len - at;
		well = feed(&story, m, body + at, count);
	}
	enum multipart_event last = multipart_finish(m);
	if (well && last == MULTIPART_ERROR)
		tell(&story, m, last);
	assert_int_equal(multipart_finish(m), last);
	fclose(story.out);
	free(m);
	return story.text;
}

static void expect_story(const char *type, const char *body, size_t len, const char *expected)
{
	char *whole = story_of(type, body, len, 0, 0);
	assert_string_equal(whole, expected);
	for (size_t cut = 1; cut < len; cut++) {
		char *split = story_of(type, body, len, cut, 0);
		assert_string_equal(split, whole);
		free(split);
	}
	for (size_t step = 1; step < 8; step++) {
		char *split = story_of(type, body, len, 0, step);
		assert_string_equal(split, whole);
		free(split);
	}
	free(whole);
}

#define TYPE   "multipart/form-data; boundary=b0un"
#define PART   "--b0un\r\nContent-Disposition: form-data; name=\"f\"; filename=\"a\"\r\n\r\n"
#define FIELD  "--b0un\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n"
#define CLOSE  "\r\n--b0un--\r\n"
#define A_PART "part(f,a,text/plain)"

/* Bodies as clients write them --------------------------------------------------------------------------------- */

static void curl_body_is_parsed(void **state)
{
	(void)state;
	static const char body[] =
		"--------------------------138fa323eb77ad26\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"a b.txt\"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--not it\r\n\r\n"
		"--------------------------138fa323eb77ad26\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"empty.bin\"\r\nContent-Type: application/x-thing\r\n\r\n\r\n"
		"--------------------------138fa323eb77ad26\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"q%22uo\\te;\xc3\xbc.txt\"\r\nContent-Type: text/plain\r\n\r\nx\r\n"
		"--------------------------138fa323eb77ad26\r\nContent-Disposition: form-data; name=\"note\"\r\n\r\n"
		"some text\r\n--------------------------138fa323eb77ad26--\r\n";
	expect_story("multipart/form-data; boundary=------------------------138fa323eb77ad26", SIZE(body),
		"part(file,a b.txt,text/plain)[hello\r\n--not it\r\n]end part(file,empty.bin,application/x-thing)end "
		"part(file,q\"uo\\te;\xc3\xbc.txt,text/plain)[x]end part(note,-,text/plain)[some text]end done");
}

static void chromium_body_is_parsed(void **state)
{
	(void)state;
	static const char body[] =
		"------WebKitFormBoundaryrAxIYzeYCD6syJhJ\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"sp %22q%22 \xc3\xbc;%22\\x.txt\"\r\nContent-Type: text/plain\r\n\r\n\xc3\xa9\r\n"
		"------WebKitFormBoundaryrAxIYzeYCD6syJhJ\r\nContent-Disposition: form-data; name=\"file\"; "
		"filename=\"\"\r\nContent-Type: application/octet-stream\r\n\r\n\r\n"
		"------WebKitFormBoundaryrAxIYzeYCD6syJhJ--\r\n";
	expect_story("multipart/form-data; boundary=----WebKitFormBoundaryrAxIYzeYCD6syJhJ", SIZE(body),
		"part(file,sp \"q\" \xc3\xbc;\"\\x.txt,text/plain)[\xc3\xa9]end "
		"part(file,,application/octet-stream)end done");
}

static void firefox_body_is_parsed(void **state)
{
	(void)state;
	static const char body[] =
		"-----------------------------149231456932477\r\nContent-Disposition: form-data; name=\"a%0D%0Ab\"; "
		"filename=\"\xe6\x96\x87.tar.gz\"\r\nContent-Type: application/gzip\r\n\r\n\x1f\x8b\x08\r\n"
		"-----------------------------149231456932477--\r\n";
	expect_story("multipart/form-data; boundary=---------------------------149231456932477", SIZE(body),
		"part(a\r\nb,\xe6\x96\x87.tar.gz,application/gzip)[\x1f\x8b\x08]end done");
}

static void form_without_parts_is_complete(void **state)
{
	(void)state;
	expect_story(TYPE, SIZE("--b0un--\r\n"), "done");
	expect_story(TYPE, SIZE("--b0un--"), "done");
}

/* RFC 2046, 5.1.1 ---------------------------------------------------------------------------------------------- */

static void preamble_and_epilogue_are_skipped(void **state)
{
	(void)state;
	expect_story(TYPE, SIZE("a preamble\r\n--b0u\r\n--not\r\n" PART "x" CLOSE "--b0un\r\nan epilogue\r\n--b0un--"),
		A_PART "[x]end done");
}

static void padding_after_boundary_is_skipped(void **state)
{
	(void)state;
	expect_story(TYPE,
		SIZE("--b0un \t \r\nContent-Disposition: form-data; name=f; filename=a\r\n\r\nx\r\n--b0un--  \r\n"),
		A_PART "[x]end done");
}

static void content_like_delimiter_is_kept(void **state)
{
	(void)state;
	expect_story(TYPE, SIZE(PART "\r\r\n\r\n-\r\n--\r\n--b\r\n--b0u\n--b0un\r--b0un\r\r\n--b0uM" CLOSE),
		A_PART "[\r\r\n\r\n-\r\n--\r\n--b\r\n--b0u\n--b0un\r--b0un\r\r\n--b0uM]end done");
	expect_story(TYPE, SIZE(PART "--b0uM" CLOSE), A_PART "[--b0uM]end done");
	expect_story(TYPE, SIZE(PART "\r\n" CLOSE), A_PART "[\r\n]end done");
	expect_story(TYPE, SIZE(PART "\r\r" CLOSE), A_PART "[\r\r]end done");
}

static void repeating_boundary_is_found(void **state)
{
	(void)state;
	expect_story("multipart/form-data; boundary=---",
		SIZE("-----\r\nContent-Disposition: form-data; name=n\r\n\r\n"
		     "-\r\n--\r\n----x\r\n-------\r\n"),
		"part(n,-,text/plain)[-\r\n--\r\n----x]end done");
}

static void part_without_content_may_share_the_line_end(void **state)
{
	(void)state;
	expect_story(TYPE, SIZE(PART "--b0un--"), A_PART "end done");
	expect_story(TYPE, SIZE(PART PART "\r\n" PART "\r\n\r\n--b0un--"),
		A_PART "end " A_PART "end " A_PART "[\r\n]end done");
}

static void content_may_hold_nul(void **state)
{
	(void)state;
	char *story = story_of(TYPE, SIZE(PART "a\0b\0" CLOSE), 0, 0);
	assert_memory_equal(story, A_PART "[a\0b\0]end done", sizeof A_PART "[a\0b\0]end done");
	free(story);
}

static void nested_multipart_is_content(void **state)
{
	(void)state;
	expect_story(TYPE,
		SIZE("--b0un\r\nContent-Disposition: form-data; name=f\r\nContent-Type: multipart/mixed; "
		     "boundary=in\r\n\r\n--in\r\n\r\nx\r\n--in--\r\n" CLOSE),
		"part(f,-,multipart/mixed; boundary=in)[--in\r\n\r\nx\r\n--in--\r\n]end done");
}

static void folded_and_unknown_header_lines_are_read(void **state)
{
	(void)state;
	expect_story(TYPE,
		SIZE("--b0un\r\nX-Thing: 1\r\ncontent-DISPOSITION:form-data;\r\n\tNAME = f ;\r\n  filename=a;\r\n"
		     "Content-Transfer-Encoding: binary\r\n\r\nx" CLOSE),
		A_PART "[x]end done");
}

/* Names -------------------------------------------------------------------------------------------------------- */

static void expect_filename(const char *disposition, const char *filename)
{
	char body[512], story[512];
	snprintf(body, sizeof body, "--b0un\r\nContent-Disposition: form-data; name=f; %s\r\n\r\n" CLOSE, disposition);
	snprintf(story, sizeof story, "part(f,%s,text/plain)end done", filename);
	expect_story(TYPE, body, strlen(body), story);
}

static void filenames_are_unquoted(void **state)
{
	(void)state;
	expect_filename("filename=\"C:\\new\\table.txt\"", "C:\\new\\table.txt");
	expect_filename("filename=\"a \\\"b\\\" c\\\\d\"", "a \"b\" c\\d");
	expect_filename("filename=\"%22%0d%0A%41%\"", "\"\r\n%41%");
	expect_filename("filename=plain.txt", "plain.txt");
	expect_filename("filename=\"; name=x\"", "; name=x");
	expect_filename("filename=\"../../etc/passwd\"", "../../etc/passwd");
}

static void extended_filename_wins(void **state)
{
	(void)state;
	expect_filename("filename=\"EURO.txt\"; filename*=UTF-8''%e2%82%ac%20rates.txt", "\xe2\x82\xac rates.txt");
	expect_filename("filename*=utf-8'en'%22; filename=x", "\"");
}

static void expect_error(const char *headers, size_t len, const char *error)
{
	char body[8192], story[256];
	memcpy(body, "--b0un\r\n", 8);
	memcpy(body + 8, headers, len);
	memcpy(body + 8 + len, "\r\n\r\nx" CLOSE, sizeof "\r\n\r\nx" CLOSE - 1);
	snprintf(story, sizeof story, "error: %s", error);
	expect_story(TYPE, body, 8 + len + sizeof "\r\n\r\nx" CLOSE - 1, story);
}

/* Hostile bodies ----------------------------------------------------------------------------------------------- */

static void malformed_headers_are_refused(void **state)
{
	(void)state;
	expect_error(SIZE("X: y"), "a part has no Content-Disposition");
	expect_error(SIZE("Content-Disposition: form-data"), "the Content-Disposition of a part has no name");
	expect_error(
		SIZE("Content-Disposition: form-data; filename=a"), "the Content-Disposition of a part has no name");
	expect_error(
		SIZE("Content-Disposition: attachment; name=a"), "the Content-Disposition of a part is not form-data");
	expect_error(SIZE("Content-Disposition: form-data; name=a; name=b"),
		"the Content-Disposition of a part has a parameter twice");
	expect_error(SIZE("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b"),
		"a part has two Content-Disposition fields");
	expect_error(
		SIZE("Content-Disposition: form-data; name=\"a"), "the Content-Disposition of a part is malformed");
	expect_error(
		SIZE("Content-Disposition: form-data; name=\"a\\\""), "the Content-Disposition of a part is malformed");
	expect_error(
		SIZE("Content-Disposition: form-data; name=\"a\"b"), "the Content-Disposition of a part is malformed");
	expect_error(SIZE("Content-Disposition: form-data; name"), "the Content-Disposition of a part is malformed");
	expect_error(SIZE("Content-Disposition: form-data; name=a; filename*=UTF-8''%0"),
		"the filename* of a part is not well-formed UTF-8''text");
	expect_error(SIZE("Content-Disposition: form-data; name=a; filename*=UTF-8''a%00b"),
		"the filename* of a part is not well-formed UTF-8''text");
	expect_error(SIZE("Content-Disposition: form-data; name=a\r\nContent-Transfer-Encoding: base64"),
		"the Content-Transfer-Encoding of a part is not supported");
	expect_error(SIZE("no colon"), "a header line of a part is malformed");
	expect_error(SIZE(" folded: first"), "a header line of a part is malformed");
	expect_error(SIZE("Content-Disposition: form-data; name=a\nX: y"),
		"a header line of a part does not end with CR LF");
	expect_error(SIZE("Content-Disposition: form-data; name=\"a\rb\""),
		"a header line of a part holds a control character");
	expect_error(SIZE("Content-Disposition: form-data; name=\"a\0b\""),
		"a header line of a part holds a control character");
}

static void part_without_headers_is_refused(void **state)
{
	(void)state;
	expect_story(TYPE, SIZE("--b0un\r\n\r\nx" CLOSE), "error: a part has no Content-Disposition");
}

static void cut_off_body_is_an_error_wherever_it_is_cut(void **state)
{
	(void)state;
	static const char body[] = PART "x\r\n" FIELD "y" CLOSE;
	for (size_t len = 0; len < sizeof body - 1 - 2; len++) {
		char *story = story_of(TYPE, body, len, 0, 0);
		assert_non_null(strstr(story, "error: the form ends before its closing boundary"));
		assert_null(strstr(story, "done"));
		free(story);
	}
}

static void boundary_with_a_tail_is_refused(void **state)
{
	(void)state;
	const char *error = A_PART "[x]end error: a boundary is followed by something else than a line's end";
	expect_story(TYPE, SIZE(PART "x\r\n--b0unX\r\n\r\n" CLOSE), error);
	expect_story(TYPE, SIZE(PART "x\r\n--b0un-\r\n\r\n" CLOSE), error);
	expect_story(TYPE, SIZE(PART "x\r\n--b0un\n\r\n" CLOSE), error);
	expect_story(TYPE, SIZE(PART "x\r\n--b0un\r\r\n" CLOSE), error);
	expect_story(TYPE, SIZE(PART "x\r\n--b0un --\r\n" CLOSE), error);
}

static void long_header_is_refused(void **state)
{
	(void)state;
	char value[MULTIPART_HEADERS_MAX + 1];
	const char *line = "Content-Disposition: form-data; name=a\r\nX: ";
	memset(value, 'v', sizeof value);
	memcpy(value, line, strlen(line));
	char *story;
	for (size_t over = 0; over < 2; over++) {
		char body[sizeof value + 32];
		size_t len = MULTIPART_HEADERS_MAX - 4 + over; /* with the ends of its line and of the header */
		memcpy(body, "--b0un\r\n", 8);
		memcpy(body + 8, value, len);
		memcpy(body + 8 + len, "\r\n\r\nx" CLOSE, sizeof "\r\n\r\nx" CLOSE - 1);
		for (size_t step = 0; step < 2; step++) {
			story = story_of(TYPE, body, 8 + len + sizeof "\r\n\r\nx" CLOSE - 1, 0, step);
			assert_string_equal(story,
				over ? "error: the header of a part is too long" : "part(a,-,text/plain)[x]end done");
			free(story);
		}
	}
}

static void too_many_parts_are_refused(void **state)
{
	(void)state;
	static const char part[] = FIELD "\r\n";
	size_t count = MULTIPART_PARTS_MAX + 1, len = sizeof part - 1;
	char *body = malloc(count * len + sizeof CLOSE);
	for (size_t i = 0; i < count; i++)
		memcpy(body + i * len, part, len);
	memcpy(body + count * len, "--b0un--", 8);
	char *story = story_of(TYPE, body, count * len + 8, 0, 0);
	assert_non_null(strstr(story, "error: the form has too many parts"));
	free(story);
	story = story_of(TYPE, body + len, (count - 1) * len + 8, 0, 0);
	assert_null(strstr(story, "error"));
	assert_non_null(strstr(story, "done"));
	free(story);
	free(body);
}

/* The boundary ------------------------------------------------------------------------------------------------- */

static void boundary_is_taken_from_the_content_type(void **state)
{
	(void)state;
	struct multipart m;
	char long_one[128] = "multipart/form-data; boundary=";
	assert_int_equal(multipart_init(&m, "multipart/form-data; boundary=\"a b'()+_,-./:=?c\""), 0);
	assert_memory_equal(m.delimiter, "\r\n--a b'()+_,-./:=?c", m.delimiter_len);
	assert_int_equal(multipart_init(&m, "Multipart/Form-Data;charset=utf-8;BOUNDARY=----=_Part_1.2 ; x=y"), 0);
	assert_memory_equal(m.delimiter, "\r\n------=_Part_1.2", m.delimiter_len);
	memset(long_one + strlen(long_one), 'x', MULTIPART_BOUNDARY_MAX);
	assert_int_equal(multipart_init(&m, long_one), 0);
	strcat(long_one, "x");
	assert_int_equal(multipart_init(&m, long_one), -EINVAL);
}

static void bad_content_types_are_refused(void **state)
{
	(void)state;
	struct multipart m;
	static const char *const bad[] = { NULL, "", "text/plain; boundary=x", "multipart/mixed; boundary=x",
		"multipart/form-data", "multipart/form-data; boundary=", "multipart/form-data; boundary=\"\"",
		"multipart/form-data; boundary=\"x", "multipart/form-data; boundary=\"x \"",
		"multipart/form-data; boundary=\"a\\\"b\"", "multipart/form-data; boundary=a\x01",
		"multipart/form-data; boundary=a\xc3\xa4", "multipart/form-data; boundary=a; boundary=b",
		"multipart/form-data; boundary=a, multipart/form-data; boundary=b", "multipart/form-data; =a",
		"multipart/form-data boundary" };
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		assert_int_equal(multipart_init(&m, bad[i]), -EINVAL);
}

/* Every content of five bytes that can be made of what delimiters are made of: a model that splits the whole
 * body at the delimiter, written without the parser's tricks, must agree. */
static void short_contents_agree_with_plain_search(void **state)
{
	(void)state;
	static const char tokens[] = "\r\n-bx";
	enum { LENGTH = 5, COUNT = 5 * 5 * 5 * 5 * 5 };
	static const char head[] = "--b\r\nContent-Disposition: form-data; name=n\r\n\r\n", tail[] = "\r\n--b--";
	for (unsigned number = 0; number < COUNT; number++) {
		char body[128], expected[128];
		size_t len = sizeof head - 1;
		memcpy(body, head, len);
		for (unsigned i = 0, rest = number; i < LENGTH; i++, rest /= 5)
			body[len++] = tokens[rest % 5];
		memcpy(body + len, tail, sizeof tail);
		const char *content = body + sizeof head - 1;
		if (strstr(content - 2, "\r\n--b") != content + LENGTH)
			continue; /* it ends early: what follows is another story */
		snprintf(expected, sizeof expected, "part(n,-,text/plain)[%.*s]end done", LENGTH, content);
		expect_story("multipart/form-data; boundary=b", body, len + sizeof tail - 1, expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(curl_body_is_parsed),
		cmocka_unit_test(chromium_body_is_parsed),
		cmocka_unit_test(firefox_body_is_parsed),
		cmocka_unit_test(form_without_parts_is_complete),
		cmocka_unit_test(preamble_and_epilogue_are_skipped),
		cmocka_unit_test(padding_after_boundary_is_skipped),
		cmocka_unit_test(content_like_delimiter_is_kept),
		cmocka_unit_test(repeating_boundary_is_found),
		cmocka_unit_test(part_without_content_may_share_the_line_end),
		cmocka_unit_test(content_may_hold_nul),
		cmocka_unit_test(nested_multipart_is_content),
		cmocka_unit_test(folded_and_unknown_header_lines_are_read),
		cmocka_unit_test(filenames_are_unquoted),
		cmocka_unit_test(extended_filename_wins),
		cmocka_unit_test(malformed_headers_are_refused),
		cmocka_unit_test(part_without_headers_is_refused),
		cmocka_unit_test(cut_off_body_is_an_error_wherever_it_is_cut),
		cmocka_unit_test(boundary_with_a_tail_is_refused),
		cmocka_unit_test(long_header_is_refused),
		cmocka_unit_test(too_many_parts_are_refused),
		cmocka_unit_test(boundary_is_taken_from_the_content_type),
		cmocka_unit_test(bad_content_types_are_refused),
		cmocka_unit_test(short_contents_agree_with_plain_search),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
