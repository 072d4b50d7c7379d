# SPDX-License-Identifier: ISC
"""Our own stack below TCP, on a tap, beside the Linux kernel: what it says by itself, answers, ignores and survives."""
import errno
import random
import socket
import struct
import time

import pytest

from netns import GUEST, HOST, TARGETS, Expired, is_announcement, wait_until

from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

targets = pytest.mark.parametrize("target", TARGETS)
pytestmark = pytest.mark.each_target
BROADCAST = "ff:ff:ff:ff:ff:ff"
NOBODY = "00:00:00:00:00:00"
DATAGRAMS = "tests/unikernels/datagrams"
UDP_PORT = 7


@pytest.fixture
def guest(boot):
    """A guest that knows its host already, so that whatever it says from now on was provoked."""
    started = boot(DATAGRAMS)
    assert started.ping("-c1")[0] == 1
    return started


class Peer:
    """Speaks to the guest from a raw link, as the host or as somebody who says he is the host."""

    def __init__(self, link, guest):
        self.link, self.guest = link, guest

    def ether(self, **fields):
        return Ether(**{"src": self.link.mac, "dst": self.guest.mac, **fields})

    def ip(self, **fields):
        return self.ether() / IP(**{"src": HOST, "dst": GUEST, **fields})

    def answers(self, *frames):
        """What the guest sends because of these frames. It handles frames in order, and lets its tasks run before it reads
        more; so when a second ping that follows them is answered, all is there."""
        self.link.drain()
        for frame in frames:
            self.link.send(frame)
        return self.said_until_ping() + self.said_until_ping()

    def said_until_ping(self):
        mark = random.randbytes(16)
        self.link.send(self.ip() / ICMP(type=8, id=0x4242) / Raw(mark))
        said = []
        while True:
            frame = self.link.receive()
            assert frame is not None, "the guest does not answer a ping any more"
            if ICMP in frame and frame[ICMP].type == 0 and bytes(frame[ICMP].payload)[:16] == mark:
                return said
            if not is_announcement(GUEST)(frame):
                said.append(frame)


@pytest.fixture
def peer(link, guest):
    return Peer(link, guest)


# What it says by itself -------------------------------------------------------------------------------------------------


@targets
def test_announces_its_address_twice_when_it_starts(link, boot, target):
    guest = boot("echo", target=target)
    first = guest.announcement
    assert first.dst == BROADCAST and first.type == 0x0806
    assert (first[ARP].op, first[ARP].hwtype, first[ARP].ptype, first[ARP].hwlen, first[ARP].plen) == (1, 1, 0x800, 6, 4)
    assert first[ARP].hwsrc == first.src and first[ARP].hwdst == NOBODY
    link.expect(is_announcement(GUEST))
    seen = time.monotonic()
    again = link.expect(is_announcement(GUEST), 4, "the second announcement")
    assert bytes(again) == bytes(first)
    assert 1.5 < time.monotonic() - seen < 3.5, "RFC 5227 says ANNOUNCE_INTERVAL, 2 s"
    with pytest.raises(Expired):
        link.expect(is_announcement(GUEST), 3)


def test_a_capture_shows_the_announcement(netns, boot, tmp_path):
    netns.capture(tmp_path / "all.pcap")
    boot("echo")
    read = ["tcpdump", "-nr", tmp_path / "all.pcap", "arp"]
    wait_until(lambda: f"Request who-has {GUEST} tell {GUEST}" in netns.run(read).stdout, 5, "it is in the capture")


@pytest.mark.parametrize("argument, named", [
    ("--ipv4=10.0.0.255/24", "10.0.0.255/24"), ("--ipv4=10.0.0.0/24", "10.0.0.0/24"), ("--ipv4=127.0.0.1/8", "127.0.0.1/8"),
    ("--ipv4=224.0.0.1/24", "224.0.0.1/24"), ("--ipv4-gateway=10.0.0.255", "10.0.0.255"), ("--ipv4-gateway=10.0.0.2", "10.0.0.2")])
def test_an_address_that_no_host_can_have_is_named_and_ends_the_guest(boot, argument, named):
    guest = boot(DATAGRAMS, argument, announces=False)
    assert guest.wait_for_end() == 1
    assert named in guest.log()


# What it answers --------------------------------------------------------------------------------------------------------


