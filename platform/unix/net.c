/* SPDX-License-Identifier: ISC
 *
 * Network devices of an ordinary process: a tap of the host, or a descriptor that carries one frame in each message.
 *
 * Hot path: one system call and no copy of our own for each frame; pieces are gathered by the kernel. A tap lets frames
 * be as long as IP allows, with a header that says how to cut them (vnet.h), so that 64 KiB of TCP are one call. On
 * other descriptors they are as long as the MTU: 45 calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <linux/if_tun.h>

#include <platform.h>

#include "devices.h"
#include "platform/vnet.h"
#include "watch.h"

enum {
	DEFAULT_MTU = 1500,
	HEADER_BYTES = 14, /* Ethernet's */
	TAG_BYTES = 4,     /* of a VLAN, which the MTU does not count either */
};

static struct link {
	int fd;
	size_t frame_max;
	size_t header_bytes; /* in front of each frame: VNET_HEADER, or 0 */
	struct platform_source *source;
} links[DEVICES_MAX];

/* A tap keeps what its last owner could take. The next one may know nothing of that, so it gets the tap plain. */
static void make_taps_plain(void)
{
	for (size_t i = 0; i < DEVICES_MAX; i++)
		if (links[i].header_bytes)
			(void)ioctl(links[i].fd, TUNSETOFFLOAD, 0);
}

static void on_end(int number)
{
	make_taps_plain();
	raise(number); /* whose action is the default one again */
}

static void remember_to_make_taps_plain(void)
{
	const struct sigaction end = { .sa_handler = on_end, .sa_flags = (int)SA_RESETHAND | SA_NODEFER };
	static bool done;

	if (done)
		return;
	done = true;
	atexit(make_taps_plain);
	sigaction(SIGTERM, &end, NULL);
	sigaction(SIGINT, &end, NULL);
}

/* Settles what is left undone in the frames of a descriptor, both ways. A tap keeps what whoever had it before was able
 * to take, so one without headers is told that nothing may be. PLATFORM_NET_* bits, or a negative errno. */
static int offload(int fd)
{
	const int header_bytes = VNET_HEADER;
	struct ifreq request = { 0 };

	if (ioctl(fd, TUNGETIFF, &request) < 0)
		return 0; /* no tap */
	if (!(request.ifr_flags & IFF_VNET_HDR))
		return ioctl(fd, TUNSETOFFLOAD, 0) < 0 ? -errno : 0;
	if (ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0 ||
		ioctl(fd, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN) < 0)
		return -errno;
	remember_to_make_taps_plain();
	return PLATFORM_NET_CHECKSUM | PLATFORM_NET_TSO4 | PLATFORM_NET_TSO6;
}

/* Attaches to the tap of this name. A descriptor, or a negative errno. */
static int tap_open(const char *name, uint16_t *mtu)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned known = 0;
	int socket_fd, fd, err;

	/* Asking first: TUNSETIFF would make an interface that is missing. */
	if (strlen(name) >= sizeof request.ifr_name || if_nametoindex(name) == 0)
		return -ENODEV;
	memcpy(request.ifr_name, name, strlen(name));
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, TUNGETFEATURES, &known) == 0 && (known & IFF_VNET_HDR))
		request.ifr_flags |= IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &request) < 0) {
		err = -errno;
		close(fd);
		return err;
	}
	socket_fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (socket_fd >= 0 && ioctl(socket_fd, SIOCGIFMTU, &request) == 0)
		*mtu = (uint16_t)request.ifr_mtu;
	close(socket_fd);
	return fd;
}

/* --net:NAME=@FD: a descriptor that this process inherited. */
static int inherited(const char *number)
{
	char *end;
	long fd = strtol(number, &end, 10);
	int flags = end > number && !*end && fd >= 0 && fd <= INT_MAX ? fcntl((int)fd, F_GETFL) : -1;

	if (flags < 0 || fcntl((int)fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -EBADF;
	/* A copy, so that the device can be closed and opened again. */
	flags = fcntl((int)fd, F_DUPFD_CLOEXEC, 0);
	return flags < 0 ? -errno : flags;
}

int platform_net_open(const char *name, struct platform_source *source, struct platform_net_info *info)
{
	struct device *device = device_find(DEVICE_NET, name);
	uint16_t mtu = DEFAULT_MTU;
	int handle, fd, features;

	if (!device)
		return -ENODEV;
	if (device->opened)
		return -EBUSY;
	fd = device->host[0] == '@' ? inherited(device->host + 1) : tap_open(device->host, &mtu);
	features = fd < 0 ? fd : offload(fd);
	if (features < 0) {
		fprintf(stderr, "network \"%s\": %s: %s\n", name, device->host, strerror(-features));
		if (fd >= 0)
			close(fd);
		return features == -EBUSY ? -EBUSY : -ENODEV;
	}
	if (watch_add(fd, source) < 0) {
		close(fd);
		return -ENOMEM;
	}
	*info = (struct platform_net_info){ .mtu = mtu, .features = (uint32_t)features };
	/* Six bytes never block nor come short once the kernel's generator is seeded. */
	if (getrandom(info->mac, sizeof info->mac, 0) != sizeof info->mac)
		abort();
	info->mac[0] = (uint8_t)((info->mac[0] & 0xfe) | 0x02); /* unicast, locally administered */
	device->opened = true;
	handle = device_handle(device);
	links[handle] = (struct link){
		.fd = fd,
		.frame_max = features ? VNET_FRAME_MAX : (size_t)mtu + HEADER_BYTES + TAG_BYTES,
		.header_bytes = features ? VNET_HEADER : 0,
		.source = source,
	};
	return handle;
}

int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const struct link *link = &links[handle];
	uint8_t header[VNET_HEADER];
	struct iovec iov[1 + PLATFORM_PIECES] = { { header, link->header_bytes } };
	size_t len = 0;
	ssize_t written;

	for (size_t i = 0; i < count; i++) {
		iov[1 + i].iov_base = (void *)(uintptr_t)pieces[i].data;
		iov[1 + i].iov_len = pieces[i].len;
		if (pieces[i].len > link->frame_max - len)
			return -EMSGSIZE;
		len += pieces[i].len;
	}
	if (link->header_bytes)
		vnet_put(header, meta, pieces[0].data);
	written = writev(link->fd, iov, 1 + (int)count);
	if (written == (ssize_t)(link->header_bytes + len))
		return 0;
	if (written < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
		return -EAGAIN;
	return written < 0 && (errno == EMSGSIZE || errno == EINVAL) ? -EMSGSIZE : -EIO;
}

ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta)
{
	const struct link *link = &links[handle];
	uint8_t header[VNET_HEADER] = { 0 };
	/* One byte more shows a frame that is longer than buf. */
	char more;
	struct iovec iov[] = { { header, link->header_bytes }, { buf, size }, { &more, 1 } };
	ssize_t len = readv(link->fd, iov, 3);

	if (len <= 0 || (size_t)len < link->header_bytes)
		return len < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EIO;
	len -= (ssize_t)link->header_bytes;
	if ((size_t)len > size || (size_t)len > link->frame_max)
		return -EMSGSIZE;
	vnet_get(header, meta);
	return len;
}

void platform_net_close(int handle)
{
	struct link *link = &links[handle];

	watch_remove(link->fd, link->source);
	if (link->header_bytes)
		(void)ioctl(link->fd, TUNSETOFFLOAD, 0);
	close(link->fd);
	*link = (struct link){ .fd = -1 };
	device_at(handle)->opened = false;
}
