/* SPDX-License-Identifier: ISC
 *
 * The zip writer. Archives are read back by a reader of the test's own, which knows only APPNOTE: it checks every
 * record, that records follow each other without a gap, and inflates what is inside; and by the tools that people use.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>

#include <skerry/clock.h>
#include <skerry/zip.h>

#define MTIME SECOND(1582979696) /* 2020-02-29 12:34:56 UTC */

/* An archive in memory, as output gives it; fails with -EPIPE once it would be longer than fail_at. */
struct archive {
	unsigned char *bytes;
	size_t len, fail_at, largest_piece;
};

static int keep(void *context, const void *data, size_t len)
{
	struct archive *archive = context;
	if (archive->fail_at > 0 && archive->len + len > archive->fail_at)
		return -EPIPE;
	archive->bytes = realloc(archive->bytes, archive->len + len);
	memcpy(archive->bytes + archive->len, data, len);
	archive->len += len;
	if (len > archive->largest_piece)
		archive->largest_piece = len;
	return 0;
}

static void add(struct zip *zip, const char *name, const void *data, size_t len)
{
	assert_int_equal(zip_begin(zip, name, MTIME), 0);
	assert_int_equal(zip_write(zip, data, len), 0);
	assert_int_equal(zip_end(zip), 0);
}

static void finish(struct zip *zip)
{
	assert_int_equal(zip_finish(zip), 0);
	zip_free(zip);
}

/* The reader --------------------------------------------------------------------------------------------------- */

static uint64_t number(const struct archive *archive, size_t at, size_t size)
{
	uint64_t value = 0;
	assert_true(at + size <= archive->len);
	while (size-- > 0)
		value = value << 8 | archive->bytes[at + size];
	return value;
}

struct read_entry {
	char name[ZIP_NAME_MAX + 1];
	unsigned flags, dos_time, dos_date, mtime;
	uint64_t size, compressed, offset;
	uint32_t crc;
	unsigned char *data;
};

/* The extra fields of a directory header: zip64 has three numbers, the timestamp one. */
static void read_extra(const struct archive *archive, size_t at, size_t len, struct read_entry *entry)
{
	assert_int_equal(number(archive, at, 2), 1);
	assert_int_equal(number(archive, at + 2, 2), 24);
	entry->size = number(archive, at + 4, 8);
	entry->compressed = number(archive, at + 12, 8);
	entry->offset = number(archive, at + 20, 8);
	assert_true(len == 28 || len == 37);
	if (len == 28)
		return;
	assert_int_equal(number(archive, at + 28, 2), 0x5455);
	assert_int_equal(number(archive, at + 30, 2), 5);
	assert_int_equal(number(archive, at + 32, 1), 1);
	entry->mtime = (unsigned)number(archive, at + 33, 4);
}

static size_t read_directory_header(const struct archive *archive, size_t at, struct read_entry *entry)
{
	size_t name_len = number(archive, at + 28, 2), extra_len = number(archive, at + 30, 2);
	assert_int_equal(number(archive, at, 4), 0x02014b50);
	assert_int_equal(number(archive, at + 4, 2), 3 << 8 | 45);
	assert_int_equal(number(archive, at + 6, 2), 45);
	entry->flags = (unsigned)number(archive, at + 8, 2);
	assert_int_equal(number(archive, at + 10, 2), 8);
	entry->dos_time = (unsigned)number(archive, at + 12, 2);
	entry->dos_date = (unsigned)number(archive, at + 14, 2);
	entry->crc = (uint32_t)number(archive, at + 16, 4);
	assert_int_equal(number(archive, at + 20, 8), UINT64_MAX);
	assert_int_equal(number(archive, at + 32, 6), 0);
	assert_int_equal(number(archive, at + 38, 4), 0100644u << 16);
	assert_int_equal(number(archive, at + 42, 4), UINT32_MAX);
	assert_true(name_len <= ZIP_NAME_MAX && at + 46 + name_len <= archive->len);
	memcpy(entry->name, archive->bytes + at + 46, name_len);
	entry->name[name_len] = '\0';
	read_extra(archive, at + 46 + name_len, extra_len, entry);
	return at + 46 + name_len + extra_len;
}

