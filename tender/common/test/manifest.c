/* SPDX-License-Identifier: ISC
 *
 * Notes and manifest of hostile images, and the matching of devices: a good case, and the line for each fault.
 */
#include "tender/common/test/image.h"

#include <errno.h>

static void expect_error(struct test_image *t, const char *text)
{
	static struct tender_manifest manifest;

	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, text);
}

static void good_manifest_is_read(void **state)
{
	struct test_image *t = *state;
	struct tender_manifest manifest;

	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	assert_int_equal(manifest.entries, 3);
	assert_int_equal(manifest.e[0].type, MANIFEST_RESERVED_FIRST);
	assert_string_equal(manifest.e[1].name, "service");
	assert_int_equal(manifest.e[1].type, MANIFEST_NET_BASIC);
	assert_false(manifest.e[1].attached);
	assert_string_equal(manifest.e[2].name, "storage");
	assert_int_equal(manifest.e[2].type, MANIFEST_BLOCK_BASIC);
}

static void manifest_with_63_devices_of_67_letters_is_read(void **state)
{
	struct test_image *t = *state;
	struct tender_manifest manifest;

	t->manifest.entries = 64;
	for (size_t i = 1; i < 64; i++) {
		t->manifest.e[i].type = MANIFEST_NET_BASIC;
		memset(t->manifest.e[i].name, 'x', 67);
		t->manifest.e[i].name[0] = (char)('0' + i / 8);
		t->manifest.e[i].name[1] = (char)('0' + i % 8);
	}
	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	assert_int_equal(manifest.entries, 64);
	assert_int_equal(strlen(manifest.e[63].name), 67);
}

static void only_name_and_type_are_taken_from_the_file(void **state)
{
	struct test_image *t = *state;
	struct tender_manifest manifest;

	t->manifest.e[1].b.hostfd = 7;
	t->manifest.e[1].u.net.mtu = 9000;
	t->manifest.e[1].features = MANIFEST_NET_CHECKSUM;
	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	assert_int_equal(manifest.e[1].b.hostfd, 0);
	assert_int_equal(manifest.e[1].u.net.mtu, 0);
	assert_int_equal(manifest.e[1].features, 0);
}

static void missing_manifest_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[MANIFEST].p_type = PT_NULL;
	expect_error(t, "x.spt: no manifest note; expected an image built for a tender");
}

static void doubled_manifest_is_named(void **state)
{
	struct test_image *t = *state;

	test_image_seal(t);
	t->program[ABI] = t->program[MANIFEST];
	expect_error(t, "x.spt: manifest note: there twice; expected one");
}

static void wrong_version_is_named(void **state)
{
	struct test_image *t = *state;

	t->manifest.version = 2;
	expect_error(t, "x.spt: manifest: version 2; expected 1");
}

static void entry_count_is_checked(void **state)
{
	struct test_image *t = *state;
	uint32_t entries[] = { 0, 65, UINT32_MAX };
	static const char *const texts[] = { "x.spt: manifest: 0 entries; expected 1 to 64",
		"x.spt: manifest: 65 entries; expected 1 to 64",
		"x.spt: manifest: 4294967295 entries; expected 1 to 64" };

	for (size_t i = 0; i < 3; i++) {
		test_image_seal(t);
		memcpy(t->bytes + MANIFEST_OFFSET + NOTE_HEADER + 4 + 4, &entries[i], sizeof entries[i]);
		assert_int_equal(tender_manifest_read(&t->image, &(struct tender_manifest){ 0 }, &t->error), -ENOEXEC);
		assert_string_equal(t->error.text, texts[i]);
	}
}

