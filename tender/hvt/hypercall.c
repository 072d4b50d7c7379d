/* SPDX-License-Identifier: ISC
 *
 * The hypercalls. Each copies its argument in, works on the copy, and copies it back: the guest is hostile.
 *
 * A frame costs one exit of the processor and one system call; so does a sector, and a wait.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "tender/common/process.h"
#include "tender/hvt/hvt.h"

enum { SECOND_NS = 1000000000, ARGUMENT_MAX = 64 };

static struct hvt_address guest_address(uint64_t value)
{
	return (struct hvt_address){ value };
}

static uint64_t now_ns(void)
{
	struct timespec now = { 0 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

static void walltime(struct hvt *hvt, void *argument)
{
	struct hvt_walltime *time = argument;
	struct timespec now = { 0 };

	(void)hvt;
	clock_gettime(CLOCK_REALTIME, &now);
	time->nsecs = (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* A console that has no room, or no reader, loses the rest: nothing waits for it. */
static void console_puts(struct hvt *hvt, void *argument)
{
	const struct hvt_puts *puts = argument;
	const char *text = hvt_guest_bytes(hvt, guest_address(puts->data), puts->len);

	for (uint64_t done = 0; done < puts->len;) {
		ssize_t written = write(STDOUT_FILENO, text + done, puts->len - done);

		if (written <= 0)
			return;
		done += (uint64_t)written;
	}
}

static void poll_devices(struct hvt *hvt, void *argument)
{
	struct hvt_poll *poll = argument;
	struct epoll_event events[MANIFEST_ENTRIES_MAX];
	struct timespec timeout = {
		.tv_sec = (time_t)(poll->timeout_nsecs / SECOND_NS),
		.tv_nsec = (long)(poll->timeout_nsecs % SECOND_NS),
	};
	struct signalfd_siginfo inquiry;
	int count = epoll_pwait2(hvt->epoll_fd, events, MANIFEST_ENTRIES_MAX, &timeout, NULL);

	if (count < 0)
		hvt_gdb_poll(hvt);
	poll->ready_set = 0;
	for (int i = 0; i < count; i++) {
		if (events[i].data.u64 == HVT_READY_INQUIRY &&
			read(hvt->inquiry_fd, &inquiry, sizeof inquiry) != (ssize_t)sizeof inquiry)
			continue;
		poll->ready_set |= UINT64_C(1) << (events[i].data.u64 % MANIFEST_ENTRIES_MAX);
	}
	poll->ret = count > 0 ? count : 0;
}

/* The manifest's entry, or NULL when the guest names none of this type. */
static const struct manifest_entry *device(const struct hvt *hvt, uint64_t handle, enum manifest_type type)
{
	if (handle == 0 || handle >= hvt->manifest.entries || hvt->manifest.e[handle].type != type)
		return NULL;
	return &hvt->manifest.e[handle];
}

static bool sector_valid(const struct manifest_entry *entry, const struct hvt_block *block)
{
	return entry && block->len == entry->u.block.block_size && entry->u.block.capacity >= block->len &&
	       block->offset <= entry->u.block.capacity - block->len;
}

static int32_t sector_result(ssize_t done, uint64_t len)
{
	if (done == (ssize_t)len)
		return HVT_OK;
	return done < 0 && (errno == EBADF || errno == EPERM) ? HVT_INVALID : HVT_UNSPECIFIED;
}

static void block_write(struct hvt *hvt, void *argument)
{
	struct hvt_block *block = argument;
	const struct manifest_entry *entry = device(hvt, block->handle, MANIFEST_BLOCK_BASIC);
	const void *data = hvt_guest_bytes(hvt, guest_address(block->data), block->len);

	block->ret = HVT_INVALID;
	if (!sector_valid(entry, block))
		return;
	block->ret = sector_result(pwrite(entry->b.hostfd, data, block->len, (off_t)block->offset), block->len);
}

static void block_read(struct hvt *hvt, void *argument)
{
	struct hvt_block *block = argument;
	const struct manifest_entry *entry = device(hvt, block->handle, MANIFEST_BLOCK_BASIC);
	void *data = hvt_guest_room(hvt, guest_address(block->data), block->len);

	block->ret = HVT_INVALID;
	if (!sector_valid(entry, block))
		return;
	block->ret = sector_result(pread(entry->b.hostfd, data, block->len, (off_t)block->offset), block->len);
}

