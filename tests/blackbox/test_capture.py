# SPDX-License-Identifier: ISC
"""A capture at the link from within the guest (tests/unikernels/captured): tcpdump and scapy read what it recorded."""
import socket
import subprocess

import pytest
from scapy.all import ARP, ICMP, IP, TCP, Ether, Raw, rdpcap

from netns import HOST, TARGETS

ECHO, RECORD = 9000, 9001

pytestmark = pytest.mark.each_target


@pytest.fixture(params=TARGETS)
def record(request, boot, netns, tmp_path):
    """The file of a guest that was pinged, and has echoed a line; and when all this was on the wire."""
    guest = boot("tests/unikernels/captured", target=request.param)
    reader = netns.connect(guest.address, RECORD)
    assert guest.ping("-c3", "-i0.2")[0] == 3
    echo = netns.connect(guest.address, ECHO)
    echo.sendall(b"what is going on in there?\n")
    assert echo.recv(100) == b"what is going on in there?\n"
    reader.shutdown(socket.SHUT_WR)
    path = tmp_path / "record.pcapng"
    with open(path, "wb") as file:
        while piece := reader.recv(65536):
            file.write(piece)
    return guest, path


def test_tcpdump_and_scapy_read_what_was_captured_within(record):
    guest, path = record
    lines = subprocess.run(["tcpdump", "-nr", path], check=True, capture_output=True, text=True).stdout.splitlines()
    assert sum("ICMP echo request" in line for line in lines) == 3
    assert sum("ICMP echo reply" in line for line in lines) == 3

    frames = rdpcap(str(path))
    assert len(frames) == len(lines)
    assert any(ARP in frame and frame[ARP].psrc == guest.address for frame in frames), "its announcement is the first"
    pings = [frame for frame in frames if ICMP in frame]
    assert [frame[Ether].src == guest.mac for frame in pings] == [False, True] * 3, "both ways, in their order"
    echoed = [frame for frame in frames if TCP in frame and Raw in frame]
    assert [(frame[IP].src, bytes(frame[Raw])) for frame in echoed] == [
        (HOST, b"what is going on in there?\n"), (guest.address, b"what is going on in there?\n")]
    assert not any(RECORD in (frame[TCP].sport, frame[TCP].dport) for frame in frames if TCP in frame)
    times = [float(frame.time) for frame in frames]
    assert times == sorted(times) and 0.4 < float(pings[-1].time - pings[0].time) < 5
