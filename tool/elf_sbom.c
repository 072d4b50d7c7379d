/* SPDX-License-Identifier: ISC
 *
 * `skerry elf sbom` and `gen-sbom`: the note that lists the libraries an image was linked from.
 *
 * The program has room for the list in a note named "Skerry"; which libraries the linker has taken, its map tells
 * afterwards, so the text is put into the image when it is linked.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi/note.h"
#include "tool/elf.h"
#include "tool/start.h"

enum { LIBRARIES_MAX = 64, VERSION_SIZE = 64, WORD_SIZE = 256 };

/* The note ------------------------------------------------------------------------------------------------------- */

struct image {
	const char *path;
	uint8_t *data;
	size_t size;
};

static int image_open(struct image *image, const char *path, bool writable, struct tender_error *error)
{
	struct stat status = { 0 };
	int fd = open(path, writable ? O_RDWR : O_RDONLY);
	void *data = MAP_FAILED;

	*image = (struct image){ .path = path };
	if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size > 0)
		data = mmap(NULL, (size_t)status.st_size, PROT_READ | (writable ? PROT_WRITE : 0), MAP_SHARED, fd, 0);
	else if (fd >= 0)
		errno = ENOEXEC;
	if (data == MAP_FAILED) {
		int err = errno;

		if (fd >= 0)
			close(fd);
		return tender_fail(error, -err, "%s: %s", path, strerror(err));
	}
	close(fd);
	image->data = data;
	image->size = (size_t)status.st_size;
	return 0;
}

static uint64_t padded(uint64_t size)
{
	return (size + 3) & ~UINT64_C(3);
}

/* The descriptor of the note in a segment of notes; NULL: it is not among them. */
static char *find_in_segment(uint8_t *notes, uint64_t size, size_t *text_size)
{
	for (uint64_t at = 0; size - at >= sizeof(Elf64_Nhdr);) {
		Elf64_Nhdr note;
		uint64_t name = at + sizeof note, descriptor;

		memcpy(&note, notes + at, sizeof note);
		descriptor = name + padded(note.n_namesz);
		if (descriptor > size || note.n_descsz > size - descriptor)
			return NULL;
		if (note.n_type == NOTE_LIBRARIES && note.n_namesz == sizeof NOTE_SKERRY_NAME &&
			memcmp(notes + name, NOTE_SKERRY_NAME, sizeof NOTE_SKERRY_NAME) == 0) {
			*text_size = note.n_descsz;
			return (char *)notes + descriptor;
		}
		at = descriptor + padded(note.n_descsz);
		if (at > size)
			return NULL;
	}
	return NULL;
}

/* The image is anybody's file: nothing in it is believed. */
static char *find_text(const struct image *image, size_t *text_size)
{
	Elf64_Ehdr header;
	Elf64_Phdr program;

	if (image->size < sizeof header)
		return NULL;
	memcpy(&header, image->data, sizeof header);
	if (memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 || header.e_ident[EI_CLASS] != ELFCLASS64 ||
		header.e_phentsize != sizeof program || header.e_phoff > image->size ||
		header.e_phnum > (image->size - header.e_phoff) / sizeof program)
		return NULL;
	for (size_t i = 0; i < header.e_phnum; i++) {
		char *text;

		memcpy(&program, image->data + header.e_phoff + i * sizeof program, sizeof program);
		if (program.p_type != PT_NOTE || program.p_offset > image->size ||
			program.p_filesz > image->size - program.p_offset)
			continue;
		text = find_in_segment(image->data + program.p_offset, program.p_filesz, text_size);
		if (text)
			return text;
	}
	return NULL;
}

static int no_list(const char *path, struct tender_error *error)
{
	return tender_fail(error, -ENOEXEC, "%s: no list of libraries; expected an image that skerry build made", path);
}

char *elf_sbom_read(const char *path, struct tender_error *error)
{
	struct image image;
	size_t size;
	char *text, *copy = NULL;

	if (image_open(&image, path, false, error) < 0)
		return NULL;
	text = find_text(&image, &size);
	if (!text)
		no_list(path, error);
	else if (!(copy = strndup(text, size)))
		tender_fail(error, -ENOMEM, "%s: %s", path, strerror(ENOMEM));
	munmap(image.data, image.size);
	return copy;
}

/* The map -------------------------------------------------------------------------------------------------------- */

struct library {
	char *file; /* the archive */
	const char *package;
	char name[VERSION_SIZE], version[VERSION_SIZE];
};

struct libraries {
	struct library items[LIBRARIES_MAX];
	size_t count;
};

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* Sections of debuggers and the like are not in the program. */
static bool is_content(const char *section)
{
	static const char *const starts[] = { ".text", ".rodata", ".data", ".bss", ".tdata", ".tbss", "COMMON" };

	for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
		if (strncmp(section, starts[i], strlen(starts[i])) == 0)
			return true;
	return false;
}

static int add_archive(struct libraries *libraries, const char *file, struct tender_error *error)
{
	for (size_t i = 0; i < libraries->count; i++)
		if (strcmp(libraries->items[i].file, file) == 0)
			return 0;
	if (libraries->count == LIBRARIES_MAX)
		return tender_fail(error, -EFBIG, "more than %d libraries", LIBRARIES_MAX);
	libraries->items[libraries->count].file = strdup(file);
	if (!libraries->items[libraries->count].file)
		return tender_fail(error, -ENOMEM, "%s", strerror(ENOMEM));
	libraries->count++;
	return 0;
}

/* A line of the map that says which file some bytes of a section come from:
 *	 .text.name     0x0000000000101234      0x123 /usr/lib/libz.a(inflate.o)
 * A long name has a line of its own, in front of the numbers': section keeps it. Whether the line ends with an archive
 * of which there is something in the image. */
