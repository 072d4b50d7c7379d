# SPDX-License-Identifier: ISC
"""skerry-spt with tiny guests of its own, which share nothing with the library but the headers in abi/; and skerry elf."""
import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import struct
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).resolve()
TENDER, SKERRY = BUILD / "skerry-spt", BUILD / "skerry"
SECONDS = 20  # until a test gives up waiting for something that takes milliseconds

LINKER_SCRIPT = """
ENTRY(_start)
PHDRS
{
	abi PT_NOTE FLAGS(4); manifest PT_NOTE FLAGS(4);
	text PT_LOAD FLAGS(5); rodata PT_LOAD FLAGS(4); data PT_LOAD FLAGS(6);
}
SECTIONS
{
	. = 0x100000;
	.text : { *(.text*) } :text
	. = ALIGN(4096);
	.note.solo5.abi : { KEEP(*(.note.solo5.abi)) } :rodata :abi
	.note.solo5.manifest : { KEEP(*(.note.solo5.manifest)) } :rodata :manifest
	.rodata : { *(.rodata*) } :rodata
	. = ALIGN(4096);
	.data : { *(.data*) *(.bss*) } :data
	end = .;
	/DISCARD/ : { *(.note.gnu*) *(.comment) *(.eh_frame) }
}
"""

PRELUDE = r"""
#include <stddef.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <time.h>
#include "abi/note.h"
#include "abi/spt.h"

static const struct { uint32_t name_size, size, type; char name[8]; struct abi1 abi; } note
	__attribute__((used, section(".note.solo5.abi"), aligned(4))) =
	{ 6, sizeof(struct abi1), NOTE_ABI1, "Solo5", { ABI_TARGET_SPT, ABI_SPT_VERSION, { 0, 0 } } };

static long call(long number, long a, long b, long c, long d, long e, long f)
{
	register long r10 __asm__("r10") = d, r8 __asm__("r8") = e, r9 __asm__("r9") = f;
	long result;

	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return result;
}

__attribute__((unused)) static void print(const char *text)
{
	size_t len = 0;

	while (text[len])
		len++;
	call(SYS_write, 1, (long)text, (long)len, 0, 0, 0);
}

__attribute__((unused)) static void print_number(const char *name, unsigned long value)
{
	char text[24], *at = text + sizeof text;

	*--at = '\0';
	*--at = '\n';
	do
		*--at = "0123456789abcdef"[value % 16];
	while (value /= 16);
	print(name);
	print("=");
	print(at);
}

__attribute__((unused)) static unsigned long number(const char *text)
{
	unsigned long value = 0;

	while (*text >= '0' && *text <= '9')
		value = value * 10 + (unsigned long)(*text++ - '0');
	return value;
}

__attribute__((unused)) static long wait_ready(const struct spt_boot_info *boot, struct epoll_event *event)
{
	return call(SYS_epoll_pwait, boot->epollfd, (long)event, 1, -1, 0, 0);
}

static int guest(const struct spt_boot_info *boot, const struct manifest *mft);
"""

START = """
void _start(const struct spt_boot_info *boot)
{
	call(SYS_exit_group, guest(boot, boot->mft), 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
"""


class Guests:
    """Compiles guests, each source once."""

    def __init__(self, directory):
        self.directory, self.made = directory, {}
        (directory / "image.ld").write_text(LINKER_SCRIPT)

    def build(self, body, devices=(), start=START):
        key = (body, tuple(devices), start)
        if key not in self.made:
            base = self.directory / f"guest{len(self.made)}"
            manifest = {"type": "solo5.manifest", "version": 1,
                        "devices": [{"name": name, "type": kind} for name, kind in devices]}
            base.with_suffix(".json").write_text(json.dumps(manifest))
            subprocess.run([SKERRY, "elf", "gen-manifest", base.with_suffix(".json"), base.with_suffix(".manifest.c")],
                           check=True)
            base.with_suffix(".c").write_text(PRELUDE + body + start)
            flags = ["-O1", "-Wall", "-Wextra", "-Werror", "-ffreestanding", "-fno-pie", "-no-pie", "-nostdlib", "-static",
                     "-fno-stack-protector", "-fcf-protection=none", "-fno-builtin", "-Wno-array-bounds",
                     "-Wl,--build-id=none", "-Wl,-z,noexecstack"]
            subprocess.run(["gcc", *flags, f"-I{ROOT}", f"-Wl,-T,{self.directory / 'image.ld'}", "-o",
                            base.with_suffix(".spt"), base.with_suffix(".c"), base.with_suffix(".manifest.c")], check=True)
            self.made[key] = base.with_suffix(".spt")
        return self.made[key]


@pytest.fixture(scope="module")
def guests(tmp_path_factory):
    return Guests(tmp_path_factory.mktemp("guests"))


def run(image, *arguments, options=(), **more):
    return subprocess.run([TENDER, *options, "--", image, *arguments], capture_output=True, timeout=SECONDS,
                          stdin=subprocess.DEVNULL, **more)


@contextlib.contextmanager
def running(image, *arguments, options=(), prefix=(), **more):
    """The tender, once its guest has printed "ready"."""
    process = subprocess.Popen([*prefix, TENDER, *options, "--", image, *arguments], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **more)
    try:
        line = process.stdout.readline()
        assert line == b"ready\n", (line, process.communicate(timeout=SECONDS))
        yield process
    finally:
        process.kill()
        process.communicate()


def expect_error(done, line):
    assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", f"skerry-spt: {line}\n")


def wait_until(condition, what):
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


HELLO = """
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	(void)mft;
	print("hello\\n");
	return (int)number(boot->cmdline);
}
"""

# Boots --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [0, 1, 42, 255])
def test_output_and_exit_status_are_the_guests(guests, status):
    done = run(guests.build(HELLO), str(status))
    assert (done.returncode, done.stdout, done.stderr) == (status, b"hello\n", b"")


