# SPDX-License-Identifier: ISC
"""Frames longer than the MTU and checksums that are left to the link, on a tap: what of it is seen on a wire, and that nobody
who knows nothing of it sees any.

The wire is a veth pair to a namespace of its own; the tests' end of the tap is a router between the two. With its
offloads off, the router's end of the pair sends what a network card would put on a cable.
"""
import hashlib
import os
import random
import re
import select
import signal
import socket
import struct
import subprocess
import threading
import time

import pytest

from netns import BUILD, GUEST, IFF_VNET_HDR, TARGET, TARGETS, TENDER, TUNSETIFF, Guest, Namespace

from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether
from scapy.utils import rdpcap

targets = pytest.mark.parametrize("target", TARGETS)


def not_in_the_lab(test):
    """It takes long there, and what differs from target to target, other tests show."""
    return pytest.mark.spt(pytest.mark.virtio(test))


BULK = "tests/unikernels/bulk"
ECHO, LAST = 7, 9
ETHERNET_IPV4, ETHERNET_ARP = 0x800, 0x806
FAR, NEAR = "10.1.0.2", "10.1.0.1"
BYTES = (8 if TARGET == "spt" else 1) << 20  # the others are emulated
OFFERS = struct.pack("<III8s", 7, 4, 2, b"Skerry")  # the note's header (abi/note.h)


@pytest.fixture
def far(netns):
    """A namespace beyond the router, and its end of the wire: `wire` there, `cable` at the router's."""
    with Namespace(address="10.3.0.1") as namespace:
        netns.run(["ip", "link", "add", "cable", "type", "veth", "peer", "name", "wire", "netns", namespace.name], check=True)
        netns.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
        for net, name, address in ((netns, "cable", NEAR), (namespace, "wire", FAR)):
            net.run(["ip", "addr", "add", f"{address}/24", "dev", name], check=True)
            net.run(["ethtool", "-K", name, "tx", "off", "tso", "off", "gso", "off", "gro", "off"], check=True)
            net.run(["ip", "link", "set", name, "up"], check=True)
        namespace.run(["ip", "route", "add", "10.0.0.0/24", "via", NEAR], check=True)
        yield namespace


class Capture:
    """Packets that pass an interface, as tcpdump reads them when the with block is over: when it has seen one that was sent
    to the guest after all others."""

    def __init__(self, net, interface, expression="tcp or udp"):
        self.net = net
        self.command = net.inside(["tcpdump", "-i", interface, "-n", "-vv", "-B", "65536", "-l", "--immediate-mode",
                                   f"({expression}) or udp port {LAST}"])

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        while "listening on" not in (line := self.process.stderr.readline()):
            assert line, f"tcpdump ended with {self.process.wait()}"
        self.lines, self.seen = [], threading.Event()
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        return self

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line)
            if f" > {GUEST}.{LAST}:" in line:
                self.seen.set()

    def __exit__(self, *_):
        try:
            with self.net.socket(socket.AF_INET, socket.SOCK_DGRAM) as marker:
                marker.sendto(b"", (GUEST, LAST))
            assert self.seen.wait(10), "tcpdump has not seen all"
        finally:
            self.process.terminate()
            self.reader.join()
            self.process.wait()
            self.process.stderr.close()
        self.text = "".join(self.lines)
        # A packet's first line says its length, the second one its payload's.
        self.packets = [(int(match[1]), match[2].startswith(GUEST)) for match in
                        re.finditer(r"length (\d+)\)\n +(\S+) > ", self.text)]

    def longest(self, from_guest):
        return max((length for length, ours in self.packets if ours == from_guest), default=0)


def echoed(client, seed=1):
    """Sends BYTES random bytes and reads as many: whether they are the same."""
    data = random.Random(seed).randbytes(BYTES)
    sender = threading.Thread(target=client.sendall, args=(data,))
    sender.start()
    digest, left = hashlib.sha256(), BYTES
    while left and (piece := client.recv(min(left, 1 << 20))):
        digest.update(piece)
        left -= len(piece)
    sender.join()
    return left == 0 and digest.digest() == hashlib.sha256(data).digest()


def frame_of(fd, matches, seconds=5):
    """The first frame from a tap for which matches(frame) holds."""
    deadline = time.monotonic() + seconds
    while select.select([fd], [], [], max(0, deadline - time.monotonic()))[0]:
        frame = Ether(os.read(fd, 1 << 17))
        if matches(frame):
            return frame
    raise AssertionError("the frame did not come")


def is_summed(packet, layer):
    """Whether a packet's transport checksum is right."""
    said = packet[layer].chksum
    again = IP(bytes(packet[IP]))
    del again[layer].chksum
    return IP(bytes(again))[layer].chksum == said


