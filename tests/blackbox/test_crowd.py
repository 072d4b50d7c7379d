# SPDX-License-Identifier: ISC
"""Crowds of clients that do nothing, or next to nothing: however many there are, the next one is served at once."""
import contextlib
import os
import subprocess
import sys
import threading
import time
import zipfile

import pytest

from netns import GUEST, HOST
from test_examples import Server

REQUEST = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
AT_ONCE = 1  # seconds

servers = pytest.mark.parametrize("example, target, mem", [("web", "spt", 16), ("zip", "spt", 16), ("web", "unix", 16)])


def seconds_to_be_served(net):
    started = time.monotonic()
    with net.connect(GUEST, 80, 5) as client:
        client.sendall(REQUEST)
        answer = client.recv(15)
    assert answer == b"HTTP/1.1 200 OK", answer
    return time.monotonic() - started


@servers
def test_two_thousand_idle_clients_keep_nobody_out(netns, boot, example, target, mem):
    guest = boot(example, target=target, mem=mem)
    guest.wait_for_port(80)
    with contextlib.ExitStack() as crowd:
        for number in range(2000):
            with contextlib.suppress(OSError):
                crowd.enter_context(netns.connect(GUEST, 80, 5))
            if number % 100 == 99:
                assert seconds_to_be_served(netns) < AT_ONCE, f"after {number + 1} idle clients"
        for number in range(20):
            assert seconds_to_be_served(netns) < AT_ONCE, f"the {number + 1}th beside the crowd"
    assert guest.is_running()
    assert len(guest.log().splitlines()) < 5, "clients can fill the log"


def test_five_thousand_idle_clients_keep_nobody_out_of_a_process_on_the_hosts_sockets():
    with Server("web", "unix", 80) as server, contextlib.ExitStack() as crowd:
        for number in range(5000):
            crowd.enter_context(server.connect())
            if number % 250 == 249:
                started = time.monotonic()
                with server.connect() as client:
                    client.sendall(REQUEST)
                    assert client.recv(15) == b"HTTP/1.1 200 OK"
                assert time.monotonic() - started < AT_ONCE, f"after {number + 1} idle clients"


def test_eight_hundred_idle_clients_have_room_in_16_mb(netns, boot):
    guest = boot("web")
    guest.wait_for_port(80)
    with contextlib.ExitStack() as crowd:
        clients = [crowd.enter_context(netns.connect(GUEST, 80, 5)) for _ in range(800)]
        assert seconds_to_be_served(netns) < AT_ONCE
        for client in clients:
            client.sendall(REQUEST)
            assert client.recv(15) == b"HTTP/1.1 200 OK"


# Connects to a server so often, says so, and stays; one whom the server throws out stays as well, with a dead socket.
IDLERS = """
import socket, sys
clients = []
for _ in range(int(sys.argv[3])):
    clients.append(socket.socket())
    clients[-1].settimeout(5)
    try:
        clients[-1].connect((sys.argv[1], int(sys.argv[2])))
    except OSError as error:
        print(error)
print("there", flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("example", ["web", "zip"])
def test_ten_thousand_idle_and_as_many_half_open_connections_leave_8_mb_to_serve(netns, boot, example):
    guest = boot(example, mem=8, gateway=HOST)
    guest.wait_for_port(80)
    # Forged, one each 100 microseconds; nobody answers the answers.
    forger = netns.start(["hping3", "--rand-source", "-q", "-S", "-p", 80, "-c", 10_000, "-i", "u100", GUEST],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for thousand in range(10):
        idlers = netns.start([sys.executable, "-c", IDLERS, GUEST, 80, 1000], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
        while (said := idlers.stdout.readline()) != "there\n":
            assert said, "expected a thousand connections, got an end"
        waited = max(seconds_to_be_served(netns) for _ in range(5))
        assert waited < AT_ONCE, f"after {thousand + 1} thousand: expected an answer within {AT_ONCE} s, got {waited:.1f}"
    forger.wait(20)
    assert seconds_to_be_served(netns) < AT_ONCE
    assert guest.is_running()
    lines = guest.log().splitlines()
    assert len(lines) < 5, f"expected a quiet log, got {len(lines)} lines"


class Trickle:
    """Clients that send their request by the byte, and come again when they are thrown out."""

    def __init__(self, net, count, every):
        self.net, self.count, self.every, self.sent, self.thrown_out = net, count, every, 0, 0
        self.ended = threading.Event()
        self.clients = []
        self.thread = threading.Thread(target=self.run, daemon=True)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for client in self.clients:
            client.close()

    def run(self):
        while not self.ended.is_set():
            with contextlib.suppress(OSError):
                while len(self.clients) < self.count:
                    self.clients.append(self.net.connect(GUEST, 80, 5))
                    self.clients[-1].sendall(b"GET /")
            for client in list(self.clients):
                try:
                    client.sendall(b"x")
                    self.sent += 1
                except OSError:
                    self.clients.remove(client)
                    client.close()
                    self.thrown_out += 1
            self.ended.wait(self.every)


def test_clients_that_send_a_byte_now_and_then_keep_nobody_out(netns, boot):
    guest = boot("web", mem=4)  # in which they all have no room
    guest.wait_for_port(80)
    with Trickle(netns, count=300, every=0.2) as crowd:
        deadline = time.monotonic() + 20
        while crowd.thrown_out < 500:
            assert time.monotonic() < deadline, f"{crowd.thrown_out} thrown out"
            assert seconds_to_be_served(netns) < AT_ONCE
            time.sleep(0.02)
    assert crowd.sent > 200
    assert guest.is_running()


def test_a_crowd_cuts_off_nobody_who_is_served(netns, boot, tmp_path):
    """An archive is made while its upload comes, for some seconds, and idle clients come and fill the memory twice."""
    guest = boot("zip")
    guest.wait_for_port(80)
    (tmp_path / "noise").write_bytes(os.urandom(3_000_000))
    curl = netns.start(["curl", "-sS", "--limit-rate", "400K", "-H", "Expect:", "-F", f"file=@{tmp_path}/noise",
                        f"http://{GUEST}/upload", "-o", tmp_path / "noise.zip"], stderr=subprocess.PIPE, text=True)
    with contextlib.ExitStack() as crowd:
        came = 0
        while curl.poll() is None and came < 2000:
            with contextlib.suppress(OSError):
                crowd.enter_context(netns.connect(GUEST, 80, 5))
            came += 1
        assert came > 1000, f"the upload ended before there was a crowd: {came} clients"
        assert curl.wait(30) == 0, curl.stderr.read()
    with zipfile.ZipFile(tmp_path / "noise.zip") as archive:
        assert archive.read("noise") == (tmp_path / "noise").read_bytes()
    assert guest.is_running()
