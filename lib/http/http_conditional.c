/* SPDX-License-Identifier: ISC
 *
 * Accept-Encoding and If-None-Match.
 */
#include <string.h>

#include <skerry/text.h>

#include "http_conditional.h"
#include "http_text.h"

enum { WEIGHT_MAX = 1000, WEIGHT_NONE = -1 };

static const char *skip_space(const char *text)
{
	while (http_is_space(*text))
		text++;
	return text;
}

/* OWS ";" OWS "q=" qvalue, in thousandths (RFC 9110, 12.4.2). What is malformed is taken as 0: better to send what
 * everyone understands. */
static int weight_of(const char *text, const char *end)
{
	int weight = 0, digit = WEIGHT_MAX;

	text = skip_space(text);
	if (text >= end)
		return WEIGHT_MAX;
	if (*text != ';')
		return 0;
	text = skip_space(text + 1);
	if (!http_is_word(text, 2, "q=") || (text[2] != '0' && text[2] != '1'))
		return 0;
	text += 2;
	weight = (*text++ - '0') * digit;
	if (text < end && *text == '.')
		for (text++; text < end && http_is_digit(*text) && digit > 1; text++)
			weight += (*text - '0') * (digit /= 10);
	return text == end && weight <= WEIGHT_MAX ? weight : 0;
}

/* The weight that the list gives to a coding by name; WEIGHT_NONE: it is not named. */
static int weight_in(const char *list, const char *coding)
{
	const char *item;
	size_t len, name;

	while (http_list_next(&list, &item, &len)) {
		for (name = 0; name < len && item[name] != ';' && !http_is_space(item[name]); name++)
			;
		if (http_is_word(item, name, coding))
			return weight_of(item + name, item + len);
	}
	return WEIGHT_NONE;
}

bool http_accepts_gzip(const char *accept_encoding)
{
	int gzip, identity;

	if (accept_encoding == NULL)
		return false;
	gzip = weight_in(accept_encoding, "gzip");
	if (gzip == WEIGHT_NONE)
		gzip = weight_in(accept_encoding, "x-gzip"); /* its old name: RFC 9110, 8.4.1.3 */
	if (gzip == WEIGHT_NONE)
		gzip = weight_in(accept_encoding, "*");
	identity = weight_in(accept_encoding, "identity");
	return gzip > 0 && gzip >= identity;
}

void http_gzip_etag(const char *etag, char gzip_etag[HTTP_ETAG_MAX])
{
	size_t len = strlen(etag);

	text_format(gzip_etag, HTTP_ETAG_MAX, "%.*s-gzip\"", (int)(len > 0 ? len - 1 : 0), etag);
}

/* Without W/: what a weak comparison looks at. */
static const char *opaque(const char *etag)
{
	return strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
}

bool http_etag_matches(const char *if_none_match, const char *etag)
{
	const char *at = if_none_match, *end;
	size_t len;

	if (at == NULL)
		return false;
	etag = opaque(etag);
	len = strlen(etag);
	if (strcmp(skip_space(at), "*") == 0)
		return true;
	for (;; at = end + 1) {
		while (http_is_space(*at) || *at == ',')
			at++;
		at = opaque(at);
		end = *at == '"' ? strchr(at + 1, '"') : NULL; /* may have commas between: no list of words */
		if (end == NULL)
			return false;
		if ((size_t)(end + 1 - at) == len && memcmp(at, etag, len) == 0)
			return true;
	}
}
