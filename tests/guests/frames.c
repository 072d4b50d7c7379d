/* SPDX-License-Identifier: ISC
 *
 * A network device. Sends back each frame of "one", cut in three pieces, with its first byte counted up, and says its
 * length; ends with the frame that begins with "end". Network "two" is never opened: its frames must not keep this one
 * from sleeping. An argument is the size of its buffer.
 */
#include <errno.h>
#include <stdlib.h>

#include "guest.h"

enum { HEADER = 14, MTU = 1500, WAITS_MAX = 10000 };

static unsigned char frame[HEADER + MTU + 4 + 1];
static size_t frame_size = sizeof frame;
static int ready_count;

static void ready(struct platform_source *source)
{
	(void)source;
	ready_count++;
}

static void send_back(int handle, size_t len)
{
	static const struct platform_net_meta plain = { 0 };
	unsigned char first = (unsigned char)(frame[0] + 1);
	struct platform_piece pieces[] = {
		{ &first, 1 },
		{ frame + 1, len / 2 },
		{ frame + 1 + len / 2, len - 1 - len / 2 },
	};

	expect(platform_net_send(handle, pieces, 3, &plain) == 0);
}

/* Takes all frames that are there. False: the last was "end". */
static int serve(int handle)
{
	struct platform_net_meta meta = { .segment_bytes = 1 };
	ssize_t len;

	while ((len = platform_net_receive(handle, frame, frame_size, &meta)) != -EAGAIN) {
		printf("%zd\n", len);
		if (len == -EMSGSIZE)
			continue;
		expect(len > 2 && meta.segment_bytes == 0);
		if (memcmp(frame, "end", 3) == 0)
			return 0;
		send_back(handle, (size_t)len);
	}
	return 1;
}

static void expect_errors(int handle)
{
	static const struct platform_net_meta plain = { 0 };
	static unsigned char long_frame[HEADER + MTU + 5];
	struct platform_source source = { ready };
	struct platform_piece piece = { long_frame, sizeof long_frame };
	struct platform_net_info info;

	expect(platform_net_open("one", &source, &info) == -EBUSY);
	expect(platform_net_open("three", &source, &info) == -ENODEV);
	expect(platform_net_open("", &source, &info) == -ENODEV);
	expect(platform_net_send(handle, &piece, 1, &plain) == -EMSGSIZE);
	expect(platform_net_receive(handle, frame, sizeof frame, &(struct platform_net_meta){ 0 }) == -EAGAIN);
}

int platform_main(int argc, char **argv)
{
	struct platform_source source = { ready };
	struct platform_net_info info;
	struct platform_block_info block;
	int handle = platform_net_open("one", &source, &info);
	int waits = 0;

	if (argc > 1)
		frame_size = strtoul(argv[1], NULL, 10);
	expect(frame_size <= sizeof frame);
	expect(handle >= 0 && info.mtu == MTU && info.features == 0 && !(info.mac[0] & 1));
	expect(platform_block_open("one", &block) == -ENODEV);
	expect_errors(handle);
	platform_net_close(handle);
	handle = platform_net_open("one", &source, &info);
	expect(handle >= 0);
	say("ready");
	while (serve(handle) && waits++ < WAITS_MAX)
		platform_wait(UINT64_MAX);
	expect(waits < WAITS_MAX && (waits == 0 || ready_count > 0));
	platform_net_close(handle);
	return 0;
}
