# SPDX-License-Identifier: ISC
"""IPv6 on a tap, beside Linux as neighbour and router (with radvd), and scapy as what no Linux would be."""
import contextlib
import os
import re
import socket
import threading
import time

import pytest

import netns as networks
from netns import TARGETS, wait_until

from scapy.layers.inet6 import (ICMPv6EchoReply, ICMPv6EchoRequest, ICMPv6ND_NA, ICMPv6ND_NS, ICMPv6ND_RA,
                                ICMPv6NDOptDstLLAddr, ICMPv6NDOptPrefixInfo, ICMPv6NDOptSrcLLAddr,
                                ICMPv6ParamProblem, IPv6, IPv6ExtHdrDestOpt, IPv6ExtHdrFragment, IPv6ExtHdrHopByHop,
                                IPv6ExtHdrRouting, RouterAlert)
from scapy.layers.inet import TCP, UDP
from scapy.layers.l2 import ARP, Ether
from scapy.packet import Raw

targets = pytest.mark.parametrize("target", TARGETS)
DUAL = ("--dual-stack=true",)
HOST6, GUEST6, FAR6 = "2001:db8::1", "2001:db8::2", "2001:db8:f::1"
MEGABYTE = 1 << 20


@pytest.fixture
def host6(netns):
    """The namespace with IPv6 on the tests' end of the tap: HOST6/64. Its host answers, but sends no advertisements."""
    for name in ("all", "default", netns.tap):
        netns.run(["sysctl", "-qw", f"net.ipv6.conf.{name}.disable_ipv6=0", f"net.ipv6.conf.{name}.accept_ra=0"],
                  check=True)
    netns.run(["ip", "-6", "addr", "add", f"{HOST6}/64", "dev", netns.tap, "nodad"], check=True)
    netns.run(["ip", "-6", "addr", "add", f"{FAR6}/128", "dev", "lo", "nodad"], check=True)
    return netns


@pytest.fixture
def boot6(host6, boot):
    def start(example, *arguments, address=GUEST6, **options):
        own = [f"--ipv6={address}/64"] if address else []
        guest = boot(example, *own, *arguments, configured=DUAL, **options)
        if address:
            guest.wait_for_log(re.escape(f"[ipv6] address {address}"))
        return guest
    return start


def ping6(host6, *options, address=GUEST6):
    done = host6.run(["ping", "-6", *map(str, options), address])
    received = re.search(r"(\d+) received", done.stdout)
    return int(received.group(1)) if received else 0, done.stdout


def connect6(host6, port, address=GUEST6, seconds=10):
    client = host6.socket(socket.AF_INET6, socket.SOCK_STREAM)
    client.settimeout(seconds)
    client.connect((address, port))
    return client


def wait_for_port6(host6, port, address=GUEST6):
    def accepts():
        with contextlib.suppress(OSError):
            connect6(host6, port, address, 1).close()
            return True
    wait_until(accepts, 10, f"port {port} of {address} is open")


def exchange(client, data):
    """Sends data to an echo server, and gives what comes back."""
    def send():
        client.sendall(data)
        client.shutdown(socket.SHUT_WR)
    sender = threading.Thread(target=send)
    sender.start()
    received = b""
    while chunk := client.recv(65536):
        received += chunk
    sender.join()
    return received


@contextlib.contextmanager
def echo_server(host6, port=9):
    """A server of the host's that sends back what it gets, of one connection; gives where that came from."""
    server = host6.socket(socket.AF_INET6, socket.SOCK_STREAM)
    server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    server.bind(("::", port))
    server.listen()
    server.settimeout(30)
    peers = []

    def serve():
        connection, peer = server.accept()
        peers.append(peer[0])
        connection.settimeout(30)
        data = b""
        while chunk := connection.recv(65536):
            data += chunk
        connection.sendall(data)
        connection.close()
    thread = threading.Thread(target=serve)
    thread.start()
    yield peers
    thread.join(30)
    server.close()


# Neighbours -----------------------------------------------------------------------------------------------------------

@targets
def test_answers_pings_of_every_size(host6, boot6, target):
    boot6("echo", target=target)
    for size in (0, 56, 1452, 1453, 5000, 65000):
        received, said = ping6(host6, "-c", 3, "-i", "0.05", "-s", size)
        assert received == 3, said
    assert "lladdr" in host6.run(["ip", "-6", "neigh", "show", GUEST6]).stdout