static void count_that_does_not_fit_the_note_is_named(void **state)
{
	struct test_image *t = *state;
	uint32_t entries = 4;

	test_image_seal(t);
	memcpy(t->bytes + MANIFEST_OFFSET + NOTE_HEADER + 4 + 4, &entries, sizeof entries);
	assert_int_equal(tender_manifest_read(&t->image, &(struct tender_manifest){ 0 }, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: manifest: 320 bytes; expected 424 for 4 entries");
}

static void note_that_is_too_short_is_named(void **state)
{
	struct test_image *t = *state;
	static const struct {
		uint32_t len;
		const char *text;
	} cases[] = {
		{ 0, "x.spt: manifest: 0 bytes; expected at least 4" },
		{ 3, "x.spt: manifest: 3 bytes; expected at least 4" },
		{ 11, "x.spt: manifest: 7 bytes; expected at least the 8 of its header" },
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		t->program[MANIFEST].p_filesz = NOTE_HEADER + cases[i].len;
		test_image_seal(t);
		test_note_put(t->bytes + MANIFEST_OFFSET, NOTE_MFT1, cases[i].len);
		assert_int_equal(tender_manifest_read(&t->image, &(struct tender_manifest){ 0 }, &t->error), -ENOEXEC);
		assert_string_equal(t->error.text, cases[i].text);
	}
}

static void note_beyond_its_segment_is_named(void **state)
{
	struct test_image *t = *state;
	Elf64_Nhdr note = { UINT32_MAX, UINT32_MAX, NOTE_MFT1 };

	test_image_seal(t);
	memcpy(t->bytes + MANIFEST_OFFSET, &note, sizeof note);
	assert_int_equal(tender_manifest_read(&t->image, &(struct tender_manifest){ 0 }, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: program header 4: note of 4294967295 + 4294967295 bytes at 0; "
					   "expected it inside its segment of 344 bytes");
}

static void note_segment_that_is_too_large_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[ABI].p_offset = 0;
	t->program[ABI].p_filesz = 16385;
	expect_error(t, "x.spt: program header 3: notes of 16385 bytes; expected at most 16384");
}

static void first_entry_must_be_the_reserved_one(void **state)
{
	struct test_image *t = *state;

	t->manifest.e[0].type = MANIFEST_NET_BASIC;
	expect_error(t, "x.spt: manifest: entry 0: type 0x2; expected the reserved type 0x40000000 and no name");
	t->manifest.e[0].type = MANIFEST_RESERVED_FIRST;
	t->manifest.e[0].name[0] = 'a';
	expect_error(t, "x.spt: manifest: entry 0: type 0x40000000 with a name; expected the reserved type 0x40000000 "
			"and no name");
}

static void malformed_names_are_refused(void **state)
{
	struct test_image *t = *state;
	static const char *const names[] = { "", "a b", "a-b", "caf\xc3\xa9", "a\n", "\x1b[2J" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		memset(t->manifest.e[2].name, 0, MANIFEST_NAME_SIZE);
		memcpy(t->manifest.e[2].name, names[i], strlen(names[i]));
		expect_error(t, "x.spt: manifest: entry 2: malformed name; expected 1 to 67 of [A-Za-z0-9]");
	}
	memset(t->manifest.e[2].name, 'a', MANIFEST_NAME_SIZE); /* no NUL */
	expect_error(t, "x.spt: manifest: entry 2: malformed name; expected 1 to 67 of [A-Za-z0-9]");
}

static void unknown_type_is_named(void **state)
{
	struct test_image *t = *state;

	t->manifest.e[2].type = 3;
	expect_error(t, "x.spt: manifest: device \"storage\": type 0x3; expected NET_BASIC (2) or BLOCK_BASIC (1)");
	t->manifest.e[2].type = MANIFEST_RESERVED_FIRST;
	expect_error(
		t, "x.spt: manifest: device \"storage\": type 0x40000000; expected NET_BASIC (2) or BLOCK_BASIC (1)");
}

static void attached_in_the_file_is_refused(void **state)
{
	struct test_image *t = *state;

	t->manifest.e[2].attached = true;
	expect_error(t, "x.spt: manifest: device \"storage\": attached already; expected it not to be");
}

static void byte_that_is_no_bool_is_refused(void **state)
{
	struct test_image *t = *state;
	size_t at = MANIFEST_OFFSET + NOTE_HEADER + 4 + sizeof(struct manifest) + sizeof(struct manifest_entry);

	test_image_seal(t);
	t->bytes[at + offsetof(struct manifest_entry, attached)] = 0x80;
	assert_int_equal(tender_manifest_read(&t->image, &(struct tender_manifest){ 0 }, &t->error), -ENOEXEC);
	assert_string_equal(
		t->error.text, "x.spt: manifest: device \"service\": attached already; expected it not to be");
}

static void doubled_name_is_refused(void **state)
{
	struct test_image *t = *state;

	strcpy(t->manifest.e[2].name, "service");
	expect_error(t, "x.spt: manifest: device \"service\": declared twice; expected one");
}

/* The interface note ------------------------------------------------------------------------------------------- */

static void right_interface_is_accepted(void **state)
{
	struct test_image *t = *state;

	test_image_seal(t);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), 0);
}

