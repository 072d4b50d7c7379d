/* SPDX-License-Identifier: ISC
 *
 * Random numbers: machines with good, broken and missing sources, and the one generator of the program. Statistical
 * bounds are so wide that chance fails them less than once in 10^9 runs.
 */
#include <errno.h>

#include <skerry/random.h>

#include "lib/core/entropy.h"
#include "lib/core/test/dies.h"

/* Machines ------------------------------------------------------------------------------------------------------ */

static uint64_t number; /* state of the machines' pretended noise */
static int seed_words;  /* how many RDSEEDs succeed */

static uint64_t noise(void)
{
	number = number * 6364136223846793005u + 1442695040888963407u;
	return number >> 20;
}

static bool noisy_word(uint64_t *word)
{
	*word = noise();
	return true;
}

static bool drying_word(uint64_t *word)
{
	return seed_words-- > 0 && noisy_word(word);
}

static bool repeating_word(uint64_t *word)
{
	*word = UINT64_MAX;
	return true;
}

static bool no_word(uint64_t *word)
{
	(void)word;
	return false;
}

static uint64_t clock_ticks;

static uint64_t jittering_ticks(void)
{
	return clock_ticks += 300 + noise() % 8;
}

static uint64_t steady_ticks(void)
{
	return clock_ticks += 300;
}

static uint64_t stopped_ticks(void)
{
	return clock_ticks;
}

/* Whether a generator can be seeded from this machine; 8 bytes of it. */
static int seed_from(const struct entropy *machine, uint64_t *bytes)
{
	static struct fortuna generator;
	int err;

	fortuna_init(&generator, 1000);
	err = entropy_seed(machine, &generator);
	if (err == 0)
		fortuna_generate(&generator, 0, bytes, sizeof *bytes);
	else
		assert_int_equal(generator.reseed_count, 0);
	return err;
}

static void any_one_good_source_is_enough(void **state)
{
	static const struct entropy machines[] = { { noisy_word, noisy_word, jittering_ticks },
		{ noisy_word, no_word, steady_ticks }, { no_word, noisy_word, stopped_ticks },
		{ no_word, no_word, jittering_ticks } };

	(void)state;
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
		uint64_t bytes[2] = { 0, 0 };

		assert_int_equal(seed_from(&machines[i], &bytes[0]), 0);
		assert_int_equal(seed_from(&machines[i], &bytes[1]), 0);
		assert_true(bytes[0] != bytes[1]);
	}
}

static void a_source_that_repeats_itself_is_an_error(void **state)
{
	static const struct entropy machines[] = { { repeating_word, noisy_word, jittering_ticks },
		{ no_word, repeating_word, jittering_ticks } };
	uint64_t bytes;

	(void)state;
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++)
		assert_int_equal(seed_from(&machines[i], &bytes), -EIO);
}

static void no_source_at_all_is_an_error(void **state)
{
	static const struct entropy steady = { no_word, no_word, steady_ticks };
	static const struct entropy stopped = { no_word, no_word, stopped_ticks };
	uint64_t bytes;

	(void)state;
	assert_int_equal(seed_from(&steady, &bytes), -EIO);
	assert_int_equal(seed_from(&stopped, &bytes), -EIO);
}

static void a_seed_source_that_runs_dry_is_replaced_by_the_next(void **state)
{
	static const struct entropy machine = { drying_word, noisy_word, steady_ticks };
	static const struct entropy desert = { drying_word, no_word, steady_ticks };
	uint64_t bytes;

	(void)state;
	seed_words = 5;
	assert_int_equal(seed_from(&machine, &bytes), 0);
	assert_int_equal(seed_words, -2 - (FORTUNA_POOLS - 1)); /* asked once more, and then by each pool */
	seed_words = 5;
	assert_int_equal(seed_from(&desert, &bytes), -EIO);
}

static void feeding_reaches_every_pool(void **state)
{
	static const struct entropy machine = { noisy_word, noisy_word, jittering_ticks };
	static struct fortuna before, after;

	(void)state;
	fortuna_init(&before, 1000);
	after = before;
	entropy_feed(&machine, &after);
	for (size_t i = 0; i < FORTUNA_POOLS; i++)
		assert_memory_not_equal(&before.pools[i], &after.pools[i], sizeof after.pools[i]);
}