static bool names_archive(const char *line, char section[WORD_SIZE], char file[PATH_MAX])
{
	unsigned long long address, size;
	bool has_name = line[0] == ' ' && line[1] != ' ';
	const char *format = has_name ? " %*s 0x%llx 0x%llx %4095[^\n]" : " 0x%llx 0x%llx %4095[^\n]";
	char *member;

	if (has_name)
		sscanf(line, " %255s", section);
	if (line[0] != ' ' || sscanf(line, format, &address, &size, file) != 3)
		return false;
	member = strstr(file, ".a(");
	if (address == 0 || size == 0 || !member || !is_content(section))
		return false;
	member[2] = '\0';
	return true;
}

static int read_map(const char *path, struct libraries *libraries, struct tender_error *error)
{
	FILE *map = fopen(path, "r");
	char *line = NULL, section[WORD_SIZE] = "", file[PATH_MAX];
	size_t room = 0;
	bool begun = false;
	int err = 0;

	if (!map)
		return tender_fail(error, -errno, "%s: %s", path, strerror(errno));
	while (err == 0 && getline(&line, &room, map) > 0) {
		/* What was left out comes before this heading. */
		begun = begun || strcmp(line, "Linker script and memory map\n") == 0;
		/* An ordinary program has the host's C library beside it. */
		if (begun && sscanf(line, "LOAD %4095[^\n]", file) == 1 && strcmp(base_of(file), "libc.so.6") == 0)
			err = add_archive(libraries, file, error);
		else if (begun && names_archive(line, section, file))
			err = add_archive(libraries, file, error);
	}
	free(line);
	fclose(map);
	return err;
}

/* Versions ------------------------------------------------------------------------------------------------------- */

/* The library's own name, and the Debian package whose version is its; named: ARCHIVE=PACKAGE of those that config.c
 * adds. */
static void identify(struct library *library, const char *const *named)
{
	static const struct {
		const char *archive, *name, *package;
	} known[] = {
		{ "libskerry.a", "skerry", NULL },
		{ "x86_64-linux-musl/libc.a", "musl", "musl-dev" },
		{ "libc.so.6", "glibc", "libc6" },
		{ "libbearssl.a", "bearssl", "libbearssl-dev" },
		{ "libz.a", "zlib", "zlib1g-dev" },
		{ "libgcc.a", "libgcc", "libgcc-12-dev" },
	};
	const char *base = base_of(library->file);
	size_t len = strlen(library->file);

	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		size_t known_len = strlen(known[i].archive);

		if (len < known_len || strcmp(library->file + len - known_len, known[i].archive) != 0)
			continue;
		strcpy(library->name, known[i].name);
		library->package = known[i].package;
		strcpy(library->version, known[i].package ? "unknown" : TENDER_VERSION);
		return;
	}
	snprintf(library->name, sizeof library->name, "%.*s", (int)strlen(base) - 5, base + 3);
	strcpy(library->version, "unknown");
	for (size_t i = 0; named[i]; i++)
		if (strncmp(named[i], library->file, len) == 0 && named[i][len] == '=')
			library->package = named[i] + len + 1;
}

/* Asks dpkg for all versions at once; what it does not know stays unknown. */
static void find_versions(struct libraries *libraries)
{
	const char *words[LIBRARIES_MAX + 4] = { "dpkg-query", "-W", "-f=${Package} ${Version}\\n" };
	char package[VERSION_SIZE], version[VERSION_SIZE];
	size_t count = 3;
	FILE *in = NULL;
	pid_t pid;

	for (size_t i = 0; i < libraries->count; i++)
		if (libraries->items[i].package)
			words[count++] = libraries->items[i].package;
	pid = count > 3 ? start_reading(words, &in) : -1;
	if (pid < 0)
		return;
	while (fscanf(in, "%63s %63s", package, version) == 2)
		for (size_t i = 0; i < libraries->count; i++)
			if (libraries->items[i].package && strcmp(libraries->items[i].package, package) == 0)
				strcpy(libraries->items[i].version, version);
	fclose(in);
	waitpid(pid, NULL, 0);
}

static int compare(const void *a, const void *b)
{
	const struct library *one = a, *other = b;

	return strcmp(one->name, other->name);
}

static int write_text(const struct libraries *libraries, const char *path, struct tender_error *error)
{
	struct image image;
	size_t size, used = 0;
	char *text;
	int err = image_open(&image, path, true, error);

	if (err < 0)
		return err;
	text = find_text(&image, &size);
	if (!text)
		err = no_list(path, error);
	for (size_t i = 0; err == 0 && i < libraries->count; i++) {
		int len = snprintf(
			text + used, size - used, "%s %s\n", libraries->items[i].name, libraries->items[i].version);

		if ((size_t)len >= size - used)
			err = tender_fail(
				error, -ENOSPC, "%s: the list of libraries is longer than %zu bytes", path, size);
		used += (size_t)len;
	}
	if (err == 0)
		memset(text + used, 0, size - used);
	munmap(image.data, image.size);
	return err;
}

int elf_sbom_generate(const char *map, const char *image, const char *const *named, struct tender_error *error)
{
	static struct libraries libraries;
	int err;

	libraries.count = 0;
	err = read_map(map, &libraries, error);
	for (size_t i = 0; i < libraries.count; i++)
		identify(&libraries.items[i], named);
	find_versions(&libraries);
	qsort(libraries.items, libraries.count, sizeof *libraries.items, compare);
	if (err == 0)
		err = write_text(&libraries, image, error);
	for (size_t i = 0; i < libraries.count; i++)
		free(libraries.items[i].file);
	return err;
}