def test_boot_structure_is_as_the_interface_says(guests):
    image = guests.build("""
extern char end[];
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	print_number("boot", (unsigned long)boot);
	print_number("mem_size", boot->mem_size);
	print_number("end", (unsigned long)end);
	print_number("kernel_end", boot->kernel_end);
	print_number("frame", (unsigned long)__builtin_frame_address(0));
	print_number("entries", mft->entries);
	print_number("version", mft->version);
	for (uint32_t i = 0; i < mft->entries; i++) {
		print_number(mft->e[i].name, mft->e[i].type);
		print_number("attached", mft->e[i].attached);
		print_number("fd", (unsigned long)mft->e[i].b.hostfd);
	}
	print_number("mtu", mft->e[1].u.net.mtu);
	print_number("mac0", mft->e[1].u.net.mac[0]);
	print_number("mac5", mft->e[1].u.net.mac[5]);
	print("cmdline=");
	print(boot->cmdline);
	print("\\n");
	return 0;
}""", [("service", "NET_BASIC")])
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = run(image, "--one", "two three", "", pass_fds=[theirs.fileno()],
                   options=["--mem=8", f"--net:service=@{theirs.fileno()}", "--net-mac:service=02:aa:00:00:00:1f"])
        values = dict(line.split("=", 1) for line in done.stdout.decode().split("\n") if line)
        assert done.returncode == 0, done
        assert values["boot"] == "11000" and values["mem_size"] == "800000"
        end = (int(values["end"], 16) + 4095) & ~4095
        assert int(values["kernel_end"], 16) == end
        assert 0x800000 - 4096 < int(values["frame"], 16) < 0x800000
        assert (values["version"], values["entries"]) == ("1", "2")
        assert (values[""], values["service"]) == ("40000000", "2")
        assert (values["attached"], values["fd"]) == ("1", f"{theirs.fileno():x}")
        assert (values["mtu"], values["mac0"], values["mac5"]) == ("5dc", "2", "1f")
        assert values["cmdline"] == "--one two three "


def test_registers_are_clean_at_entry(guests):
    """rdi and rsp aside; all others are summed up, and the stack pointer is 8 below the memory's end."""
    registers = ["rax", "rbx", "rcx", "rdx", "rsi", "rbp", *(f"r{n}" for n in range(8, 16))]
    start = """
__asm__(".globl _start\\n_start:\\n"
	"%s"
	"movq %%rsp, %%rsi\\n" "movq %%rax, %%rdx\\n" "jmp check\\n");
__attribute__((used)) static void check(const struct spt_boot_info *boot, unsigned long stack, unsigned long all)
{
	print_number("all", all);
	print_number("below", boot->mem_size - stack);
	call(SYS_exit_group, guest(boot, boot->mft), 0, 0, 0, 0, 0);
	__builtin_unreachable();
}
""" % "".join(f"orq %{name}, %rax\\n" for name in registers[1:])
    start = start.replace("%%", "%")
    done = run(guests.build(HELLO, start=start))
    assert (done.returncode, done.stdout) == (0, b"all=0\nbelow=8\nhello\n")


def test_timer_wakes_the_guest_with_its_own_mark(guests):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	struct itimerspec soon = { { 0, 0 }, { 0, 20000000 } };
	struct timespec before, after;
	struct epoll_event event = { 0, { 0 } };

	(void)mft;
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&before, 0, 0, 0, 0);
	if (call(SYS_timerfd_settime, boot->timerfd, 0, (long)&soon, 0, 0, 0) != 0 || wait_ready(boot, &event) != 1)
		return 1;
	call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&after, 0, 0, 0, 0);
	if (event.events != EPOLLIN || event.data.u64 != SPT_EPOLL_TIMER)
		return 2;
	return (after.tv_sec - before.tv_sec) * 1000000000 + after.tv_nsec - before.tv_nsec < 20000000 ? 3 : 0;
}""")
    assert run(image).returncode == 0


# It waits twice: with what the argument says in between, either reading what the signal left or not.
INQUIRY = """
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	struct epoll_event event = { 0, { 0 } };
	static char info[256];

	(void)mft;
	print("ready\\n");
	if (wait_ready(boot, &event) != 1 || event.data.u64 >> 32 != SPT_EPOLL_INQUIRY >> 32)
		return 1;
	if (boot->cmdline[0] == 'r') {
		if (call(SYS_read, (int)event.data.u64, (long)info, sizeof info, 0, 0, 0) != 128)
			return 2;
		print("again\\n");
		if (wait_ready(boot, &event) != 1 || event.data.u64 >> 32 != SPT_EPOLL_INQUIRY >> 32)
			return 3;
	}
	/* It is told once of each. */
	return (int)call(SYS_epoll_pwait, boot->epollfd, (long)&event, 1, 0, 0, 0);
}
"""


def test_guest_is_told_of_each_inquiry_once(guests):
    with running(guests.build(INQUIRY), "r") as process:
        process.send_signal(signal.SIGUSR1)
        assert process.stdout.readline() == b"again\n"
        process.send_signal(signal.SIGUSR1)
        assert process.wait(SECONDS) == 0


def test_guest_that_does_not_know_inquiries_is_woken_once(guests):
    with running(guests.build(INQUIRY), "ignore") as process:
        process.send_signal(signal.SIGUSR1)
        assert process.wait(SECONDS) == 0


# Devices ---------------------------------------------------------------------------------------------------------------

WAITS = """
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	struct epoll_event event;

	(void)mft;
	print("ready\\n");
	return (int)wait_ready(boot, &event);
}
"""

# Each frame comes back with its first and last byte exchanged; an empty one ends the guest.
ECHO = """
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	static char frame[65536];
	int fd = mft->e[1].b.hostfd;

	print("ready\\n");
	for (;;) {
		struct epoll_event event;
		long len;

		if (wait_ready(boot, &event) != 1 || event.data.u64 != 1)
			return 1;
		while ((len = call(SYS_read, fd, (long)frame, sizeof frame, 0, 0, 0)) > 1) {
			char first = frame[0];
			frame[0] = frame[len - 1];
			frame[len - 1] = first;
			if (call(SYS_write, fd, (long)frame, len, 0, 0, 0) != len)
				return 2;
		}
		if (len != -11)
			return len == 1 ? 0 : 3;
	}
}
"""
NET = [("service", "NET_BASIC")]


def test_network_on_a_descriptor_carries_frames(guests):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs, running(guests.build(ECHO, NET), options=[f"--net:service=@{theirs.fileno()}"],
                               pass_fds=[theirs.fileno()]) as process:
        ours.settimeout(SECONDS)
        for frame in (b"ab", b"A frame" * 200, os.urandom(1514)):
            ours.send(frame)
            assert ours.recv(65536) == frame[-1:] + frame[1:-1] + frame[:1]
        for _ in range(100):
            ours.send(b"12")
        assert {ours.recv(100) for _ in range(100)} == {b"21"}
        ours.send(b"1")
        assert process.wait(SECONDS) == 0


BLOCK = """
static char sector[1 << 15] __attribute__((aligned(512)));

