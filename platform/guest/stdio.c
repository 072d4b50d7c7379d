/* SPDX-License-Identifier: ISC
 *
 * Where musl's stdio ends: stdout, by the line, and stderr go to the console; stdin is empty. So a program's printf()
 * works. Logs do not come this way.
 *
 * musl hands a stream's write function its own FILE. What is needed of that are the places of the buffer, which have
 * been where they are since musl's beginnings; the guest "stdio" in tests/guests would show a change.
 */
#include <stdio.h>
#include <sys/types.h>

#include <platform.h>

#include "guest.h"

struct musl_file {
	unsigned flags;
	unsigned char *read_at, *read_end;
	int (*close)(FILE *file);
	unsigned char *write_end, *write_at, *zero, *write_begin;
	size_t (*read)(FILE *file, unsigned char *to, size_t size);
	size_t (*write)(FILE *file, const unsigned char *from, size_t len);
	off_t (*seek)(FILE *file, off_t offset, int whence);
	unsigned char *buffer;
	size_t buffer_size;
};

size_t __stdio_write(FILE *file, const unsigned char *from, size_t len);
size_t __stdout_write(FILE *file, const unsigned char *from, size_t len) __attribute__((alias("__stdio_write")));
size_t __stdio_read(FILE *file, unsigned char *to, size_t size);
off_t __stdio_seek(FILE *file, off_t offset, int whence);
int __stdio_close(FILE *file);
int _IO_putc(int c, FILE *file) __attribute__((alias("fputc"), copy(fputc)));
int _IO_getc(FILE *file) __attribute__((alias("fgetc"), copy(fgetc)));

/* Writes what is in the buffer and then this, and leaves the buffer empty. */
size_t __stdio_write(FILE *file, const unsigned char *from, size_t len)
{
	struct musl_file *own = (struct musl_file *)(void *)file;

	if (own->write_at > own->write_begin)
		platform_console_write((const char *)own->write_begin, (size_t)(own->write_at - own->write_begin));
	if (len > 0)
		platform_console_write((const char *)from, len);
	own->write_end = own->buffer + own->buffer_size;
	own->write_at = own->write_begin = own->buffer;
	return len;
}

size_t __stdio_read(FILE *file, unsigned char *to, size_t size)
{
	(void)file;
	(void)to;
	(void)size;
	return 0;
}

off_t __stdio_seek(FILE *file, off_t offset, int whence)
{
	(void)file;
	(void)offset;
	(void)whence;
	return -1;
}

int __stdio_close(FILE *file)
{
	(void)file;
	return 0;
}

/* A character a time: musl's own have a futex for locks that nobody else could hold. */
int fputc(int c, FILE *file)
{
	return putc_unlocked(c, file);
}

int putc(int c, FILE *file)
{
	return putc_unlocked(c, file);
}

int fgetc(FILE *file)
{
	return getc_unlocked(file);
}

int getc(FILE *file)
{
	return getc_unlocked(file);
}
