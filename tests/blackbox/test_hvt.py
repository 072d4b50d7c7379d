# SPDX-License-Identifier: ISC
"""The hvt tender and hostile guests: whatever a guest does, the tender ends it with one clear line, or refuses.

Runs where KVM does: in the lab (tests/lab.py), with SKERRY_TARGET=hvt.
"""
import pathlib
import re
import socket
import subprocess
import tempfile
import time

import pytest
from scapy.utils import rdpcap

from netns import BUILD, DIST, TENDER

pytestmark = pytest.mark.hvt

SECTORS = 8
GOOD, INVALID = 0, 2


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(bytes(512 * SECTORS))
    return path


@pytest.fixture
def hostile(disk):
    def run(*words, options=(), frame=None):
        ours, guests = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, guests:
            if frame:
                ours.send(frame)
            return subprocess.run([TENDER, "--mem=16", *options, f"--net:service=@{guests.fileno()}", f"--block:storage={disk}",
                                   "--", BUILD / "guests/hypercall.hvt", *map(str, words)], pass_fds=[guests.fileno()],
                                  capture_output=True, text=True, timeout=60)
    return run


def assert_ended(done, line):
    assert (done.returncode, done.stdout) == (255, "before\n"), done
    assert re.fullmatch(rf"skerry-hvt: guest: {line} \(at 0x[0-9a-f]+, stack 0x[0-9a-f]+\)", done.stderr.split("\n")[0]), done.stderr


def callers(done):
    """The functions of the backtrace, the innermost first."""
    return re.findall(r"^skerry-hvt: #\d+ +0x[0-9a-f]+ (\w+)\+0x[0-9a-f]+$", done.stderr, re.M)


@pytest.mark.parametrize("address", ["0", "0xffff", "0xffffffff", "0x1000000", "0xfffff8"])
def test_an_argument_outside_memory_ends_the_guest(hostile, address):
    """0xfffff8: it begins in the memory of 16 MiB and does not end there."""
    assert_ended(hostile("out", "0x506", address), r"hypercall with 0x20 bytes at 0x[0-9a-f]+; expected them in its memory, .*")


@pytest.mark.parametrize("number, words", [
    (2, ["0xffff", "1"]), (2, ["@", "0xffffffffffffffff"]), (2, ["0xffffffffffffffff", "2"]), (2, ["@", "0x1000000"]),
    (4, ["2", "0", "0x0", "512"]), (5, ["2", "0", "0x1000000", "512"]), (6, ["1", "0xfffff0", "0x20"]),
    (7, ["1", "0xfffffffffffffff0", "0x20"]), (8, ["0x1000000", "0"]), (8, ["0xffff", "0"])])
def test_data_outside_memory_ends_the_guest(hostile, number, words):
    assert_ended(hostile("call", number, *words), "hypercall with .* expected them in its memory, .*")


@pytest.mark.parametrize("number, words", [(5, ["2", "0", "0x100000", "512"]), (7, ["1", "0x100000", "64"])])
def test_the_tender_does_not_write_to_the_guests_code_for_it(hostile, number, words):
    assert_ended(hostile("call", number, *words), "hypercall that writes to 0x100000, which is read-only")


@pytest.mark.parametrize("number, words", [(5, ["2", "0", "0x10000", "512"]), (7, ["1", "0x15000", "64"])])
def test_the_tender_does_not_write_to_its_own_pages_for_the_guest(hostile, number, words):
    assert_ended(hostile("call", number, *words), "hypercall that writes to 0x1[05]000, which is the tender's")


@pytest.mark.parametrize("number, words", [
    (4, ["1", "0", "@", "512"]), (4, ["0", "0", "@", "512"]), (4, ["3", "0", "@", "512"]), (4, ["2", "0", "@", "511"]),
    (4, ["2", "0", "@", "1024"]), (4, ["2", str(512 * SECTORS), "@", "512"]), (4, ["2", "0xfffffffffffffe00", "@", "512"]),
    (5, ["2", str(512 * SECTORS - 511), "@", "512"]), (5, ["64", "0", "@", "512"]), (6, ["2", "@", "64"]),
    (6, ["0xffffffffffffffff", "@", "64"]), (7, ["2", "@", "64"])])