static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	const struct manifest_entry *disk = &mft->e[1];
	uint64_t size = disk->u.block.block_size, last = disk->u.block.capacity - size;
	int fd = disk->b.hostfd;

	(void)boot;
	print_number("capacity", disk->u.block.capacity);
	print_number("block_size", size);
	if (call(SYS_pread64, fd, (long)sector, (long)size, 0, 0, 0) != (long)size)
		return 1;
	for (uint64_t i = 0; i < size; i++)
		sector[i] ^= 0x55;
	if (call(SYS_pwrite64, fd, (long)sector, (long)size, (long)last, 0, 0) != (long)size)
		return 2;
	return 0;
}
"""
DISK = [("storage", "BLOCK_BASIC")]


@pytest.mark.parametrize("sector", [512, 4096, 32768])
def test_block_is_read_and_written(guests, tmp_path, sector):
    disk = tmp_path / "disk"
    content = os.urandom(8 * sector)
    disk.write_bytes(content)
    done = run(guests.build(BLOCK, DISK), options=[f"--block:storage={disk}", f"--block-sector-size:storage={sector}"])
    assert done.returncode == 0
    assert done.stdout.decode() == f"capacity={8 * sector:x}\nblock_size={sector:x}\n"
    assert disk.read_bytes() == content[:-sector] + bytes(b ^ 0x55 for b in content[:sector])


def test_disk_belongs_to_one_tender(guests, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(512))
    image = guests.build(WAITS, DISK)
    with running(image, options=[f"--block:storage={disk}"]):
        expect_error(run(image, options=[f"--block:storage={disk}"]),
                     f'device "storage": {disk}: locked; expected a file that no other tender has open')


def test_guest_has_no_descriptor_that_it_does_not_need(guests, tmp_path):
    (tmp_path / "disk").write_bytes(bytes(512))
    extra = os.open(tmp_path / "disk", os.O_RDONLY)
    try:
        with running(guests.build(WAITS, DISK), options=[f"--block:storage={tmp_path / 'disk'}"],
                     pass_fds=[extra]) as process:
            held = {int(path.name): os.readlink(path) for path in pathlib.Path(f"/proc/{process.pid}/fd").iterdir()}
    finally:
        os.close(extra)
    kinds = sorted(re.sub(r"\d+", "", kind) for fd, kind in held.items() if fd > 2)
    assert 0 not in held and extra not in held
    assert kinds == sorted(["anon_inode:[eventpoll]", "anon_inode:[timerfd]", "anon_inode:[signalfd]",
                           re.sub(r"\d+", "", str(tmp_path / "disk"))])


def test_standard_streams_that_are_closed_are_not_given_to_devices(guests, tmp_path):
    """With descriptors 0 to 2 closed, the disk must not become the console."""
    (tmp_path / "disk").write_bytes(bytes(4096))
    script = 'exec "$0" --block:storage="$1" -- "$2" <&- >&- 2>&-'
    done = subprocess.run(["sh", "-c", script, TENDER, tmp_path / "disk", guests.build(BLOCK, DISK)], timeout=SECONDS)
    assert done.returncode == 0
    assert (tmp_path / "disk").read_bytes() == bytes(4096 - 512) + b"\x55" * 512


# What a guest may not do -------------------------------------------------------------------------------------------------

FORBIDDEN = {
    "write to descriptor 2": "SYS_write, 2, (long)text, 1, 0, 0, 0",
    "write to the disk's descriptor": "SYS_write, disk, (long)text, 1, 0, 0, 0",
    "write to 1 with high bits set": "SYS_write, 0x100000001, (long)text, 1, 0, 0, 0",
    "read from descriptor 0": "SYS_read, 0, (long)text, 1, 0, 0, 0",
    "read from descriptor 1": "SYS_read, 1, (long)text, 1, 0, 0, 0",
    "read from the timer": "SYS_read, boot->timerfd, (long)text, 8, 0, 0, 0",
    "mmap": "SYS_mmap, 0, 4096, 7, 0x22, -1, 0",
    "mprotect": "SYS_mprotect, 0x100000, 4096, 7, 0, 0, 0",
    "munmap": "SYS_munmap, 0x100000, 4096, 0, 0, 0, 0",
    "open": 'SYS_open, (long)"/etc/passwd", 0, 0, 0, 0, 0',
    "openat": 'SYS_openat, -100, (long)"/etc/passwd", 0, 0, 0, 0',
    "socket": "SYS_socket, 2, 1, 0, 0, 0, 0",
    "fork": "SYS_fork, 0, 0, 0, 0, 0, 0",
    "kill": "SYS_kill, 1, 0, 0, 0, 0, 0",
    "execve": 'SYS_execve, (long)"/bin/true", 0, 0, 0, 0, 0',
    "exit of one thread": "SYS_exit, 0, 0, 0, 0, 0, 0",
    "getpid": "SYS_getpid, 0, 0, 0, 0, 0, 0",
    "prctl": "SYS_prctl, 38, 0, 0, 0, 0, 0",
    "rt_sigreturn": "SYS_rt_sigreturn, 0, 0, 0, 0, 0, 0",
    "close": "SYS_close, 1, 0, 0, 0, 0, 0",
    "dup2": "SYS_dup2, disk, 1, 0, 0, 0, 0",
    "another clock": "SYS_clock_gettime, CLOCK_PROCESS_CPUTIME_ID, (long)text, 0, 0, 0, 0",
    "epoll on another descriptor": "SYS_epoll_pwait, boot->timerfd, (long)text, 1, 0, 0, 0",
    "timer on another descriptor": "SYS_timerfd_settime, boot->epollfd, 0, (long)text, 0, 0, 0",
    "epoll_ctl": "SYS_epoll_ctl, boot->epollfd, 2, boot->timerfd, 0, 0, 0",
    "arch_prctl to set GS": "SYS_arch_prctl, 0x1001, 0, 0, 0, 0, 0",
    "pread of half a sector": "SYS_pread64, disk, (long)text, 256, 0, 0, 0",
    "pread of two sectors": "SYS_pread64, disk, (long)text, 1024, 0, 0, 0",
    "pread beyond the end": "SYS_pread64, disk, (long)text, 512, 4096, 0, 0",
    "pread across the end": "SYS_pread64, disk, (long)text, 512, 3585, 0, 0",
    "pread before the start": "SYS_pread64, disk, (long)text, 512, -512, 0, 0",
    "pwrite of half a sector": "SYS_pwrite64, disk, (long)text, 256, 0, 0, 0",
    "pwrite beyond the end": "SYS_pwrite64, disk, (long)text, 512, 4096, 0, 0",
    "pwrite to the console": "SYS_pwrite64, 1, (long)text, 512, 0, 0, 0",
    "pwrite to the network": "SYS_pwrite64, net, (long)text, 512, 0, 0, 0",
    "pread on the network": "SYS_pread64, net, (long)text, 512, 0, 0, 0",
    "a call of the x32 interface": "0x40000000 | SYS_write, 1, (long)text, 1, 0, 0, 0",
    "an unknown call": "100000, 0, 0, 0, 0, 0, 0",
}
BOTH = [("storage", "BLOCK_BASIC"), ("service", "NET_BASIC")]
FORBIDDEN_GUEST = """
static char text[1024];
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	int disk = mft->e[1].b.hostfd, net = mft->e[2].b.hostfd;

	(void)net;
	print("before\\n");
	switch (number(boot->cmdline)) {
%s
	}
	print("after\\n");
	return 0;
}
""" % "\n".join(f"\tcase {i}: call({arguments}); break;" for i, arguments in enumerate(FORBIDDEN.values()))


@pytest.mark.parametrize("name", FORBIDDEN)
def test_any_other_system_call_kills(guests, tmp_path, name):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(4096))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        done = run(guests.build(FORBIDDEN_GUEST, BOTH), str(list(FORBIDDEN).index(name)), pass_fds=[theirs.fileno()],
                   options=[f"--block:storage={disk}", f"--net:service=@{theirs.fileno()}"])
    assert (done.returncode, done.stdout) == (-signal.SIGSYS, b"before\n")
    assert disk.read_bytes() == bytes(4096)


def test_allowed_system_calls_do_not_kill(guests, tmp_path):
    """The same guest, each call at the edge of what is allowed."""
    image = guests.build("""
