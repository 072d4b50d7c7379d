/* SPDX-License-Identifier: ISC
 *
 * The network devices of the platform as a struct net.
 */
#include <errno.h>
#include <stdlib.h>

#include <skerry/log.h>
#include <skerry/net.h>

LOG_SOURCE(net);

struct device {
	struct net base;
	struct platform_source source;
	const char *name;
	int handle; /* negative: the device is gone */
};

static struct device *device_of(struct net *net)
{
	return (struct device *)net;
}

static void device_ready(struct platform_source *source)
{
	struct device *device = (struct device *)((char *)source - offsetof(struct device, source));

	if (device->base.ready)
		device->base.ready(device->base.ready_context);
}

static int device_send(
	struct net *net, const struct platform_piece *pieces, size_t count, const struct platform_net_meta *meta)
{
	const struct device *device = device_of(net);

	return device->handle < 0 ? -EIO : platform_net_send(device->handle, pieces, count, meta);
}

/* A device that is gone would be ready for ever, so it is closed: then the unikernel at least sleeps. */
static void lose(struct device *device)
{
	log_error("device \"%s\" is gone", device->name);
	platform_net_close(device->handle);
	device->handle = -1;
}

static ssize_t device_receive(struct net *net, void *buf, size_t size, struct platform_net_meta *meta)
{
	struct device *device = device_of(net);
	ssize_t len = device->handle < 0 ? -EIO : platform_net_receive(device->handle, buf, size, meta);

	if (len == -EIO && device->handle >= 0)
		lose(device);
	return len;
}

static void device_close(struct net *net)
{
	struct device *device = device_of(net);

	if (device->handle >= 0)
		platform_net_close(device->handle);
	free(device);
}

static const struct net_ops device_ops = {
	.send = device_send,
	.receive = device_receive,
	.close = device_close,
};

int net_open(const char *name, struct net **net)
{
	struct device *device = calloc(1, sizeof *device);

	if (!device)
		return -ENOMEM;
	device->base.ops = &device_ops;
	device->source.ready = device_ready;
	device->name = name;
	device->handle = platform_net_open(name, &device->source, &device->base.info);
	if (device->handle < 0) {
		int err = device->handle;

		free(device);
		return err;
	}
	if (device->base.info.mtu < NET_MTU_MIN) {
		log_error("device \"%s\": MTU %u is below %d", name, device->base.info.mtu, NET_MTU_MIN);
		device_close(&device->base);
		return -EINVAL;
	}
	*net = &device->base;
	return 0;
}

void net_close(struct net *net)
{
	if (net)
		net->ops->close(net);
}
