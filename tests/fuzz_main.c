/* SPDX-License-Identifier: ISC
 *
 * The driver that each fuzz target is linked with: runs all seeds, then mutations of them from a seeded generator, so
 * that every run is the same run. It needs no coverage feedback and no tool but the compiler's sanitizers.
 *
 *	PROGRAM SEEDS [COUNT [NUMBER]]	the files in directory SEEDS, then COUNT (20000) mutations; NUMBER starts the
 *					generator
 *	PROGRAM FILE			this input alone: replays a crash
 *
 * An input that crashes, or takes longer than INPUT_SECONDS, is saved in the working directory as NAME.crash.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <sanitizer/common_interface_defs.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	INPUT_MAX = 65536,
	SEEDS_MAX = 1024,
	MUTATIONS_MAX = 8, /* of one input */
	INSERT_MAX = 64,
	INPUT_SECONDS = 10,
	COUNT_DEFAULT = 20000,
};

struct input {
	uint8_t *data;
	size_t size;
};

static struct input seeds[SEEDS_MAX];
static size_t seed_count;

/* The input under test, for the handlers below. Lies outside what the target gets, so no overrun changes it. */
static uint8_t current[INPUT_MAX];
static size_t current_size;
static bool running;
static char crash_path[256];

/* Saving a crash ---------------------------------------------------------------------------------------------- */

/* Called by the address sanitizer before it ends the program, and by the signal handler: only system calls. */
static void save_crash(void)
{
	static const char message[] = "fuzz: the input is saved in ";
	int fd;

	if (!running)
		return;
	running = false;
	fd = open(crash_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, current, current_size) != (ssize_t)current_size)
		_exit(99);
	close(fd);
	if (write(STDERR_FILENO, message, sizeof message - 1) < 0 ||
		write(STDERR_FILENO, crash_path, strlen(crash_path)) < 0 || write(STDERR_FILENO, "\n", 1) < 0)
		_exit(99);
}

static void on_signal(int number)
{
	static const char slow[] = "fuzz: an input takes too long\n";

	if (number == SIGALRM && write(STDERR_FILENO, slow, sizeof slow - 1) < 0)
		_exit(99);
	save_crash();
	signal(number, SIG_DFL);
	raise(number);
}

/* The undefined-behaviour sanitizer has a runtime of its own, which knows nothing of the callback: let it abort. */
const char *__ubsan_default_options(void);
const char *__ubsan_default_options(void)
{
	return "abort_on_error=1:print_stacktrace=1";
}

static void run(const uint8_t *data, size_t size)
{
	/* A block of exactly this size, so that the address sanitizer sees a read beyond the end. */
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	memmove(current, data, size);
	current_size = size;
	memcpy(copy, data, size);
	running = true;
	alarm(INPUT_SECONDS);
	LLVMFuzzerTestOneInput(copy, size);
	alarm(0);
	running = false;
	free(copy);
}

/* Mutations --------------------------------------------------------------------------------------------------- */

static uint64_t prng_state;