# Between the host and the guest ---------------------------------------------------------------------------------


@pytest.mark.each_target
@targets
@pytest.mark.parametrize("mtu", [576, 1500, 9000] if TARGET == "spt" else [1500])
def test_stream_crosses_the_tap_in_frames_longer_than_its_mtu(boot, netns, target, mtu):
    netns.run(["ip", "link", "set", netns.tap, "mtu", mtu], check=True)
    guest = boot(BULK, target=target)
    guest.wait_for_port(ECHO)
    with Capture(netns, netns.tap, f"tcp port {ECHO}") as capture:
        with netns.connect(GUEST, ECHO) as client:
            assert echoed(client)
    assert capture.longest(from_guest=True) > mtu
    assert capture.longest(from_guest=False) > mtu


@not_in_the_lab
@targets
def test_whoever_has_the_tap_next_and_knows_of_no_offloads_gets_whole_frames(boot, netns, target):
    guest = boot(BULK, target=target)
    guest.wait_for_port(ECHO)
    assert guest.stop() != 255
    fd = netns.open_tap()
    netns.run(["ip", "neigh", "replace", GUEST, "lladdr", guest.mac, "dev", netns.tap], check=True)
    netns.udp().sendto(b"hello", (GUEST, 7))
    frame = frame_of(fd, lambda frame: UDP in frame and frame[IP].dst == GUEST)
    assert is_summed(frame, UDP)


@pytest.mark.hvt
@pytest.mark.virtio
def test_captured_frames_have_no_headers(boot, netns, tmp_path):
    capture = tmp_path / "frames.pcap"
    guest = boot(BULK, options=[f"--net-pcap:service={capture}"])
    guest.wait_for_port(ECHO)
    with netns.connect(GUEST, ECHO) as client:
        assert echoed(client)
    guest.stop()
    frames = rdpcap(str(capture))
    assert {frame.type for frame in frames} <= {ETHERNET_IPV4, ETHERNET_ARP}
    if TARGET == "hvt":  # QEMU's captures would have the headers, so it is given none
        assert max(frame[IP].len for frame in frames if frame.type == ETHERNET_IPV4) > 1500


@pytest.mark.each_target
@pytest.mark.skipif(TARGET == "virtio", reason="there the guest and the machine agree by themselves")
def test_image_that_offers_nothing_gets_plain_frames(netns, built, tmp_path):
    """As one of Solo5's: the note is another's."""
    content = built(BULK).read_bytes()
    assert content.count(OFFERS) == 1
    image = tmp_path / "stock"
    image.write_bytes(content.replace(OFFERS, OFFERS.replace(b"Skerry", b"Stocks")))
    with Guest(netns, image) as guest:
        guest.wait_for_port(ECHO)
        with Capture(netns, netns.tap, f"tcp port {ECHO}") as capture:
            with netns.connect(GUEST, ECHO) as client:
                assert echoed(client)
    assert capture.longest(from_guest=True) == capture.longest(from_guest=False) == 1500


@not_in_the_lab
def test_tender_that_knows_nothing_of_it_gets_plain_frames(boot, netns):
    """As Solo5's: it leaves what the manifest has no words for as it is, as ours does for a descriptor."""
    fd = netns.open_tap()
    guest = boot(BULK, tap=f"@{fd}", descriptors=[fd])
    guest.wait_for_port(ECHO)
    with Capture(netns, netns.tap, f"tcp port {ECHO}") as capture:
        with netns.connect(GUEST, ECHO) as client:
            assert echoed(client)
    assert capture.longest(from_guest=True) == capture.longest(from_guest=False) == 1500


@targets
def test_descriptor_of_a_tap_with_headers_has_offloads_too(boot, netns, target):
    fd = netns.open_tap(flags=IFF_VNET_HDR)
    guest = boot(BULK, target=target, tap=f"@{fd}", descriptors=[fd])
    guest.wait_for_port(ECHO)
    with Capture(netns, netns.tap, f"tcp port {ECHO}") as capture:
        with netns.connect(GUEST, ECHO) as client:
            assert echoed(client)
    assert capture.longest(from_guest=True) > 1500


@pytest.mark.spt
@pytest.mark.parametrize("call, flags, allowed", [
    ("writev({tap}, 0, 0)", IFF_VNET_HDR, True),
    ("readv({tap}, 0, 0)", IFF_VNET_HDR, True),
    ("ioctl({tap}, TUNSETOFFLOAD, 0)", IFF_VNET_HDR, True),
    ("ioctl({tap}, TUNSETOFFLOAD, 1)", IFF_VNET_HDR, False),
    ("ioctl({tap}, TUNSETIFF, 0)", IFF_VNET_HDR, False),
    ("ioctl(1, TUNSETOFFLOAD, 0)", IFF_VNET_HDR, False),
    ("writev(1, 0, 0)", IFF_VNET_HDR, False),
    ("readv(1, 0, 0)", IFF_VNET_HDR, False),
    ("writev({tap}, 0, 0)", 0, False),
    ("readv({tap}, 0, 0)", 0, False),
    ("ioctl({tap}, TUNSETOFFLOAD, 0)", 0, False)])