@targets
def test_answers_pings_small_and_large(boot, target):
    guest = boot("echo", target=target)
    for options in (["-c3", "-i0.05"], ["-c3", "-i0.05", "-s1400"], ["-c3", "-i0.05", "-s1472", "-Mdo"], ["-c1", "-s0"]):
        received, output = guest.ping(*options, "-W2")
        assert f"{received} packets transmitted" in output and received > 0, output


@targets
def test_datagrams_larger_than_the_link_come_and_go_in_fragments(boot, netns, target):
    guest = boot(DATAGRAMS, target=target)
    client = netns.udp()
    client.connect((guest.address, UDP_PORT))
    for size in (1472, 1473, 8000, 65507):
        sent = random.randbytes(size)
        client.send(sent)
        assert client.recv(65535) == sent


@targets
def test_answers_pings_that_come_and_go_in_fragments(boot, target):
    guest = boot("echo", target=target)
    for size in (1473, 4000, 65000, 65507):
        received, output = guest.ping("-c3", "-i0.05", f"-s{size}", "-W2")
        assert received == 3, output


@targets
def test_answers_all_of_200_pings_a_hundredth_of_a_second_apart(boot, target):
    received, output = boot("echo", target=target).ping("-c200", "-i0.01", "-W2")
    assert received == 200, output


def test_an_echo_reply_has_the_same_identifier_number_and_data(peer):
    for data in (b"", b"x", random.randbytes(55), random.randbytes(1472)):
        ping = peer.ip(tos=0x28) / ICMP(type=8, id=0x1234, seq=0x5678) / Raw(data)
        answer, = peer.answers(ping)
        assert (answer[IP].src, answer[IP].dst, answer[IP].ttl) == (GUEST, HOST, 64)
        assert (answer[ICMP].type, answer[ICMP].code, answer[ICMP].id, answer[ICMP].seq) == (0, 0, 0x1234, 0x5678)
        assert bytes(answer[ICMP].payload) == data
        checked = answer.copy()
        del checked[IP].chksum, checked[ICMP].chksum
        assert bytes(Ether(bytes(checked))) == bytes(answer), "a checksum is wrong"


def test_udp_datagrams_come_back_bit_for_bit(netns, guest):
    client = netns.udp()
    for length in [0, 1, 2, 3, 511, 1471, 1472] + [random.randrange(1473) for _ in range(50)]:
        data = random.randbytes(length)
        client.sendto(data, (GUEST, UDP_PORT))
        assert client.recvfrom(2048) == (data, (GUEST, UDP_PORT))


def test_a_udp_port_that_nobody_has_is_refused(netns, guest):
    client = netns.udp()
    client.connect((GUEST, 4321))
    client.send(b"anybody?")
    with pytest.raises(ConnectionRefusedError):
        client.recv(100)


def test_port_unreachable_quotes_what_it_is_about(peer):
    for data in (b"", b"short", random.randbytes(1400)):
        datagram = peer.ip(id=77, ttl=9) / UDP(sport=1111, dport=4321) / Raw(data)
        answer, = peer.answers(datagram)
        assert (answer[ICMP].type, answer[ICMP].code) == (3, 3)
        quoted = bytes(answer[ICMP])[8:]
        sent = bytes(datagram[IP])
        assert quoted == sent[:548], "RFC 1812, 4.3.2.3: as much as fits into 576 bytes"


def test_an_unknown_protocol_is_refused(peer):
    answer, = peer.answers(peer.ip(proto=253) / Raw(b"12345678"))
    assert (answer[ICMP].type, answer[ICMP].code) == (3, 2)


def test_errors_are_sent_at_a_limited_rate(link, peer):
    flood = [peer.ip() / UDP(sport=1111, dport=5000 + i) / b"x" for i in range(1000)]
    started = time.monotonic()
    said = peer.answers(*flood)
    limit = 50 + 100 * (time.monotonic() - started)
    assert 20 <= len(said) <= limit + 1, f"{len(said)} errors, at most {limit:.0f} were expected"