static char text[512];
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	int disk = mft->e[1].b.hostfd, net = mft->e[2].b.hostfd;
	struct itimerspec never = { { 0, 0 }, { 0, 0 } };
	struct timespec now;
	struct epoll_event event;

	if (call(SYS_pread64, disk, (long)text, 512, 3584, 0, 0) != 512 ||
		call(SYS_pwrite64, disk, (long)text, 512, 3584, 0, 0) != 512)
		return 1;
	if (call(SYS_read, net, (long)text, 512, 0, 0, 0) != -11 || call(SYS_write, net, (long)text, 512, 0, 0, 0) != 512)
		return 2;
	if (call(SYS_clock_gettime, CLOCK_MONOTONIC, (long)&now, 0, 0, 0, 0) != 0 ||
		call(SYS_clock_gettime, CLOCK_REALTIME, (long)&now, 0, 0, 0, 0) != 0)
		return 3;
	if (call(SYS_timerfd_settime, boot->timerfd, 1, (long)&never, 0, 0, 0) != 0 ||
		call(SYS_epoll_pwait, boot->epollfd, (long)&event, 1, 0, 0, 0) != 0)
		return 4;
	return call(SYS_arch_prctl, 0x1002, (long)text, 0, 0, 0, 0) != 0 ? 5 : 0;
}""", BOTH)
    (tmp_path / "disk").write_bytes(bytes(4096))
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        assert run(image, pass_fds=[theirs.fileno()],
                   options=[f"--block:storage={tmp_path / 'disk'}", f"--net:service=@{theirs.fileno()}"]).returncode == 0


FAULTS = {
    "reading page 0": "return *(volatile int *)(long)zero;",
    "reading just below the memory": "return *(volatile char *)(0xffff + zero);",
    "reading the page below the boot structure": "return *(volatile char *)(0x10000 + zero);",
    "reading between boot pages and image": "return *(volatile char *)(0xff000 + zero);",
    "writing to the boot structure": "*(volatile long *)(0x11000 + zero) = 1;",
    "writing to code": "*(volatile char *)(0x100000 + zero) = 1;",
    "writing to constants": "*(volatile char *)(long)&constant = 1;",
    "executing data": "data[0] = (char)0xc3; ((void (*)(void))(long)data)();",
    "executing constants": "((void (*)(void))(long)&constant)();",
    "executing the stack": "volatile char code[16]; code[0] = (char)0xc3; ((void (*)(void))(long)code)();",
    "executing the heap": "*(volatile char *)boot->kernel_end = (char)0xc3; ((void (*)(void))boot->kernel_end)();",
    "reading the end of memory": "return *(volatile char *)(boot->mem_size + zero);",
}
FAULTS_GUEST = """
static volatile char data[16] = { 1 };
static const char constant = (char)0xc3;
static volatile unsigned long zero;
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	(void)mft;
	(void)data;
	(void)constant;
	print("before\\n");
	switch (number(boot->cmdline)) {
%s
	}
	print("after\\n");
	return 0;
}
""" % "\n".join(f"\tcase {i}: {{ {code} }} break;" for i, code in enumerate(FAULTS.values()))


@pytest.mark.parametrize("name", FAULTS)
def test_memory_is_protected_page_by_page(guests, name):
    done = run(guests.build(FAULTS_GUEST), str(list(FAULTS).index(name)), options=["--mem=8"])
    assert (done.returncode, done.stdout) == (-signal.SIGSEGV, b"before\n")


def test_heap_and_stack_are_zero_and_writable_to_the_ends(guests):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	volatile char here;

	(void)mft;
	for (uint64_t at = boot->kernel_end; at < (uint64_t)&here - 4096; at += 512) {
		if (*(volatile uint64_t *)at != 0)
			return 1;
		*(volatile uint64_t *)at = at;
	}
	*(volatile uint64_t *)(boot->mem_size - 8) = 1;
	return 0;
}""")
    assert run(image, options=["--mem=8"]).returncode == 0