def test_guest_may_do_no_more_with_its_tap_than_it_needs(netns, call, flags, allowed):
    tap = netns.open_tap(flags=flags)
    name, arguments = re.fullmatch(r"(\w+)\((.*)\)", call.format(tap=tap)).groups()
    words = [{"writev": 20, "readv": 19, "ioctl": 16}[name],
             *({"TUNSETOFFLOAD": 0x400454D0, "TUNSETIFF": TUNSETIFF}.get(word, word) for word in arguments.split(", "))]
    done = netns.run([TENDER, f"--net:tap=@{tap}", "--", BUILD / "guests/forbidden_tap.spt", *words], pass_fds=[tap])
    assert done.stdout.startswith("before\n")
    assert done.returncode == (0 if allowed else -signal.SIGSYS)


# On a wire ----------------------------------------------------------------------------------------------------------


@not_in_the_lab
@targets
def test_on_a_wire_each_packet_fits_and_its_checksum_is_right(boot, netns, far, target):
    guest = boot(BULK, target=target, gateway="10.0.0.1")
    guest.wait_for_port(ECHO)
    with Capture(far, "wire") as capture:
        with far.connect(GUEST, ECHO) as client:
            assert echoed(client)
    assert "incorrect" not in capture.text
    assert capture.text.count("(correct)") > 500  # tcpdump may miss some
    assert capture.longest(from_guest=True) == capture.longest(from_guest=False) == 1500


@not_in_the_lab
@targets
def test_datagrams_of_every_kind_are_right_on_a_wire(boot, netns, far, target):
    boot("tests/unikernels/datagrams", target=target, gateway="10.0.0.1")
    client = far.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(5)
    with Capture(far, "wire", "udp") as capture:
        for size in (0, 1, 1471, 1472, 1473, 20000, 65507):
            payload = random.randbytes(size)
            client.sendto(payload, (GUEST, 7))
            assert client.recv(65536) == payload
    assert "bad udp cksum" not in capture.text
    assert capture.text.count("udp sum ok") >= 7


@targets
def test_segments_are_cut_anew_for_a_path_that_becomes_narrow(boot, netns, far, target):
    guest = boot(BULK, target=target, gateway="10.0.0.1")
    guest.wait_for_port(ECHO)
    with far.connect(GUEST, ECHO) as client:
        assert echoed(client)
        far.run(["ip", "link", "set", "wire", "mtu", "1000"], check=True)
        netns.run(["ip", "link", "set", "cable", "mtu", "1000"], check=True)
        with Capture(far, "wire") as capture:
            assert echoed(client, 2)
    assert "incorrect" not in capture.text
    assert capture.longest(from_guest=True) == 1000


@targets
def test_peer_without_offloads_is_served_as_well(boot, netns, target):
    """What comes over a wire is cut and summed: the guest sums it itself."""
    netns.run(["ethtool", "-K", netns.tap, "tx", "off", "tso", "off", "gso", "off"], check=True)
    guest = boot(BULK, target=target)
    netns.run(["ethtool", "-K", netns.tap, "tx", "off", "tso", "off", "gso", "off"], check=True)
    guest.wait_for_port(ECHO)
    with Capture(netns, netns.tap, f"tcp port {ECHO} and dst host {GUEST}") as capture:
        with netns.connect(GUEST, ECHO) as client:
            assert echoed(client)
    assert "incorrect" not in capture.text
    assert capture.longest(from_guest=False) <= 1500


# From guest to guest ------------------------------------------------------------------------------------------------


@targets
def test_guest_on_a_plain_descriptor_talks_to_one_with_offloads(boot, netns, target):
    """Two taps on a bridge: what is left undone for one of them, the kernel completes for the other."""
    for command in ("ip tuntap add tap1 mode tap", "ip link add bridge type bridge", "ip link set bridge up",
                    "ip link set tap1 up master bridge", f"ip link set {netns.tap} master bridge"):
        netns.run(command.split(), check=True)
    boot(BULK, target=target)
    fd = netns.open_tap("tap1")
    caller = boot("tests/unikernels/caller", f"--peer={GUEST}", f"--port={ECHO}", target=target, tap=f"@{fd}",
                  descriptors=[fd], address="10.0.0.3", announces=False)
    caller.wait_for_log("1048576")
