/* SPDX-License-Identifier: ISC
 *
 * Where an upload and a download meet. Who comes first takes a place and waits; who comes second makes the queue's
 * other end its own. The place is free again as soon as the first has woken.
 */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include <skerry/task.h>

#include "handover.h"

enum {
	PLACES = 64,
	TICKET_DIGITS = 32,
	WAIT_SECONDS = 30,
	QUEUE_BYTES = 64 << 10, /* both sides move, so a queue need not hold more than what evens them out */
};

struct place {
	char ticket[TICKET_DIGITS + 1]; /* "": free */
	enum handover_side side;        /* who waits */
	bool met;
	struct queue *queue;
	struct wait_queue second_came;
};

static struct place places[PLACES];

static int read_ticket(const char *query, char ticket[TICKET_DIGITS + 1])
{
	static const char prefix[] = "ticket=";
	size_t prefix_len = sizeof prefix - 1;
	if (strncmp(query, prefix, prefix_len) != 0 || strlen(query) != prefix_len + TICKET_DIGITS ||
		strspn(query + prefix_len, "0123456789abcdef") != TICKET_DIGITS)
		return -EINVAL;
	memcpy(ticket, query + prefix_len, TICKET_DIGITS + 1);
	return 0;
}

/* The place with this ticket; "" finds a free one. NULL: there is none. */
static struct place *find(const char *ticket)
{
	for (struct place *place = places; place < places + PLACES; place++)
		if (strcmp(place->ticket, ticket) == 0)
			return place;
	return NULL;
}

/* Gives this side's end of the queue up. */
static void give_up(struct queue *queue, enum handover_side side, int err)
{
	if (side == HANDOVER_UPLOAD)
		queue_end(queue, err);
	else
		queue_leave(queue, 0);
}

static int wait_for_other(struct place *place, uint64_t deadline)
{
	int err = 0;
	while (!place->met && err == 0)
		err = wait_on(&place->second_came, deadline);
	if (!place->met) /* nobody has the other end */
		give_up(place->queue, place->side == HANDOVER_UPLOAD ? HANDOVER_DOWNLOAD : HANDOVER_UPLOAD, 0);
	else if (err == -ETIMEDOUT)
		err = 0;
	if (err < 0)
		give_up(place->queue, place->side, err);
	place->ticket[0] = '\0';
	return err;
}

int handover_meet(const char *query, enum handover_side side, struct queue **queue)
{
	char ticket[TICKET_DIGITS + 1];
	if (read_ticket(query, ticket) < 0)
		return -EINVAL;
	struct place *place = find(ticket);
	if (place != NULL) {
		if (place->side == side || place->met)
			return -EEXIST;
		place->met = true;
		*queue = place->queue;
		wake_all(&place->second_came);
		return 0;
	}
	place = find("");
	if (place == NULL)
		return -EBUSY;
	struct queue *new = queue_new(QUEUE_BYTES);
	if (new == NULL)
		return -ENOMEM;
	*place = (struct place){ .side = side, .queue = new };
	memcpy(place->ticket, ticket, sizeof place->ticket);
	int err = wait_for_other(place, clock_deadline(SECOND(WAIT_SECONDS)));
	if (err == 0)
		*queue = new;
	return err;
}

int handover_look(const char *query)
{
	char ticket[TICKET_DIGITS + 1];
	if (read_ticket(query, ticket) < 0)
		return -EINVAL;
	const struct place *place = find(ticket);
	if (place == NULL)
		return -ETIMEDOUT;
	return place->side == HANDOVER_DOWNLOAD || place->met ? -EEXIST : 0;
}