static void wrong_interface_is_named(void **state)
{
	struct test_image *t = *state;

	t->abi.target = ABI_TARGET_HVT;
	test_image_seal(t);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: built for hvt version 2; expected spt version 2");
	t->abi = (struct abi1){ .target = 99, .version = 7 };
	test_image_seal(t);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: built for 99 version 7; expected spt version 2");
}

static void missing_interface_is_named(void **state)
{
	struct test_image *t = *state;

	t->program[ABI].p_type = PT_NULL;
	test_image_seal(t);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: no interface note; expected an image built for a tender");
}

static void note_of_another_name_is_not_ours(void **state)
{
	struct test_image *t = *state;

	test_image_seal(t);
	t->bytes[ABI_OFFSET + 12] = 'X';
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: no interface note; expected an image built for a tender");
}

static void notes_that_share_a_segment_are_found(void **state)
{
	struct test_image *t = *state;
	struct tender_manifest manifest;

	test_image_seal(t);
	/* Interface note, then manifest note at the next multiple of 8, as a linker merges them. */
	memcpy(t->bytes + 0x5000, t->bytes + ABI_OFFSET, 36);
	memcpy(t->bytes + 0x5028, t->bytes + MANIFEST_OFFSET, 344);
	t->program[MANIFEST].p_offset = 0x5000;
	t->program[MANIFEST].p_filesz = 0x28 + 344;
	t->program[ABI].p_type = PT_NULL;
	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), 0);
}

/* Offers -------------------------------------------------------------------------------------------------------- */

/* Puts a note of offers behind the last one in the segment of the ABI note. */
static void add_offers(struct test_image *t, uint32_t offers, uint32_t len)
{
	const Elf64_Nhdr note = { sizeof NOTE_SKERRY_NAME, len, NOTE_OFFERS };
	uint8_t *at;

	test_image_seal(t);
	at = t->bytes + ABI_OFFSET + t->program[ABI].p_filesz;
	memcpy(at, &note, sizeof note);
	memcpy(at + sizeof note, NOTE_SKERRY_NAME, sizeof NOTE_SKERRY_NAME);
	memcpy(at + NOTE_HEADER, &offers, sizeof offers);
	t->program[ABI].p_filesz += NOTE_HEADER + len;
	memcpy(t->bytes + sizeof t->header, t->program, sizeof t->program);
}

static void offers_are_read_and_an_image_without_the_note_makes_none(void **state)
{
	struct test_image *t = *state;
	uint32_t offers = 1;

	test_image_seal(t);
	assert_int_equal(tender_offers_read(&t->image, &offers, &t->error), 0);
	assert_int_equal(offers, 0);
	add_offers(t, NOTE_OFFER_VNET, sizeof offers);
	assert_int_equal(tender_offers_read(&t->image, &offers, &t->error), 0);
	assert_int_equal(offers, NOTE_OFFER_VNET);
	assert_int_equal(tender_abi_check(&t->image, ABI_TARGET_SPT, ABI_SPT_VERSION, &t->error), 0);
}

