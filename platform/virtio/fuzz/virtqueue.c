/* SPDX-License-Identifier: ISC
 *
 * A hostile device at the other end of virtqueues: between any two of the driver's steps it writes what it likes into
 * the memory that it shares. The driver keeps within its buffers (the sanitizer sees to it), knows its descriptors, and
 * once the rules are broken, stays away.
 *
 * The input: the queue's size and features in two bytes, then records of an action with what it needs.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "platform/virtio/receive.h"
#include "platform/virtio/transmit.h"
#include "platform/virtio/virtqueue.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { RECORDS_MAX = 512, BUFFER_BYTES = 64, FRAME_BYTES = 200, PIECES_MAX = 4 };
enum { SCRIBBLE, USE, COUNT, RECEIVE, ADD, TAKE, SHOW, ARM, SEND, ACTIONS };

struct world {
	const uint8_t *input;
	size_t left;
	struct virtqueue receive, send;
	struct virtio_receive_buffers buffers;
	uint8_t *receive_shared, *send_shared, *send_buffers;
	bool lent[VIRTQUEUE_SIZE_MAX]; /* chains of the sending queue */
};

static void must_hold(bool condition)
{
	if (!condition)
		abort();
}

static uint8_t next(struct world *world)
{
	if (world->left == 0)
		return 0;
	world->left--;
	return *world->input++;
}

static uint16_t next16(struct world *world)
{
	uint16_t low = next(world);

	return (uint16_t)(low | next(world) << 8);
}

static void receive(struct world *world)
{
	uint8_t *frame = malloc(FRAME_BYTES);
	size_t size = next(world) % FRAME_BYTES + 1u;
	bool was_broken = world->receive.broken;
	uint8_t header[VNET_HEADER];
	ssize_t len;

	must_hold(frame);
	len = virtio_receive_frame(&world->receive, &world->buffers, header, frame, size);
	must_hold(len == -EAGAIN || len == -EIO || (len >= 0 && (size_t)len <= size));
	must_hold(!was_broken || len == -EIO);
	must_hold(world->receive.broken == (len == -EIO));
	must_hold(world->receive.broken || world->receive.free_count == 0);
	free(frame);
}

static void add(struct world *world)
{
	static uint8_t bytes[PIECES_MAX];
	struct virtqueue_piece pieces[PIECES_MAX];
	size_t count = next(world) % PIECES_MAX + 1u;
	uint16_t before = world->send.free_count;
	int id;

	for (size_t i = 0; i < count; i++)
		pieces[i] = (struct virtqueue_piece){ bytes + i, 1 };
	id = virtqueue_add(&world->send, pieces, count, next(world) % (count + 1));
	must_hold((id == -EAGAIN) == (count > before));
	if (id < 0)
		return;
	must_hold(id < world->send.size && !world->lent[id]);
	must_hold(world->send.free_count == before - count);
	world->lent[id] = true;
}

static void take(struct world *world)
{
	uint32_t len;
	bool was_broken = world->send.broken;
	int id = virtqueue_take(&world->send, &len);

	must_hold(!was_broken || id == -EIO);
	if (id < 0)
		return;
	must_hold(id < world->send.size && world->lent[id] && len <= PIECES_MAX);
	must_hold(world->send.free_count <= world->send.size);
	world->lent[id] = false;
}

/* A frame in two pieces; what the device is done with is taken back at first. */
static void send_frame(struct world *world)
{
	static const uint8_t frame[2 * UINT8_MAX];
	size_t first = next(world), second = next(world);
	const struct platform_piece pieces[] = { { frame, first }, { frame + first, second } };
	const struct virtio_transmit_buffers buffers = { world->send_buffers, BUFFER_BYTES };
	size_t needed = (first + second + BUFFER_BYTES - 1) / BUFFER_BYTES;
	bool was_broken = world->send.broken;
	int err;

	if (needed == 0)
		return;
	err = virtio_transmit_frame(&world->send, &buffers, pieces, 2, first + second);
	must_hold(!was_broken || err == -EIO);
	must_hold(err == 0 || err == -EIO || (err == -EAGAIN && needed > world->send.free_count));
	for (int i = 0; i < world->send.size; i++)
		world->lent[i] = world->send.chains[i].count > 0;
}

/* What a device does when it is done with a chain, true or not. */
static void use(struct world *world, struct virtqueue *queue)
{
	uint32_t element[2] = { next(world), next16(world) };

	memcpy(&queue->used[2 + (queue->used[1] & (queue->size - 1)) * 4], element, sizeof element);
	queue->used[1]++;
}

static void act(struct world *world)
{
	uint8_t action = next(world);
	bool receives = action & 0x80;
	struct virtqueue *queue = receives ? &world->receive : &world->send;
	uint8_t *shared = receives ? world->receive_shared : world->send_shared;
	size_t place;

	switch ((action & 0x7f) % ACTIONS) {
	case SCRIBBLE:
		shared[next16(world) % virtqueue_memory_bytes(queue->size)] = next(world);
		break;
	case USE:
		use(world, queue);
		break;
	case COUNT: /* in the header of a buffer: how many the frame has */
		place = (size_t)(next(world) % queue->size) * BUFFER_BYTES;
		world->buffers.bytes[place + 10] = next(world);
		break;
	case RECEIVE:
		receive(world);
		break;
	case ADD:
		add(world);
		break;
	case TAKE:
		take(world);
		break;
	case SHOW:
		virtqueue_publish(queue);
		break;
	case ARM:
		must_hold(virtqueue_arm(queue) == virtqueue_is_ready(queue));
		break;
	case SEND:
		send_frame(world);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world world = { .input = data, .left = size };
	uint16_t entries = (uint16_t)(1u << next(&world) % 8);
	uint8_t features = next(&world);

	world.receive_shared = calloc(1, virtqueue_memory_bytes(entries));
	world.send_shared = calloc(1, virtqueue_memory_bytes(entries));
	world.buffers.bytes = calloc(entries, BUFFER_BYTES);
	world.send_buffers = calloc(entries, BUFFER_BYTES);
	world.buffers.size = BUFFER_BYTES;
	world.buffers.mergeable = features & 1;
	must_hold(world.receive_shared && world.send_shared && world.buffers.bytes && world.send_buffers);
	virtqueue_init(&world.receive, world.receive_shared, entries, features & 2);
	virtqueue_init(&world.send, world.send_shared, entries, features & 2);
	virtio_receive_fill(&world.receive, &world.buffers);
	for (int i = 0; i < RECORDS_MAX && world.left > 0; i++)
		act(&world);
	free(world.receive_shared);
	free(world.send_shared);
	free(world.buffers.bytes);
	free(world.send_buffers);
	return 0;
}
