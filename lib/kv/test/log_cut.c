/* SPDX-License-Identifier: ISC
 *
 * Power is cut at every sector write, and every flush, of a random workload. What a call that returned has changed is
 *there afterwards; of the call that was cut off all is there or nothing; and the store can be written on.
 *
 *	log_cut CUTS SEED	so many cuts at writes in each way of losing some: what a failure prints to be repeated
 */
#include "disk.h"

enum { SESSION_OPS = 5, VALUE_MAX = 4000, ORACLE_BYTES = 1 << 20 };

static uint64_t cuts_wanted = 2500, seed = 1, prng_state;

/* xorshift64*, by Marsaglia and Vigna. */
static uint64_t prng(void)
{
	prng_state ^= prng_state >> 12;
	prng_state ^= prng_state << 25;
	prng_state ^= prng_state >> 27;
	return prng_state * 0x2545f4914f6cdd1d;
}

static size_t below(size_t bound)
{
	return (size_t)(prng() >> 33) % bound;
}

/* Operations -------------------------------------------------------------------------------------------------- */

struct operation {
	enum { SET, REMOVE, RENAME } kind;
	char key[64], to[64];
	uint8_t value[VALUE_MAX];
	size_t len;
};

/* One of 39 keys, so that values and dictionaries meet; most are deep, so that not all goes with one of them. */
static void random_key(char key[64])
{
	size_t names = below(4) ? 3 : 1 + below(3);

	*key = '\0';
	for (size_t i = 0; i < names; i++) {
		static const char *const all[] = { "a", "bb", "a-name-that-is-longer" };

		strcat(key, i ? "/" : "");
		strcat(key, all[below(3)]);
	}
}

static void random_operation(struct operation *operation)
{
	size_t kind = below(16);
	uint64_t fill = prng();

	operation->kind = kind < 12 ? SET : kind < 14 ? REMOVE : RENAME;
	random_key(operation->key);
	random_key(operation->to);
	operation->len = below(below(8) ? 800 : VALUE_MAX);
	for (size_t i = 0; i < operation->len; i++)
		operation->value[i] = (uint8_t)(fill >> 8 * (i % 8)) ^ (uint8_t)(i >> 3);
}

static int perform(struct kv *kv, const struct operation *operation)
{
	switch (operation->kind) {
	case SET:
		return kv_set(kv, operation->key, operation->value, operation->len);
	case REMOVE:
		return kv_remove(kv, operation->key);
	default:
		return kv_rename(kv, operation->key, operation->to);
	}
}

struct digest {
	uint8_t bytes[KV_DIGEST_LEN];
};

static struct digest digest_of(struct kv *kv)
{
	struct digest digest;

	assert_int_equal(kv_digest(kv, "", digest.bytes), 0);
	return digest;
}

static bool same(const struct digest *a, const struct digest *b)
{
	return memcmp(a, b, sizeof *a) == 0;
}

/* Sets all that is below a key in one store in another. */
static void copy_tree(struct kv *from, struct kv *to, const char *key)
{
	struct kv_list list;

	assert_int_equal(kv_list(from, key, &list), 0);
	for (size_t i = 0; i < list.count; i++) {
		char below_key[KV_KEY_MAX + 2];
		uint8_t *value;
		size_t len;

		snprintf(below_key, sizeof below_key, "%s/%s", key, list.entries[i].name);
		if (list.entries[i].kind == KV_DICTIONARY) {
			copy_tree(from, to, below_key);
			continue;
		}
		assert_int_equal(kv_get(from, below_key, &value, &len), 0);
		assert_int_equal(kv_set(to, below_key, value, len), 0);
		free(value);
	}
	kv_list_free(&list);
}

/* Sessions ---------------------------------------------------------------------------------------------------- */

/* Which of the writes that were not flushed a cut keeps. */
enum loss { KEEP_ALL, LOSE_ALL, LOSE_SOME, LOSE_LAST };

static void lose(enum loss loss)
{
	size_t kept = loss == KEEP_ALL ? disk.pending_count : loss == LOSE_LAST ? below(disk.pending_count + 1) : 0;

	for (size_t i = 0; i < disk.pending_count; i++)
		if (i < kept || (loss == LOSE_SOME && below(2)))
			disk_keep(i);
}

static struct kv *open_log(struct block *block)
{
	struct kv *kv;

	assert_int_equal(kv_log_open(block, false, &kv), 0);
	return kv;
}

/* A few operations from one state of the disk, and what the store holds after each. */
struct session {
	struct operation operations[SESSION_OPS];
	int results[SESSION_OPS];
	struct digest states[SESSION_OPS + 1];
	uint8_t image[DISK_BYTES_MAX];
};
static struct session session;

