/* SPDX-License-Identifier: ISC
 *
 * What passes between guest and tender, for whoever looks for a fault: hypercalls on standard error, frames as a
 * capture file (libpcap's format, with nanoseconds).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tender/hvt/hvt.h"

enum { SECOND_NS = 1000000000, PCAP_MAGIC_NS = 0xa1b23c4d, PCAP_ETHERNET = 1, PCAP_FRAME_MAX = 65535 };

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, frame_max, link;
};

struct pcap_frame {
	uint32_t seconds, nanoseconds, captured, len;
};

int hvt_captures_open(struct hvt *hvt, const struct tender_config *config, struct tender_error *error)
{
	const struct pcap_header header = { PCAP_MAGIC_NS, 2, 4, 0, 0, PCAP_FRAME_MAX, PCAP_ETHERNET };

	for (size_t i = 0; i < MANIFEST_ENTRIES_MAX; i++)
		hvt->capture_fds[i] = -1;
	for (uint32_t handle = 1; handle < hvt->manifest.entries; handle++) {
		const struct tender_device *device = NULL;
		int fd;

		for (size_t i = 0; i < config->device_count; i++)
			if (strcmp(config->devices[i].name, hvt->manifest.e[handle].name) == 0)
				device = &config->devices[i];
		if (!device || !device->capture)
			continue;
		fd = open(device->capture, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (fd < 0 || write(fd, &header, sizeof header) != (ssize_t)sizeof header)
			return tender_fail(
				error, -errno, "--net-pcap:%s: %s: %s", device->name, device->capture, strerror(errno));
		hvt->capture_fds[handle] = fd;
	}
	return 0;
}

void hvt_capture(const struct hvt *hvt, uint64_t handle, const void *frame, uint64_t len)
{
	struct timespec now = { 0 };
	struct pcap_frame head = { .len = (uint32_t)len };
	uint8_t record[sizeof head + PCAP_FRAME_MAX];

	if (hvt->capture_fds[handle] < 0)
		return;
	clock_gettime(CLOCK_REALTIME, &now);
	head.seconds = (uint32_t)now.tv_sec;
	head.nanoseconds = (uint32_t)now.tv_nsec;
	head.captured = len < PCAP_FRAME_MAX ? (uint32_t)len : PCAP_FRAME_MAX;
	memcpy(record, &head, sizeof head);
	memcpy(record + sizeof head, frame, head.captured);
	/* A record is written whole or, when the disk is full, missed. */
	if (write(hvt->capture_fds[handle], record, sizeof head + head.captured) < 0)
		return;
}

void hvt_trace(const struct hvt *hvt, enum hvt_call call, const uint64_t *argument, uint64_t took_ns)
{
	/* What a call's words are, as far as they mean something to a reader; the result is in the low half of the
	 * last. */
	static const struct {
		const char *name;
		int words;
		bool has_result;
	} calls[] = {
		[HVT_WALLTIME] = { "walltime", 1, false },
		[HVT_PUTS] = { "puts", 2, false },
		[HVT_POLL] = { "poll", 2, true },
		[HVT_BLOCK_WRITE] = { "block_write", 4, true },
		[HVT_BLOCK_READ] = { "block_read", 4, true },
		[HVT_NET_WRITE] = { "net_write", 3, true },
		[HVT_NET_READ] = { "net_read", 3, true },
		[HVT_HALT] = { "halt", 2, false },
	};
	char line[256];
	int len = snprintf(line, sizeof line, "%s: %s(", hvt->program, calls[call].name);

	for (int i = 0; i < calls[call].words; i++)
		len += snprintf(line + len, sizeof line - (size_t)len, "%s0x%" PRIx64, i ? ", " : "", argument[i]);
	if (calls[call].has_result)
		len += snprintf(
			line + len, sizeof line - (size_t)len, ") = %d", (int)(uint32_t)argument[calls[call].words]);
	else
		len += snprintf(line + len, sizeof line - (size_t)len, ")");
	len += snprintf(line + len, sizeof line - (size_t)len, " <%" PRIu64 ".%09" PRIu64 ">\n", took_ns / SECOND_NS,
		took_ns % SECOND_NS);
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}