/* Checks the file itself against its directory entry, and returns where the next one begins. */
static size_t read_file(const struct archive *archive, struct read_entry *entry)
{
	size_t at = entry->offset, name_len = number(archive, at + 26, 2), extra_len = number(archive, at + 28, 2);
	assert_int_equal(number(archive, at, 4), 0x04034b50);
	assert_int_equal(number(archive, at + 4, 2), 45);
	assert_int_equal(number(archive, at + 6, 2), entry->flags);
	assert_int_equal(number(archive, at + 8, 2), 8);
	assert_int_equal(number(archive, at + 10, 2), entry->dos_time);
	assert_int_equal(number(archive, at + 12, 2), entry->dos_date);
	assert_int_equal(number(archive, at + 14, 4), 0);
	assert_int_equal(number(archive, at + 18, 8), UINT64_MAX);
	assert_memory_equal(archive->bytes + at + 30, entry->name, strlen(entry->name));
	at += 30 + name_len;
	assert_int_equal(number(archive, at, 4), 16 << 16 | 1);
	assert_int_equal(number(archive, at + 4, 8), 0);
	at += extra_len;

	z_stream inflate_state = { .next_in = archive->bytes + at, .avail_in = (uInt)entry->compressed };
	entry->data = malloc(entry->size + 1);
	inflate_state.next_out = entry->data;
	inflate_state.avail_out = (uInt)entry->size + 1;
	assert_int_equal(inflateInit2(&inflate_state, -15), Z_OK);
	assert_int_equal(inflate(&inflate_state, Z_FINISH), Z_STREAM_END);
	assert_int_equal(inflate_state.total_in, entry->compressed);
	assert_int_equal(inflate_state.total_out, entry->size);
	inflateEnd(&inflate_state);
	assert_int_equal(crc32(0, entry->data, (uInt)entry->size), entry->crc);

	at += entry->compressed;
	assert_int_equal(number(archive, at, 4), 0x08074b50);
	assert_int_equal(number(archive, at + 4, 4), entry->crc);
	assert_int_equal(number(archive, at + 8, 8), entry->compressed);
	assert_int_equal(number(archive, at + 16, 8), entry->size);
	return at + 24;
}

/* Reads an archive whole: entries is filled, up to limit; the count is returned. */
static size_t read_archive(const struct archive *archive, struct read_entry *entries, size_t limit)
{
	assert_true(archive->len >= 98);
	const size_t end = archive->len - 22, locator = end - 20, zip64 = locator - 56;
	assert_int_equal(number(archive, end, 8), 0x06054b50);
	assert_int_equal(number(archive, end + 8, 8), UINT64_MAX);
	assert_int_equal(number(archive, end + 16, 4), UINT32_MAX);
	assert_int_equal(number(archive, end + 20, 2), 0);
	assert_int_equal(number(archive, locator, 8), 0x07064b50);
	assert_int_equal(number(archive, locator + 8, 8), zip64);
	assert_int_equal(number(archive, locator + 16, 4), 1);
	assert_int_equal(number(archive, zip64, 4), 0x06064b50);
	assert_int_equal(number(archive, zip64 + 4, 8), 44);
	assert_int_equal(number(archive, zip64 + 16, 8), 0);
	size_t count = number(archive, zip64 + 24, 8), directory = number(archive, zip64 + 48, 8);
	assert_int_equal(number(archive, zip64 + 32, 8), count);
	assert_int_equal(number(archive, zip64 + 40, 8), zip64 - directory);
	assert_true(count <= limit);
	size_t at = directory, file = 0;
	for (size_t i = 0; i < count; i++) {
		at = read_directory_header(archive, at, &entries[i]);
		assert_int_equal(entries[i].offset, file);
		file = read_file(archive, &entries[i]);
	}
	assert_int_equal(file, directory);
	assert_int_equal(at, zip64);
	return count;
}

static void free_entries(struct read_entry *entries, size_t count, struct archive *archive)
{
	for (size_t i = 0; i < count; i++)
		free(entries[i].data);
	free(archive->bytes);
}

/* Unpackers that people have must say that the archive is good; the stream readers get it through a pipe. */
static void expect_tools_accept(const struct archive *archive)
{
	static const char *const tools[] = { "unzip -tqq %s", "7z t -bso0 -bsp0 %s", "bsdtar -tf %s",
		"cat %s | bsdtar -xOf - | cksum", "python3 -m zipfile -t %s" };
	char path[] = "/tmp/skerry-zip-XXXXXX", command[128], order[192];
	int file = mkstemp(path);
	assert_true(file >= 0);
	assert_int_equal(write(file, archive->bytes, archive->len), archive->len);
	close(file);
	for (size_t i = 0; i < sizeof tools / sizeof *tools; i++) {
		snprintf(command, sizeof command, tools[i], path);
		snprintf(order, sizeof order, "bash -o pipefail -c '%s' >/dev/null", command);
		if (system(order) != 0)
			fail_msg("refused: %s", order);
	}
	unlink(path);
}