def test_arp_is_answered_to_whoever_asks_for_us_and_nobody_else(link, peer):
    def who_has(target, sender=HOST, mac=None):
        mac = mac or link.mac
        return Ether(src=mac, dst=BROADCAST) / ARP(op=1, hwsrc=mac, psrc=sender, pdst=target)

    other = "02:00:00:00:00:77"
    answer, = peer.answers(who_has(GUEST, "10.0.0.77", other))
    assert (answer.dst, answer[ARP].op, answer[ARP].psrc, answer[ARP].hwsrc) == (other, 2, GUEST, peer.guest.mac)
    assert (answer[ARP].pdst, answer[ARP].hwdst) == ("10.0.0.77", other)
    probe, = peer.answers(who_has(GUEST, "0.0.0.0"))  # RFC 5227, 2.1.1: who wants the address must learn that it is ours
    assert (probe[ARP].op, probe[ARP].psrc) == (2, GUEST)
    assert peer.answers(who_has("10.0.0.3"), who_has("10.0.0.1"), who_has("255.255.255.255")) == []


def test_snap_frames_are_received(peer):
    inner = bytes(peer.ip() / ICMP(type=8, id=5, seq=6))[14:]
    frame = bytes(peer.ether())[:12] + struct.pack("!H", 8 + len(inner)) + b"\xaa\xaa\x03\0\0\0\x08\0" + inner
    answer, = peer.answers(frame)
    assert (answer[ICMP].type, answer[ICMP].id) == (0, 5)


def test_link_padding_behind_a_packet_is_ignored(peer):
    answer, = peer.answers(bytes(peer.ip() / ICMP(type=8, id=5) / Raw(b"abc")) + b"\xee" * 100)
    assert bytes(answer[ICMP].payload) == b"abc"


# What it drops ----------------------------------------------------------------------------------------------------------


def wrong(packet, layer, **fields):
    """The packet with these fields forced, its other checksums right."""
    packet = Ether(bytes(packet))
    for name, value in fields.items():
        setattr(packet[layer], name, value)
    if layer is IP and "chksum" not in fields:
        del packet[IP].chksum
    return packet