/* Without a cut, beside a store in memory that does the same. Returns the writes and flushes that it makes. */
static uint64_t run_whole(struct block *block)
{
	struct kv *kv = open_log(block), *oracle;

	assert_int_equal(kv_memory_open(ORACLE_BYTES, &oracle), 0);
	copy_tree(kv, oracle, "");
	session.states[0] = digest_of(oracle);
	for (size_t i = 0; i < SESSION_OPS; i++) {
		struct digest found;
		int expected = 0;

		random_operation(&session.operations[i]);
		session.results[i] = perform(kv, &session.operations[i]);
		if (session.results[i] != -ENOSPC)
			expected = perform(oracle, &session.operations[i]);
		assert_true(session.results[i] == expected || session.results[i] == -ENOSPC);
		session.states[i + 1] = digest_of(oracle);
		found = digest_of(kv);
		assert_true(same(&found, &session.states[i + 1]));
	}
	kv_close(oracle);
	kv_close(kv);
	return disk.steps;
}

/* From the session's begin, with power cut at a step. Returns how many operations had returned. */
static size_t run_cut(struct block *block, uint64_t cut)
{
	struct kv *kv = open_log(block);
	size_t done = 0;

	disk.cut_at = cut;
	while (done < SESSION_OPS) {
		int result = perform(kv, &session.operations[done]);

		if (disk.off)
			break;
		assert_int_equal(result, session.results[done]);
		done++;
	}
	assert_true(disk.off);
	kv_close(kv);
	return done;
}

static void check_recovered(struct block *block, size_t done, uint64_t cut)
{
	struct kv *kv = open_log(block);
	struct digest found = digest_of(kv);

	if (!same(&found, &session.states[done]) && !same(&found, &session.states[done + 1]))
		fail_msg("after the cut at step %llu, with %zu operations done, the store holds something else",
			(unsigned long long)cut, done);
	kv_close(kv);
}

static void restore(const uint8_t *image)
{
	memcpy(disk.stable, image, disk.info.capacity_bytes);
	disk_on();
}

static uint64_t run_session(struct block *block, enum loss loss)
{
	static uint8_t adopted[DISK_BYTES_MAX];
	uint64_t steps, writes, go_on_from;

	memcpy(session.image, disk.stable, disk.info.capacity_bytes);
	disk_on();
	steps = run_whole(block);
	writes = disk.writes;
	go_on_from = below((size_t)(2 * steps + 1));
	memcpy(adopted, disk.stable, disk.info.capacity_bytes);
	for (uint64_t cut = 0; cut < steps; cut++) {
		size_t done;

		restore(session.image);
		done = run_cut(block, cut);
		lose(loss);
		disk_on();
		check_recovered(block, done, cut);
		if (cut == go_on_from)
			memcpy(adopted, disk.stable, disk.info.capacity_bytes);
	}
	restore(adopted);
	return writes;
}

static void cut_everywhere(enum loss loss, uint32_t sector_bytes, uint64_t sectors, uint64_t wanted)
{
	struct block *block;
	uint64_t cuts = 0;

	prng_state = seed * 0x9e3779b97f4a7c15 + loss + 1;
	disk_new(sector_bytes, sectors);
	block = disk_open();
	assert_int_equal(kv_log_format(block), 0);
	while (cuts < wanted)
		cuts += run_session(block, loss);
	block_close(block);
}

static void every_write_before_the_cut_is_kept(void **state)
{
	(void)state;
	cut_everywhere(KEEP_ALL, 512, 72, cuts_wanted);
}

static void what_was_not_flushed_is_lost(void **state)
{
	(void)state;
	cut_everywhere(LOSE_ALL, 512, 72, cuts_wanted);
}

static void of_what_was_not_flushed_anything_is_lost(void **state)
{
	(void)state;
	cut_everywhere(LOSE_SOME, 512, 72, cuts_wanted);
}

static void of_what_was_not_flushed_the_last_is_lost(void **state)
{
	(void)state;
	cut_everywhere(LOSE_LAST, 512, 72, cuts_wanted);
}

static void the_same_with_large_sectors(void **state)
{
	(void)state;
	cut_everywhere(LOSE_SOME, 4096, 64, cuts_wanted / 8);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_write_before_the_cut_is_kept),
		cmocka_unit_test(what_was_not_flushed_is_lost),
		cmocka_unit_test(of_what_was_not_flushed_anything_is_lost),
		cmocka_unit_test(of_what_was_not_flushed_the_last_is_lost),
		cmocka_unit_test(the_same_with_large_sectors),
	};
	int failed;

	if (argc == 3) {
		cuts_wanted = strtoull(argv[1], NULL, 10);
		seed = strtoull(argv[2], NULL, 10);
	}
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	if (failed)
		printf("to repeat this: make cuts CUTS=%llu SEED=%llu\n", (unsigned long long)cuts_wanted,
			(unsigned long long)seed);
	return failed;
}
