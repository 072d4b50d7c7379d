# SPDX-License-Identifier: ISC
"""libskerry-net: what it shows, what it needs, and the stack in a program of the host's, with the Linux kernel as its peer."""
import os
import re
import subprocess

import netns as networks
import pytest

ROOT = networks.ROOT
pytestmark = pytest.mark.spt
KERNEL, GREETER, PORT = "10.1.0.1", "10.1.0.2", "7777"


@pytest.fixture(scope="module")
def library(programs):
    return programs.parent / "lib/libskerry-net.a"


def names(library, *kinds):
    lines = subprocess.run(["nm", library], capture_output=True, text=True, check=True).stdout.splitlines()
    return {line.split()[-1] for line in lines if re.search(rf" [{''.join(kinds)}] ", line)}


@pytest.fixture(scope="module")
def build(programs, tmp_path_factory):
    """Compiles a program as its users do."""
    def compile_with_pkg_config(*sources, options=()):
        program = tmp_path_factory.mktemp("program") / "program"
        environment = dict(os.environ, PKG_CONFIG_PATH=str(programs.parent / "lib/pkgconfig"))
        flags = subprocess.run(["pkg-config", "--cflags", "--libs", "skerry-net"], env=environment, capture_output=True,
                               text=True, check=True).stdout.split()
        subprocess.run(["gcc", "-Wall", "-Wextra", "-Werror", *options, "-o", program, *sources, *flags], check=True)
        return program
    return compile_with_pkg_config


def test_it_shows_the_names_of_its_headers_and_no_others(library):
    exports = (ROOT / "lib/embed/exports").read_text().split()  # which tests/house.py compares with the headers
    assert len(exports) > 50 and names(library, "TDBRC") == set(exports)


def test_it_needs_the_c_library_alone(library, build):
    source = ROOT / "examples/host-library/pair.c"
    dynamic = subprocess.run(["readelf", "-d", build(source)], capture_output=True, text=True, check=True).stdout
    assert re.findall(r"NEEDED.*\[(.*)\]", dynamic) == ["libc.so.6"]
    assert {name for name in names(library, "w") if not name.startswith(("own_", "interface_"))} == {"stack_log"}


def test_nothing_in_it_changes_but_what_belongs_to_a_stack(library):
    """No variable: the sources of the log are there, whose levels nobody sets."""
    sections = subprocess.run(["objdump", "-t", library], capture_output=True, text=True, check=True).stdout
    writable = re.findall(r"^\S+ .{7} (\.data|\.bss|\.tbss|\.tdata|\*COM\*)\t(?!0{16} \1)\S+ +(\S+)", sections, re.M)
    assert [name for _, name in writable if not name.startswith(".")] == []
    assert "log_sources" in sections


def test_stacks_in_one_process_do_the_same_each_time(build):
    pair = build(ROOT / "examples/host-library/pair.c", options=["-fsanitize=address"])
    lines = [subprocess.run([pair], capture_output=True, text=True, check=True) for _ in range(2)]
    assert lines[0].stdout == lines[1].stdout and lines[0].stderr == ""
    assert lines[0].stdout.startswith("1000000 bytes in ")


def ping(netns, *options):
    return netns.run(["ping", "-W", "2", *options, GREETER])


@pytest.fixture
def greeter(netns, build):
    for command in ("ip tuntap add tun7 mode tun", f"ip addr add {KERNEL}/24 dev tun7", "ip link set tun7 up"):
        netns.run(command.split(), check=True)
    process = netns.start([build(ROOT / "examples/host-library/greeter.c"), "tun7"])
    networks.wait_until(lambda: ping(netns, "-c", "1").returncode == 0, 10, "an answer of the greeter's")
    yield process
    networks.end_process(process)


def test_it_answers_the_kernels_pings_of_any_size(netns, greeter):
    for size in ("0", "1472", "1473", "20000"):
        done = ping(netns, "-c", "3", "-i", "0.1", "-s", size)
        assert " 0% packet loss" in done.stdout


def test_it_greets_who_connects_and_refuses_at_other_ports(netns, greeter):
    for _ in range(20):
        said = netns.run(["nc", "-N", "-w", "5", GREETER, PORT], check=True).stdout
        assert re.fullmatch(rf"Hello, {re.escape(KERNEL)}:\d+! You can have segments of 1448 bytes.\n", said)
    assert netns.run(["nc", "-N", "-w", "5", GREETER, "9"]).returncode == 1