/* Archives ----------------------------------------------------------------------------------------------------- */

static void empty_archive_is_well_formed(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	finish(zip_new(6, keep, &archive));
	assert_int_equal(read_archive(&archive, NULL, 0), 0);
	assert_int_equal(archive.len, 98);
	free(archive.bytes);
}

static unsigned char *noise(size_t len)
{
	unsigned char *bytes = malloc(len);
	uint32_t x = 1;
	for (size_t i = 0; i < len; i++, x = x * 1664525u + 1013904223u)
		bytes[i] = (unsigned char)(x >> 24);
	return bytes;
}

static void files_come_back_at_every_level(void **state)
{
	(void)state;
	enum { BIG = 300000 };
	unsigned char *random = noise(BIG), *zeros = calloc(1, BIG);
	for (int level = 0; level <= 9; level++) {
		struct archive archive = { 0 };
		struct read_entry entries[4];
		struct zip *zip = zip_new(level, keep, &archive);
		add(zip, "noise.bin", random, BIG);
		add(zip, "empty", "", 0);
		add(zip, "zeros", zeros, BIG);
		add(zip, "hello.txt", "hello", 5);
		finish(zip);
		assert_int_equal(read_archive(&archive, entries, 4), 4);
		assert_string_equal(entries[0].name, "noise.bin");
		assert_memory_equal(entries[0].data, random, BIG);
		assert_int_equal(entries[1].size, 0);
		assert_memory_equal(entries[2].data, zeros, BIG);
		assert_true(level == 0 || entries[2].compressed < BIG / 100);
		assert_memory_equal(entries[3].data, "hello", 5);
		assert_true(archive.largest_piece <= ZIP_PIECE_MAX);
		expect_tools_accept(&archive);
		free_entries(entries, 4, &archive);
	}
	free(random);
	free(zeros);
}

static void size_of_writes_makes_no_difference(void **state)
{
	(void)state;
	enum { LEN = 70001 };
	unsigned char *random = noise(LEN);
	for (size_t step = 1; step < LEN; step = step * 7 + 1) {
		struct archive archive = { 0 };
		struct read_entry entry;
		struct zip *zip = zip_new(1, keep, &archive);
		assert_int_equal(zip_begin(zip, "a", MTIME), 0);
		for (size_t at = 0; at < LEN; at += step)
			assert_int_equal(zip_write(zip, random + at, step < LEN - at ? step : LEN - at), 0);
		assert_int_equal(zip_end(zip), 0);
		finish(zip);
		assert_int_equal(read_archive(&archive, &entry, 1), 1);
		assert_int_equal(entry.size, LEN);
		assert_memory_equal(entry.data, random, LEN);
		free_entries(&entry, 1, &archive);
	}
	free(random);
}

static void ten_thousand_entries_are_read_by_tools(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	struct archive archive = { 0 };
	struct read_entry *entries = calloc(COUNT, sizeof *entries);
	struct zip *zip = zip_new(1, keep, &archive);
	char name[32];
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "file-%d.txt", i);
		add(zip, name, name, strlen(name));
	}
	finish(zip);
	assert_int_equal(read_archive(&archive, entries, COUNT), COUNT);
	assert_string_equal(entries[9999].name, "file-9999.txt");
	assert_memory_equal(entries[9999].data, "file-9999.txt", 13);
	expect_tools_accept(&archive);
	free_entries(entries, COUNT, &archive);
	free(entries);
}

static void totals_count_files_and_bytes(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	struct zip_totals totals;
	struct zip *zip = zip_new(6, keep, &archive);
	add(zip, "a", "12345", 5);
	add(zip, "b", "1", 1);
	assert_int_equal(zip_finish(zip), 0);
	zip_totals(zip, &totals);
	assert_int_equal(totals.entries, 2);
	assert_int_equal(totals.bytes_in, 6);
	assert_int_equal(totals.bytes_out, archive.len);
	zip_free(zip);
	free(archive.bytes);
}

