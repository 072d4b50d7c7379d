/* SPDX-License-Identifier: ISC
 *
 * Where the checks of the compiler end when they fail: the stack protector's, and those of _FORTIFY_SOURCE, with which
 * Debian's BearSSL and zlib are compiled.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "guest.h"

_Noreturn void __stack_chk_fail(void);
void *__memcpy_chk(void *to, const void *from, size_t len, size_t room);
void *__memmove_chk(void *to, const void *from, size_t len, size_t room);
void *__memset_chk(void *to, int byte, size_t len, size_t room);
int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args);
int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...);

_Noreturn void __stack_chk_fail(void)
{
	guest_fatal("stack smashing detected");
}

static void check(size_t len, size_t room)
{
	if (len > room)
		guest_fatal("buffer overflow detected");
}

void *__memcpy_chk(void *to, const void *from, size_t len, size_t room)
{
	check(len, room);
	return memcpy(to, from, len);
}

void *__memmove_chk(void *to, const void *from, size_t len, size_t room)
{
	check(len, room);
	return memmove(to, from, len);
}

void *__memset_chk(void *to, int byte, size_t len, size_t room)
{
	check(len, room);
	return memset(to, byte, len);
}

int __vsnprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, va_list args)
{
	(void)flag;
	check(size, room);
	return vsnprintf(to, size, format, args);
}

int __snprintf_chk(char *to, size_t size, int flag, size_t room, const char *format, ...)
{
	va_list args;
	int len;

	va_start(args, format);
	len = __vsnprintf_chk(to, size, flag, room, format, args);
	va_end(args);
	return len;
}
