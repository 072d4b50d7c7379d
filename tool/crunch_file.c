/* SPDX-License-Identifier: ISC
 *
 * What `skerry crunch` makes of a file: a C name, a content type, an entity tag and a compressed variant. All of it
 * depends on the file's name and bytes alone, so that builds can be repeated.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <bearssl/bearssl_hash.h>
#include <zlib.h>

#include "crunch.h"

/* Names -------------------------------------------------------------------------------------------------------- */

/* C17's keywords, and macros that compilers and <stddef.h> define by default. */
static const char *const reserved[] = { "auto", "break", "case", "char", "const", "continue", "default", "do", "double",
	"else", "enum", "extern", "float", "for", "goto", "if", "inline", "int", "long", "register", "restrict",
	"return", "short", "signed", "sizeof", "static", "struct", "switch", "typedef", "union", "unsigned", "void",
	"volatile", "while", "asm", "typeof", "_Alignas", "_Alignof", "_Atomic", "_Bool", "_Complex", "_Generic",
	"_Imaginary", "_Noreturn", "_Static_assert", "_Thread_local", "linux", "unix", "NULL", "main" };

bool crunch_is_reserved(const char *name)
{
	for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++)
		if (strcmp(name, reserved[i]) == 0)
			return true;
	return false;
}

