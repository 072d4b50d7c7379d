/* SPDX-License-Identifier: ISC
 *
 * Network devices of an ordinary process: a tap of the host, or a descriptor that carries one frame in each message.
 * One system call for each frame; pieces are gathered by the kernel.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
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
#include "watch.h"

enum {
	DEFAULT_MTU = 1500,
	HEADER_BYTES = 14, /* Ethernet's */
	TAG_BYTES = 4,     /* of a VLAN, which the MTU does not count either */
};

static struct {
	int fd;
	size_t frame_max;
	struct platform_source *source;
} links[DEVICES_MAX];

/* Attaches to the tap of this name. A descriptor, or a negative errno. */
static int tap_open(const char *name, uint16_t *mtu)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int socket_fd, fd, err;

	/* Asking first: TUNSETIFF would make an interface that is missing. */
	if (strlen(name) >= sizeof request.ifr_name || if_nametoindex(name) == 0)
		return -ENODEV;
	memcpy(request.ifr_name, name, strlen(name));
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -errno;
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
	int handle, fd;

	if (!device)
		return -ENODEV;
	if (device->opened)
		return -EBUSY;
	fd = device->host[0] == '@' ? inherited(device->host + 1) : tap_open(device->host, &mtu);
	if (fd < 0) {
		fprintf(stderr, "network \"%s\": %s: %s\n", name, device->host, strerror(-fd));
		return fd == -EBUSY ? -EBUSY : -ENODEV;
	}
	if (watch_add(fd, source) < 0) {
		close(fd);
		return -ENOMEM;
	}
	*info = (struct platform_net_info){ .mtu = mtu };
	/* Six bytes never block nor come short once the kernel's generator is seeded. */
	if (getrandom(info->mac, sizeof info->mac, 0) != sizeof info->mac)
		abort();
	info->mac[0] = (uint8_t)((info->mac[0] & 0xfe) | 0x02); /* unicast, locally administered */
	device->opened = true;
	handle = device_handle(device);
	links[handle].fd = fd;
	links[handle].frame_max = (size_t)mtu + HEADER_BYTES + TAG_BYTES;
	links[handle].source = source;
	return handle;
}

int platform_net_send(
	int handle, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	struct iovec iov[PLATFORM_PIECES];
	size_t len = 0;
	ssize_t written;

	(void)meta; /* no feature was offered: nothing is left to the link */
	for (size_t i = 0; i < count; i++) {
		iov[i].iov_base = (void *)(uintptr_t)pieces[i].data;
		iov[i].iov_len = pieces[i].len;
		if (pieces[i].len > links[handle].frame_max - len)
			return -EMSGSIZE;
		len += pieces[i].len;
	}
	written = writev(links[handle].fd, iov, (int)count);
	if (written == (ssize_t)len)
		return 0;
	if (written < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == EINTR))
		return -EAGAIN;
	return written < 0 && (errno == EMSGSIZE || errno == EINVAL) ? -EMSGSIZE : -EIO;
}

ssize_t platform_net_receive(int handle, void *buf, size_t size, struct platform_net_meta *meta)
{
	/* One byte more shows a frame that is longer than buf. */
	char more;
	struct iovec iov[] = { { buf, size }, { &more, 1 } };
	ssize_t len = readv(links[handle].fd, iov, 2);

	if (len <= 0)
		return len < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EIO;
	if ((size_t)len > size || (size_t)len > links[handle].frame_max)
		return -EMSGSIZE;
	*meta = (struct platform_net_meta){ 0 };
	return len;
}

void platform_net_close(int handle)
{
	watch_remove(links[handle].fd, links[handle].source);
	close(links[handle].fd);
	device_at(handle)->opened = false;
}
