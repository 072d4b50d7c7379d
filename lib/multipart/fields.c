/* SPDX-License-Identifier: ISC
 *
 * Header fields of a part (RFC 2045, 5.1; RFC 2183; RFC 7578, 4.2) and their parameters, read in place: what quoting
 * and escapes leave is never longer than what was sent, so no byte is copied elsewhere and no name is ever cut.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include <skerry/multipart.h>

#include "fields.h"

static char *skip_space(char *text)
{
	return text + strspn(text, " \t");
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

char *mime_value(char **text)
{
	char *value = skip_space(*text);
	char *end = value + strcspn(value, "; \t");
	char *rest = skip_space(end);
	*text = *rest == ';' ? rest + 1 : rest;
	*end = '\0';
	return value;
}

/* Undoes a quoted string in place; text stands after the opening quote. Returns what follows the closing one, or NULL
 * when there is none. Only \" and \\ are escapes: old clients send paths such as C:\new as they are. */
static char *unquote(char *text)
{
	char *to = text;
	while (*text != '"') {
		if (text[0] == '\\' && (text[1] == '"' || text[1] == '\\'))
			text++;
		if (*text == '\0')
			return NULL;
		*to++ = *text++;
	}
	*to = '\0';
	return text + 1;
}

int mime_parameter(char **text, struct mime_parameter *parameter)
{
	char *name = skip_space(*text);
	if (*name == '\0')
		return 0;
	char *name_end = name + strcspn(name, "=; \t\"");
	char *equals = skip_space(name_end);
	if (name_end == name || *equals != '=')
		return -EINVAL;
	char *value = skip_space(equals + 1), *value_end = NULL, *rest;
	if (*value == '"') {
		rest = unquote(++value);
		if (rest == NULL)
			return -EINVAL;
	} else {
		rest = value_end = value + strcspn(value, "; \t\"");
	}
	rest = skip_space(rest);
	if (*rest != ';' && *rest != '\0')
		return -EINVAL;
	*text = *rest == ';' ? rest + 1 : rest;
	if (value_end != NULL)
		*value_end = '\0';
	*name_end = '\0';
	*parameter = (struct mime_parameter){ name, value };
	return 1;
}

/* %22, %0D and %0A, in which browsers write what a quoted string cannot hold (the Fetch standard); no other. */
static void undo_form_escapes(char *text)
{
	char *to = text;
	while (*text != '\0') {
		if (strncmp(text, "%22", 3) == 0)
			*to++ = '"';
		else if (strncasecmp(text, "%0D", 3) == 0)
			*to++ = '\r';
		else if (strncasecmp(text, "%0A", 3) == 0)
			*to++ = '\n';
		else {
			*to++ = *text++;
			continue;
		}
		text += 3;
	}
	*to = '\0';
}

/* UTF-8'language'text%20with%20escapes (RFC 8187, 3.2): the text, decoded in place; NULL when it is malformed, in
 * another charset or holds a NUL. */
static char *extended_value(char *value)
{
	char *text = strncasecmp(value, "UTF-8'", 6) == 0 ? strchr(value + 6, '\'') : NULL;
	if (text == NULL)
		return NULL;
	char *from = ++text, *to = text;
	while (*from != '\0') {
		if (*from != '%') {
			*to++ = *from++;
			continue;
		}
		int high = hex_digit(from[1]), low = high < 0 ? -1 : hex_digit(from[2]);
		if (low < 0 || high + low == 0)
			return NULL;
		*to++ = (char)(high << 4 | low);
		from += 3;
	}
	*to = '\0';
	return text;
}

static const char *content_disposition(struct multipart *m, char *value)
{
	struct mime_parameter parameter;
	const char *extended = NULL;
	int more;
	if (m->name != NULL)
		return "a part has two Content-Disposition fields";
	if (strcasecmp(mime_value(&value), "form-data") != 0)
		return "the Content-Disposition of a part is not form-data";
	while ((more = mime_parameter(&value, &parameter)) > 0) {
		const char **field = strcasecmp(parameter.name, "name") == 0        ? &m->name
				     : strcasecmp(parameter.name, "filename") == 0  ? &m->filename
				     : strcasecmp(parameter.name, "filename*") == 0 ? &extended
										    : NULL;
		if (field == NULL)
			continue;
		if (*field != NULL)
			return "the Content-Disposition of a part has a parameter twice";
		*field = parameter.value;
		if (field != &extended)
			undo_form_escapes(parameter.value);
		else if ((extended = extended_value(parameter.value)) == NULL)
			return "the filename* of a part is not well-formed UTF-8''text";
	}
	if (extended != NULL)
		m->filename = extended;
	if (more < 0)
		return "the Content-Disposition of a part is malformed";
	return m->name == NULL ? "the Content-Disposition of a part has no name" : NULL;
}

/* RFC 7578, 4.7 has done away with encodings; one that changes bytes would be archived undecoded, so it is refused. */
static const char *transfer_encoding(char *value)
{
	const char *encoding = mime_value(&value);
	if (strcasecmp(encoding, "binary") == 0 || strcasecmp(encoding, "8bit") == 0 ||
		strcasecmp(encoding, "7bit") == 0)
		return NULL;
	return "the Content-Transfer-Encoding of a part is not supported";
}

static const char *header_line(struct multipart *m, char *line)
{
	char *colon = line + strcspn(line, ": \t\"");
	if (*colon != ':' || colon == line)
		return "a header line of a part is malformed";
	*colon = '\0';
	char *value = skip_space(colon + 1);
	if (strcasecmp(line, "Content-Disposition") == 0)
		return content_disposition(m, value);
	if (strcasecmp(line, "Content-Transfer-Encoding") == 0)
		return transfer_encoding(value);
	if (strcasecmp(line, "Content-Type") == 0)
		m->content_type = value;
	return NULL;
}

/* Ends the line that begins at text, with the lines folded into it (RFC 5322, 2.2.3), and returns the next one; NULL
 * when the line holds a CR that ends nothing, or a NUL. */
static char *cut_line(char *text)
{
	for (char *end = strchr(text, '\r'); end != NULL && end[1] == '\n'; end = strchr(end, '\r')) {
		if (end[2] != ' ' && end[2] != '\t') {
			*end = '\0';
			return end + 2;
		}
		end[0] = end[1] = ' ';
	}
	return NULL;
}

const char *mime_part_headers(struct multipart *m, char *lines)
{
	m->name = m->filename = NULL;
	m->content_type = "text/plain";
	const char *end = m->headers + m->line_start;
	while (lines < end) {
		char *next = cut_line(lines);
		if (next == NULL)
			return "a header line of a part holds a control character";
		const char *error = header_line(m, lines);
		if (error != NULL)
			return error;
		lines = next;
	}
	return m->name == NULL ? "a part has no Content-Disposition" : NULL;
}
