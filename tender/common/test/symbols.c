/* SPDX-License-Identifier: ISC
 *
 * The names of an image's functions.
 */
#include <elf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "tender/common/symbols.h"

enum { SECTIONS = 3, SYMBOLS = 6 };

/* An image that is nothing but its symbols. */
struct file {
	Elf64_Ehdr header;
	Elf64_Shdr sections[SECTIONS]; /* none, symbols, names */
	Elf64_Sym symbols[SYMBOLS];
	char names[32];
};

static struct file good(void)
{
	return (struct file){
		.header = { .e_shoff = offsetof(struct file, sections),
			.e_shentsize = sizeof(Elf64_Shdr),
			.e_shnum = SECTIONS },
		.sections = { { 0 },
			{ .sh_type = SHT_SYMTAB,
				.sh_offset = offsetof(struct file, symbols),
				.sh_size = SYMBOLS * sizeof(Elf64_Sym),
				.sh_link = 2 },
			{ .sh_type = SHT_STRTAB, .sh_offset = offsetof(struct file, names), .sh_size = 32 } },
		.symbols = { { 0 }, { 7, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0x100200, 0x40 },
			{ 1, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, 1, 0x100100, 0x100 },
			{ 12, ELF64_ST_INFO(STB_GLOBAL, STT_NOTYPE), 0, 1, 0x100300, 0 },
			{ 18, ELF64_ST_INFO(STB_GLOBAL, STT_OBJECT), 0, 1, 0x100110, 8 },
			{ 18, ELF64_ST_INFO(STB_GLOBAL, STT_FUNC), 0, SHN_UNDEF, 0x100120, 8 } },
		.names = "\0first\0next\0label\0other",
	};
}

static void expect(const struct file *file, uint64_t address, const char *expected)
{
	struct tender_image image = { "test", -1, (const uint8_t *)file, sizeof *file };
	struct symbols symbols;
	char text[SYMBOL_TEXT_SIZE];

	symbols_read(&image, &symbols);
	symbols_describe(&symbols, address, text);
	assert_string_equal(text, expected);
	symbols_free(&symbols);
}

static void an_address_is_in_the_function_that_covers_it(void **state)
{
	struct file file = good();

	(void)state;
	expect(&file, 0x100100, "first+0x0");
	expect(&file, 0x1001ff, "first+0xff");
	expect(&file, 0x100200, "next+0x0");
	expect(&file, 0x100300, "label+0x0");
	expect(&file, 0x100310, "label+0x10");
}

static void an_address_outside_of_all_functions_has_no_name(void **state)
{
	struct file file = good();

	(void)state;
	expect(&file, 0x1000ff, "?");
	expect(&file, 0x100240, "?");
	expect(&file, 0, "?");
}

static void data_and_what_is_elsewhere_names_nothing(void **state)
{
	struct file file = good();

	(void)state;
	expect(&file, 0x100112, "first+0x12");
	expect(&file, 0x100122, "first+0x22");
}

static void bytes_that_would_move_a_cursor_are_shown_as_question_marks(void **state)
{
	struct file file = good();

	(void)state;
	memcpy(file.names + 1, "\033[2J\xff", 5);
	expect(&file, 0x100100, "?[2J?+0x0");
}

static void a_name_without_an_end_is_cut(void **state)
{
	struct file file = good();

	(void)state;
	memset(file.names + 1, 'x', 31);
	expect(&file, 0x100100, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxx+0x0");
}

static void a_malformed_table_gives_no_names(void **state)
{
	struct file files[8];

	(void)state;
	for (size_t i = 0; i < 8; i++)
		files[i] = good();
	files[0].header.e_shnum = SYMBOLS_SECTIONS_MAX + 1;
	files[1].header.e_shoff = UINT64_MAX;
	files[2].sections[1].sh_link = SECTIONS;
	files[3].sections[1].sh_size = UINT64_MAX;
	files[4].sections[1].sh_offset = UINT64_MAX - 8;
	files[5].sections[2].sh_size = 0;
	files[6].sections[2].sh_type = SHT_SYMTAB;
	files[7].symbols[2].st_name = 32;
	for (size_t i = 0; i < 8; i++)
		expect(&files[i], 0x100100, "?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_is_in_the_function_that_covers_it),
		cmocka_unit_test(an_address_outside_of_all_functions_has_no_name),
		cmocka_unit_test(data_and_what_is_elsewhere_names_nothing),
		cmocka_unit_test(bytes_that_would_move_a_cursor_are_shown_as_question_marks),
		cmocka_unit_test(a_name_without_an_end_is_cut),
		cmocka_unit_test(a_malformed_table_gives_no_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