static void this_processor_s_sources_work(void **state)
{
	struct entropy alone = { no_word, no_word, entropy_of_processor.ticks };
	uint64_t bytes;

	(void)state;
	assert_int_equal(seed_from(&entropy_of_processor, &bytes), 0);
	assert_int_equal(seed_from(&alone, &bytes), 0);
}

/* The program's generator --------------------------------------------------------------------------------------- */

static void bytes_before_init_panic(void **state)
{
	uint8_t byte;

	(void)state;
	assert_dies("random_init() has not succeeded", random_bytes(&byte, 1));
	assert_dies("random_init() has not succeeded", random_u32());
}

static void init_succeeds_and_again_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(random_init(), 0);
	assert_int_equal(random_init(), 0);
}

static void every_bit_is_set_half_of_the_time(void **state)
{
	enum { DRAWS = 20000 };
	unsigned counts[32] = { 0 };

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		uint32_t drawn = random_u32();

		for (unsigned bit = 0; bit < 32; bit++)
			counts[bit] += drawn >> bit & 1;
	}
	/* 7 standard deviations of 71 */
	for (unsigned bit = 0; bit < 32; bit++)
		assert_in_range(counts[bit], DRAWS / 2 - 500, DRAWS / 2 + 500);
}

static void bytes_fill_all_of_the_buffer_and_no_more(void **state)
{
	static uint8_t bytes[70000];

	(void)state;
	for (size_t len = 0; len < 70000; len += 1 + len / 2) {
		int zeros = 0;

		memset(bytes, 0, sizeof bytes);
		random_bytes(bytes, len);
		assert_int_equal(bytes[len], 0);
		for (size_t i = 0; i < len; i++)
			zeros += bytes[i] == 0;
		assert_true(zeros < 8 + (int)len / 100);
	}
}

static void below_is_uniform_for_bounds_that_do_not_divide(void **state)
{
	enum { DRAWS = 60000 };
	int sixths[6] = { 0 }, thirds[3] = { 0 };
	const uint32_t bound = 3u << 30; /* taken modulo, the first third would come up twice as often */

	(void)state;
	for (int i = 0; i < DRAWS; i++) {
		uint32_t drawn = random_below(6), large = random_below(bound);

		assert_true(drawn < 6 && large < bound);
		sixths[drawn]++;
		thirds[large >> 30]++;
		assert_int_equal(random_below(1), 0);
	}
	/* 7 standard deviations of 91 and of 115 */
	for (int i = 0; i < 6; i++)
		assert_in_range(sixths[i], DRAWS / 6 - 640, DRAWS / 6 + 640);
	for (int i = 0; i < 3; i++)
		assert_in_range(thirds[i], DRAWS / 3 - 810, DRAWS / 3 + 810);
	assert_dies("does not hold", random_below(0));
}

/* Each child seeds its own generator, as two instances of a unikernel do. */
static void two_programs_draw_different_numbers(void **state)
{
	char first[32] = "";

	(void)state;
	for (int i = 0; i < 2; i++) {
		apart({
			if (random_init() == 0)
				printf("%08x%08x", random_u32(), random_u32());
		});
		assert_int_equal(strlen(apart_output), 16);
		assert_string_not_equal(apart_output, first);
		memcpy(first, apart_output, 17);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_one_good_source_is_enough),
		cmocka_unit_test(a_source_that_repeats_itself_is_an_error),
		cmocka_unit_test(no_source_at_all_is_an_error),
		cmocka_unit_test(a_seed_source_that_runs_dry_is_replaced_by_the_next),
		cmocka_unit_test(feeding_reaches_every_pool),
		cmocka_unit_test(this_processor_s_sources_work),
		cmocka_unit_test(bytes_before_init_panic),
		cmocka_unit_test(two_programs_draw_different_numbers),
		cmocka_unit_test(init_succeeds_and_again_does_nothing),
		cmocka_unit_test(every_bit_is_set_half_of_the_time),
		cmocka_unit_test(bytes_fill_all_of_the_buffer_and_no_more),
		cmocka_unit_test(below_is_uniform_for_bounds_that_do_not_divide),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
