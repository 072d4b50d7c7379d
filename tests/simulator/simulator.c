/* SPDX-License-Identifier: ISC
 *
 * The simulator: many stacks in one process, in a network that is drawn from a seed, in virtual time.
 *
 *	simulator FIRST [COUNT]     these seeds, on all processors; one seed alone shows its figures
 *	simulator -v SEED           with a trace: each frame, what became of it, and what the users did
 *	simulator -j JOBS ...       on so many processors
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "failure.h"
#include "scenario.h"

enum { JOBS_MAX = 64, SEED_SECONDS = 120 };

/* What a worker shares with the one who started it. */
struct worker {
	uint64_t seed; /* that runs */
	struct totals totals;
	pid_t pid;
};

static void work(struct worker *worker, uint64_t first, uint64_t count, unsigned jobs, bool verbose)
{
	for (uint64_t i = 0; i < count; i += jobs) {
		worker->seed = first + i;
		alarm(SEED_SECONDS);
		scenario_run(first + i, verbose, &worker->totals);
	}
	fflush(stdout);
	_exit(0);
}

static void print_totals(const struct totals *totals)
{
	printf("%llu seeds (%llu harsh): %llu hosts, %llu frames (%llu lost, %llu corrupted, %llu doubled, %llu late, "
	       "%llu "
	       "too big), %llu allocations refused\n",
		(unsigned long long)totals->runs, (unsigned long long)totals->harsh, (unsigned long long)totals->hosts,
		(unsigned long long)totals->frames, (unsigned long long)totals->lost,
		(unsigned long long)totals->corrupted, (unsigned long long)totals->doubled,
		(unsigned long long)totals->late, (unsigned long long)totals->too_big,
		(unsigned long long)totals->refused_allocations);
	printf("%llu connections, %llu bytes: %llu complete, %llu with an error, %llu left early; %llu queries, %llu "
	       "unanswered\n",
		(unsigned long long)totals->transfers, (unsigned long long)totals->bytes,
		(unsigned long long)totals->complete, (unsigned long long)totals->failed,
		(unsigned long long)totals->left, (unsigned long long)totals->queries,
		(unsigned long long)totals->unanswered);
}

/* All fields are numbers of the same type. */
static void add_totals(struct totals *sum, const struct totals *part)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)part;

	for (size_t i = 0; i < sizeof *sum / sizeof *to; i++)
		to[i] += from[i];
}

static void report(const struct worker *worker, int status, const char *program)
{
	unsigned long long seed = (unsigned long long)worker->seed;

	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM)
		fprintf(stderr, "seed %llu: still running after %d s\n", seed, SEED_SECONDS);
	else if (WIFSIGNALED(status))
		fprintf(stderr, "seed %llu: %s\n", seed, strsignal(WTERMSIG(status)));
	fprintf(stderr, "seed %llu failed; see it again with: %s -v %llu\n", seed, program, seed);
}

/* The first who fails ends the others. How many failed. */
static unsigned wait_for(struct worker *workers, unsigned jobs, const char *program)
{
	unsigned failed = 0;
	int status;
	pid_t pid;

	while ((pid = wait(&status)) > 0) {
		struct worker *worker = workers;
		while (worker->pid != pid)
			worker++;
		worker->pid = 0;
		if (status == 0)
			continue;
		if (failed++ == 0)
			report(worker, status, program);
		for (unsigned i = 0; i < jobs; i++)
			if (workers[i].pid > 0)
				kill(workers[i].pid, SIGTERM);
	}
	return failed;
}

static int run(uint64_t first, uint64_t count, unsigned jobs, bool verbose, const char *program)
{
	struct totals sum = { 0 };
	struct worker *workers =
		mmap(NULL, jobs * sizeof *workers, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (workers == MAP_FAILED)
		fail("no memory for %u workers", jobs);
	for (unsigned i = 0; i < jobs; i++) {
		pid_t pid = fork();
		if (pid < 0)
			fail("fork: %s", strerror(errno));
		if (pid == 0)
			work(&workers[i], first + i, count - i, jobs, verbose);
		workers[i].pid = pid;
	}
	if (wait_for(workers, jobs, program) > 0)
		return 1;
	for (unsigned i = 0; i < jobs; i++)
		add_totals(&sum, &workers[i].totals);
	print_totals(&sum);
	return 0;
}

int main(int argc, char **argv)
{
	long processors = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t first, count;
	bool verbose = false;
	int option;

	while ((option = getopt(argc, argv, "vj:")) != -1) {
		if (option == 'v')
			verbose = true;
		else if (option == 'j')
			processors = strtol(optarg, NULL, 10);
		else
			return 64;
	}
	if (optind == argc || argc - optind > 2) {
		fprintf(stderr, "usage: %s [-v] [-j JOBS] FIRST-SEED [COUNT]\n", argv[0]);
		return 64;
	}
	first = strtoull(argv[optind], NULL, 10);
	count = argc - optind == 2 ? strtoull(argv[optind + 1], NULL, 10) : 1;
	processors = processors < 1 ? 1 : processors > JOBS_MAX ? JOBS_MAX : processors;
	return run(
		first, count, (uint64_t)processors < count ? (unsigned)processors : (unsigned)count, verbose, argv[0]);
}