def test_devices_and_ranges_that_do_not_exist_are_refused(hostile, disk, number, words):
    done = hostile("call", number, *words)
    assert done.returncode == 0 and re.fullmatch(rf"before\n{INVALID} \d+\nafter\n", done.stdout), done
    assert disk.read_bytes() == bytes(512 * SECTORS)


def test_a_sector_goes_through(hostile):
    done = hostile("call", 4, "2", "512", "@", "512")
    assert done.stdout == f"before\n{GOOD} 512\nafter\n", done


@pytest.mark.parametrize("words, line", [
    (["out", "0x500", "0"], "output of 4 bytes at port 0x500, which is no hypercall"),
    (["out", "0x509", "0"], "output of 4 bytes at port 0x509, which is no hypercall"),
    (["out", "0x3f8", "65"], "output of 4 bytes at port 0x3f8, which is no hypercall"),
    (["in", "0x501"], "input of 4 bytes at port 0x501, which is no hypercall"),
    (["halt"], "halted the processor, which no interrupt would wake"),
    (["triple"], "triple fault"),
    (["unmask"], "write of physical address 0x100000, which is read-only")])
def test_what_no_guest_does_ends_it(hostile, words, line):
    assert_ended(hostile(*words), line)


@pytest.mark.parametrize("what, name", [("int3", r"breakpoint \(3\)"), ("divide", r"division by zero \(0\)")])
def test_an_exception_is_named_with_its_place(hostile, what, name):
    done = hostile(what)
    assert done.returncode == 255
    assert re.fullmatch(rf"before\ntrap: {name} at 0x[0-9a-f]+, stack 0x[0-9a-f]+\n", done.stdout), done.stdout


@pytest.mark.parametrize("seed", range(4))
def test_random_hypercalls_crash_nothing_and_reach_nothing_outside(hostile, disk, seed):
    done = hostile("fuzz", seed, 20000)
    assert (done.returncode, done.stdout, done.stderr) == (0, "before\nafter\n", "")
    assert disk.stat().st_size == 512 * SECTORS


def test_without_kvm_the_fix_is_named():
    script = f"mount -t tmpfs dev /dev && mknod /dev/null c 1 3 && exec {TENDER} {DIST}/noop.hvt"
    done = subprocess.run(["unshare", "-m", "sh", "-c", script], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1, "skerry-hvt: /dev/kvm: No such file or directory; load the module kvm-intel or kvm-amd, or build for target "
           "spt\n")


def test_a_user_who_may_not_open_kvm_is_told_the_group(tmp_path):
    with open(DIST / "noop.hvt", "rb") as image:
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", TENDER,
                               f"/dev/fd/{image.fileno()}"], pass_fds=[image.fileno()], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1, "skerry-hvt: /dev/kvm: permission denied; add yourself to group kvm, or build for target spt\n")


@pytest.mark.parametrize("mem", [4, 5, 512, 4096])
def test_memory_of_any_size_up_to_4_gib(mem):
    assert subprocess.run([TENDER, f"--mem={mem}", DIST / "noop.hvt"], timeout=60).returncode == 0


