/* SPDX-License-Identifier: ISC
 *
 * Networks on a tap interface, or on a descriptor that somebody else has opened.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tender/common/tender.h"

void tender_mac_random(uint8_t mac[6])
{
	/* Six bytes never block nor come short once the kernel's generator is seeded, which it is before any tender. */
	if (getrandom(mac, 6, 0) != 6)
		abort();
	mac[0] = (uint8_t)((mac[0] & 0xfc) | 0x02); /* unicast, locally administered */
}

/* Flags and MTU of an interface, by a socket that is good for nothing else. */
static int interface_read(const char *interface, short *flags, int *mtu)
{
	struct ifreq request = { 0 };
	int err = 0;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
		err = -errno;
	*flags = request.ifr_flags;
	if (err == 0 && ioctl(fd, SIOCGIFMTU, &request) < 0)
		err = -errno;
	*mtu = request.ifr_mtu;
	close(fd);
	return err;
}

static int mtu_check(const struct tender_device *device, const char *interface, int mtu, struct tender_error *error)
{
	if (mtu < TENDER_MTU_MIN || mtu > UINT16_MAX)
		return tender_fail(error, -EINVAL, "device \"%s\": interface %s: MTU %d; expected %d to %d",
			device->name, interface, mtu, TENDER_MTU_MIN, UINT16_MAX);
	return 0;
}

static int tap_fail(const struct tender_device *device, const char *interface, int err, struct tender_error *error)
{
	switch (err) {
	case -EPERM:
	case -EACCES:
		return tender_fail(error, -EPERM,
			"device \"%s\": tap %s: not permitted; expected an interface that belongs to this user",
			device->name, interface);
	case -EBUSY:
		return tender_fail(error, -EBUSY,
			"device \"%s\": tap %s: in use; expected one that nothing else has open", device->name,
			interface);
	case -EINVAL:
		return tender_fail(error, -ENODEV,
			"device \"%s\": interface %s: not a tap; expected one made with "
			"`ip tuntap add %s mode tap`",
			device->name, interface, interface);
	default:
		return tender_fail(error, err, "device \"%s\": tap %s: %s", device->name, interface, strerror(-err));
	}
}

static int tun_fail(const struct tender_device *device, int err, struct tender_error *error)
{
	if (err == -EPERM || err == -EACCES)
		return tender_fail(error, err,
			"device \"%s\": /dev/net/tun: not permitted; expected that this user may open it: "
			"`chmod 666 /dev/net/tun`, or --net:%s=user",
			device->name, device->name);
	return tender_fail(error, err, "device \"%s\": /dev/net/tun: %s; expected it: `modprobe tun`, or --net:%s=user",
		device->name, strerror(-err), device->name);
}

/* Settles what is left undone in the frames of a tap, both ways: nothing if they have no headers, whatever an earlier
 * owner of the tap could take. */
static int features_set(struct tender_device *device, int fd, bool headers, struct tender_error *error)
{
	const int header_bytes = MANIFEST_NET_HEADER;
	int err = 0;

	device->u.net.features = 0;
	if (headers && ioctl(fd, TUNSETVNETHDRSZ, &header_bytes) < 0)
		err = -errno;
	if (err == 0 &&
		ioctl(fd, TUNSETOFFLOAD, headers ? TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN : 0) < 0)
		err = -errno;
	if (err < 0)
		return tender_fail(error, err, "device \"%s\": offloads of its tap: %s", device->name, strerror(-err));
	if (headers)
		device->u.net.features = MANIFEST_NET_CHECKSUM | MANIFEST_NET_TSO4 | MANIFEST_NET_TSO6;
	return 0;
}

int tender_open_tap(struct tender_device *device, const char *interface, struct tender_error *error)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	unsigned known = 0;
	short flags;
	int fd, err, mtu;

	/* Asking first: TUNSETIFF would make an interface that is missing. */
	if (strlen(interface) >= IFNAMSIZ || if_nametoindex(interface) == 0)
		return tender_fail(error, -ENODEV,
			"device \"%s\": no interface %s; expected a tap made with `ip tuntap add %s mode tap`",
			device->name, interface, interface);
	err = interface_read(interface, &flags, &mtu);
	if (err < 0)
		return tap_fail(device, interface, err, error);
	if (!(flags & IFF_UP))
		return tender_fail(error, -ENETDOWN,
			"device \"%s\": tap %s: is down; expected it up: `ip link set %s up`", device->name, interface,
			interface);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return tun_fail(device, -errno, error);
	snprintf(request.ifr_name, sizeof request.ifr_name, "%s", interface);
	if (device->u.net.vnet && ioctl(fd, TUNGETFEATURES, &known) == 0 && (known & IFF_VNET_HDR))
		request.ifr_flags |= IFF_VNET_HDR;
	if (ioctl(fd, TUNSETIFF, &request) < 0)
		err = tap_fail(device, interface, -errno, error);
	else
		err = mtu_check(device, interface, mtu, error);
	if (err == 0)
		err = features_set(device, fd, request.ifr_flags & IFF_VNET_HDR, error);
	if (err < 0) {
		close(fd);
		return err;
	}
	device->hostfd = fd;
	device->u.net.mtu = (uint16_t)mtu;
	tender_mac_random(device->u.net.mac);
	return 0;
}

int tender_adopt_net(struct tender_device *device, int fd, struct tender_error *error)
{
	struct ifreq request = { 0 };
	int flags = fcntl(fd, F_GETFL);
	int mtu = TENDER_MTU_DEFAULT;
	int err;

	if (flags < 0)
		return tender_fail(error, -EBADF, "device \"%s\": descriptor %d: not open; expected an inherited one",
			device->name, fd);
	if (fd <= STDERR_FILENO)
		return tender_fail(error, -EBADF,
			"device \"%s\": descriptor %d: a standard stream; expected one above %d", device->name, fd,
			STDERR_FILENO);
	if ((flags & O_ACCMODE) != O_RDWR)
		return tender_fail(error, -EBADF,
			"device \"%s\": descriptor %d: one-way; expected it readable and writable", device->name, fd);
	if (ioctl(fd, TUNGETIFF, &request) == 0) {
		const int flags_of_tap = request.ifr_flags;
		short up;

		err = interface_read(request.ifr_name, &up, &mtu);
		if (err == 0)
			err = mtu_check(device, request.ifr_name, mtu, error);
		else
			err = tap_fail(device, request.ifr_name, err, error);
		if (err == 0 && (flags_of_tap & IFF_VNET_HDR) && !device->u.net.vnet)
			err = tender_fail(error, -EINVAL,
				"device \"%s\": descriptor %d: a tap with IFF_VNET_HDR; this image expects one without",
				device->name, fd);
		if (err == 0)
			err = features_set(device, fd, flags_of_tap & IFF_VNET_HDR, error);
		if (err < 0)
			return err;
	}
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return tender_fail(
			error, -errno, "device \"%s\": descriptor %d: %s", device->name, fd, strerror(errno));
	device->hostfd = fd;
	device->u.net.mtu = (uint16_t)mtu;
	tender_mac_random(device->u.net.mac);
	return 0;
}