# Ends ----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_the_tender_with_a_line(guests, number):
    with running(guests.build(WAITS)) as process:
        process.send_signal(number)
        output, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, output.decode()) == (1, f"skerry-spt: Exiting on signal {int(number)}\n")


def test_signal_ends_a_guest_that_has_broken_its_stack_and_thread_pointer(guests):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	(void)boot, (void)mft;
	call(SYS_arch_prctl, 0x1002, 8, 0, 0, 0, 0);
	print("ready\\n");
	__asm__ volatile("xorl %esp, %esp\\n1: jmp 1b");
	return 0;
}""")
    with running(image) as process:
        process.terminate()
        output, _ = process.communicate(timeout=SECONDS)
    assert (process.returncode, output) == (1, b"skerry-spt: Exiting on signal 15\n")


def test_console_whose_reader_is_gone_does_not_end_the_guest(guests):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	(void)boot, (void)mft;
	return call(SYS_write, 1, (long)"x", 1, 0, 0, 0) == -32 ? 7 : 1;
}""")
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        assert subprocess.run([TENDER, image], stdout=output, timeout=SECONDS).returncode == 7


# User networks ----------------------------------------------------------------------------------------------------------------


def children(pid):
    return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def ended(pid):
    """Whether a process has ended; whose child it became may not have noticed yet."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_helper_of_a_user_network_ends_with_the_tender(guests, number):
    with running(guests.build(WAITS, NET), options=["--net:service=user"]) as process:
        helper, = children(process.pid)
        process.send_signal(number)
        process.wait(SECONDS)
        wait_until(lambda: ended(helper), "the helper outlives the tender")


# Stays when its network is gone, so that nobody but the tender can have waited for the helper.
STAYS = """
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	static char frame[65536];
	struct epoll_event event;

	print("ready\\n");
	while (wait_ready(boot, &event) != 1 || call(SYS_read, mft->e[1].b.hostfd, (long)frame, sizeof frame, 0, 0, 0) == -11)
		;
	print("no network\\n");
	while (wait_ready(boot, &event) >= 0)
		;
	return 1;
}
"""


def test_helper_that_ends_is_no_zombie_and_the_guest_sees_it(guests):
    with running(guests.build(STAYS, NET), options=["--net:service=user"]) as process:
        helper, = children(process.pid)
        os.kill(helper, signal.SIGKILL)
        assert process.stdout.readline() == b"no network\n"
        wait_until(lambda: not pathlib.Path(f"/proc/{helper}").exists(), "the helper stays a zombie")
        assert process.poll() is None


def test_helper_is_confined(guests):
    with running(guests.build(WAITS, NET), options=["--net:service=user"]) as process:
        for pid in (process.pid, *children(process.pid)):
            status = pathlib.Path(f"/proc/{pid}/status").read_text()
            assert re.search(r"^Seccomp:\t2$", status, re.M) and re.search(r"^NoNewPrivs:\t1$", status, re.M), status


# Answers the first question for its hardware address, says so, and says when the next frame comes.
ANSWERS_ARP = """
static char frame[65536];

static void next_frame(const struct spt_boot_info *boot, int fd)
{
	struct epoll_event event;

	while (call(SYS_read, fd, (long)frame, sizeof frame, 0, 0, 0) <= 0)
		wait_ready(boot, &event);
}

