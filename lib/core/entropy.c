/* SPDX-License-Identifier: ISC
 *
 * Where randomness comes from: the processor's generator, and the jitter of its clock.
 *
 * A word of RDSEED counts as 64 bits of entropy. One of RDRAND may hold next to none, since its generator is reseeded
 * only after 511 blocks of 128 bits; RDRAND_WORDS words span two reseeds at least, which is Intel's recipe for making
 * a seed of RDRAND.
 *
 * Jitter: how many ticks it takes to walk through memory, along a path that depends on the time before, differs from
 * walk to walk with the state of caches, TLBs, the memory's refresh, other processors and interrupts of the host. We
 * count on 1/8 bit a sample (jitterentropy, which was measured on many processors, counts on 1/3 to 1 bit for about as
 * much work). Where the processor has no generator, JITTER_ALONE samples give 512 such bits, twice what the key
 * holds; where it has one, JITTER_BESIDE samples come on top and count for nothing.
 *
 * Sources are tested while they are read (NIST SP 800-90B, 4.4.1, repetition count): the processor's words may never be
 * the same twice in a row (one chance in 2^64; known broken processors give all ones for ever); times may repeat up
 * to REPEATS_MAX times (1 + 20 / (1/8): one false alarm in 2^20).
 */
#include <cpuid.h>
#include <errno.h>

#include "entropy.h"

enum {
	RDSEED_WORDS = 32,
	RDRAND_WORDS = 2 * 1024,
	JITTER_BESIDE = 256,
	JITTER_ALONE = 4096,
	REPEATS_MAX = 161,
	READY_TRIES = 64, /* of an instruction that may say "not now" */
	WALK_SIZE = 4096, /* a power of two */
	WALK_STEPS = 32,
	FEED_SAMPLES = 4,
};

/* Names of the sources in events. */
enum { FROM_PROCESSOR, FROM_JITTER };

/* The processor ------------------------------------------------------------------------------------------------- */

static bool has_rdrand(void)
{
	unsigned a, b, c, d;

	return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_RDRND);
}

static bool has_rdseed(void)
{
	unsigned a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_RDSEED);
}

static bool rdseed(uint64_t *word)
{
	bool ready;

	__asm__ volatile("rdseed %0" : "=r"(*word), "=@ccc"(ready));
	return ready;
}

static bool rdrand(uint64_t *word)
{
	bool ready;

	__asm__ volatile("rdrand %0" : "=r"(*word), "=@ccc"(ready));
	return ready;
}

static bool try_often(bool (*instruction)(uint64_t *), uint64_t *word)
{
	for (int i = 0; i < READY_TRIES; i++) {
		if (instruction(word))
			return true;
		__builtin_ia32_pause();
	}
	return false;
}

static bool processor_seed_word(uint64_t *word)
{
	static enum { UNKNOWN, NONE, PRESENT } rdseed_is = UNKNOWN;

	if (rdseed_is == UNKNOWN)
		rdseed_is = has_rdseed() ? PRESENT : NONE;
	return rdseed_is == PRESENT && try_often(rdseed, word);
}

static bool processor_word(uint64_t *word)
{
	static enum { UNKNOWN, NONE, PRESENT } rdrand_is = UNKNOWN;

	if (rdrand_is == UNKNOWN)
		rdrand_is = has_rdrand() ? PRESENT : NONE;
	return rdrand_is == PRESENT && try_often(rdrand, word);
}

static uint64_t processor_ticks(void)
{
	return __builtin_ia32_rdtsc();
}

const struct entropy entropy_of_processor = { processor_seed_word, processor_word, processor_ticks };

/* Gathering ----------------------------------------------------------------------------------------------------- */

/* Hashes count words into the seed. 1; 0 if the instruction is not there or stopped giving; -EIO if it gave a word
 * twice in a row. */
static int gather_words(bool (*read)(uint64_t *), int count, br_sha256_context *seed)
{
	uint64_t word, last = 0;

	for (int i = 0; i < count; i++, last = word) {
		if (!read(&word))
			return 0;
		if (i > 0 && word == last)
			return -EIO;
		br_sha256_update(seed, &word, sizeof word);
	}
	return 1;
}

/* RDSEED shares its source with all processors and may run dry under load: then RDRAND. */
static int gather_from_processor(const struct entropy *from, br_sha256_context *seed)
{
	int found = gather_words(from->seed_word, RDSEED_WORDS, seed);

	return found != 0 ? found : gather_words(from->word, RDRAND_WORDS, seed);
}

/* Lasts from one gathering to the next. Static, because it is large for a task's stack; there is one thread. */
static struct {
	uint64_t last_ticks, last_delta;
	unsigned repeats, repeats_most;
	uint32_t place;
	volatile uint8_t memory[WALK_SIZE];
} jitter;

/* The time of one walk. */
static uint64_t jitter_sample(const struct entropy *from)
{
	uint64_t ticks, delta;

	for (int i = 0; i < WALK_STEPS; i++) {
		jitter.place = (jitter.place ^ (uint32_t)jitter.last_delta) * 1664525u + 1013904223u +
			       jitter.memory[jitter.place >> 16 & (WALK_SIZE - 1)];
		jitter.memory[jitter.place >> 16 & (WALK_SIZE - 1)]++;
	}
	ticks = from->ticks();
	delta = ticks - jitter.last_ticks;
	jitter.repeats = delta == jitter.last_delta ? jitter.repeats + 1 : 1;
	if (jitter.repeats > jitter.repeats_most)
		jitter.repeats_most = jitter.repeats;
	jitter.last_ticks = ticks;
	jitter.last_delta = delta;
	return delta;
}

/* Hashes so many times into the seed. Returns whether they jitter. */
static bool gather_jitter(const struct entropy *from, int samples, br_sha256_context *seed)
{
	jitter.repeats_most = 0;
	for (int i = 0; i < samples; i++) {
		uint64_t delta = jitter_sample(from);

		br_sha256_update(seed, &delta, sizeof delta);
	}
	return jitter.repeats_most <= REPEATS_MAX;
}

int entropy_seed(const struct entropy *from, struct fortuna *f)
{
	br_sha256_context context;
	uint8_t seed[32];
	bool jitters;
	int found;

	br_sha256_init(&context);
	found = gather_from_processor(from, &context);
	if (found < 0)
		return found;
	jitters = gather_jitter(from, found ? JITTER_BESIDE : JITTER_ALONE, &context);
	if (!found && !jitters)
		return -EIO;
	br_sha256_out(&context, seed);
	fortuna_reseed(f, seed, sizeof seed, from->ticks());
	/* Whoever reads the stack later must not find what the key came from. */
	fortuna_wipe(seed, sizeof seed);
	fortuna_wipe(&context, sizeof context);
	entropy_feed(from, f);
	return 0;
}

void entropy_feed(const struct entropy *from, struct fortuna *f)
{
	for (unsigned pool = 0; pool < FORTUNA_POOLS; pool++) {
		uint64_t samples[FEED_SAMPLES], word;

		for (size_t i = 0; i < FEED_SAMPLES; i++)
			samples[i] = jitter_sample(from);
		fortuna_add(f, FROM_JITTER, pool, samples, sizeof samples);
		if (from->seed_word(&word) || from->word(&word))
			fortuna_add(f, FROM_PROCESSOR, pool, &word, sizeof word);
	}
}
