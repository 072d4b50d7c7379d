# SPDX-License-Identifier: ISC
"""Volume: a stream both ways at once through a Linux router that drops packets by nftables' rules.

`make test` sends 64 MiB each way; `make long` sends a gibibyte (SKERRY_LONG).
"""
import os
import random
import re
import threading
import time

import pytest

from netns import GUEST, HOST

MIB = 1 << 20
ECHO = 9000
LONG = bool(os.environ.get("SKERRY_LONG"))
PERIOD = 1_048_573  # bytes after which the stream repeats: a prime, so that nothing that is moved looks right
CHUNK = 256 * 1024

# One packet in a hundred of each direction, where neither end's TCP is told. One of the guest's may be several segments,
# which the tap's end cuts.
DROPS = """
table inet loss {
	chain forward {
		type filter hook forward priority 0
		oifname "%s" numgen random mod 100 < 1 counter name to_guest drop
		iifname "%s" numgen random mod 100 < 1 counter name from_guest drop
	}
	counter to_guest { }
	counter from_guest { }
}
"""


def packets_dropped(netns):
    listed = netns.run(["nft", "list", "counters"], check=True).stdout
    return [int(number) for number in re.findall(r"packets (\d+)", listed)]


class Stream:
    """Sends size bytes to an echo server and compares what comes back, both at once."""

    def __init__(self, client, size):
        self.client, self.size, self.received, self.error = client, size, 0, None
        period = random.Random(1).randbytes(PERIOD)
        self.pattern = memoryview(period + period[:CHUNK])

    def at(self, offset, length):
        start = offset % PERIOD
        return self.pattern[start:start + length]

    def send(self):
        try:
            sent = 0
            while sent < self.size:
                sent += self.client.send(self.at(sent, min(CHUNK, self.size - sent)))
            self.client.shutdown(1)
        except OSError as error:
            self.error = error

    def run(self, seconds):
        """Seconds that it took, or why it failed."""
        self.client.settimeout(seconds)
        began = time.monotonic()
        sender = threading.Thread(target=self.send, daemon=True)
        sender.start()
        buffer = bytearray(CHUNK)
        view = memoryview(buffer)
        while length := self.client.recv_into(buffer):
            assert view[:length] == self.at(self.received, length), \
                f"expected the bytes that were sent, got others after {self.received}"
            self.received += length
            assert time.monotonic() - began < seconds, \
                f"expected {self.size} bytes in {seconds} s, got {self.received}"
        sender.join()
        assert self.error is None, f"expected to send {self.size} bytes, got {self.error}"
        assert self.received == self.size, f"expected {self.size} bytes, got {self.received}"
        return time.monotonic() - began


@pytest.mark.long
def test_a_long_stream_comes_back_whole_through_a_router_that_drops_one_packet_in_a_hundred(netns, far, boot):
    size = (1024 if LONG else 64) * MIB
    netns.run(["nft", "-f", "-"], input=DROPS % (netns.tap, netns.tap), stdin=None, check=True)
    far.run(["ip", "link", "set", "up0", "gso_max_segs", "1"], check=True)  # else 64 KiB at once are one packet
    guest = boot("echo", gateway=HOST)
    guest.wait_for_port(ECHO)
    with far.connect(GUEST, ECHO) as client:
        took = Stream(client, size).run(600)
    dropped = packets_dropped(netns)
    print(f"{size // MIB} MiB each way in {took:.1f} s, {dropped} packets dropped")
    assert min(dropped) > size // 1448 // 1000, f"expected one packet in a hundred to be dropped, got {dropped}"
    assert guest.is_running()
