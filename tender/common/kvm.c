/* SPDX-License-Identifier: ISC
 *
 * Trying KVM with the smallest guest: a page in real mode.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tender/common/kvm.h"

enum { PAGE = 4096, CR4_OSFXSR = 1 << 9 };

/* Page 0 of the guest: xorps %xmm0, %xmm0; hlt. */
static const uint8_t program[] = { 0x0f, 0x57, 0xc0, 0xf4 };

static int memory_give(int vm, void *page)
{
	struct kvm_userspace_memory_region region = { .memory_size = PAGE, .userspace_addr = (uintptr_t)page };

	memcpy(page, program, sizeof program);
	return ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region);
}

/* At address 0, with SSE switched on. */
static int registers_set(int vcpu)
{
	struct kvm_regs registers = { .rip = 0, .rflags = 2 };
	struct kvm_sregs special;

	if (ioctl(vcpu, KVM_GET_SREGS, &special) < 0)
		return -1;
	special.cs.base = 0;
	special.cs.selector = 0;
	special.cr4 |= CR4_OSFXSR;
	return ioctl(vcpu, KVM_SET_SREGS, &special) < 0 ? -1 : ioctl(vcpu, KVM_SET_REGS, &registers);
}

/* Whether the guest comes to its hlt. */
static bool runs(int vcpu, size_t size)
{
	struct kvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	bool done;

	if (run == MAP_FAILED)
		return false;
	done = ioctl(vcpu, KVM_RUN, 0) == 0 && run->exit_reason == KVM_EXIT_HLT;
	munmap(run, size);
	return done;
}

static bool machine_works(int kvm)
{
	int vm = ioctl(kvm, KVM_CREATE_VM, 0);
	int vcpu = vm < 0 ? -1 : ioctl(vm, KVM_CREATE_VCPU, 0);
	int size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
	void *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	bool works = vcpu >= 0 && size > 0 && page != MAP_FAILED && memory_give(vm, page) == 0 &&
		     registers_set(vcpu) == 0 && runs(vcpu, (size_t)size);

	if (vcpu >= 0)
		close(vcpu);
	if (vm >= 0)
		close(vm);
	if (page != MAP_FAILED)
		munmap(page, PAGE);
	return works;
}

const char *kvm_problem(const char **fix)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	bool works;

	*fix = NULL;
	if (kvm < 0 && errno == EACCES) {
		*fix = "adduser $USER kvm";
		return "/dev/kvm is closed to this user";
	}
	if (kvm < 0) {
		*fix = "switch virtualization on in the firmware, modprobe kvm_intel or kvm_amd";
		return "there is no /dev/kvm";
	}
	works = machine_works(kvm);
	close(kvm);
	return works ? NULL : "/dev/kvm cannot run ordinary code on this machine";
}
