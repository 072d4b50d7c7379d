/* SPDX-License-Identifier: ISC
 *
 * Connecting to one of several addresses: Happy Eyeballs (RFC 8305), on any stack. Each attempt is a task, whose end
 * wakes the one that started it.
 */
#include <errno.h>

#include "destination.h"
#include "tcp_stack.h"

#define DELAY_NS     MSEC(250) /* RFC 8305, 8 */
#define DELAY_MIN_NS MSEC(10)
#define DELAY_MAX_NS SECOND(2)

struct race {
	struct stack *stack;
	uint64_t deadline, next_at; /* when the next attempt begins */
	struct wait_queue news;
};

struct attempt {
	struct race *race;
	const struct ip_endpoint *peer;
	struct task *task; /* NULL: was not begun */
	struct tcp *flow;
	int result;
	bool over;
};

int own_tcp_source(struct stack *stack, const struct ip_address *destination, struct ip_address *source)
{
	uint16_t mtu;
	int err = ip_route((struct own_stack *)(void *)stack, destination, source, &mtu);

	if (err < 0)
		*source = ip_unspecified;
	return err == -EAGAIN ? 0 : err;
}

/* Fills in the attempts in their order. */
static void line_up(struct race *race, const struct ip_endpoint *peers, size_t count, struct attempt *attempts)
{
	struct destination destinations[TCP_ANY_MAX];

	for (size_t i = 0; i < count; i++) {
		destinations[i] = (struct destination){ .address = peers[i].address, .index = i };
		destinations[i].reachable =
			race->stack->tcp->source(race->stack, &peers[i].address, &destinations[i].source) == 0;
	}
	destination_sort(destinations, count);
	destination_interleave(destinations, count);
	for (size_t i = 0; i < count; i++)
		attempts[i] =
			(struct attempt){ .race = race, .peer = &peers[destinations[i].index], .result = -ECANCELED };
}

static void end_attempt(struct attempt *attempt, int result)
{
	attempt->result = result;
	attempt->over = true;
	attempt->race->next_at = 0;
	wake_all(&attempt->race->news);
}

static int try_one(void *arg)
{
	struct attempt *attempt = arg;
	struct race *race = attempt->race;

	end_attempt(attempt, tcp_connect(race->stack, attempt->peer, &attempt->flow, race->deadline));
	return 0;
}

static void begin(struct attempt *attempt, uint64_t delay_ns)
{
	int err;

	attempt->race->next_at = clock_deadline(delay_ns);
	err = task_spawn(NULL, try_one, attempt, &attempt->task);
	if (err < 0)
		end_attempt(attempt, err);
}

/* One that won; NULL: nobody has, and over tells whether all that were begun have failed. */
static struct attempt *find_winner(struct attempt *attempts, size_t begun, bool *over)
{
	*over = true;
	for (size_t i = 0; i < begun; i++) {
		if (attempts[i].over && attempts[i].result == 0)
			return &attempts[i];
		*over &= attempts[i].over;
	}
	return NULL;
}

/* Lets them run until one wins: 0 and the winner, or NULL if all have failed; -ETIMEDOUT, -ECANCELED. */
static int run(struct race *race, struct attempt *attempts, size_t count, uint64_t delay_ns, struct attempt **winner)
{
	size_t begun = 0;
	bool over;
	int err = 0;

	while (err == 0 && !(*winner = find_winner(attempts, begun, &over)) && (begun < count || !over)) {
		bool waits = begun < count && race->next_at < race->deadline; /* for the next one's turn */
		uint64_t now = clock_monotonic();

		if (now >= race->deadline) {
			err = -ETIMEDOUT;
		} else if (begun < count && now >= race->next_at) {
			begin(&attempts[begun++], delay_ns);
		} else {
			err = wait_on(&race->news, waits ? race->next_at : race->deadline);
			if (err == -ETIMEDOUT && waits)
				err = 0;
		}
	}
	return err;
}

/* How far an error shows that the connection came. */
static int progress(int error)
{
	switch (error) {
	case -ENETUNREACH:
		return 0;
	case -EHOSTUNREACH:
		return 1;
	case -ECONNREFUSED:
	case -ECONNRESET:
		return 3;
	default:
		return 2;
	}
}

/* Ends the attempts but the winner's, tells the errors, and gives the farthest. */
static int end_all(struct attempt *attempts, size_t count, const struct attempt *winner,
	const struct ip_endpoint *peers, int *errors)
{
	int farthest = attempts[0].result;

	for (size_t i = 0; i < count; i++) {
		struct attempt *attempt = &attempts[i];

		task_cancel(attempt->task);
		if (attempt != winner && attempt->result == 0) {
			tcp_close(attempt->flow);
			attempt->result = -ECANCELED;
		}
		if (errors)
			errors[attempt->peer - peers] = attempt->result;
		if (progress(attempt->result) > progress(farthest))
			farthest = attempt->result;
	}
	return farthest;
}

int tcp_connect_any(struct stack *stack, const struct ip_endpoint *peers, size_t count, uint64_t delay_ns, int *errors,
	struct tcp **flow, uint64_t deadline)
{
	struct race race = { .stack = stack, .deadline = deadline };
	struct attempt attempts[TCP_ANY_MAX], *winner = NULL;
	int err, farthest;

	if (count == 0 || count > TCP_ANY_MAX || (delay_ns && (delay_ns < DELAY_MIN_NS || delay_ns > DELAY_MAX_NS)))
		return -EINVAL;
	if (!stack->tcp)
		return -EPROTONOSUPPORT;
	line_up(&race, peers, count, attempts);
	err = run(&race, attempts, count, delay_ns ? delay_ns : DELAY_NS, &winner);
	farthest = end_all(attempts, count, winner, peers, errors);
	if (winner)
		*flow = winner->flow;
	else if (err == 0)
		err = farthest;
	return winner ? 0 : err;
}