def test_more_memory_is_refused():
    done = subprocess.run([TENDER, "--mem=4097", DIST / "noop.hvt"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, "skerry-hvt: --mem: 4098 MB; expected at most 4096\n")


# For whoever looks for a fault ---------------------------------------------------------------------------------------------

def gdb(image, core, *commands):
    """What gdb says of a core. The image's note for OpenBSD's tools would make it look for a system it does not know."""
    words = [word for command in commands for word in ("-ex", command)]
    return subprocess.run(["gdb", "-nx", "-batch", "-iex", "set osabi GNU/Linux", *words, image, core],
                          capture_output=True, text=True, timeout=120).stdout


@pytest.fixture
def cores():
    with tempfile.TemporaryDirectory(dir="/dev/shm") as directory:  # the lab's other file systems have no O_TMPFILE
        yield pathlib.Path(directory)


def test_gdb_opens_the_core_of_a_guest_that_has_caught_an_exception(hostile, cores):
    done = hostile("divide", options=[f"--core={cores}"])
    assert done.returncode == 255, done
    [core] = cores.iterdir()
    assert done.stderr.endswith(f"\nskerry-hvt: core dumped: {core.name}\n")
    text = gdb(BUILD / "guests/hypercall.hvt", core, "bt", "print what", "print one")
    assert re.search(r"^#0 .* in platform_main .*hypercall\.c:\d+$", text, re.M), text
    assert re.search(r"^#\d .* in _start .*boot\.c:\d+$", text, re.M) and '"divide"' in text and "= 1\n" in text, text


def test_gdb_opens_the_core_of_a_guest_that_the_tender_has_ended(hostile, cores):
    done = hostile("out", "0x506", "0", options=[f"--core={cores}"])
    assert done.returncode == 255 and done.stderr.endswith("core dumped: core.%s\n" % done.stderr.rsplit(".", 1)[1].strip())
    [core] = cores.iterdir()
    text = gdb(BUILD / "guests/hypercall.hvt", core, "bt")
    assert re.search(r"^#\d .*platform_main .*hypercall\.c:\d+$", text, re.M), text


def test_a_caught_exception_prints_its_registers_and_its_callers_by_name(hostile):
    done = hostile("divide")
    place, stack = re.search(r"at 0x([0-9a-f]+), stack 0x([0-9a-f]+)$", done.stdout, re.M).groups()
    registers = dict(re.findall(r"\b(r[a-z0-9]+|flags) +([0-9a-f]{16})", done.stderr))
    assert len(registers) == 18 and int(registers["rip"], 16) == int(place, 16) and int(registers["rsp"], 16) == int(stack, 16), done
    names = callers(done)
    assert names[0] == "platform_main" and "_start" in names, done.stderr


def test_a_guest_that_the_tender_ends_prints_its_callers_by_name(hostile):
    names = callers(hostile("out", "0x506", "0"))
    assert "platform_main" in names and names[-1] == "_start" and len(names) < 8, names


def test_an_image_without_symbols_prints_addresses_alone(tmp_path):
    image = tmp_path / "stripped.hvt"
    subprocess.run(["strip", "-o", image, BUILD / "guests/jump_null.hvt"], check=True)
    done = subprocess.run([TENDER, "--mem=16", "--", image], capture_output=True, text=True, timeout=60)
    assert done.returncode == 255 and re.search(r"^skerry-hvt: #0  0x0 \?$", done.stderr, re.M), done


def test_no_core_is_left_of_a_guest_that_ends_by_itself(hostile, cores):
    assert hostile("call", 4, "2", "512", "@", "512", options=[f"--core={cores}"]).returncode == 0
    assert list(cores.iterdir()) == []


def test_gdb_sets_a_breakpoint_prints_a_variable_steps_and_continues(disk):
    image = BUILD / "guests/sectors.hvt"
    guest = subprocess.Popen([TENDER, "--mem=16", "--gdb=1234", f"--block:disk={disk}", "--", image],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert guest.stderr.readline() == "skerry-hvt: waiting for gdb: target remote :1234\n"
        commands = ["target remote :1234", "break platform_main", "continue", "bt", "next", "info locals",
                    "delete", "continue"]
        words = [word for command in commands for word in ("-ex", command)]
        text = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set osabi GNU/Linux", *words, image], timeout=60,
                              capture_output=True, text=True).stdout
        assert re.search(r"Breakpoint 1, platform_main \(argc=.*sectors\.c:\d+$", text, re.M), text
        assert re.search(r"^#\d .*_start .*boot\.c", text, re.M) and "handle = " in text, text
        assert re.search(r"exited (normally|with code 0*%o)" % guest.wait(10), text), text
    finally:
        guest.kill()
        guest.communicate()


def test_strace_prints_each_hypercall_with_arguments_result_and_time(hostile):
    done = hostile("call", 4, "2", "512", "@", "512", options=["--strace"])
    number = "0x[0-9a-f]+"
    assert re.search(rf"^skerry-hvt: block_write\(0x2, 0x200, {number}, 0x200\) = 0 <0\.\d{{9}}>$", done.stderr, re.M), done
    assert re.search(r"^skerry-hvt: halt\(0x0, 0x0\) <", done.stderr, re.M), done


def test_frames_are_captured_for_tcpdump(hostile, tmp_path):
    frame = bytes(range(60))
    done = hostile("call", 7, "1", "@", "64", options=[f"--net-pcap:service={tmp_path}/frames"], frame=frame)
    assert done.stdout.startswith("before\n0 "), done
    [packet] = rdpcap(f"{tmp_path}/frames")
    assert bytes(packet) == frame and abs(float(packet.time) - time.time()) < 60
