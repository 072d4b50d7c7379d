/* SPDX-License-Identifier: ISC
 *
 * The head of a response. What does not fit marks it as full, so that only the last step needs to look.
 */
#include <string.h>

#include <skerry/clock.h>
#include <skerry/text.h>

#include "http_head.h"
#include "http_text.h"

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = { { 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" },
		{ 205, "Reset Content" }, { 206, "Partial Content" }, { 300, "Multiple Choices" },
		{ 301, "Moved Permanently" }, { 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" },
		{ 307, "Temporary Redirect" }, { 308, "Permanent Redirect" }, { 400, "Bad Request" },
		{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" }, { 405, "Method Not Allowed" },
		{ 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" }, { 410, "Gone" },
		{ 411, "Length Required" }, { 412, "Precondition Failed" }, { 413, "Content Too Large" },
		{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" }, { 416, "Range Not Satisfiable" },
		{ 417, "Expectation Failed" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
		{ 426, "Upgrade Required" }, { 428, "Precondition Required" }, { 429, "Too Many Requests" },
		{ 431, "Request Header Fields Too Large" }, { 451, "Unavailable For Legal Reasons" },
		{ 500, "Internal Server Error" }, { 501, "Not Implemented" }, { 502, "Bad Gateway" },
		{ 503, "Service Unavailable" }, { 504, "Gateway Timeout" }, { 505, "HTTP Version Not Supported" },
		{ 507, "Insufficient Storage" } };
	static const char *const classes[] = { "Success", "Redirection", "Client Error", "Server Error" };

	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return status >= 200 && status <= 599 ? classes[status / 100 - 2] : "";
}

void http_head_text(struct http_head *head, const char *text, size_t len)
{
	if (len > head->size - head->len) {
		head->full = true;
		return;
	}
	memcpy(head->buf + head->len, text, len);
	head->len += len;
}

static void add_string(struct http_head *head, const char *text)
{
	http_head_text(head, text, strlen(text));
}

void http_head_status(struct http_head *head, int status)
{
	char line[16];

	text_format(line, sizeof line, "HTTP/1.1 %03d ", status);
	add_string(head, line);
	add_string(head, http_reason(status));
	add_string(head, "\r\n");
}

void http_head_field(struct http_head *head, const char *name, const char *value)
{
	add_string(head, name);
	add_string(head, ": ");
	add_string(head, value);
	add_string(head, "\r\n");
}

void http_head_number(struct http_head *head, const char *name, uint64_t value)
{
	char text[24];

	text_format(text, sizeof text, "%llu", (unsigned long long)value);
	http_head_field(head, name, text);
}

bool http_field_is_safe(const char *name, const char *value)
{
	if (!http_is_token(name, strlen(name)))
		return false;
	for (; *value != '\0'; value++)
		if (!http_is_value_char(*value))
			return false;
	return true;
}

void http_date(uint64_t wall_ns, char text[HTTP_DATE_MAX])
{
	static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	struct clock_date date;

	clock_date(wall_ns, &date);
	text_format(text, HTTP_DATE_MAX, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT", days + date.weekday * 3, date.day,
		months + (date.month - 1) * 3, date.year, date.hour, date.minute, date.second);
}
