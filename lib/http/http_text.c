/* SPDX-License-Identifier: ISC
 *
 * The characters that HTTP is made of, and its comma-separated lists.
 */
#include <string.h>

#include "http_text.h"

bool http_is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool http_is_token_char(char c)
{
	char l = lower(c);

	return (l >= 'a' && l <= 'z') || http_is_digit(c) || (c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

bool http_is_token(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!http_is_token_char(text[i]))
			return false;
	return len > 0;
}

bool http_is_value_char(char c)
{
	unsigned char byte = (unsigned char)c;

	return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
}

bool http_is_space(char c)
{
	return c == ' ' || c == '\t';
}

int http_hex_value(char c)
{
	if (http_is_digit(c))
		return c - '0';
	c = lower(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_is_word(const char *text, size_t len, const char *word)
{
	for (size_t i = 0; i < len; i++)
		if (word[i] == '\0' || lower(text[i]) != lower(word[i]))
			return false;
	return word[len] == '\0';
}

bool http_list_next(const char **list, const char **item, size_t *len)
{
	const char *at = *list, *end;

	while (http_is_space(*at) || *at == ',')
		at++;
	for (end = at; *end != '\0' && *end != ','; end++)
		;
	*list = end;
	*item = at;
	while (end > at && http_is_space(end[-1]))
		end--;
	*len = (size_t)(end - at);
	return *len > 0;
}

bool http_list_has(const char *list, const char *word)
{
	const char *item;
	size_t len;

	while (list != NULL && http_list_next(&list, &item, &len))
		if (http_is_word(item, len, word))
			return true;
	return false;
}