def hostile_frames(peer):
    """Name and frames: none of them must be answered, or do any harm."""
    ping = peer.ip() / ICMP(type=8, id=1) / Raw(b"data" * 8)
    datagram = peer.ip() / UDP(sport=1, dport=UDP_PORT) / Raw(b"data" * 8)
    syn = peer.ip() / TCP(sport=1, dport=1, flags="S")
    whole = bytes(datagram)
    yield "truncated at every length", [whole[:n] for n in range(14, len(whole))]
    yield "truncated ping", [bytes(ping)[:n] for n in range(14, len(bytes(ping)))]
    yield "truncated SYN", [bytes(syn)[:n] for n in range(14, len(bytes(syn)))]
    yield "IP checksum", [wrong(ping, IP, chksum=0x1234), wrong(datagram, IP, chksum=0)]
    yield "ICMP checksum", [wrong(ping, ICMP, chksum=0x1234)]
    yield "UDP checksum", [wrong(datagram, UDP, chksum=0x1234)]
    yield "TCP checksum", [wrong(syn, TCP, chksum=0x1234)]
    yield "header length", [wrong(ping, IP, ihl=n) for n in (0, 1, 4)]
    yield "version", [wrong(ping, IP, version=n) for n in (0, 3, 5, 6, 15)]
    yield "total length", [wrong(ping, IP, len=n) for n in (0, 1, 19, 20, 61, 1500, 65535)]
    yield "UDP length", [wrong(datagram, UDP, len=n, chksum=0) for n in (0, 1, 7, 41, 65535)]
    yield "martians", [peer.ip(src=source) / ICMP(type=8) for source in
                       ("127.0.0.1", "0.0.0.0", "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "10.0.0.255")]
    yield "martians by UDP", [peer.ip(src=source) / UDP(sport=1, dport=99) for source in
                              ("127.0.0.1", "0.0.0.0", "224.0.0.1", "255.255.255.255", "10.0.0.255")]
    yield "land", [peer.ip(src=GUEST) / TCP(sport=9000, dport=9000, flags="S"), peer.ip(src=GUEST) / ICMP(type=8),
                   peer.ip(src=GUEST) / UDP(sport=UDP_PORT, dport=UDP_PORT) / b"loop"]
    yield "not for us", [peer.ip(dst=to) / ICMP(type=8) for to in ("10.0.0.3", "127.0.0.1", "224.0.0.1", "192.0.2.1")]
    yield "another's frame", [Ether(src=peer.link.mac, dst="02:11:22:33:44:55") / IP(src=HOST, dst=GUEST) / ICMP(type=8)]
    yield "multicast sender", [Ether(src="01:00:5e:00:00:01", dst=peer.guest.mac) / IP(src=HOST, dst=GUEST) / ICMP(type=8)]
    yield "broadcast ping", [Ether(src=peer.link.mac, dst=BROADCAST) / IP(src=HOST, dst=to) / ICMP(type=8)
                             for to in ("10.0.0.255", "255.255.255.255", GUEST)]
    yield "broadcast to a closed port", [Ether(src=peer.link.mac, dst=BROADCAST) / IP(src=HOST, dst=to) /
                                         UDP(sport=1, dport=99) for to in ("10.0.0.255", "255.255.255.255")]
    yield "broadcast SYN", [Ether(src=peer.link.mac, dst=BROADCAST) / IP(src=HOST, dst="10.0.0.255") /
                            TCP(sport=1, dport=9000, flags="S")]
    yield "source routes", [peer.ip(options=[option]) / ICMP(type=8) for option in
                            (bytes((131, 7, 4, 10, 0, 0, 3)), bytes((137, 7, 4, 10, 0, 0, 3)))]
    yield "lone fragments", [peer.ip(flags="MF") / ICMP(type=8), peer.ip(frag=100) / UDP(sport=1, dport=99) / b"x",
                             peer.ip(flags="MF", frag=8191) / Raw(b"x" * 64), peer.ip(frag=8191) / Raw(b"x" * 64)]
    yield "ICMP of unknown type", [peer.ip() / ICMP(type=n) / Raw(b"x" * 8) for n in (1, 2, 4, 5, 7, 13, 15, 17, 42, 255)]
    yield "ICMP errors about nothing", [peer.ip() / ICMP(type=kind, code=code) / Raw(quote)
                                        for kind, code in ((3, 3), (3, 4), (3, 255), (11, 0), (12, 0)) for quote in
                                        (b"", b"\x45", b"\x4f" * 20, b"\xff" * 28,
                                         bytes(IP(src=GUEST, dst=HOST) / UDP(sport=UDP_PORT, dport=1)),
                                         bytes(IP(src=GUEST, dst=HOST) / TCP(sport=1, dport=1))[:28],
                                         bytes(IP(src=HOST, dst=GUEST) / UDP()))]
    yield "unknown types", [peer.ether(type=n) / Raw(b"x" * 46) for n in (0, 3, 46, 1500, 1501, 0x86dd, 0x8100, 0xffff)]
    arp = peer.ether() / ARP(op=1, hwsrc=peer.link.mac, psrc=HOST, pdst=GUEST)
    yield "ARP of other kinds", [wrong(arp, ARP, **{name: value}) for name, value in
                                 (("hwtype", 6), ("ptype", 0x86dd), ("hwlen", 5), ("hwlen", 255), ("plen", 16), ("plen", 0),
                                  ("op", 0), ("op", 3), ("op", 65535))]
    yield "ARP truncated", [bytes(arp)[:n] for n in range(14, 42)]
    yield "ARP from no host", [peer.ether() / ARP(op=1, hwsrc=mac, psrc=HOST, pdst=GUEST)
                               for mac in (BROADCAST, NOBODY, "01:00:5e:00:00:01")]


def bytes_with_options(peer, options):
    """A ping whose header has these 4 bytes of options, as they are."""
    packet = peer.ip() / ICMP(type=8)
    header = bytearray(bytes(packet)[14:34])
    header[0] = 0x46
    header[2:4] = struct.pack("!H", 24 + 8)
    header[10:12] = b"\0\0"
    raw = bytes(header) + options
    total = sum(struct.unpack("!12H", raw))
    total = (total & 0xffff) + (total >> 16)
    header[10:12] = struct.pack("!H", 0xffff & ~((total & 0xffff) + (total >> 16)))
    return bytes(packet)[:14] + bytes(header) + options + bytes(packet)[34:]


def test_of_broken_options_the_sender_is_told_where(peer):
    for options, at in (((7, 0, 1, 1), 20), ((7, 1, 1, 1), 20), ((7, 5, 1, 1), 20), ((1, 1, 1, 7), 23)):
        answer, = peer.answers(bytes_with_options(peer, bytes(options)))
        assert (answer[ICMP].type, answer[ICMP].code, answer[ICMP].ptr) == (12, 0, at)


def test_options_that_mean_nothing_to_us_are_ignored(peer):
    for options in (bytes((1, 1, 1, 0)), bytes((0, 255, 255, 255)), bytes((136, 4, 0, 1)), bytes((200, 4, 1, 2))):
        answer, = peer.answers(bytes_with_options(peer, options))
        assert answer[ICMP].type == 0


def test_hostile_packets_are_neither_answered_nor_harmful(peer):
    wrongs = []
    for name, frames in hostile_frames(peer):
        for frame in frames:
            said = peer.answers(frame)
            if said:
                wrongs.append(f"{name}: {bytes(frame).hex()} was answered by {[one.summary() for one in said]}")
    assert not wrongs, "\n".join(wrongs)


def test_random_frames_do_no_harm(peer):
    seed = random.randrange(1 << 32)
    dice = random.Random(seed)
    starts = [bytes(frame) for _, frames in hostile_frames(peer) for frame in frames if len(bytes(frame)) > 14]
    for _ in range(100):
        frames = []
        for _ in range(50):
            frame = bytearray(dice.choice(starts))
            for _ in range(dice.randrange(1, 9)):
                frame[dice.randrange(12, len(frame))] = dice.randrange(256)
            frames.append(bytes(frame))
        try:
            peer.answers(*frames)
        except AssertionError:
            raise AssertionError(f"seed {seed}: one of {[frame.hex() for frame in frames]}") from None


def test_a_udp_datagram_without_a_checksum_is_received(peer):
    answer, = peer.answers(wrong(peer.ip() / UDP(sport=1234, dport=UDP_PORT) / b"trust me", UDP, chksum=0))
    assert (answer[UDP].dport, bytes(answer[UDP].payload)) == (1234, b"trust me")


@pytest.mark.parametrize("to", ["10.0.0.255", "255.255.255.255"])
def test_a_broadcast_datagram_reaches_its_port(peer, to):
    answer, = peer.answers(Ether(src=peer.link.mac, dst=BROADCAST) / IP(src=HOST, dst=to) / UDP(sport=1234, dport=7) / b"all")
    assert (answer.dst, answer[IP].src, answer[IP].dst, bytes(answer[UDP].payload)) == (peer.link.mac, GUEST, HOST, b"all")


def test_who_claims_our_address_is_answered_and_logged_but_not_at_any_rate(peer):
    thief = "02:66:66:66:66:66"
    claim = Ether(src=thief, dst=BROADCAST) / ARP(op=1, hwsrc=thief, psrc=GUEST, pdst=GUEST)
    peer.link.drain()
    for _ in range(100):
        peer.link.send(claim)
    peer.link.expect(is_announcement(GUEST), 2, "RFC 5227, 2.4: the defence")
    peer.guest.wait_for_log(rf"WRN \[arp\] .*{GUEST}.*{thief}")
    assert peer.guest.log().count(thief) == 1
    assert peer.guest.ping("-c2", "-i0.05")[0] == 2


@pytest.mark.swift
def test_ten_thousand_forged_neighbours_leave_the_gateway_in_its_place(netns, link, boot):
    guest = boot(DATAGRAMS, prefix=8, gateway=HOST)
    peer = Peer(link, guest)
    assert guest.ping("-c1")[0] == 1
    for batch in range(100):
        claims = []
        for i in range(100):
            number = 0x0a010000 + batch * 100 + i
            address = socket.inet_ntoa(struct.pack("!I", number))
            mac = f"02:00:{number >> 24:02x}:{number >> 16 & 255:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"
            claims.append(Ether(src=mac, dst=guest.mac) / ARP(op=1, hwsrc=mac, psrc=address, pdst=GUEST))
        said = peer.answers(*claims)
        assert all(frame[ARP].op == 2 for frame in said), "it asks for somebody"
    received, output = guest.ping("-c5", "-i0.02")
    assert received == 5, output


@pytest.mark.swift
def test_packets_from_ten_thousand_forged_neighbours_cause_few_questions(link, boot):
    guest = boot(DATAGRAMS, prefix=8, gateway=HOST)
    peer = Peer(link, guest)
    assert guest.ping("-c1")[0] == 1
    questions, started = [], time.monotonic()
    for batch in range(100):
        pings = [peer.ip(src=socket.inet_ntoa(struct.pack("!I", 0x0a010000 + batch * 100 + i))) / ICMP(type=8, id=1)
                 for i in range(100)]
        questions += [frame[ARP].pdst for frame in peer.answers(*pings)]
    elapsed = time.monotonic() - started
    assert HOST not in questions
    assert len(questions) <= 128 * (elapsed + 1), "ARP_ASKING_MAX at once, each once a second"
    assert max(map(questions.count, questions)) <= elapsed + 1, "RFC 1122, 2.3.2.1: each at most once a second"
    received, output = guest.ping("-c5", "-i0.02")
    assert received == 5, output


# Where it sends ---------------------------------------------------------------------------------------------------------


def send_on(netns, address, seconds=20):
    """What udp_send returns in the guest for this address."""
    client = netns.udp(seconds=seconds)
    client.sendto(f"to {address}".encode(), (GUEST, UDP_PORT))
    return int(client.recv(100))


def test_a_neighbour_that_does_not_answer_is_asked_for_three_times_a_second_apart(netns, link, guest):
    started = time.monotonic()
    assert send_on(netns, "10.0.0.99") == -errno.EHOSTUNREACH
    assert 2.5 < time.monotonic() - started < 5
    questions = []
    while (frame := link.receive(0)) is not None:
        if ARP in frame and frame[ARP].op == 1 and frame[ARP].pdst == "10.0.0.99":
            assert (frame.dst, frame[ARP].hwdst, frame[ARP].psrc) == (BROADCAST, NOBODY, GUEST)
            questions.append(frame)
    assert len(questions) == 3
    again = time.monotonic()
    assert send_on(netns, "10.0.0.99") == -errno.EHOSTUNREACH
    assert time.monotonic() - again < 1, "it is not asked for again so soon"


def test_without_a_gateway_only_the_subnet_is_reached(netns, guest):
    for address in ("192.0.2.1", "0.0.0.0", "240.0.0.1", "::1"):
        assert send_on(netns, address) == -errno.ENETUNREACH, address


@pytest.mark.parametrize("prefix", [24, 32])
def test_strangers_are_reached_by_the_gateway_even_off_the_link(link, boot, prefix):
    guest = boot(DATAGRAMS, prefix=prefix, gateway=HOST)
    assert guest.ping("-c1")[0] == 1
    answer, = Peer(link, guest).answers(Ether(src=link.mac, dst=guest.mac) / IP(src="192.0.2.5", dst=GUEST) /
                                        UDP(sport=1234, dport=UDP_PORT) / b"far away")
    assert (answer.dst, answer[IP].dst, bytes(answer[UDP].payload)) == (link.mac, "192.0.2.5", b"far away")


def test_sending_to_all_is_a_broadcast_on_the_link(netns, link, guest):
    for address, mac in (("255.255.255.255", BROADCAST), ("10.0.0.255", BROADCAST), ("224.1.2.3", "01:00:5e:01:02:03")):
        assert send_on(netns, address) == 0
        frame = link.expect(lambda frame: UDP in frame and frame[UDP].dport == 9)
        assert (frame.dst, frame[IP].dst) == (mac, address)


def test_what_is_sent_is_never_fragmented_and_has_no_identification(peer):
    answer, = peer.answers(peer.ip() / UDP(sport=1234, dport=UDP_PORT) / b"x")
    assert (answer[IP].id, answer[IP].flags, answer[IP].frag, answer[IP].ttl) == (0, "DF", 0, 64)


def test_datagrams_beyond_what_the_queue_holds_are_dropped_and_nothing_else_is(netns, guest):
    client = netns.udp()
    for _ in range(20000):
        client.sendto(b"x" * 1000, (GUEST, UDP_PORT))
    wait_until(lambda: guest.ping("-c1", "-W1")[0] == 1, 10, "an answer to ping")
    client = netns.udp()
    client.sendto(b"after", (GUEST, UDP_PORT))
    assert client.recv(100) == b"after"
    assert guest.is_running()