static void entries_over_the_limit_are_refused(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	struct zip *zip = zip_new(0, keep, &archive);
	for (int i = 0; i < ZIP_ENTRIES_MAX; i++) {
		assert_int_equal(zip_begin(zip, "same", MTIME), 0);
		assert_int_equal(zip_end(zip), 0);
	}
	assert_int_equal(zip_begin(zip, "same", MTIME), -ENOSPC);
	assert_int_equal(zip_finish(zip), 0);
	assert_int_equal(number(&archive, archive.len - 98 + 24, 8), ZIP_ENTRIES_MAX);
	zip_free(zip);
	free(archive.bytes);
}

/* Time --------------------------------------------------------------------------------------------------------- */

static struct read_entry entry_of(const char *name, uint64_t mtime_ns)
{
	struct archive archive = { 0 };
	struct read_entry entry = { 0 };
	struct zip *zip = zip_new(6, keep, &archive);
	assert_int_equal(zip_begin(zip, name, mtime_ns), 0);
	assert_int_equal(zip_end(zip), 0);
	finish(zip);
	assert_int_equal(read_archive(&archive, &entry, 1), 1);
	free_entries(&entry, 1, &archive);
	return entry;
}

static void times_are_kept_in_both_forms(void **state)
{
	(void)state;
	struct read_entry entry = entry_of("a", MTIME + SECOND(1));
	assert_int_equal(entry.mtime, 1582979697);
	assert_int_equal(entry.dos_date, 40 << 9 | 2 << 5 | 29);
	assert_int_equal(entry.dos_time, 12 << 11 | 34 << 5 | 57 / 2);
}

static void times_out_of_range_are_clamped(void **state)
{
	(void)state;
	struct read_entry early = entry_of("a", SECOND(1));
	assert_int_equal(early.mtime, 1);
	assert_int_equal(early.dos_date, 1 << 5 | 1);
	assert_int_equal(early.dos_time, 0);
	struct read_entry late = entry_of("a", SECOND(5000000000));
	assert_int_equal(late.mtime, 0);
	assert_int_equal(late.dos_date, 127 << 9 | 12 << 5 | 31);
	assert_int_equal(late.dos_time, 23 << 11 | 59 << 5 | 29);
	assert_int_equal(entry_of("a", SECOND(0x80000000u)).mtime, 0);
}

/* Names -------------------------------------------------------------------------------------------------------- */

static void expect_safe(const char *name, const char *expected)
{
	char safe[ZIP_NAME_MAX + 1];
	zip_safe_name(name, safe);
	assert_string_equal(safe, expected);
}

static void paths_are_taken_out_of_names(void **state)
{
	(void)state;
	expect_safe("a.txt", "a.txt");
	expect_safe("/etc/passwd", "passwd");
	expect_safe("../../a", "a");
	expect_safe("C:\\new\\table.txt", "table.txt");
	expect_safe("c:evil", "evil");
	expect_safe("c:d:evil", "evil");
	expect_safe("\001c:evil", "evil");
	expect_safe("a/b\\c/d.txt", "d.txt");
	expect_safe(".bashrc", ".bashrc");
	expect_safe("...", "...");
	static const char *const nothing[] = { "", ".", "..", "a/", "a/..", "\\", "C:", "C:..", "\r\n", ".\x01.",
		"\x7f" };
	for (size_t i = 0; i < sizeof nothing / sizeof *nothing; i++)
		expect_safe(nothing[i], "file");
}

static void controls_are_taken_out_of_names(void **state)
{
	(void)state;
	expect_safe("a\x1b[31m\r\nb\x7f.t\tt", "a[31mb.tt");
	expect_safe("a\xc2\x85\xc2\x9f\xc2\xa0z", "a\xc2\xa0z");
	expect_safe("cod\xe2\x80\xaetxt.exe", "codtxt.exe");
	expect_safe("a\xe2\x81\xa6z", "az");
}

