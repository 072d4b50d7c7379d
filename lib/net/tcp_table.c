/* SPDX-License-Identifier: ISC
 *
 * The table of flows, hashed with a secret so that nobody can aim at one chain, and the lists that flows wait in.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tcp_stack.h"

void tcp_list_append(struct tcp_list *list, struct tcp_node *node, struct tcp_flow *flow)
{
	*node = (struct tcp_node){ .previous = list->last, .list = list, .flow = flow };
	if (list->last)
		list->last->next = node;
	else
		list->first = node;
	list->last = node;
	list->count++;
}

void tcp_list_remove(struct tcp_node *node)
{
	struct tcp_list *list = node->list;

	if (!list)
		return;
	if (node->previous)
		node->previous->next = node->next;
	else
		list->first = node->next;
	if (node->next)
		node->next->previous = node->previous;
	else
		list->last = node->previous;
	list->count--;
	node->list = NULL;
}

uint64_t tcp_number(const struct tcp_stack *tcp, enum tcp_purpose purpose, const struct ip_endpoint *local,
	const struct ip_endpoint *peer, uint64_t extra)
{
	uint8_t input[48];

	memcpy(input, local->address.bytes, 16);
	memcpy(input + 16, peer->address.bytes, 16);
	memcpy(input + 32, &local->port, 2);
	memcpy(input + 34, &peer->port, 2);
	memset(input + 36, purpose, 4);
	memcpy(input + 40, &extra, 8);
	return hash_keyed(&tcp->key, input, sizeof input);
}

static struct tcp_flow **bucket_of(
	const struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer)
{
	return &tcp->buckets[tcp_number(tcp, TCP_FOR_TABLE, local, peer, 0) & (tcp->bucket_count - 1)];
}

int tcp_table_init(struct tcp_stack *tcp)
{
	tcp->buckets = calloc(TCP_BUCKETS_MIN, sizeof tcp->buckets[0]);
	if (!tcp->buckets)
		return -ENOMEM;
	tcp->bucket_count = TCP_BUCKETS_MIN;
	return 0;
}

/* Doubles the table. Without memory it stays as it is, and its chains are longer. */
static void grow(struct tcp_stack *tcp)
{
	struct tcp_flow **old = tcp->buckets, *flow, *next;
	size_t old_count = tcp->bucket_count;
	struct tcp_flow **buckets = calloc(old_count * 2, sizeof buckets[0]);

	if (!buckets)
		return;
	tcp->buckets = buckets;
	tcp->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		for (flow = old[i]; flow; flow = next) {
			struct tcp_flow **bucket = bucket_of(tcp, &flow->local, &flow->peer);
			next = flow->chain;
			flow->chain = *bucket;
			*bucket = flow;
		}
	}
	free(old);
}

void tcp_table_add(struct tcp_stack *tcp, struct tcp_flow *flow)
{
	struct tcp_flow **bucket;

	if (tcp->entries >= tcp->bucket_count && tcp->bucket_count < TCP_BUCKETS_MAX)
		grow(tcp);
	bucket = bucket_of(tcp, &flow->local, &flow->peer);
	flow->chain = *bucket;
	*bucket = flow;
	tcp->entries++;
}

void tcp_table_remove(struct tcp_stack *tcp, struct tcp_flow *flow)
{
	struct tcp_flow **at = bucket_of(tcp, &flow->local, &flow->peer);

	while (*at && *at != flow)
		at = &(*at)->chain;
	if (!*at)
		return;
	*at = flow->chain;
	flow->chain = NULL;
	tcp->entries--;
}

struct tcp_flow *tcp_table_find(
	const struct tcp_stack *tcp, const struct ip_endpoint *local, const struct ip_endpoint *peer)
{
	struct tcp_flow *flow = *bucket_of(tcp, local, peer);

	while (flow && (flow->local.port != local->port || flow->peer.port != peer->port ||
			       !ip_equal(&flow->peer.address, &peer->address) ||
			       !ip_equal(&flow->local.address, &local->address)))
		flow = flow->chain;
	return flow;
}
