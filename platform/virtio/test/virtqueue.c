/* SPDX-License-Identifier: ISC
 *
 * Virtqueues as the device sees them (virtio 1.2, 2.7).
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "platform/virtio/receive.h"
#include "platform/virtio/transmit.h"
#include "platform/virtio/virtqueue.h"

enum { SIZE = 4, NEXT = 1, WRITE = 2, RING = 2 };

struct descriptor {
	uint64_t address;
	uint32_t len;
	uint16_t flags, next;
};

static struct {
	struct virtqueue queue;
	void *memory;
	uint16_t used; /* how many chains the device has used */
} world;

static void setup(bool event_idx)
{
	free(world.memory);
	world.used = 0;
	world.memory = calloc(1, virtqueue_memory_bytes(SIZE));
	assert_non_null(world.memory);
	virtqueue_init(&world.queue, world.memory, SIZE, event_idx);
}

static int teardown(void **state)
{
	(void)state;
	free(world.memory);
	world.memory = NULL;
	return 0;
}

static struct descriptor descriptor(int i)
{
	struct descriptor copy;

	memcpy(&copy, (char *)world.memory + (size_t)i * sizeof copy, sizeof copy);
	return copy;
}

/* The device is done with a chain. */
static void use(uint32_t id, uint32_t len)
{
	uint32_t element[2] = { id, len };

	memcpy(&world.queue.used[RING + (world.used % SIZE) * 4], element, sizeof element);
	world.queue.used[1] = ++world.used;
}

static int add(size_t count, size_t readable)
{
	static char bytes[SIZE + 1];
	struct virtqueue_piece pieces[SIZE + 1];

	for (size_t i = 0; i <= SIZE; i++)
		pieces[i] = (struct virtqueue_piece){ bytes, 1 + (uint32_t)i };
	return virtqueue_add(&world.queue, pieces, count, readable);
}

static void a_chain_is_linked_and_says_what_the_device_may_write(void **state)
{
	int id;

	(void)state;
	setup(false);
	id = add(3, 1);
	assert_int_equal(descriptor(id).flags, NEXT);
	assert_int_equal(descriptor(descriptor(id).next).flags, NEXT | WRITE);
	assert_int_equal(descriptor(descriptor(id).next).len, 2);
	assert_int_equal(descriptor(descriptor(descriptor(id).next).next).flags, WRITE);
	assert_int_equal(world.queue.avail[RING], id);
}

static void the_index_moves_when_chains_are_published_and_not_before(void **state)
{
	(void)state;
	setup(false);
	add(1, 1);
	add(1, 1);
	assert_int_equal(world.queue.avail[1], 0);
	virtqueue_publish(&world.queue);
	assert_int_equal(world.queue.avail[1], 2);
}

static void a_full_queue_takes_no_more_until_a_chain_comes_back(void **state)
{
	uint32_t len;
	int id;

	(void)state;
	setup(false);
	id = add(3, 3);
	assert_int_equal(add(2, 2), -EAGAIN);
	assert_int_equal(virtqueue_take(&world.queue, &len), -EAGAIN);
	use((uint32_t)id, 0);
	assert_int_equal(virtqueue_take(&world.queue, &len), id);
	assert_true(add(4, 4) >= 0);
	assert_int_equal(add(1, 1), -EAGAIN);
}

static void chains_come_back_in_the_order_in_which_the_device_used_them(void **state)
{
	uint32_t len;
	int first, second;

	(void)state;
	setup(false);
	first = add(1, 0);
	second = add(1, 0);
	use((uint32_t)second, 1);
	use((uint32_t)first, 0);
	assert_int_equal(virtqueue_take(&world.queue, &len), second);
	assert_int_equal(len, 1);
	assert_int_equal(virtqueue_take(&world.queue, &len), first);
	assert_int_equal(len, 0);
}

static void indices_wrap(void **state)
{
	uint32_t len;

	(void)state;
	setup(true);
	for (int i = 0; i < 3 * 65536; i++) {
		int id = add(1 + (size_t)i % SIZE, 0);

		assert_true(id >= 0);
		virtqueue_publish(&world.queue);
		assert_int_equal(world.queue.avail[1], (uint16_t)(i + 1));
		use((uint32_t)id, 1);
		assert_int_equal(virtqueue_take(&world.queue, &len), id);
	}
	assert_false(world.queue.broken);
}

static void the_device_is_notified_unless_it_says_not_to(void **state)
{
	(void)state;
	setup(false);
	add(1, 1);
	assert_true(virtqueue_publish(&world.queue));
	world.queue.used[0] = 1;
	add(1, 1);
	assert_false(virtqueue_publish(&world.queue));
}

static void with_event_idx_the_device_is_notified_when_the_index_passes_its_event(void **state)
{
	uint16_t *event;

	(void)state;
	setup(true);
	event = &world.queue.used[RING + SIZE * 4];
	*event = 1;
	add(1, 1);
	assert_false(virtqueue_publish(&world.queue));
	add(1, 1);
	assert_true(virtqueue_publish(&world.queue));
	add(1, 1);
	assert_false(virtqueue_publish(&world.queue));
	/* Nothing new: nothing to be told of. */
	*event = 3;
	assert_false(virtqueue_publish(&world.queue));
}

