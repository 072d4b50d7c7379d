# SPDX-License-Identifier: ISC
"""The examples, as their readers run them: on unix as processes, in the sandbox under the tender."""
import datetime
import os
import re
import socket
import subprocess
import time

import pytest

from netns import DIST, ROOT, TARGET, TARGETS, TENDER

LINE = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) -00:00: INF \[application\] hello$")


def command(name, target, *arguments, options=()):
    if target == "unix":
        return [str(DIST / name), *arguments]
    return [TENDER, "--mem=16", *options, "--", str(DIST / f"{name}.{target}"), *arguments]


def run(name, target, *arguments):
    """Runs an example to its end. Those that are servers have a network."""
    options = () if name in ("noop", "hello") else ["--net:service=user"]
    return subprocess.run(command(name, target, *arguments, options=options), capture_output=True, text=True, timeout=30)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """An example that listens on `guest_port`, reachable at 127.0.0.1:port, until the with block ends."""

    def __init__(self, name, target, guest_port, *arguments):
        self.port = free_port()
        if target == "unix":
            self.command = command(name, target, f"--port={self.port}", *arguments)
        else:
            self.command = command(name, target, *arguments, options=[f"--net:service=user,{self.port}:{guest_port}"])

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate(timeout=10)

    def connect(self):
        deadline = time.monotonic() + 10
        while True:
            try:
                return socket.create_connection(("127.0.0.1", self.port), timeout=10)
            except ConnectionRefusedError:
                assert time.monotonic() < deadline, f"nothing listens on port {self.port}: {self.command}"
                assert self.process.poll() is None, f"ended: {self.process.communicate()}"
                time.sleep(0.01)


def receive_all(client):
    answer = b""
    while piece := client.recv(65536):
        answer += piece
    return answer


targets = pytest.mark.parametrize("target", TARGETS)
pytestmark = pytest.mark.each_target

@pytest.mark.example("noop")
@targets
def test_noop_ends_with_status_0_and_prints_nothing(target):
    done = run("noop", target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.example("hello")
@targets
def test_hello_logs_four_lines_a_second_apart(target):
    started = time.monotonic()
    done = run("hello", target)
    elapsed = time.monotonic() - started
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done
    assert len(lines) == 4 and all(LINE.match(line) for line in lines), done.stdout
    times = [datetime.datetime.fromisoformat(LINE.match(line).group(1)) for line in lines]
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    assert all(1 <= (b - a).total_seconds() <= 2 for a, b in zip(times, times[1:])), times
    assert abs((now - times[-1]).total_seconds()) < 5, f"the log says {times[-1]}, the host {now}"
    assert 4 <= elapsed < 8, f"four seconds were expected, it took {elapsed}"


@targets
def test_help_lists_the_keys_and_ends_with_63(target):
    done = run("echo", target, "--help")
    assert done.returncode == 63
    for text in ("--port", "TCP port to listen on.", "9000", "--help", "--logs"):
        assert text in done.stdout, f"{text!r} is missing in:\n{done.stdout}"


@targets
@pytest.mark.parametrize("argument, named", [
    ("--port=eighty", "eighty"), ("--port=0", "0"), ("--port=65536", "65536"), ("--prot=80", "--prot"),
    ("--logs=nonesuch:debug", "nonesuch"), ("stray", "stray")])
def test_a_bad_argument_is_named_in_one_line_and_ends_with_64(target, argument, named):
    done = run("echo", target, argument)
    output = done.stdout + done.stderr
    assert done.returncode == 64, done
    assert named in output and len(output.splitlines()) == 1, output


@pytest.mark.parametrize("level", ["quiet", "error", "warn", "info", "debug"])
def test_options_for_other_bindings_are_passed_over(level):
    done = run("noop", TARGET, f"--solo5:{level}")
    assert (done.returncode, done.stdout) == (0, "")
    assert run("noop", TARGET, f"--solo5:{level}", "--nonesuch").returncode == 64


def test_a_log_level_set_at_boot_quiets_a_source():
    assert run("hello", TARGET, "-l", "application:quiet").stdout == ""


@pytest.mark.example("echo")
@targets
def test_echo_gives_back_what_nc_sends(target):
    with Server("echo", target, 9000) as server:
        server.connect().close()
        done = subprocess.run(["nc", "-q0", "-N", "127.0.0.1", str(server.port)], input=b"hello tcp world\n" * 1000,
                              capture_output=True, timeout=20)
    assert done.stdout == b"hello tcp world\n" * 1000


@targets
def test_echo_of_a_megabyte_each_way_at_once_is_exact(target):
    data = os.urandom(1 << 20)
    with Server("echo", target, 9000) as server, server.connect() as client:
        client.settimeout(30)
        received, sent = b"", 0
        while len(received) < len(data):
            if sent < len(data) and sent - len(received) < 65536:
                sent += client.send(data[sent:sent + 32768])
            else:
                received += client.recv(65536)
        client.shutdown(socket.SHUT_WR)
        assert receive_all(client) == b""
    assert received == data


@pytest.mark.example("web")
@targets
def test_web_answers_hello_world(target):
    with Server("web", target, 80) as server:
        with server.connect() as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            answer = receive_all(client)
    assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"\r\n\r\nHello World!\n"), answer
