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

enum { DEFAULT_MTU = 1500 };

static struct {
	int fd;
	struct platform_source *source;
} links[DEVICES_MAX];

/* Attaches to the tap of this name, which must exist unless the process may create it. A descriptor, or a negative
 * errno. */
static int tap_open(const char *name, uint16_t *mtu)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int socket_fd, fd, err;

	if (strlen(name) >= sizeof request.ifr_name)
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

	if (*end || fd < 0 || fd > INT_MAX || fcntl((int)fd, F_SETFL, O_NONBLOCK) < 0)
		return -ENODEV;
	return (int)fd;
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
	if (getrandom(info->mac, sizeof info->mac, 0) < 0)
		memcpy(info->mac, "\0skrry", sizeof info->mac);
	info->mac[0] = (uint8_t)((info->mac[0] & 0xfe) | 0x02); /* unicast, locally administered */
	device->opened = true;
	handle = device_handle(device);
	links[handle].fd = fd;
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
	ssize_t len = read(links[handle].fd, buf, size);

	*meta = (struct platform_net_meta){ 0 };
	if (len > 0)
		return len;
	return len < 0 && (errno == EAGAIN || errno == EINTR) ? -EAGAIN : -EIO;
}

void platform_net_close(int handle)
{
	watch_remove(links[handle].fd, links[handle].source);
	close(links[handle].fd);
	device_at(handle)->opened = false;
}
