/* SPDX-License-Identifier: ISC
 *
 * The console is the first serial port, a 16550.
 */
#include <platform.h>

#include "virtio.h"

enum {
	PORT = 0x3f8,
	DIVISOR_LOW = PORT,
	DATA = PORT,
	INTERRUPTS = PORT + 1,
	LINE_CONTROL = PORT + 3,
	MODEM_CONTROL = PORT + 4,
	LINE_STATUS = PORT + 5,
	INPUT = 0x01, /* in LINE_STATUS */
	ROOM = 0x20,
	SENT = 0x40, /* all of it */
	INPUT_MAX = 64,
	LINE = 4,
	POLLS_MAX = 1000000, /* of a port that takes nothing: what does not go out by then is lost */
};

void virtio_console_init(void)
{
	port_write8(INTERRUPTS, 0);
	port_write8(LINE_CONTROL, 0x80); /* the divisor's latch */
	port_write8(DIVISOR_LOW, 1);     /* 115200 baud */
	port_write8(INTERRUPTS, 0);      /* its high byte */
	port_write8(LINE_CONTROL, 3);    /* 8 bits, no parity, one stop bit */
	port_write8(MODEM_CONTROL, 11);  /* interrupts go out, too */
}

void virtio_console_listen(void)
{
	if (virtio_interrupt_route(LINE))
		port_write8(INTERRUPTS, 1); /* for input */
}

bool virtio_console_asked(void)
{
	bool asked = false;

	for (int i = 0; i < INPUT_MAX && port_read8(LINE_STATUS) & INPUT; i++) {
		port_read8(DATA);
		asked = true;
	}
	return asked;
}

static void await(uint8_t status)
{
	for (int i = 0; i < POLLS_MAX && !(port_read8(LINE_STATUS) & status); i++)
		__builtin_ia32_pause();
}

void virtio_console_drain(void)
{
	await(SENT);
}

void platform_console_write(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		await(ROOM);
		port_write8(DATA, (uint8_t)text[i]);
	}
}
