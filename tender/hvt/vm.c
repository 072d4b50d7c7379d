/* SPDX-License-Identifier: ISC
 *
 * The virtual machine: KVM's descriptors, memory and processor (Linux, Documentation/virt/kvm/api.rst).
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tender/hvt/hvt.h"

enum {
	/* Control registers and EFER (Intel SDM 3, 2.5 and 2.2.1). */
	CR0_PE = 1 << 0,
	CR0_NE = 1 << 5,
	CR0_WP = 1 << 16,
	CR4_PAE = 1 << 5,
	CR4_OSFXSR = 1 << 9,
	CR4_OSXMMEXCPT = 1 << 10,
	CR4_UMIP = 1 << 11,
	CR4_SMEP = 1 << 20,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	EFER_NXE = 1 << 11,
	RFLAGS_RESERVED = 1 << 1,
	FCW_DEFAULT = 0x37f,
	MXCSR_DEFAULT = 0x1f80,
	SELECTOR_CODE = 8,
	SELECTOR_DATA = 16,
	SELECTOR_TSS = 24,
	API_VERSION = 12,
	CPUID_MAX = 256,
};
#define CR0_PG (UINT64_C(1) << 31)

static int kvm_fail(const char *what, struct tender_error *error)
{
	return tender_fail(error, -errno, "/dev/kvm: %s: %s", what, strerror(errno));
}

static int device_open(int *fd, struct tender_error *error)
{
	*fd = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	if (*fd >= 0)
		return 0;
	if (errno == EACCES || errno == EPERM)
		return tender_fail(error, -EACCES,
			"/dev/kvm: permission denied; add yourself to group kvm, or build for target spt");
	return tender_fail(error, -errno, "/dev/kvm: %s; load the module kvm-intel or kvm-amd, or build for target spt",
		strerror(errno));
}

