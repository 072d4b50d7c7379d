# SPDX-License-Identifier: ISC
"""What every unikernel takes when it boots, and how it ends: the same as a process and in the sandbox."""
import os
import pathlib
import re
import resource
import socket
import subprocess
import time

import pytest
from scapy.layers.dhcp import DHCP

from netns import end_process

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).absolute()
DIST = pathlib.Path(os.environ.get("SKERRY_DIST", ROOT / "dist")).absolute()
TARGETS = pytest.mark.parametrize("target", ["unix", "spt"])


def run(image, *arguments, **options):
    return subprocess.run([BUILD / "skerry", "run", image, "--", *arguments], stdin=subprocess.DEVNULL, text=True,
                          **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "timeout": 60, **options})


def noop(target):
    return DIST / ("noop" if target == "unix" else "noop.spt")


def ends(target):
    return BUILD / f"guests/ends.{target}"


@TARGETS
def test_help_names_what_every_unikernel_takes_and_the_status_is_63(target):
    done = run(noop(target), "--help")
    assert done.returncode == 63
    keys = re.findall(r"^  (?:-(\w), |    )--([a-z]+)(\S*)$", done.stdout, re.M)
    assert keys == [("", "help", ""), ("l", "logs", "=[SOURCE:]LEVEL,..."), ("", "delay", "=NUMBER"), ("", "name", "=TEXT")]


@TARGETS
@pytest.mark.parametrize("argument, line", [
    ("--colour=red", "--colour=red: there is no such key; --help lists all keys"),
    ("--nam=x", "--nam=x: there is no such key; did you mean --name? --help lists all keys"),
    ("--delay=soon", '--delay "soon": expected a whole number from 0 to 1000000'),
    ("--delay", "--delay: expected a whole number from 0 to 1000000"),
    ("-l", "-l: expected log levels, such as *:debug or tcp:debug,*:info"),
    ("word", '"word": expected a key, --NAME=VALUE; --help lists all keys'),
])
def test_a_bad_argument_is_one_line_and_the_status_is_64(target, argument, line):
    done = run(noop(target), argument)
    assert done.returncode == 64
    assert done.stdout.splitlines()[-1].endswith(": " + line)


@TARGETS
def test_without_arguments_a_program_that_does_nothing_ends_with_0(target):
    assert run(noop(target)).returncode == 0


@TARGETS
def test_delay_comes_before_the_start(target):
    begin = time.monotonic()
    assert run(noop(target), "--delay=1").returncode == 0
    assert 1 <= time.monotonic() - begin < 5
    begin = time.monotonic()
    assert run(noop(target), "--delay=0").returncode == 0
    assert time.monotonic() - begin < 1


@TARGETS
@pytest.mark.parametrize("how", ["abort", "platform_abort", "panic", "assert", "double free"])
def test_a_fault_is_status_255(target, how):
    done = run(ends(target), how, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (0, 0)))
    assert done.returncode == 255, done


def test_on_unix_a_fault_leaves_a_core_file_where_they_are_wanted(tmp_path):
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if "/" in pattern or "|" in pattern:
        pytest.skip(f"core files go to {pattern} here")
    unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    done = run(ends("unix"), "panic", cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, unlimited))
    assert done.returncode == 255
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("core")]


def test_name_is_what_an_instance_calls_itself():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "] echo failed: EADDRINUSE\n" in run(DIST / "echo", f"--port={port}").stdout
        assert "] echo-2 failed: EADDRINUSE\n" in run(DIST / "echo", f"--port={port}", "--name=echo-2").stdout


@TARGETS
def test_name_is_what_a_dhcp_server_is_told(target, netns, link, tmp_path):
    def skerry(*arguments, **options):
        done = subprocess.run([BUILD / "skerry", *arguments], capture_output=True, text=True, timeout=60, **options)
        assert done.returncode == 0, done.stderr

    skerry("new", "--template=echo", "app", cwd=tmp_path)
    skerry("configure", "-t", target, "--net=direct", "--dhcp=true", cwd=tmp_path / "app")
    skerry("build", cwd=tmp_path / "app")

    def host_name(frame):
        options = frame[DHCP].options if DHCP in frame else []
        return next((option[1] for option in options if option[0] == "hostname"), None)

    for arguments, name in (([], b"app"), (["--name=second"], b"second")):
        process = netns.start([BUILD / "skerry", "run", "--net", "tap0", *arguments], cwd=tmp_path / "app",
                              stdout=subprocess.DEVNULL)
        assert host_name(link.expect(host_name, 10, "a name in a DHCP message")) == name
        end_process(process)
        link.drain()
