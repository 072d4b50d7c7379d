/* SPDX-License-Identifier: ISC
 *
 * The symbol table of a hostile image (System V ABI, chapter 4): copied as a whole, sifted once, and from then on only
 * looked at. Everything in it may be a lie, which makes names wrong and nothing else.
 */
#include <elf.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tender/common/symbols.h"

/* A section's bytes, for the caller to free; NULL when there are none, more than most, or they cannot be read. */
static void *section_copy(const struct tender_image *image, const Elf64_Shdr *section, uint64_t most)
{
	struct tender_error error;
	void *bytes;

	if (section->sh_size == 0 || section->sh_size > most)
		return NULL;
	bytes = malloc(section->sh_size);
	if (bytes && tender_image_read(image, section->sh_offset, bytes, section->sh_size, &error) == 0)
		return bytes;
	free(bytes);
	return NULL;
}

/* The section headers of the symbols and of their names. */
static bool sections_find(const struct tender_image *image, Elf64_Shdr *table, Elf64_Shdr *text)
{
	Elf64_Shdr sections[SYMBOLS_SECTIONS_MAX];
	struct tender_error error;
	Elf64_Ehdr header;

	if (tender_image_read(image, 0, &header, sizeof header, &error) < 0 || header.e_shentsize != sizeof *sections ||
		header.e_shnum > SYMBOLS_SECTIONS_MAX ||
		tender_image_read(image, header.e_shoff, sections, header.e_shnum * sizeof *sections, &error) < 0)
		return false;
	for (size_t i = 0; i < header.e_shnum; i++) {
		if (sections[i].sh_type != SHT_SYMTAB || sections[i].sh_link >= header.e_shnum)
			continue;
		*table = sections[i];
		*text = sections[sections[i].sh_link];
		return text->sh_type == SHT_STRTAB;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	const struct symbol *first = a, *second = b;

	return (first->address > second->address) - (first->address < second->address);
}

/* Keeps the functions; what is written in assembly may have no type. */
static size_t sift(const Elf64_Sym *table, size_t count, size_t text_bytes, struct symbol *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		const Elf64_Sym *symbol = &table[i];
		unsigned int type = ELF64_ST_TYPE(symbol->st_info);

		if ((type == STT_FUNC || type == STT_NOTYPE) && symbol->st_shndx != SHN_UNDEF &&
			symbol->st_shndx < SHN_LORESERVE && symbol->st_name < text_bytes)
			list[kept++] = (struct symbol){ symbol->st_value, symbol->st_size, symbol->st_name };
	}
	qsort(list, kept, sizeof *list, compare);
	return kept;
}

void symbols_read(const struct tender_image *image, struct symbols *symbols)
{
	Elf64_Shdr table, text;
	Elf64_Sym *entries;

	*symbols = (struct symbols){ 0 };
	if (!sections_find(image, &table, &text))
		return;
	entries = section_copy(image, &table, SYMBOLS_MAX * sizeof *entries);
	symbols->text = section_copy(image, &text, SYMBOLS_TEXT_MAX);
	symbols->list = entries ? calloc(table.sh_size / sizeof *entries + 1, sizeof *symbols->list) : NULL;
	if (symbols->text && symbols->list) {
		symbols->text[text.sh_size - 1] = '\0';
		symbols->count = sift(entries, table.sh_size / sizeof *entries, text.sh_size, symbols->list);
	}
	free(entries);
}

void symbols_free(struct symbols *symbols)
{
	free(symbols->list);
	free(symbols->text);
	*symbols = (struct symbols){ 0 };
}

void symbols_describe(const struct symbols *symbols, uint64_t address, char text[SYMBOL_TEXT_SIZE])
{
	const struct symbol *found = NULL;
	char name[SYMBOL_TEXT_SIZE - 20]; /* an offset is as long as "+0x" and 16 digits */

	for (size_t i = 0; i < symbols->count && symbols->list[i].address <= address; i++)
		if (symbols->list[i].bytes == 0 || address - symbols->list[i].address < symbols->list[i].bytes)
			found = &symbols->list[i];
	if (!found) {
		snprintf(text, SYMBOL_TEXT_SIZE, "?");
		return;
	}
	snprintf(name, sizeof name, "%s", symbols->text + found->name);
	for (char *c = name; *c; c++)
		if (*c < ' ' || *c > '~')
			*c = '?';
	snprintf(text, SYMBOL_TEXT_SIZE, "%s+0x%" PRIx64, name, address - found->address);
}