int hvt_vm_open(struct hvt *hvt, struct tender_error *error)
{
	int err = device_open(&hvt->kvm_fd, error);
	int run_bytes, khz;
	void *run;

	if (err < 0)
		return err;
	if (ioctl(hvt->kvm_fd, KVM_GET_API_VERSION, 0) != API_VERSION)
		return tender_fail(error, -ENOTSUP, "/dev/kvm: expected version %d of its interface", API_VERSION);
	hvt->vm_fd = ioctl(hvt->kvm_fd, KVM_CREATE_VM, 0);
	if (hvt->vm_fd < 0)
		return kvm_fail("no virtual machine", error);
	hvt->vcpu_fd = ioctl(hvt->vm_fd, KVM_CREATE_VCPU, 0);
	if (hvt->vcpu_fd < 0)
		return kvm_fail("no processor", error);
	run_bytes = ioctl(hvt->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	run = mmap(NULL, run_bytes < 0 ? 0 : (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, hvt->vcpu_fd, 0);
	if (run == MAP_FAILED)
		return kvm_fail("the processor's page", error);
	hvt->run = run;
	khz = ioctl(hvt->vcpu_fd, KVM_GET_TSC_KHZ, 0);
	if (khz <= 0)
		return tender_fail(error, -ENOTSUP, "/dev/kvm: no frequency of the time stamp counter");
	hvt->cycles_per_sec = (uint64_t)khz * 1000;
	return 0;
}

/* Adds [begin, end) to the machine's memory; text and constants so that not even their own guest can change them. */
static int slot_add(
	struct hvt *hvt, uint32_t slot, uint64_t begin, uint64_t end, bool writable, struct tender_error *error)
{
	struct kvm_userspace_memory_region region = {
		.slot = slot,
		.flags = writable ? 0 : KVM_MEM_READONLY,
		.guest_phys_addr = begin,
		.memory_size = end - begin,
		.userspace_addr = (uint64_t)(uintptr_t)(hvt->memory + begin),
	};

	return ioctl(hvt->vm_fd, KVM_SET_USER_MEMORY_REGION, &region) < 0 ? kvm_fail("guest memory", error) : 0;
}

static uint64_t segment_end(const struct tender_segment *segment)
{
	return (segment->address + segment->memory_bytes + TENDER_PAGE - 1) & ~(uint64_t)(TENDER_PAGE - 1);
}

static int memory_add(struct hvt *hvt, struct tender_error *error)
{
	bool protect = ioctl(hvt->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) > 0;
	uint64_t begin = 0;
	uint32_t slot = 0;
	int err = 0;

	for (size_t i = 0; err == 0 && protect && i < hvt->layout.segment_count; i++) {
		const struct tender_segment *segment = &hvt->layout.segments[i];

		if (segment->protection & PROT_WRITE)
			continue;
		if (segment->address > begin)
			err = slot_add(hvt, slot++, begin, segment->address, true, error);
		begin = segment_end(segment);
		if (err == 0)
			err = slot_add(hvt, slot++, segment->address, begin, false, error);
	}
	return err < 0 ? err : slot_add(hvt, slot, begin, hvt->mem_bytes, true, error);
}

/* What a guest may know of the processor: the leaves that describe instructions, caches and clocks. Of those in leaf 1
 * and 7 it does not see what it cannot use: VMX, MONITOR, XSAVE and with it AVX, SGX. */
static bool cpuid_keep(struct kvm_cpuid_entry2 *entry)
{
	enum {
		ECX1_HIDDEN = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 12 | 1 << 15 | 1 << 18 | 1 << 21 | 1 << 24 | 1 << 26 |
			      1 << 27 | 1 << 28 | 1 << 29,
		EBX7_SHOWN = 1 << 3 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 18 | 1 << 19 | 1 << 23 | 1 << 24 | 1 << 29,
		ECX7_SHOWN = 1 << 2, /* UMIP */
		ECX81_SHOWN = 1 << 0 | 1 << 5 | 1 << 8,
	};

	switch (entry->function) {
	case 0:
	case 0x15:
	case 0x16:
	case 0x80000000:
	case 0x80000002:
	case 0x80000003:
	case 0x80000004:
	case 0x80000007:
	case 0x80000008:
		return true;
	case 1:
		entry->ecx &= ~(uint32_t)ECX1_HIDDEN;
		return true;
	case 7:
		if (entry->index != 0)
			return false;
		entry->ebx &= EBX7_SHOWN;
		entry->ecx &= ECX7_SHOWN;
		entry->edx = 0;
		entry->eax = 0;
		return true;
	case 0x80000001:
		entry->ecx &= ECX81_SHOWN; /* not SVM */
		return true;
	default:
		return false;
	}
}

/* Sets what the guest sees, and tells which of UMIP and SMEP it can have. */
static int cpuid_set(struct hvt *hvt, uint64_t *cr4, struct tender_error *error)
{
	static struct {
		struct kvm_cpuid2 header;
		struct kvm_cpuid_entry2 entries[CPUID_MAX];
	} cpuid;
	uint32_t kept = 0;

	cpuid.header.nent = CPUID_MAX;
	if (ioctl(hvt->kvm_fd, KVM_GET_SUPPORTED_CPUID, &cpuid) < 0)
		return kvm_fail("the processor's features", error);
	for (uint32_t i = 0; i < cpuid.header.nent; i++) {
		struct kvm_cpuid_entry2 *entry = &cpuid.header.entries[i];

		if (!cpuid_keep(entry))
			continue;
		if (entry->function == 7)
			*cr4 |= (entry->ecx & 1 << 2 ? CR4_UMIP : 0) | (entry->ebx & 1 << 7 ? CR4_SMEP : 0);
		cpuid.header.entries[kept++] = *entry;
	}
	cpuid.header.nent = kept;
	return ioctl(hvt->vcpu_fd, KVM_SET_CPUID2, &cpuid) < 0 ? kvm_fail("the processor's features", error) : 0;
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool system)
{
	return (struct kvm_segment){
		.limit = system ? 0x67 : UINT32_MAX,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = !system,
		.g = !system,
	};
}

static int registers_set(struct hvt *hvt, uint64_t cr4, struct tender_error *error)
{
	enum { TYPE_CODE = 11, TYPE_DATA = 3, TYPE_BUSY_TSS = 11 };
	const uint64_t gdt[] = { 0, 0x00209b0000000000, 0x0000930000000000 };
	struct kvm_sregs special;
	struct kvm_regs registers = {
		.rip = hvt->layout.entry,
		.rsp = hvt->mem_bytes - sizeof(uint64_t),
		.rdi = HVT_BOOT_INFO,
		.rflags = RFLAGS_RESERVED,
	};
	struct kvm_fpu fpu = { .fcw = FCW_DEFAULT, .mxcsr = MXCSR_DEFAULT };

	if (ioctl(hvt->vcpu_fd, KVM_GET_SREGS, &special) < 0)
		return kvm_fail("the processor's state", error);
	memcpy(hvt->memory + HVT_GDT, gdt, sizeof gdt);
	special.gdt.base = HVT_GDT;
	special.gdt.limit = sizeof gdt - 1;
	special.cs = segment(SELECTOR_CODE, TYPE_CODE, false);
	special.cs.l = 1;
	special.ds = special.es = special.ss = special.fs = special.gs = segment(SELECTOR_DATA, TYPE_DATA, false);
	special.tr = segment(SELECTOR_TSS, TYPE_BUSY_TSS, true);
	special.cr0 = CR0_PE | CR0_NE | CR0_WP | CR0_PG;
	special.cr3 = HVT_PML4;
	special.cr4 = CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT | cr4;
	special.efer = EFER_LME | EFER_LMA | EFER_NXE;
	if (ioctl(hvt->vcpu_fd, KVM_SET_SREGS, &special) < 0 || ioctl(hvt->vcpu_fd, KVM_SET_REGS, &registers) < 0 ||
		ioctl(hvt->vcpu_fd, KVM_SET_FPU, &fpu) < 0)
		return kvm_fail("the processor's state", error);
	return 0;
}

int hvt_vm_start(struct hvt *hvt, struct tender_error *error)
{
	uint64_t cr4 = 0;
	int err = memory_add(hvt, error);

	if (err == 0)
		err = cpuid_set(hvt, &cr4, error);
	return err < 0 ? err : registers_set(hvt, cr4, error);
}