@targets
def test_traceroute_and_nmap_see_what_is_there(host6, boot6, target):
    guest = boot6("echo", target=target)
    wait_for_port6(host6, 9000)
    for options in (["-I"], ["-T", "-p", "9000"], ["-T", "-p", "81"]):
        traced = host6.run(["traceroute", "-6", "-n", *options, GUEST6]).stdout
        assert re.findall(r"^ *\d+  (\S+)  ", traced, re.M) == [GUEST6], f"expected the guest as the only hop, got:\n{traced}"
    for kind, state in (("-sS", "open"), ("-sT", "open"), ("-sX", "open|filtered")):
        said = host6.run(["nmap", "-6", "-n", "-Pn", "-oG", "-", kind, "-p", "81,9000", GUEST6]).stdout
        assert re.findall(r"(\d+)/([a-z|]+)/tcp/", said) == [("81", "closed"), ("9000", state)], \
            f"nmap {kind}: expected port 9000 {state}, got:\n{said}"
    with connect6(host6, 9000) as client:
        assert exchange(client, b"still there?") == b"still there?"
    assert guest.is_running()


@targets
def test_link_local_addresses_are_reached_and_the_same_with_the_same_secret(host6, boot6, target):
    seen = []
    for secret in ("one", "one", "two"):
        guest = boot6("echo", f"--ipv6-secret={secret}", target=target)
        address = guest.wait_for_log(r"\[ipv6\] address (fe80::\S+)").group(1)
        assert ping6(host6, "-c", 1, address=f"{address}%{host6.tap}")[0] == 1
        link = host6.run(["ip", "-6", "neigh", "show", address]).stdout
        seen.append((address, re.search(r"lladdr (\S+)", link).group(1)))
        guest.stop()
    if seen[0][1] == seen[1][1]:  # the same card, too
        assert seen[0][0] == seen[1][0]
    assert seen[1][0] != seen[2][0]


def test_all_nodes_on_the_link_are_pinged_by_multicast(host6, boot6):
    guest = boot6("echo")
    local = guest.wait_for_log(r"\[ipv6\] address (fe80::\S+)").group(1)
    said = host6.run(["ping", "-6", "-L", "-c", "2", f"ff02::1%{host6.tap}"]).stdout
    assert local in said


def test_the_host_finds_it_reachable_and_asks_again(host6, boot6):
    boot6("echo")
    wait_for_port6(host6, 9000)
    with connect6(host6, 9000) as client:
        assert exchange(client, b"x" * 10000) == b"x" * 10000
    assert "REACHABLE" in host6.run(["ip", "-6", "neigh", "show", GUEST6]).stdout
    host6.run(["ip", "-6", "neigh", "flush", "dev", host6.tap], check=True)
    assert ping6(host6, "-c", 1)[0] == 1


def test_a_neighbour_whose_card_changes_is_found_again(host6, boot6):
    boot6("echo")
    wait_for_port6(host6, 9000)
    with connect6(host6, 9000, seconds=30) as client:
        client.sendall(b"before")
        assert client.recv(100) == b"before"
        host6.run(["ip", "link", "set", host6.tap, "address", "02:00:00:00:00:99"], check=True)
        client.sendall(b"after")
        assert client.recv(100) == b"after"  # DELAY and PROBE take 8 s at most


def test_an_address_that_another_host_has_is_not_used(host6, boot6):
    host6.run(["ip", "-6", "addr", "add", f"{GUEST6}/64", "dev", host6.tap, "nodad"], check=True)
    guest = boot6("echo", f"--ipv6={GUEST6}/64", address=None)
    guest.wait_for_log(f"ERR .ipv6. {GUEST6} is another host's already: it is not used; give another with --ipv6")
    address = guest.wait_for_log(r"\[ipv6\] address (fe80::\S+)").group(1)
    assert ping6(host6, "-c", 1, address=f"{address}%{host6.tap}")[0] == 1
    assert f"address {GUEST6}" not in guest.log()


def test_linux_sees_that_an_address_is_taken(host6, boot6):
    boot6("echo")
    host6.run(["ip", "-6", "addr", "add", f"{GUEST6}/64", "dev", host6.tap], check=True)
    wait_until(lambda: "dadfailed" in host6.run(["ip", "-6", "addr", "show", "dev", host6.tap]).stdout, 10,
               "Linux finds that the guest has the address")


# Transports -----------------------------------------------------------------------------------------------------------

@targets
def test_tcp_from_the_host(host6, boot6, target):
    boot6("echo", target=target)
    wait_for_port6(host6, 9000)
    data = os.urandom(4 * MEGABYTE)
    with connect6(host6, 9000) as client:
        assert exchange(client, data) == data
    with pytest.raises(ConnectionRefusedError):
        connect6(host6, 9001)