static void arming_names_the_next_chain_and_tells_of_one_that_is_there(void **state)
{
	uint32_t len;
	int id;

	(void)state;
	setup(true);
	id = add(1, 0);
	assert_false(virtqueue_arm(&world.queue));
	use((uint32_t)id, 0);
	assert_true(virtqueue_arm(&world.queue));
	virtqueue_take(&world.queue, &len);
	assert_false(virtqueue_arm(&world.queue));
	assert_int_equal(world.queue.avail[RING + SIZE], 1);
	assert_int_equal(world.queue.avail[0], 0);
}

static void assert_broken(void)
{
	uint32_t len;

	assert_int_equal(virtqueue_take(&world.queue, &len), -EIO);
	assert_true(virtqueue_is_ready(&world.queue));
	assert_int_equal(virtqueue_take(&world.queue, &len), -EIO);
}

static void a_device_that_breaks_the_rules_is_not_listened_to_again(void **state)
{
	(void)state;
	setup(false);
	use(0, 0); /* never given to it */
	assert_broken();
	setup(false);
	add(1, 0);
	use(SIZE, 0);
	assert_broken();
	setup(false);
	add(1, 0);
	use(0, 2); /* longer than it was allowed to write */
	assert_broken();
	setup(false);
	add(1, 1);
	use(0, 1); /* it was only to read */
	assert_broken();
	setup(false);
	add(1, 0);
	world.queue.used[1] = SIZE + 1;
	assert_broken();
}

/* Frames --------------------------------------------------------------------------------------------------------------
 */

enum { BUFFER = 32, PAYLOAD = BUFFER - VIRTIO_NET_HEADER };

static uint8_t bytes[SIZE][BUFFER], header[VNET_HEADER];

static struct virtio_receive_buffers fill(bool mergeable)
{
	struct virtio_receive_buffers buffers = { bytes[0], BUFFER, mergeable };

	setup(false);
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i / BUFFER][i % BUFFER] = (uint8_t)i;
	virtio_receive_fill(&world.queue, &buffers);
	virtqueue_publish(&world.queue);
	return buffers;
}

static void merge(int first, uint8_t count)
{
	bytes[first][10] = count;
	bytes[first][11] = 0;
}

static void a_frame_follows_its_header(void **state)
{
	struct virtio_receive_buffers buffers = fill(false);
	uint8_t frame[100];

	(void)state;
	use(1, VIRTIO_NET_HEADER + 5);
	assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), 5);
	assert_memory_equal(header, bytes[1], VNET_HEADER);
	assert_memory_equal(frame, bytes[1] + VIRTIO_NET_HEADER, 5);
	assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), -EAGAIN);
}

static void a_frame_in_several_buffers_is_put_together(void **state)
{
	struct virtio_receive_buffers buffers = fill(true);
	uint8_t frame[100];

	(void)state;
	merge(2, 3);
	use(2, BUFFER);
	use(0, BUFFER);
	use(1, 7);
	assert_int_equal(
		virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), PAYLOAD + BUFFER + 7);
	assert_memory_equal(header, bytes[2], VNET_HEADER);
	assert_memory_equal(frame, bytes[2] + VIRTIO_NET_HEADER, PAYLOAD);
	assert_memory_equal(frame + PAYLOAD, bytes[0], BUFFER);
	assert_memory_equal(frame + PAYLOAD + BUFFER, bytes[1], 7);
}

static void a_frame_is_cut_to_the_room_and_the_next_one_is_whole(void **state)
{
	struct virtio_receive_buffers buffers = fill(true);
	uint8_t frame[100];

	(void)state;
	merge(0, 2);
	merge(2, 1);
	use(0, BUFFER);
	use(1, BUFFER);
	use(2, VIRTIO_NET_HEADER + 1);
	memset(frame, 0xee, sizeof frame);
	assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, PAYLOAD + 1), PAYLOAD + 1);
	assert_int_equal(frame[PAYLOAD + 1], 0xee);
	assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), 1);
}

static void buffers_are_lent_again_in_place(void **state)
{
	struct virtio_receive_buffers buffers = fill(true);
	uint8_t frame[100];

	(void)state;
	for (uint32_t i = 0; i < 100; i++) {
		merge((int)(i % SIZE), 1);
		use(i % SIZE, BUFFER);
		assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), PAYLOAD);
		for (int j = 0; j < SIZE; j++)
			assert_int_equal(descriptor(j).address, (uintptr_t)bytes[j]);
	}
}

static void assert_frame_fails(uint8_t count, uint32_t len)
{
	struct virtio_receive_buffers buffers = fill(true);
	uint8_t frame[100];

	merge(0, count);
	use(0, len);
	assert_int_equal(virtio_receive_frame(&world.queue, &buffers, header, frame, sizeof frame), -EIO);
	assert_true(world.queue.broken);
}

static void a_frame_that_cannot_be_ends_the_network(void **state)
{
	(void)state;
	assert_frame_fails(1, VIRTIO_NET_HEADER - 1);
	assert_frame_fails(0, BUFFER);
	assert_frame_fails(SIZE + 1, BUFFER);
	assert_frame_fails(2, BUFFER); /* the second does not come */
}

