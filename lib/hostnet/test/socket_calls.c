/* SPDX-License-Identifier: ISC
 *
 * The calls of tcp.h and udp.h on the host's sockets, by way of its loopback.
 */
#include "peer.h"

static uint16_t port;
#define PORT port

static struct stack *here(void)
{
	return stack;
}

static struct stack *there(void)
{
	return stack;
}

static struct ip_endpoint there_at(uint16_t at)
{
	return loopback_endpoint(at);
}

static uint64_t soon(void)
{
	return SOON;
}

static void both_open(void)
{
	port = free_port(SOCK_STREAM);
	must(stack_open_host(&stack) == 0);
}

static void both_close(void)
{
	stack_close(stack);
}

#include "lib/net/test/socket_calls.h"

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_several_addresses_the_one_that_answers_is_connected),
		cmocka_unit_test(if_no_address_answers_the_best_error_is_told),
		cmocka_unit_test(whatever_ends_a_wait_has_a_name_of_its_own),
		cmocka_unit_test(what_is_sent_with_the_opening_arrives_whole),
		cmocka_unit_test(what_is_peeked_stays_until_it_is_consumed_or_read),
		cmocka_unit_test(who_peeks_for_more_than_was_seen_waits_for_it),
		cmocka_unit_test(the_end_shows_in_that_nothing_more_is_there),
		cmocka_unit_test(a_reset_is_told_to_who_peeks_and_leaves_him_what_he_was_shown),
		cmocka_unit_test(a_cancelled_peek_takes_nothing),
		cmocka_unit_test(a_stream_that_is_peeked_and_consumed_is_exact),
		cmocka_unit_test(closing_with_what_was_only_peeked_resets),
		cmocka_unit_test(what_is_delivered_from_where_it_lies_is_exact),
		cmocka_unit_test(loans_and_written_bytes_arrive_in_their_order),
		cmocka_unit_test(what_is_lent_is_still_delivered_after_closing),
		cmocka_unit_test(a_loan_that_cannot_be_is_refused),
		cmocka_unit_test(a_cancelled_delivery_resets_and_touches_the_bytes_no_more),
		cmocka_unit_test(a_delivery_that_is_reset_says_so),
		cmocka_unit_test(a_listener_has_the_queue_that_it_asks_for),
		cmocka_unit_test(tasks_that_accept_at_once_get_different_flows),
		cmocka_unit_test(a_connected_socket_hears_its_peer_alone),
		cmocka_unit_test(a_connected_socket_sends_to_its_peer_and_may_be_for_all_again),
		cmocka_unit_test(a_connected_receiver_is_told_that_nobody_has_the_port),
		cmocka_unit_test(an_address_of_ours_is_chosen_and_a_stranger_s_refused),
		cmocka_unit_test(what_headers_say_is_set_and_checked),
		cmocka_unit_test(an_answer_comes_from_the_address_that_was_asked),
		cmocka_unit_test(a_queue_holds_as_many_bytes_as_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