static void offers_that_are_doubled_or_too_long_are_named(void **state)
{
	struct test_image *t = *state;
	uint32_t offers;

	add_offers(t, NOTE_OFFER_VNET, sizeof offers);
	add_offers(t, NOTE_OFFER_VNET, sizeof offers);
	assert_int_equal(tender_offers_read(&t->image, &offers, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: note of offers: there twice; expected one");
	t->program[ABI].p_filesz = NOTE_HEADER + sizeof(struct abi1);
	add_offers(t, NOTE_OFFER_VNET, 8);
	assert_int_equal(tender_offers_read(&t->image, &offers, &t->error), -ENOEXEC);
	assert_string_equal(t->error.text, "x.spt: note of offers: 8 bytes; expected at most 4");
}

/* Devices ------------------------------------------------------------------------------------------------------- */

static const struct tender_device good[] = {
	{ .name = "storage", .type = MANIFEST_BLOCK_BASIC, .hostfd = 5, .u.block = { 4096, 512 } },
	{ .name = "service",
		.type = MANIFEST_NET_BASIC,
		.hostfd = 6,
		.u.net = { { 2, 0, 0, 0, 0, 1 }, 1500, true, 7 } },
};

static void expect_devices(struct test_image *t, const struct tender_device *devices, size_t count, const char *text)
{
	struct tender_manifest manifest;

	test_image_seal(t);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	assert_int_equal(tender_devices_check(&t->image, &manifest, devices, count, &t->error), text ? -ENODEV : 0);
	if (text)
		assert_string_equal(t->error.text, text);
}

static void right_devices_are_attached(void **state)
{
	struct test_image *t = *state;
	struct tender_manifest manifest;

	expect_devices(t, good, 2, NULL);
	assert_int_equal(tender_manifest_read(&t->image, &manifest, &t->error), 0);
	tender_devices_attach(&manifest, good, 2);
	assert_true(manifest.e[1].attached);
	assert_int_equal(manifest.e[1].b.hostfd, 6);
	assert_int_equal(manifest.e[1].u.net.mtu, 1500);
	assert_int_equal(manifest.e[1].u.net.mac[5], 1);
	assert_int_equal(manifest.e[1].features, 7);
	assert_true(manifest.e[2].attached);
	assert_int_equal(manifest.e[2].b.hostfd, 5);
	assert_int_equal(manifest.e[2].u.block.capacity, 4096);
	assert_int_equal(manifest.e[2].u.block.block_size, 512);
	assert_false(manifest.e[0].attached);
}

static void declared_but_not_attached_is_named(void **state)
{
	expect_devices(*state, good, 1, "x.spt: device \"service\": not attached; expected a --net:service=...");
	expect_devices(*state, good + 1, 1, "x.spt: device \"storage\": not attached; expected a --block:storage=...");
}

static void attached_but_not_declared_is_named(void **state)
{
	struct tender_device devices[] = { good[0], good[1], { .name = "other", .type = MANIFEST_NET_BASIC } };

	expect_devices(
		*state, devices, 3, "x.spt: device \"other\": not declared; expected only devices of the manifest");
}

static void attached_twice_is_named(void **state)
{
	struct tender_device devices[] = { good[0], good[1], good[1] };

	expect_devices(*state, devices, 3, "x.spt: device \"service\": attached twice; expected once");
}

static void attached_as_the_wrong_type_is_named(void **state)
{
	struct tender_device devices[] = { good[0], good[1] };

	devices[1].type = MANIFEST_BLOCK_BASIC;
	expect_devices(*state, devices, 2, "x.spt: device \"service\": attached as BLOCK_BASIC; expected NET_BASIC");
}

static void reserved_entry_cannot_be_attached(void **state)
{
	struct tender_device devices[] = { good[0], good[1], { .name = "", .type = MANIFEST_RESERVED_FIRST } };

	expect_devices(*state, devices, 3, "x.spt: device \"\": not declared; expected only devices of the manifest");
}

#define TEST(name) cmocka_unit_test_setup(name, test_image_setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(good_manifest_is_read),
		TEST(manifest_with_63_devices_of_67_letters_is_read),
		TEST(only_name_and_type_are_taken_from_the_file),
		TEST(missing_manifest_is_named),
		TEST(doubled_manifest_is_named),
		TEST(wrong_version_is_named),
		TEST(entry_count_is_checked),
		TEST(count_that_does_not_fit_the_note_is_named),
		TEST(note_that_is_too_short_is_named),
		TEST(note_beyond_its_segment_is_named),
		TEST(note_segment_that_is_too_large_is_named),
		TEST(first_entry_must_be_the_reserved_one),
		TEST(malformed_names_are_refused),
		TEST(unknown_type_is_named),
		TEST(attached_in_the_file_is_refused),
		TEST(byte_that_is_no_bool_is_refused),
		TEST(doubled_name_is_refused),
		TEST(right_interface_is_accepted),
		TEST(wrong_interface_is_named),
		TEST(missing_interface_is_named),
		TEST(note_of_another_name_is_not_ours),
		TEST(notes_that_share_a_segment_are_found),
		TEST(offers_are_read_and_an_image_without_the_note_makes_none),
		TEST(offers_that_are_doubled_or_too_long_are_named),
		TEST(right_devices_are_attached),
		TEST(declared_but_not_attached_is_named),
		TEST(attached_but_not_declared_is_named),
		TEST(attached_twice_is_named),
		TEST(attached_as_the_wrong_type_is_named),
		TEST(reserved_entry_cannot_be_attached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
