/* SPDX-License-Identifier: ISC
 *
 * The loader's reading of headers and segments: a good image's layout, and the line for everything that can be wrong.
 */
#include "tender/common/test/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static const uint64_t memory = 16 << 20;

static void expect_error(struct test_image *t, const char *text)
{
	struct tender_layout layout;

	test_image_seal(t);
	assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, text);
}

static void good_image_gives_its_layout(void **state)
{
	struct test_image *t = *state;
	struct tender_layout layout;

	test_image_seal(t);
	assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), 0);
	assert_int_equal(layout.entry, 0x100010);
	assert_int_equal(layout.end, 0x104000);
	assert_int_equal(layout.segment_count, 3);
	assert_int_equal(layout.segments[0].protection, PROT_READ | PROT_EXEC);
	assert_int_equal(layout.segments[1].protection, PROT_READ);
	assert_int_equal(layout.segments[2].protection, PROT_READ | PROT_WRITE);
	assert_int_equal(layout.segments[2].address, 0x102000);
	assert_int_equal(layout.segments[2].offset, 0x3000);
	assert_int_equal(layout.segments[2].file_bytes, 0x10);
	assert_int_equal(layout.segments[2].memory_bytes, 0x1800);
}

static void empty_segment_is_ignored(void **state)
{
	struct test_image *t = *state;
	struct tender_layout layout;

	t->program[RODATA].p_filesz = t->program[RODATA].p_memsz = 0;
	t->program[RODATA].p_vaddr = 0;
	test_image_seal(t);
	assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), 0);
	assert_int_equal(layout.segment_count, 2);
}

static void short_file_is_named(void **state)
{
	struct test_image *t = *state;
	struct tender_layout layout;

	test_image_seal(t);
	t->image.size = 63;
	assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: 63 bytes; expected at least the 64 of an ELF header");
}

static void every_truncation_is_an_error(void **state)
{
	struct test_image *t = *state;
	struct tender_layout layout;

	test_image_seal(t);
	for (t->image.size = 0; t->image.size < MANIFEST_OFFSET; t->image.size++)
		assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), -ENOEXEC);
}

static void missing_magic_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_ident[0] = '#';
	expect_error(t, "x.spt: no ELF magic number; expected an ELF image");
}

static void class_of_32_bits_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_ident[EI_CLASS] = ELFCLASS32;
	expect_error(t, "x.spt: ELF class 1, data encoding 1; expected 64-bit little-endian (2, 1)");
}

static void big_endian_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_ident[EI_DATA] = ELFDATA2MSB;
	expect_error(t, "x.spt: ELF class 2, data encoding 2; expected 64-bit little-endian (2, 1)");
}

static void wrong_version_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_version = 2;
	expect_error(t, "x.spt: ELF version 2; expected 1");
}

static void wrong_machine_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_machine = EM_AARCH64;
	expect_error(t, "x.spt: machine 183; expected x86-64 (62)");
}

static void shared_object_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_type = ET_DYN;
	expect_error(t, "x.spt: ELF type 3; expected a static executable at fixed addresses (2)");
}

static void program_header_size_is_checked(void **state)
{
	struct test_image *t = *state;

	t->header.e_phentsize = 32;
	expect_error(t, "x.spt: program headers of 32 bytes; expected 56");
}

static void program_header_count_is_checked(void **state)
{
	struct test_image *t = *state;

	t->header.e_phnum = 0;
	expect_error(t, "x.spt: 0 program headers; expected 1 to 64");
	t->header.e_phnum = 65;
	expect_error(t, "x.spt: 65 program headers; expected 1 to 64");
}

static void program_headers_outside_the_file_are_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_phoff = IMAGE_BYTES - 100;
	expect_error(t, "x.spt: truncated: 5 program headers at 24476; expected them in the file's 24576 bytes");
	t->header.e_phoff = UINT64_MAX;
	expect_error(t,
		"x.spt: truncated: 5 program headers at 18446744073709551615; expected them in the file's 24576 bytes");
}

static void segment_outside_the_file_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_offset = IMAGE_BYTES;
	expect_error(
		t, "x.spt: truncated: program header 2: 16 bytes at 24576; expected them in the file's 24576 bytes");
	t->program[DATA].p_offset = UINT64_MAX - 8;
	expect_error(t, "x.spt: truncated: program header 2: 16 bytes at 18446744073709551607; expected them in the "
			"file's 24576 bytes");
}

static void writable_and_executable_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_flags |= PF_X;
	expect_error(t, "x.spt: program header 2: writable and executable; expected one or the other");
}

static void unreadable_segment_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_flags = PF_W;
	expect_error(t, "x.spt: program header 2: not readable; expected read permission");
}

static void more_in_the_file_than_in_memory_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_memsz = 8;
	expect_error(t, "x.spt: program header 2: 16 bytes in the file; expected at most the 8 in memory");
}

static void unaligned_segment_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_vaddr = 0x102008;
	expect_error(t, "x.spt: program header 2: address 0x102008; expected a multiple of 4096");
}

static void segment_below_one_megabyte_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[TEXT].p_vaddr = 0xff000;
	expect_error(t, "x.spt: program header 0: address 0xff000; expected at least 0x100000");
	t->program[TEXT].p_vaddr = 0;
	expect_error(t, "x.spt: program header 0: address 0x0; expected at least 0x100000");
}