static void what_is_no_utf8_is_replaced(void **state)
{
	(void)state;
	expect_safe("\xe6\x96\x87\xf0\x9f\x98\x80", "\xe6\x96\x87\xf0\x9f\x98\x80");
	expect_safe("a\xff", "a\xef\xbf\xbd");
	expect_safe("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");                                   /* '/', overlong */
	expect_safe("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");                   /* a surrogate */
	expect_safe("\xf4\x90\x80\x80x", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx"); /* beyond U+10FFFF */
	expect_safe("\xe6\x96", "\xef\xbf\xbd\xef\xbf\xbd");
	expect_safe("\xe6\x96.txt", "\xef\xbf\xbd\xef\xbf\xbd.txt");
}

static void long_names_are_cut_before_their_extension(void **state)
{
	(void)state;
	char name[1000], safe[ZIP_NAME_MAX + 1];
	memset(name, 'x', sizeof name);
	strcpy(name + 900, ".tar.gz");
	zip_safe_name(name, safe);
	assert_int_equal(strlen(safe), ZIP_NAME_MAX - 8);
	assert_string_equal(safe + strlen(safe) - 4, "x.gz");
	for (size_t i = 0; i < 900; i += 2)
		memcpy(name + i, "\xc3\xa4", 2);
	strcpy(name + 900, ".an-extension-that-is-none");
	zip_safe_name(name, safe);
	assert_int_equal(strlen(safe), ZIP_NAME_MAX - 9); /* no half character at the end */
}

static void names_of_one_archive_are_made_different(void **state)
{
	(void)state;
	static const char *const given[] = { "a.txt", "a.txt", "d/a.txt", "a (1).txt", "b", "b", ".c", ".c", "d (1).x",
		"d.x", "d.x", "a.txt", "e.tar.gz", "e.tar.gz" };
	static const char *const expected[] = { "a.txt", "a (1).txt", "a (2).txt", "a (1) (1).txt", "b", "b (1)", ".c",
		".c (1)", "d (1).x", "d.x", "d (2).x", "a (3).txt", "e.tar.gz", "e.tar (1).gz" };
	enum { COUNT = sizeof given / sizeof *given };
	struct archive archive = { 0 };
	struct read_entry entries[COUNT];
	struct zip *zip = zip_new(6, keep, &archive);
	for (size_t i = 0; i < COUNT; i++)
		add(zip, given[i], &i, sizeof i);
	finish(zip);
	assert_int_equal(read_archive(&archive, entries, COUNT), COUNT);
	for (size_t i = 0; i < COUNT; i++) {
		assert_string_equal(entries[i].name, expected[i]);
		assert_memory_equal(entries[i].data, &i, sizeof i);
	}
	expect_tools_accept(&archive);
	free_entries(entries, COUNT, &archive);
}

static void long_names_have_room_for_numbers(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	struct read_entry entries[12];
	struct zip *zip = zip_new(6, keep, &archive);
	char name[400];
	memset(name, 'n', sizeof name);
	strcpy(name + 390, ".txt");
	for (size_t i = 0; i < 12; i++)
		add(zip, name, "", 0);
	finish(zip);
	assert_int_equal(read_archive(&archive, entries, 12), 12);
	assert_string_equal(strchr(entries[11].name, ' '), " (11).txt");
	free_entries(entries, 12, &archive);
}

/* FNV-1a, which is the hash that one would expect and everybody can compute. */
static bool fits_one_bucket(const char *name)
{
	uint32_t hash = 2166136261u;
	while (*name != '\0')
		hash = (hash ^ (unsigned char)*name++) * 16777619u;
	return hash % 1024 == 0;
}

enum { MANY = 30000, NAME_SIZE = 16 };

/* Names of the same length: of any kind, or chosen so that they would meet in one bucket. */
static void choose_names(char (*names)[NAME_SIZE], bool chosen)
{
	size_t count = 0;

	for (unsigned number = 0; count < MANY; number++) {
		snprintf(names[count], NAME_SIZE, "%08x", number);
		if (!chosen || fits_one_bucket(names[count]))
			count++;
	}
}

/* Processor seconds. */
static double seconds_for_names(char (*names)[NAME_SIZE])
{
	struct archive archive = { 0 };
	struct zip *zip = zip_new(1, keep, &archive);
	clock_t begin, spent = 0;

	for (size_t i = 0; i < MANY; i++) {
		begin = clock();
		assert_int_equal(zip_begin(zip, names[i], MTIME), 0);
		spent += clock() - begin;
		assert_int_equal(zip_end(zip), 0);
	}
	zip_free(zip);
	free(archive.bytes);
	return (double)spent / CLOCKS_PER_SEC;
}

static void names_that_are_chosen_to_collide_take_no_longer_than_others(void **state)
{
	static char chosen[MANY][NAME_SIZE], any[MANY][NAME_SIZE];
	double for_chosen = 1, for_any = 0;

	(void)state;
	choose_names(chosen, true);
	choose_names(any, false);
	for (int tries = 0; tries < 4 && for_chosen > 3 * for_any + 0.05; tries++) { /* others may use the processor */
		for_chosen = seconds_for_names(chosen);
		for_any = seconds_for_names(any);
	}
	if (for_chosen > 3 * for_any + 0.05)
		fail_msg("%.3f s instead of %.3f s", for_chosen, for_any);
}

static void names_are_flagged_as_utf8_only_when_they_are_not_ascii(void **state)
{
	(void)state;
	assert_int_equal(entry_of("ascii.txt", MTIME).flags, 1 << 3);
	assert_int_equal(entry_of("\xc3\xa4.txt", MTIME).flags, 1 << 3 | 1 << 11);
	assert_string_equal(entry_of("\xc3\xa4.txt", MTIME).name, "\xc3\xa4.txt");
}

/* Faults ------------------------------------------------------------------------------------------------------- */

static void output_errors_are_returned_and_final(void **state)
{
	(void)state;
	unsigned char *random = noise(200000);
	for (size_t fail_at = 1; fail_at < 200000; fail_at += 20000) {
		struct archive archive = { .fail_at = fail_at };
		struct zip *zip = zip_new(1, keep, &archive);
		int err = zip_begin(zip, "a", MTIME);
		for (size_t at = 0; err == 0 && at < 200000; at += 1000)
			err = zip_write(zip, random + at, 1000);
		if (err == 0)
			err = zip_end(zip);
		if (err == 0)
			err = zip_finish(zip);
		assert_int_equal(err, -EPIPE);
		assert_int_equal(zip_write(zip, random, 1), -EPIPE);
		assert_int_equal(zip_end(zip), -EPIPE);
		assert_int_equal(zip_begin(zip, "b", MTIME), -EPIPE);
		assert_int_equal(zip_finish(zip), -EPIPE);
		zip_free(zip);
		free(archive.bytes);
	}
	free(random);
}

static void calls_out_of_order_are_refused(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	struct zip *zip = zip_new(6, keep, &archive);
	assert_int_equal(zip_write(zip, "x", 1), -EINVAL);
	assert_int_equal(zip_end(zip), -EINVAL);
	assert_int_equal(zip_begin(zip, "a", MTIME), 0);
	assert_int_equal(zip_begin(zip, "b", MTIME), -EBUSY);
	assert_int_equal(zip_finish(zip), -EBUSY);
	assert_int_equal(zip_end(zip), 0);
	assert_int_equal(zip_finish(zip), 0);
	assert_int_equal(zip_begin(zip, "c", MTIME), -EINVAL);
	assert_int_equal(zip_finish(zip), -EINVAL);
	zip_free(zip);
	free(archive.bytes);
	zip_free(NULL);
	assert_null(zip_new(10, keep, &archive));
	assert_null(zip_new(-1, keep, &archive));
}

static void unfinished_archive_has_no_end(void **state)
{
	(void)state;
	struct archive archive = { 0 };
	unsigned char *random = noise(100000);
	struct zip *zip = zip_new(1, keep, &archive);
	add(zip, "a", random, 100000);
	zip_free(zip);
	assert_true(archive.len > 0);
	assert_null(memmem(archive.bytes, archive.len, "PK\5\6", 4));
	free(archive.bytes);
	free(random);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_archive_is_well_formed),
		cmocka_unit_test(files_come_back_at_every_level),
		cmocka_unit_test(size_of_writes_makes_no_difference),
		cmocka_unit_test(ten_thousand_entries_are_read_by_tools),
		cmocka_unit_test(totals_count_files_and_bytes),
		cmocka_unit_test(entries_over_the_limit_are_refused),
		cmocka_unit_test(times_are_kept_in_both_forms),
		cmocka_unit_test(times_out_of_range_are_clamped),
		cmocka_unit_test(paths_are_taken_out_of_names),
		cmocka_unit_test(controls_are_taken_out_of_names),
		cmocka_unit_test(what_is_no_utf8_is_replaced),
		cmocka_unit_test(long_names_are_cut_before_their_extension),
		cmocka_unit_test(names_of_one_archive_are_made_different),
		cmocka_unit_test(long_names_have_room_for_numbers),
		cmocka_unit_test(names_that_are_chosen_to_collide_take_no_longer_than_others),
		cmocka_unit_test(names_are_flagged_as_utf8_only_when_they_are_not_ascii),
		cmocka_unit_test(output_errors_are_returned_and_final),
		cmocka_unit_test(calls_out_of_order_are_refused),
		cmocka_unit_test(unfinished_archive_has_no_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
