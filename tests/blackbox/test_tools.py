# SPDX-License-Identifier: ISC
"""Others' tools against our own stack on a tap: nc, traceroute and nmap, which must see what is there and disturb nobody."""
import hashlib
import random
import re
import socket
import struct
import subprocess
import sys

import pytest

from netns import GUEST, HOST, TARGETS

targets = pytest.mark.parametrize("target", TARGETS)
MIB = 1 << 20
ECHO, CLOSED, UDP_ECHO = 9000, 81, 7
DATAGRAMS = "tests/unikernels/datagrams"
AT_ONCE = 1  # seconds

# A client that asks again and again: it says that it was served once, and at its end, how it fared.
CLIENT = """
import signal, socket, sys, time
ended, waits = [], []
signal.signal(signal.SIGTERM, lambda *_: ended.append(True))
kind, address, port = sys.argv[1], sys.argv[2], int(sys.argv[3])
while not ended or len(waits) < 10:
    data = len(waits).to_bytes(4, "big") * 100
    began = time.monotonic()
    with socket.socket(socket.AF_INET, getattr(socket, kind)) as client:
        client.settimeout(5)
        client.connect((address, port))
        client.send(data)
        answer = client.recv(len(data), socket.MSG_WAITALL if kind == "SOCK_STREAM" else 0)
    if answer != data:
        sys.exit(f"expected {data[:4]!r}..., got {answer[:4]!r}... of {len(answer)} bytes")
    waits.append(time.monotonic() - began)
    if len(waits) == 10:
        print("served", flush=True)
    time.sleep(0.002)
print(len(waits), max(waits))
"""


