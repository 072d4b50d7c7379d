# SPDX-License-Identifier: ISC
"""Target virtio: what its tender does with QEMU, and images on machines that the tender does not make.

Runs with SKERRY_TARGET=virtio, beside the tests of all targets.
"""
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import time

import pytest

from netns import BUILD, DIST, TENDER, wait_until

from scapy.utils import rdpcap

pytestmark = pytest.mark.virtio

QEMU = ["qemu-system-x86_64", "-cpu", "max", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-serial", "stdio"]
PCI = ["-machine", "q35,accel=tcg"]
MEMORY = ["-machine", "microvm,accel=tcg,acpi=off", "-global", "virtio-mmio.force-legacy=false"]


def machine(tmp_path, kernel, *options, kind=PCI, memory=16, **more):
    """Boots a guest, or a file, or by the options alone, without the tender: what it printed, and the status that it left."""
    status = tmp_path / "status"
    status.unlink(missing_ok=True)
    if isinstance(kernel, str):
        kernel = BUILD / f"guests/{kernel}.virtio"
    done = subprocess.run([*QEMU, *kind, "-m", str(memory), "-debugcon", f"file:{status}",
                           *(["-kernel", kernel] if kernel else []), *options],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, **more)
    assert (done.returncode, done.stderr) == (0, ""), done
    return done.stdout, int(status.read_text())


def disk_option(disk, driver="driver=file", read_only="off"):
    return ["-blockdev", f"{driver},node-name=disk,filename={disk},read-only={read_only}"]


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(os.urandom(65536))
    return path


@pytest.fixture
def hello():
    """The example that takes four seconds, running."""
    with subprocess.Popen([TENDER, "--mem=16", "--", DIST / "hello.virtio"], stdout=subprocess.PIPE, text=True) as process:
        assert "hello" in process.stdout.readline()
        yield process
        process.kill()


def child(process):
    """The id of its QEMU."""
    return int(pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text())


def is_there(pid):
    try:
        return "State:\tZ" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


# Machines of others ------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, device", [(PCI, "virtio-blk-pci"), (MEMORY, "virtio-blk-device")])
@pytest.mark.parametrize("sector", [512, 4096])
def test_a_disk_on_pci_is_read_and_written(tmp_path, disk, kind, device, sector):
    before = disk.read_bytes()
    done = machine(tmp_path, "sectors", *disk_option(disk), "-device",
                   f"{device},drive=disk,logical_block_size={sector},physical_block_size={sector}", kind=kind)
    assert done == (f"65536 {sector}\n", 0)
    assert disk.read_bytes() == before[:-sector] + bytes((byte + 1) % 256 for byte in before[:sector])


@pytest.mark.parametrize("options", ["event_idx=off", "disable-modern=off,disable-legacy=off", "vectors=0", "queue-size=4",
                                     "config-wce=off,write-cache=off"])
def test_a_disk_of_another_make_works_as_well(tmp_path, disk, options):
    assert machine(tmp_path, "sectors", *disk_option(disk), "-device", f"virtio-blk-pci,drive=disk,{options}") == (
        "65536 512\n", 0)


def test_a_disk_that_is_read_only_says_so(tmp_path, disk):
    before = disk.read_bytes()
    assert machine(tmp_path, "sectors", *disk_option(disk, read_only="on"), "-device", "virtio-blk-pci,drive=disk") == (
        "65536 512\nread only\n", 0)
    assert disk.read_bytes() == before


@pytest.mark.parametrize("event, what", [("read_aio", "platform_block_read(handle, 0, sector) == 0"),
                                         ("flush_to_disk", "platform_block_flush(handle) == 0")])
def test_errors_of_the_disk_are_errors_of_the_call(tmp_path, disk, event, what):
    """The same of a flush shows that it gets to the disk."""
    rules = tmp_path / "rules"
    rules.write_text(f'[inject-error]\nevent = "{event}"\nerrno = "5"\n')
    output, status = machine(
        tmp_path, "sectors", "-blockdev", f"driver=file,node-name=file,filename={disk}", "-blockdev",
        f"driver=blkdebug,node-name=faults,image=file,config={rules}", "-blockdev",
        "driver=raw,node-name=disk,file=faults", "-device",
        "virtio-blk-pci,drive=disk,rerror=report,werror=report")
    assert status == 1 and "does not hold" in output and what in output, output


@pytest.mark.parametrize("name, line", [
    ("sectors", 'block device "disk": no virtio device for it; expected one for each of the manifest'),
    ("frames", 'network "one": no virtio device for it; expected one for each of the manifest')])
@pytest.mark.parametrize("kind", [PCI, MEMORY])
def test_a_device_that_is_missing_is_named(tmp_path, name, line, kind):
    assert machine(tmp_path, name, kind=kind) == (line + "\n", 255)


@pytest.mark.parametrize("status", [0, 1, 127, 128, 255])
def test_every_status_gets_out(tmp_path, status):
    assert machine(tmp_path, "ends", "-append", str(status)) == ("", status)


@pytest.mark.parametrize("extra", ["", ",mrg_rxbuf=off", ",event_idx=off", ",mrg_rxbuf=off,event_idx=off,vectors=0"])
def test_frames_pass_on_pci(tmp_path, extra):
    wires = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(2)]
    options = []
    for i, (_, theirs) in enumerate(wires):
        options += ["-netdev", f"dgram,id=n{i},local.type=fd,local.str={theirs.fileno()}",
                    "-device", f"virtio-net-pci,netdev=n{i},host_mtu=1500{extra}"]
    command = [*QEMU, *PCI, "-kernel", BUILD / "guests/frames.virtio", *options]
    ours = wires[0][0]
    ours.settimeout(10)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          pass_fds=[theirs.fileno() for _, theirs in wires]) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            for length in [60, 1514, 1518] + list(range(100, 700, 2)):
                frame = b"\0" + os.urandom(length - 1)
                ours.send(frame)
                assert ours.recv(65536) == b"\1" + frame[1:]
            ours.send(b"end")
            assert process.wait(10) == 0
        finally:
            process.kill()
    for pair in wires:
        for end in pair:
            end.close()