static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	const struct manifest_entry *net = &mft->e[1];

	print("ready\\n");
	do
		next_frame(boot, net->b.hostfd);
	while (frame[12] != 8 || frame[13] != 6);
	for (int i = 0; i < 10; i++) { /* who asked is who is told; whom was asked for is who tells */
		char asked = frame[22 + i], told = frame[32 + i];
		frame[22 + i] = told;
		frame[32 + i] = asked;
	}
	for (int i = 0; i < 6; i++)
		frame[i] = frame[32 + i];
	for (int i = 0; i < 6; i++)
		frame[6 + i] = frame[22 + i] = (char)net->u.net.mac[i];
	frame[21] = 2;
	call(SYS_write, net->b.hostfd, (long)frame, 42, 0, 0, 0);
	print("told\\n");
	next_frame(boot, net->b.hostfd);
	print(frame[12] == 8 && frame[13] == 0 ? "connection\\n" : "another frame\\n");
	wait_ready(boot, &(struct epoll_event){ 0 });
	return 0;
}
"""


def test_connection_that_waits_for_the_guests_hardware_address_is_there_once_that_is_known(guests):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(guests.build(ANSWERS_ARP, NET), options=[f"--net:service=user,{port}:80"]) as process, \
            socket.create_connection(("127.0.0.1", port), timeout=SECONDS):
        assert process.stdout.readline() == b"told\n"
        told = time.monotonic()
        assert process.stdout.readline() == b"connection\n"
        assert time.monotonic() - told < 0.2, "it waited for a timer"


def test_forward_listens_before_the_guest_starts_and_not_twice(guests):
    image = guests.build(WAITS, NET)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running(image, options=[f"--net:service=user,{port}:80"]):
        expect_error(run(image, options=[f"--net:service=user,{port}:80"]),
                     f'device "service": tcp:127.0.0.1:{port}: Address already in use; '
                     "expected a free port that this user may open")
        socket.create_connection(("127.0.0.1", port), timeout=SECONDS).close()


# Taps, in a network namespace of the test's own ---------------------------------------------------------------------------------


@pytest.fixture
def namespace():
    if os.geteuid() != 0:
        pytest.skip("a network namespace takes root")
    name = f"skerry-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "delete", name], check=True)


def test_tap_carries_frames(guests, namespace):
    """The kernel's own first frames on the interface come back from the guest and are counted."""
    image = guests.build(ECHO, NET)

    def ip(*words):
        return subprocess.run([*namespace, "ip", *words], check=True, capture_output=True, text=True).stdout

    ip("tuntap", "add", "tap0", "mode", "tap")
    done = subprocess.run([*namespace, TENDER, "--net:service=tap0", image], capture_output=True, timeout=SECONDS)
    expect_error(done, 'device "service": tap tap0: is down; expected it up: `ip link set tap0 up`')
    ip("addr", "add", "10.0.0.1/24", "dev", "tap0")
    ip("link", "set", "tap0", "mtu", "1400", "up")
    with running(image, options=["--net:service=tap0"], prefix=namespace):
        subprocess.run([*namespace, "ping", "-c1", "-W1", "10.0.0.2"], capture_output=True)  # an ARP request at least
        wait_until(lambda: json.loads(ip("-j", "-s", "link", "show", "tap0"))[0]["stats64"]["rx"]["packets"] > 0,
                   "no frame came back from the guest")
        busy = subprocess.run([*namespace, TENDER, "--net:service=tap0", image], capture_output=True, timeout=SECONDS)
        expect_error(busy, 'device "service": tap tap0: in use; expected one that nothing else has open')


def test_tap_gives_the_guest_its_mtu(guests, namespace):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	(void)boot;
	print_number("mtu", mft->e[1].u.net.mtu);
	return (mft->e[1].u.net.mac[0] & 3) != 2;
}""", NET)
    for words in (["tuntap", "add", "tap0", "mode", "tap"], ["link", "set", "tap0", "mtu", "1400", "up"]):
        subprocess.run([*namespace, "ip", *words], check=True)
    done = subprocess.run([*namespace, TENDER, "--net:service=tap0", image], capture_output=True, timeout=SECONDS)
    assert (done.returncode, done.stdout) == (0, b"mtu=578\n")


def test_interface_that_is_no_tap_is_named(guests, namespace):
    subprocess.run([*namespace, "ip", "link", "set", "lo", "up"], check=True)
    done = subprocess.run([*namespace, TENDER, "--net:service=lo", guests.build(ECHO, NET)], capture_output=True,
                          timeout=SECONDS)
    expect_error(done, 'device "service": interface lo: not a tap; expected one made with `ip tuntap add lo mode tap`')


def as_nobody_with_tun(namespace, tmp_path, mode, image):
    """The tender as an unprivileged user on root's tap0, where /dev/net/tun has this mode."""
    for words in (["tuntap", "add", "tap0", "mode", "tap", "user", "root"], ["link", "set", "tap0", "up"]):
        subprocess.run([*namespace, "ip", *words], check=True)
    # ip netns exec gives the shell a mount namespace of its own.
    script = f'mknod -m {mode} {tmp_path}/tun c 10 200 && mount --bind {tmp_path}/tun /dev/net/tun && exec "$@"'
    with open(image, "rb") as file:  # the directories above it belong to root
        return subprocess.run([*namespace, "sh", "-c", script, "sh", "setpriv", "--reuid=65534", "--regid=65534",
                               "--clear-groups", TENDER, "--net:service=tap0", f"/dev/fd/{file.fileno()}"],
                              pass_fds=[file.fileno()], capture_output=True, timeout=SECONDS)


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming an unprivileged user takes root")
def test_tap_of_another_user_is_named(guests, namespace, tmp_path):
    done = as_nobody_with_tun(namespace, tmp_path, "666", guests.build(ECHO, NET))
    expect_error(done, 'device "service": tap tap0: not permitted; expected an interface that belongs to this user')


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming an unprivileged user takes root")
def test_tun_that_this_user_may_not_open_is_named(guests, namespace, tmp_path):
    done = as_nobody_with_tun(namespace, tmp_path, "600", guests.build(ECHO, NET))
    expect_error(done, 'device "service": /dev/net/tun: not permitted; expected that this user may open it: '
                       "`chmod 666 /dev/net/tun`, or --net:service=user")


# Errors of the command line, the image and the devices ---------------------------------------------------------------------------