/* Sends a frame of a header of 12 and this many bytes, in two pieces: 1, 2, 3 ... */
static int transmit(size_t len)
{
	const struct virtio_transmit_buffers buffers = { bytes[0], BUFFER };
	uint8_t frame[SIZE * BUFFER + 1];
	const struct platform_piece pieces[] = {
		{ frame, VIRTIO_NET_HEADER },
		{ frame + VIRTIO_NET_HEADER, len / 2 },
		{ frame + VIRTIO_NET_HEADER + len / 2, len - len / 2 },
	};

	for (size_t i = 0; i < sizeof frame; i++)
		frame[i] = (uint8_t)(i + 1);
	return virtio_transmit_frame(&world.queue, &buffers, pieces, 3, VIRTIO_NET_HEADER + len);
}

/* What the device finds in the chain that was added last: 1, 2, 3 ... How many descriptors it has. */
static int assert_chain_holds(size_t len)
{
	int id = world.queue.avail[RING + (world.queue.next_avail - 1) % SIZE], count = 1;
	uint8_t expected = 1;
	size_t total = 0;

	for (;; count++) {
		const struct descriptor part = descriptor(id);

		assert_true(part.address == (uintptr_t)bytes[id] && part.len <= BUFFER && !(part.flags & WRITE));
		for (size_t i = 0; i < part.len; i++)
			assert_int_equal(bytes[id][i], expected++);
		total += part.len;
		if (!(part.flags & NEXT))
			break;
		id = part.next;
	}
	assert_int_equal(total, VIRTIO_NET_HEADER + len);
	return count;
}

static void a_frame_is_sent_in_as_many_buffers_as_it_needs(void **state)
{
	(void)state;
	for (size_t len = 0; len <= SIZE * BUFFER - VIRTIO_NET_HEADER; len++) {
		setup(false);
		assert_int_equal(transmit(len), 0);
		assert_int_equal(assert_chain_holds(len), (VIRTIO_NET_HEADER + len + BUFFER - 1) / BUFFER);
	}
}

static void what_the_device_has_sent_makes_room_in_whatever_order(void **state)
{
	(void)state;
	setup(false);
	assert_int_equal(transmit(PAYLOAD), 0);
	assert_int_equal(transmit(PAYLOAD + 1), 0);
	assert_int_equal(transmit(PAYLOAD), 0);
	assert_int_equal(transmit(0), -EAGAIN);
	use(1, 0); /* the second one, of two */
	assert_int_equal(transmit(PAYLOAD + BUFFER + 1), -EAGAIN);
	assert_int_equal(transmit(PAYLOAD + BUFFER), 0);
	assert_int_equal(assert_chain_holds(PAYLOAD + BUFFER), 2);
	use(0, 0);
	use(3, 0);
	use(1, 0);
	assert_int_equal(transmit(SIZE * BUFFER - VIRTIO_NET_HEADER), 0);
	assert_int_equal(assert_chain_holds(SIZE * BUFFER - VIRTIO_NET_HEADER), SIZE);
}

static void nothing_is_sent_by_a_device_that_has_broken_the_rules(void **state)
{
	(void)state;
	setup(false);
	use(2, 0); /* which it was never given */
	assert_int_equal(transmit(1), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(a_chain_is_linked_and_says_what_the_device_may_write, teardown),
		cmocka_unit_test_teardown(the_index_moves_when_chains_are_published_and_not_before, teardown),
		cmocka_unit_test_teardown(a_full_queue_takes_no_more_until_a_chain_comes_back, teardown),
		cmocka_unit_test_teardown(chains_come_back_in_the_order_in_which_the_device_used_them, teardown),
		cmocka_unit_test_teardown(indices_wrap, teardown),
		cmocka_unit_test_teardown(the_device_is_notified_unless_it_says_not_to, teardown),
		cmocka_unit_test_teardown(
			with_event_idx_the_device_is_notified_when_the_index_passes_its_event, teardown),
		cmocka_unit_test_teardown(arming_names_the_next_chain_and_tells_of_one_that_is_there, teardown),
		cmocka_unit_test_teardown(a_device_that_breaks_the_rules_is_not_listened_to_again, teardown),
		cmocka_unit_test_teardown(a_frame_follows_its_header, teardown),
		cmocka_unit_test_teardown(a_frame_in_several_buffers_is_put_together, teardown),
		cmocka_unit_test_teardown(a_frame_is_cut_to_the_room_and_the_next_one_is_whole, teardown),
		cmocka_unit_test_teardown(buffers_are_lent_again_in_place, teardown),
		cmocka_unit_test_teardown(a_frame_that_cannot_be_ends_the_network, teardown),
		cmocka_unit_test_teardown(a_frame_is_sent_in_as_many_buffers_as_it_needs, teardown),
		cmocka_unit_test_teardown(what_the_device_has_sent_makes_room_in_whatever_order, teardown),
		cmocka_unit_test_teardown(nothing_is_sent_by_a_device_that_has_broken_the_rules, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
