/* SPDX-License-Identifier: ISC
 *
 * Memory of an ordinary process: statistics of the host's malloc, and stacks below a guard page.
 */
#include <malloc.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <platform.h>

void platform_memory(struct platform_memory *memory)
{
	static size_t peak; /* the host's malloc keeps none: the highest that anybody asked about */
	struct mallinfo2 info = mallinfo2();
	size_t used = info.uordblks + info.hblkhd;

	if (used > peak)
		peak = used;
	*memory = (struct platform_memory){ .total_bytes = 0, .used_bytes = used, .peak_bytes = peak };
}

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* size in whole pages, without the guard. */
static size_t mapped_bytes(size_t size)
{
	return (size + page_bytes() - 1) & ~(page_bytes() - 1);
}

void *platform_stack_new(size_t size)
{
	size_t guard = page_bytes();
	unsigned char *base = mmap(NULL, guard + mapped_bytes(size), PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

	if (base == MAP_FAILED)
		return NULL;
	if (mprotect(base, guard, PROT_NONE) < 0) {
		munmap(base, guard + mapped_bytes(size));
		return NULL;
	}
	return base + guard;
}

void platform_stack_free(void *lowest, size_t size)
{
	munmap((unsigned char *)lowest - page_bytes(), page_bytes() + mapped_bytes(size));
}
