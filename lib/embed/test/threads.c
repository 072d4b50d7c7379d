/* SPDX-License-Identifier: ISC
 *
 * Stacks in threads of their own: each pair runs in one, and all at the same time.
 */
#include "hosts.h"

#include <pthread.h>

enum { THREADS = 4, BYTES = 2000000, CONNECTIONS = 200 };

static void *talk(void *arg)
{
	size_t *arrived = arg;
	struct pair *pair = malloc(sizeof *pair);
	struct tcp_listener *listener;
	struct tcp *flows[2];

	pair_open(pair, *arrived % 2 ? STACK_LINK_ETHERNET : STACK_LINK_IP);
	*arrived = 0;
	pair_connect(pair, &listener, flows);
	for (int i = 0; i < CONNECTIONS; i++) {
		*arrived += pair_transfer(pair, flows[0], flows[1], BYTES / CONNECTIONS, SECOND(10));
		tcp_close(flows[0]);
		tcp_close(flows[1]);
		tcp_unlisten(listener);
		pair_connect(pair, &listener, flows);
	}
	tcp_close(flows[0]);
	tcp_close(flows[1]);
	tcp_unlisten(listener);
	pair_close(pair);
	free(pair);
	return NULL;
}

static void stacks_in_threads_of_their_own_do_not_disturb_each_other(void **state)
{
	pthread_t threads[THREADS];
	size_t arrived[THREADS];

	(void)state;
	for (size_t i = 0; i < THREADS; i++) {
		arrived[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, talk, &arrived[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(arrived[i], BYTES);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stacks_in_threads_of_their_own_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
