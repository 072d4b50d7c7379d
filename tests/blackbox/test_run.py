# SPDX-License-Identifier: ISC
"""skerry run: images and unikernels of a directory, as a process and in the sandbox; devices, arguments, signals, errors."""
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import time

import pytest
from scapy.layers.l2 import ARP, Ether

import netns as networks

ROOT, BUILD, DIST = networks.ROOT, networks.BUILD, networks.DIST
SKERRY = BUILD / "skerry"
NOBODY = 65534

# What each guest gets is what was typed: no shell and no tender may eat any of it.
WORDS = ["plain", "--hello=Hello,  \"world\" \\ x", "", " ", "'", "''", '"', "\\", "a\\", "tab\there", "two\nlines", "$HOME",
         "`id`", "*", "--key='single'", 'mixed "double" and \'single\' \\" \\\\', "é", "--", "-l"]


def skerry_run(*arguments, cwd=None, **options):
    return subprocess.run([SKERRY, "run", *map(str, arguments)], cwd=cwd,
                          **{"capture_output": True, "text": True, "timeout": 60, "stdin": subprocess.DEVNULL, **options})


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port, process, seconds=10):
    """A connection to a port of this machine, as soon as there is one."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=seconds)
        except OSError:
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline, f"nothing listens on port {port}"
            time.sleep(0.02)


def echoes(port, process):
    """Sends through a forwarded port, which listens before the unikernel does: so until an answer comes."""
    def answer():
        with connect(port, process) as client:
            client.sendall(b"hello")
            return client.recv(5) == b"hello"
    return networks.wait_until(answer, 10, "an answer")


@pytest.fixture
def start():
    """Starts `skerry run ...` in the background; it ends with the test."""
    processes = []

    def starter(*arguments, **options):
        processes.append(subprocess.Popen([SKERRY, "run", *map(str, arguments)], stdin=subprocess.DEVNULL,
                                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options))
        return processes[-1]
    yield starter
    for process in processes:
        networks.end_process(process)


def describe(directory, target, image, devices=(), keys=(), sources=("unikernel.c",), **more):
    """Writes build/unikernel.json as skerry configure does, and sources that are older than the image."""
    (directory / "build").mkdir(exist_ok=True)
    for source in (*sources, "config.c"):
        (directory / source).touch()
        os.utime(directory / source, (1, 1))
    (directory / "build/unikernel.json").write_text(json.dumps(
        {"name": "app", "target": target, "image": str(image), "config": "config.c", "devices": list(devices),
         "keys": list(keys), "sources": list(sources), "host_sockets": False, **more}))


NET = {"name": "service", "type": "NET_BASIC"}
DISK = {"name": "storage", "type": "BLOCK_BASIC"}


# Images --------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("image", ["hello", "hello.spt"])
def test_an_image_runs_and_its_log_and_status_are_the_commands(image):
    done = skerry_run(DIST / image)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("hello\n") == 4


@pytest.mark.parametrize("image", ["hello", "hello.spt"])
def test_an_image_is_looked_for_here_and_not_where_commands_are(image, tmp_path):
    for name in (image, "true"):
        shutil.copy(DIST / image, tmp_path / name)
    assert skerry_run(image, cwd=tmp_path).stdout.count("hello\n") == 4
    assert skerry_run("true", cwd=tmp_path).stdout.count("hello\n") == 4


@pytest.mark.parametrize("image", ["arguments.unix", "arguments.spt"])
def test_each_argument_arrives_as_it_was_typed(image):
    done = skerry_run(BUILD / "guests" / image, "--", *WORDS)
    said = done.stdout[done.stdout.index("<"):]
    assert said == "".join(f"<{word}>\n" for word in WORDS)
    done = skerry_run("--first=1", BUILD / "guests" / image, "--second", "--third=a b")
    assert done.stdout[done.stdout.index("<"):] == "<--first=1>\n<--second>\n<--third=a b>\n"


@pytest.mark.parametrize("image", ["hello", "hello.spt"])
def test_statuses_of_the_guest_are_those_of_the_command(image):
    done = skerry_run(DIST / image, "--", "--help")
    assert done.returncode == 63 and "--logs" in done.stdout
    done = skerry_run(DIST / image, "--no-such-key=1")
    assert done.returncode == 64 and "--no-such-key" in done.stdout


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_port_leads_into_a_user_mode_network_without_any_option_for_the_network(target, built, start):
    port = free_port()
    process = start("-p", f"{port}:9000", built("echo", target))
    assert echoes(port, process)


def test_ports_may_name_network_protocol_and_address(start):
    port = free_port()
    process = start("-p", f"service:tcp:127.0.0.1:{port}:9000", "--mem=16", DIST / "echo.spt")
    assert echoes(port, process)


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_port_that_is_in_use_is_named(target, built):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = skerry_run("-p", f"{port}:9000", built("echo", target))
    assert done.returncode == 1
    assert f"127.0.0.1:{port}: Address already in use; expected a free port" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("number, spt", [(signal.SIGINT, 1), (signal.SIGTERM, 1), (signal.SIGHUP, -signal.SIGHUP)])
@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_signal_ends_the_unikernel_and_so_the_command(target, number, spt, built, start):
    port = free_port()
    process = start("-p", f"{port}:9000", built("echo", target))
    assert echoes(port, process)
    process.send_signal(number)
    assert process.wait(10) == (spt if target == "spt" else -number)


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_network_can_be_an_open_descriptor(target, built, start):
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        start("--net", theirs.fileno(), built("echo", target), "--ipv4=10.7.0.2/24", pass_fds=[theirs.fileno()])
        ours.settimeout(10)
        frame = networks.wait_until(lambda: next((f for f in [Ether(ours.recv(2000))] if ARP in f), None), 10, "ARP")
        assert frame[ARP].pdst == "10.7.0.2"


# Block devices -------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("image", ["block", "block.spt"])
def test_a_block_device_is_attached_by_name_or_as_the_only_one(image, tmp_path):
    disk = tmp_path / "disk.img"
    for option in (f"storage={disk}", str(disk)):
        disk.write_bytes(bytes(1 << 20))
        done = skerry_run("--block", option, DIST / image)
        assert done.returncode == 0, done.stdout + done.stderr
        assert any(disk.read_bytes())


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_block_device_of_a_directory_has_the_file_that_config_names(target, tmp_path):
    describe(tmp_path, target, DIST / ("block" if target == "unix" else "block.spt"), [{**DISK, "file": "disk.img"}])
    (tmp_path / "disk.img").write_bytes(bytes(1 << 20))
    done = skerry_run(cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert any((tmp_path / "disk.img").read_bytes())


# A directory's unikernel ---------------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["unix", "spt"])
def test_the_unikernel_of_a_directory_runs_with_its_keys(target, tmp_path):
    suffix = "unix" if target == "unix" else "spt"
    describe(tmp_path, target, BUILD / f"guests/arguments.{suffix}", keys=["hello"])
    done = skerry_run("--hello=Hello,  world", "-l", "*:debug", cwd=tmp_path)
    assert done.returncode == 0
    assert done.stdout[done.stdout.index("<"):] == "<--hello=Hello,  world>\n<-l>\n<*:debug>\n"


def test_hvt_without_a_tender_or_kvm_falls_back_to_the_image_for_spt_with_a_word(tmp_path):
    shutil.copy(SKERRY, tmp_path / "skerry")
    shutil.copy(BUILD / "skerry-spt", tmp_path / "skerry-spt")
    (tmp_path / "dist").mkdir()
    shutil.copy(DIST / "hello.spt", tmp_path / "dist/hello.spt")
    shutil.copy(DIST / "hello.spt", tmp_path / "dist/hello.hvt")
    describe(tmp_path, "hvt", "dist/hello.hvt")
    done = subprocess.run([tmp_path / "skerry", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.count("hello\n") == 4
    assert done.stderr == ("skerry run: no skerry-hvt beside skerry: No such file or directory; "
                           "running dist/hello.spt instead\n")
    (tmp_path / "dist/hello.spt").unlink()
    done = subprocess.run([tmp_path / "skerry", "run"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, (
        "skerry run: no skerry-hvt beside skerry: No such file or directory; "
        "for the sandbox without it: skerry configure -t spt && skerry build\n"))


@pytest.mark.skipif(os.geteuid() != 0, reason="putting something else in /dev/kvm's place takes root")
@pytest.mark.skipif(not os.path.exists("/dev/kvm"), reason="there is no /dev/kvm to put something else in the place of")
def test_hvt_with_a_kvm_that_cannot_run_guests_falls_back_as_well(tmp_path):
    (tmp_path / "dist").mkdir()
    shutil.copy(DIST / "hello.spt", tmp_path / "dist/hello.spt")
    shutil.copy(DIST / "hello.spt", tmp_path / "dist/hello.hvt")
    describe(tmp_path, "hvt", "dist/hello.hvt")
    script = 'mount --bind /dev/null /dev/kvm && exec "$@"'
    done = subprocess.run(["unshare", "-m", "sh", "-euc", script, "sh", SKERRY, "run"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stdout.count("hello\n") == 4
    assert done.stderr == ("skerry run: /dev/kvm cannot run ordinary code on this machine; "
                           "running dist/hello.spt instead\n")


def test_a_missing_tender_is_named(tmp_path):
    shutil.copy(SKERRY, tmp_path / "skerry")
    done = subprocess.run([tmp_path / "skerry", "run", DIST / "hello.spt"], capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr) == (1, (
        f"skerry run: {DIST / 'hello.spt'}: no skerry-spt beside skerry: No such file or directory; "
        "make install installs both in one place\n"))


def test_print_shows_the_command_line_and_runs_nothing(tmp_path):
    describe(tmp_path, "spt", DIST / "echo.spt", [NET, {**DISK, "file": "my disk.img"}])
    (tmp_path / "my disk.img").touch()
    done = skerry_run("--print", "-p", "8080:80", "-p", "udp:53:53", "--mem=32", "--hello=a b", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, (
        f"{BUILD / 'skerry-spt'} --mem=32 --net:service=user,8080:80,udp:53:53 '--block:storage=my disk.img' "
        f"-- {DIST / 'echo.spt'} '\"--hello=a b\"'\n"))
    describe(tmp_path, "unix", "dist/echo", [NET])
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist/echo").touch()
    done = skerry_run("--print", "--net", "3", "--hello=a b", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "dist/echo --net:service=@3 '--hello=a b'\n")


@pytest.mark.parametrize("arguments, line", [
    (["--net", "lan=tap0"], 'no network "lan" in this unikernel: expected one of: service, other'),
    (["--net", "tap0"], '"tap0": which network? expected one of: service, other, as in NAME=tap0'),
    (["--net", "service="], 'device "service": expected what to attach, service=tap0 or user'),
    (["--net", "service=tap0", "--net", "service=user"], 'device "service": attached twice, to tap0 and to user'),
    (["--net", "service=tap0", "-p", "80:80"],
     '-p 80:80: network "service" is attached to tap0, where the unikernel has an address of its own; connect to that'),
    (["-p", "lan:80:80"], 'no network "lan" in this unikernel: expected one of: service, other'),
    (["-p", "80"], 'device "service": forward "80"; expected [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT'),
    (["-p", "99999:80"], 'device "service": forward "99999:80"; expected [tcp:|udp:][HOSTADDR:]HOSTPORT:GUESTPORT'),
    (["--block", "disk=x"], 'no block device "disk" in this unikernel: expected one of: storage'),
    ([], 'block device "storage" has no file: --block storage=FILE (truncate -s 1M FILE makes one)'),
    (["--block", "missing.img"],
     'block device "storage": no file missing.img; truncate -s 1M missing.img makes an empty one of 1 MiB'),
    (["--block", "config.c/x"], 'block device "storage": config.c/x: Not a directory'),
    (["--mem=1", "--block", "config.c"], '--mem: "1"; expected 2 to 1048576 (MB)'),
    (["--port", "80"], '"80": a key takes its value behind "=": --port=80'),
    (["a", "b"], '"b": expected one IMAGE, and a is there; give keys as --KEY=VALUE'),
    (["missing.spt"], "missing.spt: No such file or directory"),
    (["config.c"], "config.c: 0 bytes; expected at least the 64 of an ELF header"),
    (["/bin/true"], "/bin/true: not a unikernel; expected what skerry build makes in dist/"),
    (["/dev/null"], "/dev/null: not a regular file; expected an ELF image"),
    (["--watch", "image"], "--watch: expected no IMAGE; it builds the unikernel of this directory"),
    (["-x"], "unknown option -x; --help lists all"),
])
def test_a_mistake_is_one_line_that_names_it_and_the_fix(arguments, line, tmp_path):
    describe(tmp_path, "spt", DIST / "echo.spt", [NET, {"name": "other", "type": "NET_BASIC"}, DISK])
    done = skerry_run(*arguments, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"skerry run: {line}\n")


@pytest.mark.parametrize("keys, line", [
    (["port"], "-p 8080:80: this unikernel uses the host's own sockets, and its keys say which port: --port=8080"),
    (["http-port"], "-p 8080:80: this unikernel uses the host's own sockets; see which of its keys is the port: "
                    "skerry run -- --help"),
])
def test_a_port_on_host_sockets_is_answered_with_the_key_to_use(keys, line, tmp_path):
    describe(tmp_path, "unix", DIST / "echo", keys=keys, host_sockets=True)
    done = skerry_run("-p", "8080:80", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"skerry run: {line}\n")


def test_what_has_no_network_takes_no_port():
    done = skerry_run("-p", "8080:80", DIST / "hello.spt")
    assert (done.returncode, done.stderr) == (1, "skerry run: -p 8080:80: this unikernel has no network\n")


@pytest.mark.parametrize("content, line", [
    (None, "no unikernel in this directory (no config.c); skerry new NAME makes one, and skerry run IMAGE runs an image"),
    ("{", "build/unikernel.json:1: string or '}' expected near end of file; `skerry configure` writes the file anew"),
    ("{}", 'build/unikernel.json: "name": expected a text; `skerry configure` writes the file anew'),
    ('{"name":"a","target":"spt","image":"a","devices":3}',
     'build/unikernel.json: "devices": expected a list; `skerry configure` writes the file anew'),
    ('{"name":"a","target":"spt","image":"a","devices":[{"name":"a-b"}]}',
     "build/unikernel.json: devices[0]: expected at most 63, named by letters and digits"),
    ('{"name":"a","target":"spt","image":"a","devices":[{"name":"ab","type":"X"}]}',
     'build/unikernel.json: device "ab": expected a type, NET_BASIC or BLOCK_BASIC'),
])
def test_a_directory_without_a_good_description_says_what_to_do(content, line, tmp_path):
    if content is not None:
        (tmp_path / "build").mkdir()
        (tmp_path / "build/unikernel.json").write_text(content)
    done = skerry_run(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, f"skerry run: {line}\n")


def test_a_directory_that_is_not_configured_says_so(tmp_path):
    (tmp_path / "config.c").touch()
    done = skerry_run(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (1, "skerry run: not configured yet: skerry configure -t spt\n")


def test_a_target_without_a_tender_is_named(tmp_path):
    describe(tmp_path, "muen", DIST / "hello.spt")
    done = skerry_run(cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1, f"skerry run: {DIST / 'hello.spt'}: built for muen; expected unix, spt, hvt or virtio: skerry configure -t spt\n")


# Taps ----------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("target", ["unix", "spt"])
def test_on_a_tap_the_unikernel_has_an_address_of_its_own(target, netns, built):
    process = netns.start([SKERRY, "run", "--net", "service=tap0", built("echo", target), "--ipv4=10.0.0.2/24"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def answer():
        assert process.poll() is None, process.communicate()
        try:
            with netns.connect("10.0.0.2", 9000, 1) as client:
                client.sendall(b"hello")
                return client.recv(5) == b"hello"
        except OSError:
            return False
    networks.wait_until(answer, 10, "an answer on the tap")


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_what_is_wrong_with_a_tap_is_one_line_with_the_fix(target, netns, built):
    def said(interface):
        done = netns.run([SKERRY, "run", "--net", interface, built("echo", target)])
        assert done.returncode == 1 and len(done.stdout.splitlines()) == 1
        return done.stdout

    assert "`ip tuntap add tap7 mode tap`" in said("tap7")
    assert "not a tap" in said("lo")
    netns.run(["ip", "link", "set", "tap0", "down"], check=True)
    assert "tap tap0: is down; expected it up: `ip link set tap0 up`" in said("tap0")


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_tap_of_another_user_is_refused_with_a_word(target, netns, built, tmp_path):
    image = built("echo", target)
    for parent in (*image.parents, *SKERRY.parents):
        if parent.owner() == "root" and str(parent).startswith("/tmp") and parent != pathlib.Path("/tmp"):
            parent.chmod(parent.stat().st_mode | 0o055)
    done = netns.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", SKERRY, "run", "--net",
                      "tap0", image])
    assert done.returncode == 1 and len(done.stdout.splitlines()) == 1 and "not permitted" in done.stdout


# make run ------------------------------------------------------------------------------------------------------------

def test_make_run_ends_without_an_error_of_make_when_it_is_interrupted():
    port = free_port()
    process = subprocess.Popen(["make", "run", f"PORT={port}", f"O={os.path.relpath(BUILD, ROOT)}"], cwd=ROOT,
                               start_new_session=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               env={**os.environ, "MAKEFLAGS": ""})
    try:
        connect(port, process, 120).close()
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        said, _ = process.communicate(timeout=10)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
    assert f"http://127.0.0.1:{port}/" in said
    assert "***" not in said and "Error" not in said, said