def test_help_and_version():
    done = subprocess.run([TENDER, "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--net:NAME=IFACE" in done.stdout and done.stderr == ""
    done = subprocess.run([TENDER, "--version"], capture_output=True, text=True)
    assert done.returncode == 0 and re.fullmatch(r"skerry-spt \d+\.\d+\.\d+\nABI version 2\n", done.stdout)


def test_wrong_command_lines_are_named(guests):
    image = guests.build(HELLO)
    known = "expected --mem, --net, --net-mac, --block, --block-sector-size, --help or --version"
    for options, line in {
        ("--quiet",): f'unknown option "--quiet"; {known}',
        ("--mem=none",): '--mem: "none"; expected 2 to 1048576 (MB)',
        ("--mem=1",): '--mem: "1"; expected 2 to 1048576 (MB)',
        ("--net:a=@x",): f'{image}: device "a": not declared; expected only devices of the manifest',
    }.items():
        expect_error(run(image, options=options), line)
    expect_error(subprocess.run([TENDER], capture_output=True),
                 "no image; expected [OPTION]... [--] IMAGE [ARG]... (see --help)")


def test_command_line_of_the_guest_has_a_limit(guests):
    image = guests.build("""
static int guest(const struct spt_boot_info *boot, const struct manifest *mft)
{
	unsigned long len = 0;

	(void)mft;
	while (boot->cmdline[len])
		len++;
	print_number("len", len);
	return 0;
}""")
    assert run(image, "a" * 4000, "b" * 4190).stdout == b"len=1fff\n"
    expect_error(run(image, "a" * 4000, "b" * 4191), "arguments of the image: too long; expected at most 8191 characters")


def test_wrong_devices_are_named(guests, tmp_path):
    net, disk = guests.build(ECHO, NET), guests.build(BLOCK, DISK)
    odd, empty, fifo = (tmp_path / name for name in ("odd", "empty", "fifo"))
    odd.write_bytes(bytes(1000))
    empty.write_bytes(b"")
    os.mkfifo(fifo)
    for image, options, line in (
        (net, [], f'{net}: device "service": not attached; expected a --net:service=...'),
        (net, ["--block:service=x"], f'{net}: device "service": attached as BLOCK_BASIC; expected NET_BASIC'),
        (net, ["--net:service=a", "--net:service=b"], 'device "service": attached twice; expected once'),
        (net, ["--net:service=a", "--net:other=b"],
         f'{net}: device "other": not declared; expected only devices of the manifest'),
        (net, ["--net:service=@99"], 'device "service": descriptor 99: not open; expected an inherited one'),
        (net, ["--net:service=@1"], 'device "service": descriptor 1: a standard stream; expected one above 2'),
        (net, ["--net:service=@x"], 'device "service": "@x"; expected @ and a descriptor\'s number'),
        (net, ["--net:service=nosuchtap"],
         'device "service": no interface nosuchtap; expected a tap made with `ip tuntap add nosuchtap mode tap`'),
        (net, ["--net:service=user,80"],
         'device "service": forward "80"; expected [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT'),
        (disk, [f"--block:storage={tmp_path}/missing"],
         f'device "storage": {tmp_path}/missing: No such file or directory; expected a file that can be read and written'),
        (disk, [f"--block:storage={odd}"],
         f'device "storage": {odd}: 1000 bytes; expected a multiple of the sector size, 512'),
        (disk, [f"--block:storage={empty}"],
         f'device "storage": {empty}: 0 bytes; expected a multiple of the sector size, 512'),
        (disk, [f"--block:storage={fifo}"],
         f'device "storage": {fifo}: neither a regular file nor a block device'),
        (disk, [f"--block:storage={tmp_path}"],
         f'device "storage": {tmp_path}: Is a directory; expected a file that can be read and written'),
    ):
        expect_error(run(image, options=options), line)


def test_disk_that_cannot_be_written_is_named(guests, tmp_path):
    disk = tmp_path / "disk"
    disk.write_bytes(bytes(512))
    disk.chmod(0o444)
    image = guests.build(BLOCK, DISK)
    if os.geteuid() == 0:  # root may write anyway: open it as another user, through descriptors
        with open(disk, "rb") as opened, open(image, "rb") as program:
            done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TENDER,
                                   f"--block:storage=/proc/self/fd/{opened.fileno()}", f"/proc/self/fd/{program.fileno()}"],
                                  pass_fds=[opened.fileno(), program.fileno()], capture_output=True, timeout=SECONDS)
            name = f"/proc/self/fd/{opened.fileno()}"
    else:
        done, name = run(image, options=[f"--block:storage={disk}"]), disk
    expect_error(done, f'device "storage": {name}: Permission denied; expected a file that can be read and written')


def patch(image, path, offset, data):
    content = bytearray(image.read_bytes())
    content[offset:offset + len(data)] = data
    path.write_bytes(content)
    return path


def test_wrong_images_are_named(guests, tmp_path):
    image = guests.build(HELLO)
    bad = tmp_path / "bad.spt"
    content = image.read_bytes()
    (phoff,) = struct.unpack_from("<Q", content, 32)
    kinds = [struct.unpack_from("<I", content, phoff + 56 * i)[0] for i in range(5)]
    first_load = kinds.index(1)
    abi = content.index(b"Solo5\0\0\0" + struct.pack("<II", 2, 2)) + 8

    expect_error(run(tmp_path / "missing"), f"{tmp_path / 'missing'}: No such file or directory")
    bad.write_bytes(content[:100])
    assert run(bad).returncode == 1 and b"truncated" in run(bad).stderr
    for offset, data, line in (
        (0, b"#!/bin/sh", "no ELF magic number; expected an ELF image"),
        (18, struct.pack("<H", 183), "machine 183; expected x86-64 (62)"),
        (16, struct.pack("<H", 3), "ELF type 3; expected a static executable at fixed addresses (2)"),
        (phoff + 56 * first_load + 4, struct.pack("<I", 7),
         f"program header {first_load}: writable and executable; expected one or the other"),
        (abi, struct.pack("<I", 1), "built for hvt version 2; expected spt version 2"),
        (24, struct.pack("<Q", 0x10), "entry 0x10; expected it in an executable segment"),
    ):
        expect_error(run(patch(image, bad, offset, data)), f"{bad}: {line}")