@targets
def test_tcp_to_the_host(host6, boot6, target):
    with echo_server(host6) as peers:
        guest = boot6("tests/unikernels/caller", f"--peer={HOST6}", target=target)
        guest.wait_for_log(rf"sent 0 from \[{GUEST6}\]:\d+, received 0: {MEGABYTE} bytes", 30)
    assert peers == [GUEST6]
    guest.stop()
    with echo_server(host6) as peers:  # and IPv4, from the same program
        guest = boot6("tests/unikernels/caller", f"--peer={networks.HOST}", target=target)
        guest.wait_for_log(rf"sent 0 from 10.0.0.2:\d+, received 0: {MEGABYTE} bytes", 30)
    assert peers == ["::ffff:10.0.0.2"]


def test_tcp_with_loss(host6, boot6):
    boot6("echo")
    wait_for_port6(host6, 9000)
    rules = "table ip6 loss { chain in { type filter hook input priority 0; numgen random mod 100 < 3 drop; }; " \
            "chain out { type filter hook output priority 0; numgen random mod 100 < 3 drop; }; }"
    host6.run(["nft", rules], check=True)
    data = os.urandom(2 * MEGABYTE)
    with connect6(host6, 9000, seconds=30) as client:
        assert exchange(client, data) == data


def test_curl_gets_a_page(host6, boot6):
    boot6("web", "--port=80")
    wait_for_port6(host6, 80)
    assert "Hello" in host6.run(["curl", "-sS", "-g", "-6", f"http://[{GUEST6}]/"]).stdout


@targets
def test_udp_both_ways(host6, boot6, target):
    boot6("tests/unikernels/datagrams", target=target)
    client = host6.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    client.settimeout(5)
    for data in (b"", b"x", os.urandom(1452)):
        client.sendto(data, (GUEST6, 7))
        answer, peer = client.recvfrom(65536)
        assert answer == data and peer[0] == GUEST6
    client.sendto(b"to 2001:db8::77", (GUEST6, 7))  # nobody
    assert client.recvfrom(100)[0] == b"-113"
    client.connect((GUEST6, 999))
    client.send(b"x")
    with pytest.raises(ConnectionRefusedError):
        client.recv(100)


# Routers --------------------------------------------------------------------------------------------------------------

@pytest.fixture
def radvd(host6, tmp_path):
    def start(options="", prefix_options=""):
        host6.run(["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"], check=True)
        host6.run(["ip", "-6", "addr", "add", "2001:db8:5::1/64", "dev", host6.tap, "nodad"], check=True)
        config = tmp_path / "radvd.conf"
        config.write_text(f"""
interface {host6.tap} {{
    AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; {options}
    prefix 2001:db8:5::/64 {{ AdvOnLink on; AdvAutonomous on; {prefix_options} }};
    RDNSS 2001:db8::53 2001:db8::54 {{ }};
}};
""")
        return host6.start(["radvd", "-n", "-C", config, "-p", tmp_path / "pid", "-m", "stderr"])
    return start


@targets
def test_radvd_gives_an_address_a_router_and_name_servers(host6, boot6, radvd, target):
    radvd("AdvLinkMTU 1400; AdvCurHopLimit 33;")
    with echo_server(host6) as peers:
        guest = boot6("tests/unikernels/caller", f"--peer={FAR6}", target=target, address=None)
        address = guest.wait_for_log(r"\[ipv6\] address (2001:db8:5::?\S+)").group(1)
        guest.wait_for_log(r"\[ipv6\] router fe80::")
        guest.wait_for_log(rf"received 0: {MEGABYTE} bytes", 30)
    assert peers == [address]
    guest.wait_for_log("done")
    assert f"has {address}" in guest.log()
    assert "may ask 2001:db8::53" in guest.log() and "may ask 2001:db8::54" in guest.log()
    said = ping6(host6, "-c", 1, address=address)
    assert said[0] == 1 and "ttl=33" in said[1], said[1]


def test_temporary_addresses_are_used_when_asked_for(host6, boot6, radvd):
    radvd()
    with echo_server(host6) as peers:
        guest = boot6("tests/unikernels/caller", f"--peer={FAR6}", "--ipv6-temporary=true", "--ipv6-secret=x", address=None)
        guest.wait_for_log("done", 30)
    addresses = re.findall(r"has (2001:db8:5:\S+)", guest.log())
    assert len(addresses) == 2 and peers[0] == addresses[1]