class Customer:
    """A client of an echo server that is served all the time, before, during and after what happens inside the block."""

    def __init__(self, net, port=ECHO, kind="SOCK_STREAM"):
        self.process = net.start([sys.executable, "-c", CLIENT, kind, GUEST, port], stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        assert self.process.stdout.readline() == "served\n", "expected a client to be served before, got none"

    def __exit__(self, kind, *_):
        self.process.terminate()
        said, _ = self.process.communicate(timeout=20)
        if kind is None:
            assert self.process.returncode == 0, "expected each request to be answered, got an error"
            count, worst = said.split()
            assert float(worst) < AT_ONCE, f"expected {count} answers within {AT_ONCE} s each, got one after {worst} s"


# nc -------------------------------------------------------------------------------------------------------------------


@targets
def test_eight_streams_of_nc_at_once_come_back_whole(netns, boot, tmp_path, target):
    """As `iperf3 -P 8` sends: as fast as it goes, side by side."""
    boot("echo", target=target).wait_for_port(ECHO)
    data = random.Random(1).randbytes(16 * MIB)
    (tmp_path / "data").write_bytes(data)
    clients = [netns.start(["sh", "-c", f"nc -N {GUEST} {ECHO} < {tmp_path}/data | sha256sum"],
                           stdout=subprocess.PIPE, text=True) for _ in range(8)]
    expected = hashlib.sha256(data).hexdigest()
    got = [client.communicate(timeout=60)[0].split()[0] for client in clients]
    assert got == [expected] * 8, f"expected eight times {expected}, got {got}"


# traceroute -----------------------------------------------------------------------------------------------------------


def hops_seen(traced):
    """The address in each line, and what is behind the first time there."""
    return re.findall(r"^ *\d+  (\S+)  [0-9.]+ ms(?: (!\w+))?", traced, re.M)


TRACES = [["-I"], ["-T", "-p", ECHO], ["-T", "-p", CLOSED]]


@pytest.mark.parametrize("example, options, mark", [
    (DATAGRAMS, ["-U"], ""), (DATAGRAMS, [], ""), ("echo", [], "!P"), *(("echo", options, "") for options in TRACES)])
def test_traceroute_ends_at_the_guest(netns, boot, example, options, mark):
    """By datagrams to port 53, and to one that nobody has; where no program speaks UDP; by pings; by SYNs."""
    boot(example)
    done = netns.run(["traceroute", "-n", *options, GUEST])
    assert hops_seen(done.stdout) == [(GUEST, mark)], f"expected the guest as the only hop, got:\n{done.stdout}"


def test_traceroute_from_afar_sees_the_router_and_then_the_guest(far, boot):
    boot("echo", gateway=HOST)
    for options in TRACES:
        done = far.run(["traceroute", "-n", *options, GUEST])
        assert hops_seen(done.stdout) == [("10.2.0.1", ""), (GUEST, "")], \
            f"expected the router and the guest, got:\n{done.stdout}"


# nmap -----------------------------------------------------------------------------------------------------------------


def start_scan(net, *options):
    return net.start(["nmap", "-n", "-Pn", "-oG", "-", *map(str, options), GUEST], stdout=subprocess.PIPE,
                     stderr=subprocess.STDOUT, text=True, stdin=subprocess.DEVNULL)


def ports_seen(scan, seconds=60):
    """What a scan of nmap's found, by port."""
    said, _ = scan.communicate(timeout=seconds)
    assert scan.returncode == 0, said
    return {int(port): state for port, state in re.findall(r"(\d+)/([a-z|]+)/(?:tcp|udp)/", said)}, said


def test_scans_of_every_kind_see_the_ports_and_disturb_nobody(netns, boot):
    """By SYN, by connecting, by ACK; and by what is neither, which a listener is silent about (RFC 9293, 3.10.7.2)."""
    expected = {"-sS": "open", "-sT": "open", "-sA": "unfiltered", "-sN": "open|filtered", "-sF": "open|filtered",
                "-sX": "open|filtered"}
    guest = boot("echo")
    guest.wait_for_port(ECHO)
    with Customer(netns):
        scans = {kind: start_scan(netns, kind, "-p", f"{CLOSED},{ECHO}") for kind in expected}
        for kind, state in expected.items():
            closed = "unfiltered" if kind == "-sA" else "closed"
            ports, said = ports_seen(scans[kind])
            assert ports == {CLOSED: closed, ECHO: state}, f"nmap {kind}: expected port {ECHO} {state}, got:\n{said}"
    assert guest.is_running()


def test_a_scan_of_all_ports_finds_the_one_that_is_open(netns, boot):
    guest = boot("echo")
    guest.wait_for_port(ECHO)
    with Customer(netns):
        ports, said = ports_seen(start_scan(netns, "-sS", "-p-"))
        assert ports == {ECHO: "open"} and "Ignored State: closed (65534)" in said, \
            f"expected port {ECHO} open and 65534 closed, got:\n{said}"
    assert guest.is_running()


def test_a_hundred_resets_leave_the_log_as_it_was(netns, boot):
    guest = boot("echo")
    guest.wait_for_port(ECHO)
    for _ in range(100):
        with netns.connect(GUEST, ECHO) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # closing resets
    with Customer(netns):
        pass
    assert guest.log() == "", f"expected an empty log, got:\n{guest.log()}"


def test_a_scan_of_udp_ports_sees_them_and_disturbs_nobody(netns, boot):
    guest = boot(DATAGRAMS)
    with Customer(netns, UDP_ECHO, "SOCK_DGRAM"):
        ports, said = ports_seen(start_scan(netns, "-sU", "-p", f"{UDP_ECHO},53,123,161"))
        assert ports == {UDP_ECHO: "open", 53: "closed", 123: "closed", 161: "closed"}, \
            f"expected port {UDP_ECHO} open, got:\n{said}"
    assert guest.is_running()


def test_guessing_the_system_disturbs_nobody(netns, boot):
    """nmap -O sends what no host would: SYNs with odd options, flags and windows, broken pings."""
    guest = boot("echo")
    guest.wait_for_port(ECHO)
    with Customer(netns):
        ports, said = ports_seen(start_scan(netns, "-O", "-p", f"{CLOSED},{ECHO}"))
        assert ports == {CLOSED: "closed", ECHO: "open"}, f"expected port {ECHO} open, got:\n{said}"
    assert guest.is_running()
    lines = guest.log().splitlines()
    assert len(lines) < 5, f"expected a quiet log, got {len(lines)} lines"