static bool is_name_byte(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

/* Names the constant after the last component of the path. */
static int derive_name(struct crunch_file *file)
{
	const char *slash = strrchr(file->path, '/');
	const char *base = slash ? slash + 1 : file->path;
	size_t len = 0;

	if (!*base)
		return crunch_complain(file->path[0] ? file->path : "\"\"", "expected the name of a file");
	if (strlen(base) >= CRUNCH_NAME_MAX)
		return crunch_complain(file->path, "is too long for a C name; name it with -f NAME:FILE");
	if (*base >= '0' && *base <= '9')
		file->name[len++] = '_';
	for (; *base; base++)
		file->name[len++] = is_name_byte(*base) ? *base : '_';
	file->name[len] = 0;
	return 0;
}

int crunch_set_name(struct crunch_file *file, const char *name)
{
	if (!name) {
		if (derive_name(file) < 0)
			return -1;
	} else {
		size_t len = 0;

		while (is_name_byte(name[len]))
			len++;
		if (len == 0 || name[len] || len > CRUNCH_NAME_MAX || isdigit((unsigned char)*name))
			return crunch_complain(file->path, "\"%s\" is no C name", name);
		memcpy(file->name, name, len + 1);
	}
	if (crunch_is_reserved(file->name))
		return crunch_complain(file->path, "\"%s\" has a meaning in C; name it with -f NAME:FILE", file->name);
	return 0;
}

/* Content types ------------------------------------------------------------------------------------------------ */

/* By the ending, as IANA registered them. */
static const char *content_type(const char *path)
{
	static const struct {
		const char *ending, *type;
	} types[] = {
		{ "html", "text/html; charset=utf-8" },
		{ "htm", "text/html; charset=utf-8" },
		{ "css", "text/css; charset=utf-8" },
		{ "js", "text/javascript; charset=utf-8" },
		{ "mjs", "text/javascript; charset=utf-8" },
		{ "txt", "text/plain; charset=utf-8" },
		{ "md", "text/markdown; charset=utf-8" },
		{ "csv", "text/csv; charset=utf-8" },
		{ "xml", "text/xml; charset=utf-8" },
		{ "ics", "text/calendar; charset=utf-8" },
		{ "json", "application/json" }, /* UTF-8 by definition: RFC 8259, 8.1 */
		{ "map", "application/json" },
		{ "webmanifest", "application/manifest+json" },
		{ "svg", "image/svg+xml" },
		{ "png", "image/png" },
		{ "jpg", "image/jpeg" },
		{ "jpeg", "image/jpeg" },
		{ "gif", "image/gif" },
		{ "webp", "image/webp" },
		{ "avif", "image/avif" },
		{ "ico", "image/vnd.microsoft.icon" },
		{ "mp3", "audio/mpeg" },
		{ "ogg", "audio/ogg" },
		{ "wav", "audio/wav" },
		{ "mp4", "video/mp4" },
		{ "webm", "video/webm" },
		{ "woff", "font/woff" },
		{ "woff2", "font/woff2" },
		{ "ttf", "font/ttf" },
		{ "otf", "font/otf" },
		{ "pdf", "application/pdf" },
		{ "wasm", "application/wasm" },
		{ "zip", "application/zip" },
		{ "gz", "application/gzip" },
	};
	const char *slash = strrchr(path, '/'), *dot = strrchr(slash ? slash : path, '.');

	for (size_t i = 0; dot && i < sizeof types / sizeof *types; i++)
		if (strcasecmp(dot + 1, types[i].ending) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* Content ------------------------------------------------------------------------------------------------------ */

static int read_all(struct crunch_file *file, FILE *in)
{
	size_t size = 0, got;

	do {
		uint8_t *grown = file->data;

		if (file->len == size) {
			size = size ? 2 * size : 65536;
			grown = realloc(file->data, size);
		}
		if (!grown)
			return crunch_complain(file->path, "%s", strerror(ENOMEM));
		file->data = grown;
		got = fread(file->data + file->len, 1, size - file->len, in);
		file->len += got;
	} while (got > 0);
	return ferror(in) ? crunch_complain(file->path, "%s", strerror(errno)) : 0;
}

/* As the gzip command does it at level 9, but with no name, no time (0) and no system (255), so that the same bytes
 * give the same stream everywhere. */
static int compress_gzip(struct crunch_file *file)
{
	gz_header header = { .os = 255 };
	z_stream z = { 0 };
	size_t bound;

	if (file->len > UINT32_MAX / 2)
		return crunch_complain(file->path, "is too large to compress; use --no-gzip");
	if (deflateInit2(&z, 9, Z_DEFLATED, 16 + 15, 9, Z_DEFAULT_STRATEGY) != Z_OK)
		return crunch_complain(file->path, "%s", strerror(ENOMEM));
	deflateSetHeader(&z, &header);
	bound = deflateBound(&z, (uLong)file->len);
	file->gzip = malloc(bound);
	z.next_in = file->data;
	z.avail_in = (uInt)file->len;
	z.next_out = file->gzip;
	z.avail_out = (uInt)bound;
	if (!file->gzip || deflate(&z, Z_FINISH) != Z_STREAM_END) {
		deflateEnd(&z);
		return crunch_complain(file->path, "%s", strerror(ENOMEM));
	}
	file->gzip_len = z.total_out;
	deflateEnd(&z);
	if (file->gzip_len >= file->len) {
		free(file->gzip);
		file->gzip = NULL;
		file->gzip_len = 0;
	}
	return 0;
}

static void make_etag(struct crunch_file *file)
{
	br_sha256_context context;
	uint8_t hash[32];
	char *out = file->etag;

	br_sha256_init(&context);
	br_sha256_update(&context, file->data, file->len);
	br_sha256_out(&context, hash);
	*out++ = '"';
	for (size_t i = 0; i < sizeof hash; i++, out += 2)
		sprintf(out, "%02x", hash[i]);
	strcpy(out, "\"");
}

int crunch_load(struct crunch_file *file, bool with_gzip)
{
	FILE *in = fopen(file->path, "rb");
	int status;

	if (!in)
		return crunch_complain(file->path, "%s", strerror(errno));
	status = read_all(file, in);
	fclose(in);
	if (status < 0)
		return status;
	file->content_type = content_type(file->path);
	make_etag(file);
	return with_gzip ? compress_gzip(file) : 0;
}

void crunch_unload(struct crunch_file *file)
{
	free(file->data);
	free(file->gzip);
}
