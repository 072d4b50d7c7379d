/* SPDX-License-Identifier: ISC
 *
 * The front end that feeds a tender from a command line: the same for all of them.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tender/common/options.h"
#include "tender/common/process.h"

/* A descriptor that the tender opens must never become a standard stream: the guest may write to 1. */
static int streams_open(struct tender_error *error)
{
	int fd;

	do {
		fd = open("/dev/null", O_RDWR);
		if (fd < 0)
			return tender_fail(error, -1, "/dev/null: cannot be opened");
	} while (fd <= STDERR_FILENO);
	close(fd);
	return 0;
}

/* Checks that the devices are those of the image before it opens any. */
static int devices_open(const struct tender_front *front, const struct tender_options *options,
	const struct tender_image *image, struct tender_device *devices, struct tender_error *error)
{
	struct tender_manifest manifest;
	uint32_t offers = 0;
	int err = tender_abi_check(image, front->target, front->abi_version, error);

	if (err == 0)
		err = tender_offers_read(image, &offers, error);
	for (size_t i = 0; i < options->device_count; i++) {
		devices[i] = (struct tender_device){
			.name = options->devices[i].name,
			.type = options->devices[i].type,
		};
		/* QEMU would put the headers into captures, where no reader expects them. */
		if (devices[i].type == MANIFEST_NET_BASIC)
			devices[i].u.net.vnet = (offers & NOTE_OFFER_VNET) &&
						!(front->target == ABI_TARGET_VIRTIO && options->devices[i].capture);
	}
	if (err == 0)
		err = tender_manifest_read(image, &manifest, error);
	if (err == 0)
		err = tender_devices_check(image, &manifest, devices, options->device_count, error);
	for (size_t i = 0; err == 0 && i < options->device_count; i++)
		err = tender_option_open(&options->devices[i], &devices[i], error);
	return err;
}

static int run(const struct tender_front *front, const struct tender_options *options, struct tender_error *error)
{
	struct tender_device devices[TENDER_DEVICES_MAX];
	struct tender_config config = {
		.mem_bytes = options->mem_bytes,
		.cmdline = options->cmdline,
		.devices = devices,
		.device_count = options->device_count,
		.trace = options->trace,
		.gdb_port = options->gdb_port,
		.core_directory = options->core_directory,
		.jail_user = options->jail_user,
		.program = front->program,
	};
	int err = streams_open(error);

	if (err == 0)
		err = tender_image_open(options->image_path, &config.image, error);
	if (err == 0)
		err = devices_open(front, options, &config.image, devices, error);
	return err < 0 ? err : front->run(&config, error);
}

int tender_main(const struct tender_front *front, int argc, char **argv)
{
	static struct tender_options options;
	struct tender_error error;

	if (tender_options_parse(argc, argv, front->target, &options, &error) < 0)
		goto fail;
	switch (options.action) {
	case TENDER_HELP:
		tender_options_print(stdout, front->program, front->target);
		return 0;
	case TENDER_SHOW_VERSION:
		printf("%s %s\nABI version %u\n", front->program, TENDER_VERSION, front->abi_version);
		return 0;
	case TENDER_RUN:
		run(front, &options, &error); /* returns only with an error */
		break;
	}
fail:
	fprintf(stderr, "%s: %s\n", front->program, error.text);
	return 1;
}
