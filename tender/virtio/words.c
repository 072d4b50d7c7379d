/* SPDX-License-Identifier: ISC
 *
 * What QEMU is told: the smallest machine that has what the guest needs, and nothing that the manifest does not name.
 */
#include "virtio.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "tender/common/kvm.h"

/* A word that memory is out for ends the list, which the caller finds. */
__attribute__((format(printf, 2, 3))) static void add(struct virtio_words *words, const char *format, ...)
{
	char **word = &words->words[words->count];
	va_list args;

	va_start(args, format);
	if (words->count < VIRTIO_WORDS_MAX && vasprintf(word, format, args) < 0)
		*word = NULL;
	va_end(args);
	words->count++;
}

static void add_two(struct virtio_words *words, const char *option, const char *value)
{
	add(words, "%s", option);
	add(words, "%s", value);
}

static void add_machine(struct virtio_words *words, bool pci)
{
	const char *fix;
	bool kvm = !kvm_problem(&fix);

	add(words, "-machine");
	add(words, "%s,accel=%s,memory-backend=memory", pci ? "q35" : "microvm,acpi=off,pit=on,pic=on,rtc=on",
		kvm ? "kvm" : "tcg");
	add_two(words, "-cpu", kvm ? "host" : "max");
	add_two(words, "-global", "virtio-mmio.force-legacy=false");
	add(words, "-nodefaults");
	add(words, "-no-user-config");
	add(words, "-no-reboot");
	add_two(words, "-display", "none");
	add_two(words, "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny");
}

/* What the guest does not touch, the host need not have. */
static void add_memory(struct virtio_words *words, uint64_t bytes)
{
	add(words, "-object");
	add(words, "memory-backend-ram,id=memory,size=%" PRIu64 "k,reserve=off", bytes / 1024);
	add(words, "-m");
	add(words, "size=%" PRIu64 "k", bytes / 1024);
}

/* All frames go to a file, too, in whose name a comma is doubled. */
static void add_capture(struct virtio_words *words, const char *file, size_t i)
{
	char escaped[2 * PATH_MAX], *to = escaped;

	for (; *file && to < escaped + sizeof escaped - 2; *to++ = *file++)
		if (*file == ',')
			*to++ = ',';
	*to = '\0';
	add(words, "-object");
	add(words, "filter-dump,id=capture%zu,netdev=device%zu,file=%s", i, i, escaped);
}

static void add_network(struct virtio_words *words, const struct tender_device *device, size_t i)
{
	int type;
	socklen_t size = sizeof type;
	bool is_socket = getsockopt(device->hostfd, SOL_SOCKET, SO_TYPE, &type, &size) == 0;

	add(words, "-netdev");
	if (is_socket)
		add(words, "dgram,id=device%zu,local.type=fd,local.str=%d", i, device->hostfd);
	else
		add(words, "tap,id=device%zu,fd=%d", i, device->hostfd);
	if (device->capture)
		add_capture(words, device->capture, i);
}

static void add_disk(struct virtio_words *words, const struct tender_device *device, size_t i)
{
	struct stat status;
	bool is_disk = fstat(device->hostfd, &status) == 0 && S_ISBLK(status.st_mode);

	add(words, "-blockdev");
	/* The tender holds a lock already. */
	add(words, "driver=%s,node-name=device%zu,filename=/dev/fd/%d,locking=off", is_disk ? "host_device" : "file", i,
		device->hostfd);
}

static void add_device(struct virtio_words *words, const struct tender_device *device, size_t i, bool pci)
{
	const uint8_t *mac = device->u.net.mac;
	const char *transport = pci ? "pci" : "device";
	char place[32];

	/* The guest counts its devices in this order. */
	if (pci)
		snprintf(place, sizeof place, "addr=%zu", i + 1);
	else
		snprintf(place, sizeof place, "bus=virtio-mmio-bus.%zu", i);
	if (device->type == MANIFEST_NET_BASIC)
		add_network(words, device, i);
	else
		add_disk(words, device, i);
	add(words, "-device");
	if (device->type == MANIFEST_NET_BASIC)
		add(words, "virtio-net-%s,%s,netdev=device%zu,mac=%02x:%02x:%02x:%02x:%02x:%02x,host_mtu=%u", transport,
			place, i, mac[0], mac[1], mac[2], mac[3], mac[4], mac[5], device->u.net.mtu);
	else
		add(words, "virtio-blk-%s,%s,drive=device%zu,logical_block_size=%u,physical_block_size=%u", transport,
			place, i, device->u.block.block_size, device->u.block.block_size);
}

/* The devices in the order of the manifest, which is how the guest tells them apart. */
static int add_devices(
	struct virtio_words *words, const struct tender_config *config, bool pci, struct tender_error *error)
{
	struct tender_manifest manifest;
	int err = tender_manifest_read(&config->image, &manifest, error);

	if (err < 0)
		return err;
	for (uint32_t entry = 1; entry < manifest.entries; entry++)
		for (size_t i = 0; i < config->device_count; i++)
			if (strcmp(config->devices[i].name, manifest.e[entry].name) == 0)
				add_device(words, &config->devices[i], entry - 1, pci);
	return 0;
}

int virtio_words(
	const struct tender_config *config, int status_fd, struct virtio_words *words, struct tender_error *error)
{
	bool pci = config->device_count > VIRTIO_MMIO_MAX;
	int err;

	if (config->device_count > VIRTIO_PCI_MAX)
		return tender_fail(
			error, -E2BIG, "%zu devices; expected at most %d", config->device_count, VIRTIO_PCI_MAX);
	*words = (struct virtio_words){ 0 };
	add(words, VIRTIO_QEMU);
	add_machine(words, pci);
	add_memory(words, config->mem_bytes);
	add_two(words, "-chardev", "stdio,id=console,signal=off");
	add_two(words, "-serial", "chardev:console");
	add(words, "-chardev");
	add(words, "file,id=status,path=/dev/fd/%d", status_fd);
	add(words, "-device");
	add(words, "isa-debugcon,iobase=%d,chardev=status", VIRTIO_STATUS_PORT);
	if (config->gdb_port > 0) {
		add(words, "-S");
		add(words, "-gdb");
		add(words, "tcp:127.0.0.1:%u", config->gdb_port);
	}
	err = add_devices(words, config, pci, error);
	if (err < 0)
		return err;
	add(words, "-kernel");
	add(words, "/dev/fd/%d", config->image.fd);
	add_two(words, "-append", config->cmdline);
	for (size_t i = 0; i < words->count; i++)
		if (!words->words[i])
			return tender_fail(error, -ENOMEM, "out of memory");
	return 0;
}