def test_advertisements_are_ignored_when_told_so(host6, boot6, radvd):
    radvd()
    guest = boot6("tests/unikernels/caller", f"--peer={FAR6}", "--accept-router-advertisements=false")
    guest.wait_for_log("cannot call .*Network unreachable|cannot call .*ENETUNREACH|cannot call ")
    guest.wait_for_log("done")
    assert "2001:db8:5:" not in guest.log() and "router" not in guest.log()


def test_a_router_that_resigns_is_used_no_more(host6, boot6, radvd):
    process = radvd()
    guest = boot6("echo")
    guest.wait_for_log(r"\[ipv6\] router fe80::")
    process.terminate()  # radvd sends a last advertisement with a lifetime of 0
    guest.wait_for_log(r"\[ipv6\] router fe80::\S+ is gone")


def test_a_gateway_that_is_configured_needs_no_advertisement(host6, boot6):
    with echo_server(host6) as peers:
        guest = boot6("tests/unikernels/caller", f"--peer={FAR6}", f"--ipv6-gateway={HOST6}",
                      "--accept-router-advertisements=false")
        guest.wait_for_log(rf"received 0: {MEGABYTE} bytes", 30)
    assert peers == [GUEST6]


@pytest.fixture
def narrow(host6):
    """A host behind the namespace's own, on a link with an MTU of 1280: 2001:db8:a::2. Runs a command there."""
    name = f"{host6.name}-far"
    host6.run(["sysctl", "-qw", "net.ipv6.conf.all.forwarding=1"], check=True)
    networks.subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        for command in (f"ip link add narrow0 type veth peer name narrow1 netns {name}",
                        "ip -6 addr add 2001:db8:a::1/64 dev narrow0 nodad", "ip link set narrow0 mtu 1280 up"):
            host6.run(command.split(), check=True)
        for command in ("ip link set lo up", "ip -6 addr add 2001:db8:a::2/64 dev narrow1 nodad",
                        "ip link set narrow1 up", "ip -6 route add default via 2001:db8:a::1"):
            networks.subprocess.run(["ip", "netns", "exec", name, *command.split()], check=True)
        yield name
    finally:
        networks.subprocess.run(["ip", "netns", "del", name], check=False)