/* Vigna's splitmix64. */
static uint64_t prng(void)
{
	uint64_t z = prng_state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static size_t below(size_t bound)
{
	return bound ? prng() % bound : 0;
}

static void flip_bit(struct input *in)
{
	if (in->size)
		in->data[below(in->size)] ^= (uint8_t)(1u << below(8));
}

static void set_byte(struct input *in)
{
	if (in->size)
		in->data[below(in->size)] = (uint8_t)prng();
}

/* A number at which parsers err, in one to eight bytes of either order. */
static void set_number(struct input *in)
{
	static const uint64_t numbers[] = { 0, 1, 2, 16, 32, 64, 100, 127, 128, 255, 256, 512, 1000, 1024, 4096, 32767,
		32768, 65535, 65536, INT32_MAX, UINT32_C(1) << 31, UINT32_MAX, INT64_MAX, UINT64_C(1) << 63,
		UINT64_MAX };
	uint64_t number = numbers[below(sizeof numbers / sizeof *numbers)] + below(3) - 1;
	size_t width = (size_t)1 << below(4);
	bool big = below(2);
	size_t at;

	if (in->size < width)
		return;
	at = below(in->size - width + 1);
	for (size_t i = 0; i < width; i++)
		in->data[at + i] = (uint8_t)(number >> 8 * (big ? width - 1 - i : i));
}

static void truncate_at(struct input *in)
{
	in->size = below(in->size + 1);
}

/* Opens a gap of len bytes at a place that it returns. */
static size_t open_gap(struct input *in, size_t len)
{
	size_t at = below(in->size + 1);

	memmove(in->data + at + len, in->data + at, in->size - at);
	in->size += len;
	return at;
}

static void insert_noise(struct input *in)
{
	size_t len = 1 + below(INSERT_MAX), at;
	bool same = below(2);
	uint8_t fill = (uint8_t)prng();

	if (in->size + len > INPUT_MAX)
		return;
	at = open_gap(in, len);
	for (size_t i = 0; i < len; i++)
		in->data[at + i] = same ? fill : (uint8_t)prng();
}

static void delete_range(struct input *in)
{
	size_t at = below(in->size), len = below(in->size - at + 1);

	memmove(in->data + at, in->data + at + len, in->size - at - len);
	in->size -= len;
}

static void repeat_range(struct input *in)
{
	uint8_t piece[INSERT_MAX];
	size_t from = below(in->size), len = below(in->size - from + 1);

	len = len < sizeof piece ? len : sizeof piece;
	if (in->size + len > INPUT_MAX)
		return;
	memcpy(piece, in->data + from, len);
	memcpy(in->data + open_gap(in, len), piece, len);
}

/* Goes on as another seed does from some place in it. */
static void splice_seed(struct input *in)
{
	const struct input *other = &seeds[below(seed_count)];
	size_t at = below(in->size + 1), from = below(other->size + 1), len = other->size - from;

	len = len < INPUT_MAX - at ? len : INPUT_MAX - at;
	if (len)
		memcpy(in->data + at, other->data + from, len);
	in->size = at + len;
}

static void run_mutation(void)
{
	static void (*const mutations[])(struct input *) = { flip_bit, flip_bit, set_byte, set_byte, set_number,
		set_number, truncate_at, insert_noise, delete_range, repeat_range, splice_seed };
	static uint8_t work[INPUT_MAX];
	const struct input *seed = &seeds[below(seed_count)];
	struct input in = { work, seed->size };

	if (seed->size)
		memcpy(work, seed->data, seed->size);
	for (size_t n = 1 + below(MUTATIONS_MAX); n > 0; n--)
		mutations[below(sizeof mutations / sizeof *mutations)](&in);
	run(in.data, in.size);
}

/* Inputs ------------------------------------------------------------------------------------------------------ */

static _Noreturn void fail(const char *path, const char *what)
{
	fprintf(stderr, "fuzz: %s: %s\n", path, what);
	exit(2);
}

static struct input read_file(const char *path)
{
	struct input in = { malloc(INPUT_MAX + 1), 0 };
	FILE *file = fopen(path, "rb");

	if (!file || !in.data)
		fail(path, strerror(errno));
	in.size = fread(in.data, 1, INPUT_MAX + 1, file);
	if (ferror(file) || in.size > INPUT_MAX)
		fail(path, ferror(file) ? "cannot be read" : "is larger than 65536 bytes");
	fclose(file);
	return in;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_shown(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

/* Reads all files, in the order of their names so that runs are alike; without any, the empty input is the seed. */
static void read_seeds(const char *directory)
{
	struct dirent **entries;
	int count = scandir(directory, &entries, is_shown, by_name);

	if (count < 0)
		fail(directory, strerror(errno));
	if (count > SEEDS_MAX)
		fail(directory, "holds more than 1024 seeds");
	for (int i = 0; i < count; i++) {
		char path[4096];

		snprintf(path, sizeof path, "%s/%s", directory, entries[i]->d_name);
		seeds[seed_count++] = read_file(path);
		free(entries[i]);
	}
	free(entries);
	if (seed_count == 0)
		seeds[seed_count++] = (struct input){ NULL, 0 };
}

static unsigned long number_of(const char *text)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (!*text || *end)
		fail(text, "expected a number");
	return number;
}

static void run_seeds(const char *name, const char *directory, unsigned long count)
{
	read_seeds(directory);
	for (size_t i = 0; i < seed_count; i++)
		run(seeds[i].data ? seeds[i].data : current, seeds[i].size);
	for (unsigned long i = 0; i < count; i++)
		run_mutation();
	printf("fuzz %s: %lu inputs\n", name, seed_count + count);
	for (size_t i = 0; i < seed_count; i++)
		free(seeds[i].data);
}

int main(int argc, char **argv)
{
	const char *slash = strrchr(argv[0], '/');
	const char *name = slash ? slash + 1 : argv[0];
	struct stat status;

	if (argc < 2 || argc > 4) {
		fprintf(stderr, "usage: %s SEEDS [COUNT [NUMBER]] | %s FILE\n", name, name);
		return 2;
	}
	snprintf(crash_path, sizeof crash_path, "%s.crash", name);
	__sanitizer_set_death_callback(save_crash);
	signal(SIGABRT, on_signal);
	signal(SIGALRM, on_signal);
	if (stat(argv[1], &status) < 0)
		fail(argv[1], strerror(errno));
	if (S_ISDIR(status.st_mode)) {
		prng_state = argc > 3 ? number_of(argv[3]) : 1;
		run_seeds(name, argv[1], argc > 2 ? number_of(argv[2]) : COUNT_DEFAULT);
	} else {
		struct input in = read_file(argv[1]);

		run(in.data, in.size);
		free(in.data);
		printf("fuzz %s: 1 input\n", name);
	}
	return 0;
}