# The tender ----------------------------------------------------------------------------------------------------------------

def test_more_devices_than_a_small_machine_takes_come_in_the_order_of_the_manifest(tmp_path):
    options = ["--net:service=user"]
    for i in range(9):
        (tmp_path / f"disk{i}").write_bytes(f"this is {i}\n".encode() + bytes(500 + 512 * i + 2))
        options.insert(0, f"--block:disk{i}={tmp_path}/disk{i}")
    done = subprocess.run([TENDER, "--mem=32", *options, "--", BUILD / "guests/many.virtio"], capture_output=True, text=True,
                          timeout=30)
    assert (done.returncode, done.stdout) == (0, "".join(f"this is {i}\n" for i in range(9))), done


def test_skerry_run_gives_arguments_and_ends_with_the_status():
    run = [BUILD / "skerry", "run"]
    done = subprocess.run([*run, BUILD / "guests/arguments.virtio", "--", "a b", "it's", '"'], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "<a b>\n<it's>\n<\">\n"), done
    assert subprocess.run([*run, "--mem=16", BUILD / "guests/ends.virtio", "--", "200"]).returncode == 200


def test_without_qemu_it_is_named(tmp_path):
    done = subprocess.run([TENDER, "--mem=16", "--", BUILD / "guests/hello.virtio"], env={"PATH": str(tmp_path)},
                          capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (
        1, "", "skerry-virtio: no qemu-system-x86_64; apt-get install qemu-system-x86, or build for target spt\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_guest_with_a_line_and_status_1(hello, number):
    qemu = child(hello)
    hello.send_signal(number)
    assert hello.wait(10) == 1
    assert f"skerry-virtio: Exiting on signal {int(number)}\n" in hello.stdout.read()
    assert not is_there(qemu)


def test_a_tender_that_is_killed_leaves_no_machine_behind(hello):
    qemu = child(hello)
    assert is_there(qemu)
    hello.kill()
    wait_until(lambda: not is_there(qemu), 10, "the machine's end")


def test_a_machine_that_goes_down_by_itself_is_no_success(disk):
    done = subprocess.run([TENDER, "--mem=16", "--net:service=user", f"--block:storage={disk}", "--",
                           BUILD / "guests/hypercall.virtio", "triple"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (
        255, "skerry-virtio: guest: the machine went down without an exit status\n"), done


def test_sigusr1_lists_the_tasks(hello):
    hello.send_signal(signal.SIGUSR1)
    assert re.search(r'APP \[task\] +task "\w+" .* waits in task_sleep\b', hello.stdout.readline())


def test_a_guest_that_sleeps_costs_next_to_nothing(hello):
    def used():
        words = pathlib.Path(f"/proc/{child(hello)}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")
    before, started = used(), time.monotonic()
    time.sleep(1)
    assert used() - before < (time.monotonic() - started) / 5


@pytest.mark.parametrize("mem", [4, 512, 2048, 6144])
def test_memory_of_any_size(mem):
    assert subprocess.run([TENDER, f"--mem={mem}", DIST / "noop.virtio"], timeout=60).returncode == 0


# Debugging -----------------------------------------------------------------------------------------------------------------

def test_gdb_sets_a_breakpoint_prints_a_variable_steps_and_continues(disk):
    image = BUILD / "guests/sectors.virtio"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    guest = subprocess.Popen([TENDER, "--mem=16", f"--gdb={port}", f"--block:disk={disk}", "--", image],
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert guest.stderr.readline() == f"skerry-virtio: waiting for gdb: target remote :{port}\n"
        commands = ["set tcp connect-timeout 20", f"target remote :{port}", "break platform_main", "continue", "bt", "next",
                    "info locals", "delete", "continue"]
        words = [word for command in commands for word in ("-ex", command)]
        text = subprocess.run(["gdb", "-nx", "-batch", "-iex", "set osabi GNU/Linux", *words, image], timeout=60,
                              capture_output=True, text=True).stdout
        assert re.search(r"Breakpoint 1, platform_main \(argc=.*sectors\.c:\d+$", text, re.M), text
        assert re.search(r"^#\d .*guest_run .*boot\.c", text, re.M) and "handle = " in text, text
        assert guest.wait(10) == 0 and guest.stdout.read() == "65536 512\n"
    finally:
        guest.kill()
        guest.communicate()


def test_frames_are_captured_for_tcpdump(tmp_path):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    others = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    file = tmp_path / "a,b"
    frame = b"\0" + bytes(range(99))
    command = [TENDER, "--mem=16", f"--net:one=@{theirs.fileno()}", f"--net:two=@{others[1].fileno()}",
               f"--net-pcap:one={file}", "--", BUILD / "guests/frames.virtio"]
    with ours, theirs, others[0], others[1], subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, pass_fds=[theirs.fileno(), others[1].fileno()]) as guest:
        try:
            ours.settimeout(10)
            assert guest.stdout.readline() == "ready\n"
            ours.send(frame)
            assert ours.recv(1000) == b"\1" + frame[1:]
            ours.send(b"end" + bytes(57))
            assert guest.wait(10) == 0
        finally:
            guest.kill()
    assert [bytes(packet) for packet in rdpcap(str(file))] == [frame, b"\1" + frame[1:], b"end" + bytes(57)]


# Multiboot: a copy of the image, for boot loaders -------------------------------------------------------------------


@pytest.fixture
def kernel(tmp_path):
    """A guest as a Multiboot kernel."""
    def convert(name):
        path = tmp_path / f"{name}.kernel"
        subprocess.run([BUILD / "skerry", "elf", "multiboot", BUILD / f"guests/{name}.virtio", path], check=True)
        return path
    return convert


@pytest.mark.parametrize("arguments, said", [("", ""), ("--one '-two three'", "<--one>\n<-two three>\n")])
def test_qemu_boots_it_by_multiboot(tmp_path, kernel, arguments, said):
    assert machine(tmp_path, kernel("arguments"), "-append", arguments) == (said, 0)


def test_a_multiboot_kernel_has_all_its_memory_and_its_disk(tmp_path, kernel, disk):
    output, status = machine(tmp_path, kernel("memory"))
    assert status == 0 and 8 << 20 < int(re.search(r"\d{7,}", output)[0]) < 16 << 20, output
    assert machine(tmp_path, kernel("sectors"), *disk_option(disk), "-device", "virtio-blk-pci,drive=disk")[1] == 0


@pytest.mark.parametrize("quoted, said", [("--one -two", "<--one>\n<-two>\n"), ('"--of one"', "<--of one>\n"), ("", "")])
def test_grub_boots_it_from_a_disk(tmp_path, kernel, quoted, said):
    root = tmp_path / "root"
    (root / "boot/grub").mkdir(parents=True)
    kernel("arguments").rename(root / "boot/kernel")
    (root / "boot/grub/grub.cfg").write_text(f"multiboot /boot/kernel {quoted}\nboot\n")
    subprocess.run(["grub-mkrescue", "-o", tmp_path / "disk.iso", root], check=True, capture_output=True)
    assert machine(tmp_path, None, "-cdrom", tmp_path / "disk.iso", memory=64) == (said, 0)


def test_only_an_image_of_virtio_becomes_a_multiboot_kernel(tmp_path):
    for image, reason in ((BUILD / "guests/hello.spt", "spt"), ("/dev/null", "/dev/null"), (tmp_path / "none", "No such file")):
        done = subprocess.run([BUILD / "skerry", "elf", "multiboot", image, tmp_path / "kernel"], capture_output=True, text=True)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and reason in done.stderr, done
        assert done.stderr.startswith("skerry elf: multiboot: ") and not (tmp_path / "kernel").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to make a device")
def test_a_multiboot_kernel_that_cannot_be_written_takes_no_device_away(tmp_path):
    full = tmp_path / "full"
    os.mknod(full, 0o666 | stat.S_IFCHR, os.makedev(1, 7))
    done = subprocess.run([BUILD / "skerry", "elf", "multiboot", BUILD / "guests/hello.virtio", full], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (1, f"skerry elf: multiboot: {full}: No space left on device\n")
    assert full.is_char_device()