/* The frame without its header. */
static void capture(
	const struct hvt *hvt, const struct hvt_net *net, const struct manifest_entry *entry, const void *data)
{
	size_t header_bytes = entry->features ? MANIFEST_NET_HEADER : 0;

	if (net->len > header_bytes)
		hvt_capture(hvt, net->handle, (const uint8_t *)data + header_bytes, net->len - header_bytes);
}

static void net_write(struct hvt *hvt, void *argument)
{
	struct hvt_net *net = argument;
	const struct manifest_entry *entry = device(hvt, net->handle, MANIFEST_NET_BASIC);
	const void *data = hvt_guest_bytes(hvt, guest_address(net->data), net->len);
	ssize_t written;

	net->ret = HVT_INVALID;
	if (!entry)
		return;
	written = write(entry->b.hostfd, data, net->len);
	if (written == (ssize_t)net->len) {
		net->ret = HVT_OK;
		capture(hvt, net, entry, data);
	} else if (written < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS)) {
		net->ret = HVT_AGAIN;
	} else {
		net->ret = HVT_UNSPECIFIED;
	}
}

static void net_read(struct hvt *hvt, void *argument)
{
	struct hvt_net *net = argument;
	const struct manifest_entry *entry = device(hvt, net->handle, MANIFEST_NET_BASIC);
	void *data = hvt_guest_room(hvt, guest_address(net->data), net->len);
	ssize_t len;

	net->ret = HVT_INVALID;
	if (!entry)
		return;
	len = read(entry->b.hostfd, data, net->len);
	if (len > 0) {
		net->ret = HVT_OK;
		net->len = (uint64_t)len;
		capture(hvt, net, entry, data);
	} else if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		net->ret = HVT_AGAIN;
	} else {
		net->ret = HVT_UNSPECIFIED;
	}
}

static _Noreturn void halt(struct hvt *hvt, void *argument)
{
	const struct hvt_halt *end = argument;

	const uint8_t *cookie = NULL;

	if (end->cookie != 0)
		cookie = hvt_guest_bytes(hvt, guest_address(end->cookie), HVT_COOKIE_SIZE);
	if (end->exit_status == HVT_STATUS_FAULT) {
		hvt_crash_print(hvt, cookie);
		hvt_core_write(hvt, cookie);
	}
	hvt_gdb_ended(hvt, end->exit_status);
	tender_taps_release();
	_exit(end->exit_status & 0xff);
}

void hvt_hypercall(struct hvt *hvt, uint32_t number, struct hvt_address argument)
{
	static const struct {
		void (*call)(struct hvt *hvt, void *argument);
		size_t size;
	} calls[] = {
		[HVT_WALLTIME] = { walltime, sizeof(struct hvt_walltime) },
		[HVT_PUTS] = { console_puts, sizeof(struct hvt_puts) },
		[HVT_POLL] = { poll_devices, sizeof(struct hvt_poll) },
		[HVT_BLOCK_WRITE] = { block_write, sizeof(struct hvt_block) },
		[HVT_BLOCK_READ] = { block_read, sizeof(struct hvt_block) },
		[HVT_NET_WRITE] = { net_write, sizeof(struct hvt_net) },
		[HVT_NET_READ] = { net_read, sizeof(struct hvt_net) },
		[HVT_HALT] = { halt, sizeof(struct hvt_halt) },
	};
	uint64_t copy[ARGUMENT_MAX / sizeof(uint64_t)];
	uint64_t started;

	if (number >= sizeof calls / sizeof *calls || !calls[number].call)
		hvt_fault(hvt, "hypercall %" PRIu32 "; expected 1 to %d", number, HVT_HALT);
	memcpy(copy, hvt_guest_bytes(hvt, argument, calls[number].size), calls[number].size);
	started = hvt->trace ? now_ns() : 0;
	if (hvt->trace && number == HVT_HALT)
		hvt_trace(hvt, number, copy, 0);
	calls[number].call(hvt, copy);
	if (hvt->trace)
		hvt_trace(hvt, number, copy, now_ns() - started);
	memcpy(hvt_guest_room(hvt, argument, calls[number].size), copy, calls[number].size);
}
