/* SPDX-License-Identifier: ISC
 *
 * The core file of a guest that has crashed: its memory and registers, as gdb takes them (`gdb IMAGE CORE`; System V
 * ABI, chapter 5, and Linux's elfcore.h). Pages of zeros are left out: the file has holes there.
 *
 * The file has no name until there is something in it, and is made before the tender locks itself in.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/procfs.h>
#include <unistd.h>

#include "tender/hvt/hvt.h"

struct core_head {
	Elf64_Ehdr header;
	Elf64_Phdr note, memory;
	uint32_t padding; /* so that none is between a note's name and what it holds */
	Elf64_Nhdr status_note;
	char status_name[8];
	struct elf_prstatus status;
};
_Static_assert(offsetof(struct core_head, status) == offsetof(struct core_head, status_name) + 8, "no padding there");
_Static_assert(sizeof(struct core_head) <= TENDER_PAGE, "the memory begins at the next page");

int hvt_core_open(struct hvt *hvt, const char *directory, struct tender_error *error)
{
	hvt->core_fd = -1;
	if (!directory)
		return 0;
	hvt->core_directory_fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (hvt->core_directory_fd >= 0)
		hvt->core_fd = openat(hvt->core_directory_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	if (hvt->core_fd < 0 || ftruncate(hvt->core_fd, (off_t)(TENDER_PAGE + hvt->mem_bytes)) < 0)
		return tender_fail(error, -errno,
			"--core: %s: %s; expected a directory with room, on ext4, xfs, btrfs or tmpfs", directory,
			strerror(errno));
	snprintf(hvt->core_name, sizeof hvt->core_name, "core.%d", (int)getpid());
	snprintf(hvt->core_path, sizeof hvt->core_path, "/proc/self/fd/%d", hvt->core_fd);
	return 0;
}

void hvt_registers_read(const struct hvt *hvt, const uint8_t *cookie, struct user_regs_struct *user)
{
	struct kvm_regs now = { 0 };
	struct hvt_trap_cookie trap;

	if (cookie) {
		memcpy(&trap, cookie, sizeof trap);
		if (memcmp(trap.magic, HVT_TRAP_MAGIC, sizeof trap.magic) == 0) {
			const uint64_t *r = trap.registers;

			*user = (struct user_regs_struct){ .r15 = r[0],
				.r14 = r[1],
				.r13 = r[2],
				.r12 = r[3],
				.r11 = r[4],
				.r10 = r[5],
				.r9 = r[6],
				.r8 = r[7],
				.rdi = r[8],
				.rsi = r[9],
				.rbp = r[10],
				.rdx = r[11],
				.rcx = r[12],
				.rbx = r[13],
				.rax = r[14],
				.rip = r[17],
				.cs = r[18],
				.eflags = r[19],
				.rsp = r[20],
				.ss = r[21] };
			return;
		}
	}
	ioctl(hvt->vcpu_fd, KVM_GET_REGS, &now);
	*user = (struct user_regs_struct){ .r15 = now.r15,
		.r14 = now.r14,
		.r13 = now.r13,
		.r12 = now.r12,
		.r11 = now.r11,
		.r10 = now.r10,
		.r9 = now.r9,
		.r8 = now.r8,
		.rdi = now.rdi,
		.rsi = now.rsi,
		.rbp = now.rbp,
		.rdx = now.rdx,
		.rcx = now.rcx,
		.rbx = now.rbx,
		.rax = now.rax,
		.rip = now.rip,
		.eflags = now.rflags,
		.rsp = now.rsp };
}

static bool write_at(int fd, const void *data, size_t len, uint64_t offset)
{
	return pwrite(fd, data, len, (off_t)offset) == (ssize_t)len;
}

static bool memory_write(const struct hvt *hvt)
{
	static const uint8_t zeros[TENDER_PAGE];

	for (uint64_t page = HVT_BOOT_INFO; page < hvt->mem_bytes; page += TENDER_PAGE)
		if (memcmp(hvt->memory + page, zeros, TENDER_PAGE) != 0 &&
			!write_at(hvt->core_fd, hvt->memory + page, TENDER_PAGE, TENDER_PAGE + page))
			return false;
	return true;
}

void hvt_core_write(const struct hvt *hvt, const uint8_t *cookie)
{
	struct core_head head = {
		.header = {
			.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_CORE,
			.e_machine = EM_X86_64,
			.e_version = EV_CURRENT,
			.e_phoff = offsetof(struct core_head, note),
			.e_ehsize = sizeof(Elf64_Ehdr),
			.e_phentsize = sizeof(Elf64_Phdr),
			.e_phnum = 2,
		},
		.note = {
			.p_type = PT_NOTE,
			.p_offset = offsetof(struct core_head, status_note),
			.p_filesz = sizeof head - offsetof(struct core_head, status_note),
			.p_align = 4,
		},
		.memory = {
			.p_type = PT_LOAD,
			.p_flags = PF_R | PF_W | PF_X,
			.p_offset = TENDER_PAGE,
			.p_filesz = hvt->mem_bytes,
			.p_memsz = hvt->mem_bytes,
			.p_align = TENDER_PAGE,
		},
		.status_note = { .n_namesz = 5, .n_descsz = sizeof head.status, .n_type = NT_PRSTATUS },
		.status_name = "CORE",
		.status = { .pr_pid = 1 },
	};
	struct user_regs_struct user;
	char line[128];
	int len;

	if (hvt->core_fd < 0)
		return;
	hvt_registers_read(hvt, cookie, &user);
	memcpy(&head.status.pr_reg, &user, sizeof head.status.pr_reg);
	if (write_at(hvt->core_fd, &head, sizeof head, 0) && memory_write(hvt) &&
		linkat(AT_FDCWD, hvt->core_path, hvt->core_directory_fd, hvt->core_name, AT_SYMLINK_FOLLOW) == 0)
		len = snprintf(line, sizeof line, "%s: core dumped: %s\n", hvt->program, hvt->core_name);
	else
		len = snprintf(line, sizeof line, "%s: core: %s\n", hvt->program, strerror(errno));
	if (write(STDERR_FILENO, line, (size_t)len) < 0)
		return;
}
