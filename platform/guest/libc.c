/* SPDX-License-Identifier: ISC
 *
 * The few hooks under musl's pure objects: one thread needs no locks, errno is one variable, and what BearSSL and zlib
 * expect of a hosted, fortified libc is answered here.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <platform.h>

/* Prototypes of names that belong to the libc: no header declares them. */
int *__errno_location(void);
int *___errno_location(void);
int __lockfile(void *file);
void __unlockfile(void *file);
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memmove_chk(void *to, const void *from, size_t len, size_t room);
void *__memset_chk(void *to, int byte, size_t len, size_t room);
void *br_prng_seeder_system(const char **name);

static int error_number;

int *__errno_location(void)
{
	return &error_number;
}

int *___errno_location(void)
{
	return &error_number;
}

int __lockfile(void *file)
{
	(void)file;
	return 0;
}

void __unlockfile(void *file)
{
	(void)file;
}

static void check_room(size_t len, size_t room)
{
	if (len > room)
		abort();
}

void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
	check_room(len, room);
	return memcpy(to, from, len);
}

void *__memmove_chk(void *to, const void *from, size_t len, size_t room)
{
	check_room(len, room);
	return memmove(to, from, len);
}

void *__memset_chk(void *to, int byte, size_t len, size_t room)
{
	check_room(len, room);
	return memset(to, byte, len);
}

/* BearSSL is seeded from lib/core's generator, never by itself. */
void *br_prng_seeder_system(const char **name)
{
	if (name)
		*name = "none";
	return NULL;
}

void abort(void)
{
	static const char message[] = "abort() was called\n";

	platform_console_write(message, sizeof message - 1);
	platform_abort();
}