def test_image_larger_than_memory_is_named(guests):
    image = guests.build("static volatile char big[16 << 20];" + HELLO.replace(
        "(void)mft;", "(void)mft; big[number(boot->cmdline)] = 1;"))
    done = run(image, options=["--mem=16"])
    assert done.returncode == 1
    assert re.fullmatch(rf"skerry-spt: {image}: program header \d: 0x[0-9a-f]+ bytes at 0x[0-9a-f]+; "
                        "expected them below the end of memory, 0x1000000\n", done.stderr.decode())
    assert run(image, options=["--mem=32"]).stdout == b"hello\n"


# skerry elf ------------------------------------------------------------------------------------------------------------------------


def elf(*arguments, **more):
    return subprocess.run([SKERRY, "elf", *arguments], capture_output=True, text=True, timeout=SECONDS, **more)


def test_queries_print_what_was_declared(guests):
    done = elf("query-manifest", guests.build(FORBIDDEN_GUEST, BOTH))
    assert done.returncode == 0 and json.loads(done.stdout) == {
        "type": "solo5.manifest", "version": 1,
        "devices": [{"name": "storage", "type": "BLOCK_BASIC"}, {"name": "service", "type": "NET_BASIC"}]}
    done = elf("query-abi", guests.build(HELLO))
    assert (done.returncode, done.stdout) == (0, '{"type":"solo5.abi","target":"spt","version":2}\n')


def test_queries_name_what_is_wrong(tmp_path):
    done = elf("query-manifest", tmp_path / "missing")
    assert (done.returncode, done.stderr) == (
        1, f"skerry elf: query-manifest: {tmp_path / 'missing'}: No such file or directory\n")
    done = elf("query-abi", SKERRY)
    assert done.returncode == 1 and done.stderr.startswith(f"skerry elf: query-abi: {SKERRY}: ELF type 3; expected")
    assert elf("query-abi").stderr == "skerry elf: query-abi: 0 arguments; expected IMAGE\n"
    assert elf("frobnicate").stderr == (
        'skerry elf: unknown action "frobnicate"; expected one of: gen-manifest query-manifest query-abi sbom gen-sbom multiboot\n')


def test_generated_source_reads_and_writes_the_standard_streams(tmp_path):
    text = '{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"NET_BASIC"}]}'
    done = elf("gen-manifest", input=text)
    (tmp_path / "m.json").write_text(text)
    assert done.returncode == 0 and done.stdout == elf("gen-manifest", tmp_path / "m.json", "-").stdout
    (tmp_path / "m.c").write_text(done.stdout)
    subprocess.run(["gcc", "-std=c17", "-ffreestanding", "-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror",
                    "-c", "-o", tmp_path / "m.o", tmp_path / "m.c"], check=True)
    dump = subprocess.run(["objcopy", "-O", "binary", "--only-section=.note.solo5.manifest", tmp_path / "m.o", "/dev/stdout"],
                          check=True, capture_output=True).stdout
    # The layout of the note, spelt out: header, name, padding to 8, manifest header, two entries of 104 bytes.
    assert len(dump) == 20 + 4 + 8 + 2 * 104
    assert dump[:32] == struct.pack("<III8sIII", 6, 4 + 8 + 2 * 104, 0x3154464d, b"Solo5", 0, 1, 2)
    assert dump[32:136] == struct.pack("<68sI32s", b"", 1 << 30, b"")
    assert dump[136:] == struct.pack("<68sI32s", b"a", 2, b"")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a device")
def test_source_that_cannot_be_written_leaves_no_file_and_takes_no_device_away(tmp_path):
    (tmp_path / "m.json").write_text('{"type":"solo5.manifest","version":1,"devices":[]}')
    full = tmp_path / "full"
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    done = elf("gen-manifest", tmp_path / "m.json", full)
    assert (done.returncode, done.stderr) == (1, f"skerry elf: gen-manifest: {full}: No space left on device\n")
    assert full.is_char_device()


@pytest.mark.parametrize("text, line", [
    ("", "-:1:0: '[' or '{' expected near end of file"),
    ("[]", "-: not an object; expected {...}"),
    ('{"type":"solo5.manifest","version":1}', '-: no "devices"; expected one'),
    ('{"type":"solo5.manifest","version":1,"devices":[],"x":1}', '-: unknown member "x"'),
    ('{"type":"manifest","version":1,"devices":[]}', '-: type "manifest"; expected "solo5.manifest"'),
    ('{"type":"solo5.manifest","version":2,"devices":[]}', "-: version 2; expected 1"),
    ('{"type":"solo5.manifest","version":1,"devices":{}}', "-: devices: not an array; expected [...]"),
    ('{"type":"solo5.manifest","version":1,"devices":[1]}', "-: devices[0]: not an object; expected {...}"),
    ('{"type":"solo5.manifest","version":1,"devices":[{"name":"a b","type":"NET_BASIC"}]}',
     '-: devices[0]: name "a b"; expected 1 to 67 of [A-Za-z0-9]'),
    ('{"type":"solo5.manifest","version":1,"devices":[{"name":"%s","type":"NET_BASIC"}]}' % ("a" * 68),
     f'-: devices[0]: name "{"a" * 68}"; expected 1 to 67 of [A-Za-z0-9]'),
    ('{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"NET"}]}',
     '-: devices[0]: type "NET"; expected "NET_BASIC" or "BLOCK_BASIC"'),
    ('{"type":"solo5.manifest","version":1,"devices":[{"name":"a","type":"NET_BASIC"},{"name":"a","type":"NET_BASIC"}]}',
     '-: devices[1]: name "a" is there twice; expected one device of it'),
    ('{"type":"solo5.manifest","version":1,"devices":[%s]}' % ",".join(
        f'{{"name":"n{i}","type":"NET_BASIC"}}' for i in range(64)), "-: 64 devices; expected at most 63"),
])
def test_wrong_manifests_are_named(text, line):
    done = elf("gen-manifest", input=text)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"skerry elf: gen-manifest: {line}\n")