static void segment_beyond_memory_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_memsz = 16 << 20;
	expect_error(t, "x.spt: program header 2: 0x1000000 bytes at 0x102000; expected them below the end of memory, "
			"0x1000000");
	t->program[DATA].p_memsz = UINT64_MAX;
	expect_error(t, "x.spt: program header 2: 0xffffffffffffffff bytes at 0x102000; expected them below the end of "
			"memory, 0x1000000");
	t->program[DATA].p_vaddr = UINT64_MAX & ~0xfffull;
	t->program[DATA].p_memsz = 0x2000;
	expect_error(t, "x.spt: program header 2: 0x2000 bytes at 0xfffffffffffff000; expected them below the end of "
			"memory, 0x1000000");
}

static void image_that_leaves_no_room_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[DATA].p_memsz = (16 << 20) - 0x102000 - 0x1000;
	expect_error(t, "x.spt: ends at 0xfff000 in a memory of 0x1000000; expected at least 0x10000 bytes beyond the "
			"image");
}

static void segments_that_share_a_page_are_named(void **state)
{
	struct test_image *t = *state;

	t->program[TEXT].p_memsz = 0x1001;
	expect_error(t, "x.spt: program header 1: address 0x101000; expected segments in ascending order on pages of "
			"their own, here from 0x102000");
}

static void unsorted_segments_are_named(void **state)
{
	struct test_image *t = *state;

	t->program[RODATA].p_vaddr = 0x108000;
	expect_error(t, "x.spt: program header 2: address 0x102000; expected segments in ascending order on pages of "
			"their own, here from 0x109000");
}

static void entry_outside_text_is_named(void **state)
{
	struct test_image *t = *state;

	t->header.e_entry = 0x101000; /* read-only data */
	expect_error(t, "x.spt: entry 0x101000; expected it in an executable segment");
	t->header.e_entry = 0x100200; /* the first byte after the text */
	expect_error(t, "x.spt: entry 0x100200; expected it in an executable segment");
	t->header.e_entry = 0;
	expect_error(t, "x.spt: entry 0x0; expected it in an executable segment");
}

static void image_without_segments_is_an_error(void **state)
{
	struct test_image *t = *state;

	t->program[TEXT].p_type = t->program[RODATA].p_type = t->program[DATA].p_type = PT_NULL;
	expect_error(t, "x.spt: entry 0x100010; expected it in an executable segment");
}

static void result_is_written_only_on_success(void **state)
{
	struct test_image *t = *state;
	struct tender_layout layout, before;

	memset(&layout, 0x5a, sizeof layout);
	before = layout;
	t->header.e_entry = 0;
	test_image_seal(t);
	assert_int_equal(tender_layout_read(&t->image, memory, &layout, &t->error), -ENOEXEC);
	assert_memory_equal(&layout, &before, sizeof layout);
}

static void image_is_read_from_a_file_too(void **state)
{
	struct test_image *t = *state;
	struct tender_image image;
	struct tender_layout layout;
	char path[] = "/tmp/skerry-test-elf-XXXXXX";
	int fd = mkstemp(path);

	test_image_seal(t);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, t->bytes, sizeof t->bytes), sizeof t->bytes);
	assert_int_equal(tender_image_open(path, &image, &t->error), 0);
	unlink(path);
	assert_int_equal(tender_layout_read(&image, memory, &layout, &t->error), 0);
	assert_int_equal(layout.end, 0x104000);
	assert_int_equal(ftruncate(fd, 0x1000), 0); /* after the size was taken */
	assert_int_equal(tender_image_read(&image, 0x1000, t->bytes, 16, &t->error), -EIO);
	assert_non_null(strstr(t->error.text, ": became shorter while it was read"));
	tender_image_close(&image);
	close(fd);
}

static void missing_image_and_directory_are_named(void **state)
{
	struct test_image *t = *state;
	struct tender_image image;

	assert_int_equal(tender_image_open("/nonexistent/x.spt", &image, &t->error), -ENOENT);
	assert_string_equal(t->error.text, "/nonexistent/x.spt: No such file or directory");
	assert_int_equal(tender_image_open("/tmp", &image, &t->error), -EINVAL);
	assert_string_equal(t->error.text, "/tmp: not a regular file; expected an ELF image");
}

static void error_text_stays_one_printable_line(void **state)
{
	struct test_image *t = *state;

	test_image_seal(t);
	t->image.name = "a\nb\x1b[31m\xff";
	t->image.size = 0;
	assert_int_equal(tender_layout_read(&t->image, memory, &(struct tender_layout){ 0 }, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "a?b?[31m?: 0 bytes; expected at least the 64 of an ELF header");
}

#define TEST(name) cmocka_unit_test_setup(name, test_image_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_image_gives_its_layout),
		TEST(empty_segment_is_ignored),
		TEST(short_file_is_named),
		TEST(every_truncation_is_an_error),
		TEST(missing_magic_is_named),
		TEST(class_of_32_bits_is_named),
		TEST(big_endian_is_named),
		TEST(wrong_version_is_named),
		TEST(wrong_machine_is_named),
		TEST(shared_object_is_named),
		TEST(program_header_size_is_checked),
		TEST(program_header_count_is_checked),
		TEST(program_headers_outside_the_file_are_named),
		TEST(segment_outside_the_file_is_named),
		TEST(writable_and_executable_is_named),
		TEST(unreadable_segment_is_named),
		TEST(more_in_the_file_than_in_memory_is_named),
		TEST(unaligned_segment_is_named),
		TEST(segment_below_one_megabyte_is_named),
		TEST(segment_beyond_memory_is_named),
		TEST(image_that_leaves_no_room_is_named),
		TEST(segments_that_share_a_page_are_named),
		TEST(unsorted_segments_are_named),
		TEST(entry_outside_text_is_named),
		TEST(image_without_segments_is_an_error),
		TEST(result_is_written_only_on_success),
		TEST(image_is_read_from_a_file_too),
		TEST(missing_image_and_directory_are_named),
		TEST(error_text_stays_one_printable_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