def test_a_narrow_path_is_found_by_packet_too_big(host6, boot6, narrow):
    server = networks.subprocess.Popen(
        ["ip", "netns", "exec", narrow, "python3", "-c", """
import socket
server = socket.create_server(("::", 9), family=socket.AF_INET6)
connection, _ = server.accept()
data = b""
while chunk := connection.recv(65536):
    data += chunk
connection.sendall(data)
"""])
    try:
        link = host6.link()
        tap = host6.open_tap()  # a plain one, on which the guest cuts by itself
        guest = boot6("tests/unikernels/caller", "--peer=2001:db8:a::2", f"--ipv6-gateway={HOST6}",
                      "--accept-router-advertisements=false", tap=f"@{tap}", descriptors=[tap])
        guest.wait_for_log(rf"received 0: {MEGABYTE} bytes", 30)
        after = []
        while (frame := link.receive(0)) is not None:
            if TCP in frame and frame[IPv6].dst == "2001:db8:a::2":
                after.append(frame[IPv6].plen + 40)
        assert max(after) > 1280, "it first tries its own link's size"
        assert max(after[len(after) // 2:]) == 1280
    finally:
        networks.end_process(server)


# One family -----------------------------------------------------------------------------------------------------------

def test_only_one_family_if_told_so(host6, boot6):
    guest = boot6("echo", "--ipv6-only=true", announces=False)
    wait_for_port6(host6, 9000)
    assert ping6(host6, "-c", 1)[0] == 1
    assert guest.ping("-c", 1, "-W", 1)[0] == 0
    guest.stop()
    guest = boot6("echo", "--ipv4-only=true", f"--ipv6={GUEST6}/64", address=None)
    guest.wait_for_port(9000)
    assert ping6(host6, "-c", 1, "-W", 1)[0] == 0
    assert "[ipv6]" not in guest.log()
    guest.stop()
    guest = boot6("echo", "--ipv4-only=true", "--ipv6-only=true", address=None, announces=False)
    assert guest.wait_for_end() != 0
    assert "--ipv4-only and --ipv6-only leave nothing: give one of them" in guest.log()


def test_a_second_stack_has_keys_of_its_own(host6, built, tmp_path):
    (tmp_path / "two").mkdir()
    (tmp_path / "two/config.c").write_text("""
#include <skerry/config.h>

void configure(struct unikernel *u)
{
	unikernel_name(u, "two");
	unikernel_stack(u, direct_stack(u, default_network()));
	unikernel_stack(u, direct_stack(u, network("management")));
}
""")
    (tmp_path / "two/unikernel.c").write_text("""
#include <skerry/task.h>

int start(struct stack *one, struct stack *other)
{
	(void)one;
	(void)other;
	return task_sleep(FOREVER);
}
""")
    image = built(tmp_path / "two", "unix", *DUAL, "--management-dual-stack=true")
    host6.run(["ip", "tuntap", "add", "tap1", "mode", "tap"], check=True)
    host6.run(["ip", "link", "set", "tap1", "up"], check=True)
    host6.run(["ip", "-6", "addr", "add", "2001:db8:7::1/64", "dev", "tap1", "nodad"], check=True)
    host6.start([image, f"--net:service={host6.tap}", "--net:management=tap1", f"--ipv6={GUEST6}/64",
                 "--management-ipv4=10.0.7.2/24", "--management-ipv6=2001:db8:7::2/64"])
    for address in (GUEST6, "2001:db8:7::2"):
        wait_until(lambda: ping6(host6, "-c", 1, "-W", 1, address=address)[0] == 1, 10, f"{address} answers")


@targets
def test_dual_stack_is_known_to_every_generic_stack(netns, tmp_path, target):
    """On unix it changes nothing: the host's sockets have both families."""
    done = netns.run([networks.BUILD / "skerry", "configure", "-t", target, "-f", networks.ROOT / "examples/echo/config.c",
                      "--dual-stack=true"], cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert ("stack_ipv6" in "".join(path.read_text() for path in tmp_path.rglob("main.c"))) == (target != "unix")


# Hostile packets ------------------------------------------------------------------------------------------------------

class Neighbour:
    """A host of scapy's beside the guest's: 2001:db8::66 at 02:00:00:00:00:66. The guest knows it."""
    address, mac = "2001:db8::66", "02:00:00:00:00:66"

    def __init__(self, host6, guest):
        self.link, self.guest_mac = host6.link(), guest.mac
        self.link.send(self.frame(ICMPv6ND_NS(tgt=GUEST6) / ICMPv6NDOptSrcLLAddr(lladdr=self.mac), hlim=255))
        self.link.expect(lambda frame: ICMPv6ND_NA in frame)

    def frame(self, payload, src=None, dst=GUEST6, **fields):
        return Ether(src=self.mac, dst=self.guest_mac) / IPv6(src=src or self.address, dst=dst, **fields) / payload

    def ask(self, payload, kind, **fields):
        return self.link.ask(self.frame(payload, **fields), lambda frame: kind in frame)

    def is_answered(self):
        answer = self.ask(ICMPv6EchoRequest(data=b"alive"), ICMPv6EchoReply)
        return answer[ICMPv6EchoReply].data == b"alive"


def test_hostile_packets_are_neither_obeyed_nor_harmful(host6, boot6):
    guest = boot6("echo")
    host = Neighbour(host6, guest)
    assert host.is_answered()
    ra = ICMPv6ND_RA(routerlifetime=1800) / ICMPv6NDOptSrcLLAddr(lladdr=host.mac)
    prefix = ICMPv6NDOptPrefixInfo(prefix="2001:db8:bad::", prefixlen=64, L=1, A=1)
    for frame in (
            host.frame(ra / prefix, hlim=255),                                         # not from a link-local address
            host.frame(ra / prefix, src="fe80::66", dst="ff02::1", hlim=254),          # from another link
            host.frame(ICMPv6ND_RA(routerlifetime=0) /
                       ICMPv6NDOptPrefixInfo(prefix="2001:db8:bad::", prefixlen=200, L=1, A=1), src="fe80::66", hlim=255),
            host.frame(ra / Raw(b"\3\0" + b"\0" * 30), src="fe80::66", hlim=255),      # an option of length 0
            host.frame(ra / Raw(b"\3\4" + b"\0" * 3), src="fe80::66", hlim=255),       # and one cut off
            host.frame(ICMPv6ND_NA(tgt=GUEST6, R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=host.mac), hlim=255),
            host.frame(IPv6ExtHdrFragment(id=1, m=1, offset=0) / ra, src="fe80::66", hlim=255),
            host.frame(IPv6ExtHdrRouting(type=0, addresses=["2001:db8::99"]) / ICMPv6EchoRequest()),
            host.frame(Raw(b"x" * 100), nh=0), host.frame(Raw(b"\0\xff" + b"x" * 100), nh=60),
            host.frame(Raw(b"x" * 3), nh=44), host.frame(Raw(b""), nh=58), host.frame(Raw(b"x"), nh=6),
            host.frame(UDP(sport=1, dport=9000, chksum=0) / b"x"), host.frame(TCP(sport=1, dport=9000), src="::"),
            host.frame(TCP(sport=1, dport=9000), src="ff02::1"), host.frame(TCP(sport=9000, dport=9000), src=GUEST6)):
        host.link.send(frame)
    assert host.is_answered()
    time.sleep(0.1)
    assert "2001:db8:bad" not in guest.log() and "router" not in guest.log()
    wait_for_port6(host6, 9000)


def test_extension_headers_are_read_and_refused_as_rfc_8200_says(host6, boot6):
    guest = boot6("echo")
    host = Neighbour(host6, guest)
    ping = ICMPv6EchoRequest(data=b"x")
    assert host.ask(IPv6ExtHdrHopByHop(options=[RouterAlert()]) / IPv6ExtHdrDestOpt() / ping, ICMPv6EchoReply)
    assert host.ask(IPv6ExtHdrFragment(id=7) / ping, ICMPv6EchoReply), "an atomic fragment (RFC 6946)"
    assert host.ask(Raw(b"x"), ICMPv6ParamProblem, nh=200)[ICMPv6ParamProblem].code == 1
    routed = host.ask(IPv6ExtHdrRouting(type=0, addresses=["2001:db8::99"]) / ping, ICMPv6ParamProblem)
    assert routed[ICMPv6ParamProblem].code == 0 and routed[ICMPv6ParamProblem].ptr == 42
    cut = host.ask(IPv6ExtHdrFragment(id=8, m=1, nh=6) / Raw(b"\0" * 8), ICMPv6ParamProblem)
    assert cut[ICMPv6ParamProblem].code == 3, "the first fragment holds all headers (RFC 7112)"


def test_ten_thousand_neighbours_and_prefixes_leave_it_reachable(host6, boot6):
    guest = boot6("echo", mem=8)
    host = Neighbour(host6, guest)
    for i in range(10000):
        host.link.send(host.frame(ICMPv6ND_NS(tgt=GUEST6) / ICMPv6NDOptSrcLLAddr(lladdr=host.mac),
                                  src=f"2001:db8::9:{i:x}", hlim=255))
        if i % 10 == 0:
            prefix = ICMPv6NDOptPrefixInfo(prefix=f"2001:db8:{i:x}::", prefixlen=64, L=1, A=1)
            host.link.send(host.frame(ICMPv6ND_RA() / prefix, src=f"fe80::{i:x}", dst="ff02::1", hlim=255))
    assert ping6(host6, "-c", 1)[0] == 1
    assert len(re.findall(r"\] router fe80", guest.log())) == 8, "as many as the list holds"


# A stack of IPv6 alone ------------------------------------------------------------------------------------------------

@pytest.mark.example("ping6")
@targets
def test_ping6_answers_pings_and_says_what_it_has_no_layer_for(host6, boot, target):
    guest = boot("ping6", f"--ipv6={GUEST6}/64", target=target, address=None, announces=False)
    guest.wait_for_log(re.escape(f"[ipv6] address {GUEST6}"))
    for size in (56, 20000):
        received, said = ping6(host6, "-c", 2, "-i", "0.1", "-s", size)
        assert received == 2, said
    host6.run(["ping", "-c", "1", "-W", "1", networks.GUEST])
    guest.wait_for_log("ERR .application. ARP packet of 28 bytes")
    link = host6.link()
    link.send(Ether(src=link.mac, dst="ff:ff:ff:ff:ff:ff", type=0x0800) / Raw(b"\x45" + b"\0" * 27))
    guest.wait_for_log("ERR .application. IPv4 packet of 28 bytes")
    sender = host6.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sender.sendto(b"x", (GUEST6, 4242))
    guest.wait_for_log(rf"INF .application. {HOST6} > {GUEST6} UDP")
    caller = host6.socket(socket.AF_INET6, socket.SOCK_STREAM)
    caller.settimeout(0.5)
    with pytest.raises(TimeoutError):
        caller.connect((GUEST6, 80))
    guest.wait_for_log(rf"INF .application. {HOST6} > {GUEST6} TCP")
