# SPDX-License-Identifier: ISC
"""DHCP on a tap, beside the servers and clients of others: dnsmasq, udhcpd, udhcpc, dhclient."""
import re
import socket

import pytest

from netns import HOST, wait_until

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

targets = pytest.mark.parametrize("target", ["unix", "spt"])
LEASE = "tests/unikernels/lease"
DHCP_BUILT = ("--dhcp=true",)


class Server:
    """A DHCP server on the host's end of the tap."""

    def __init__(self, netns, directory):
        self.netns, self.directory, self.log, self.process = netns, directory, directory / "log", None

    def start(self, command, ready):
        with open(self.log, "w") as log:
            self.process = self.netns.start(command, stdout=log, stderr=log)
        wait_until(lambda: ready in self.log.read_text(), 10, f"{command[0]} is ready")

    def dnsmasq(self, first="10.0.0.70", last="10.0.0.100", *options):
        self.start(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--bind-interfaces",
                    f"--interface={self.netns.tap}", f"--dhcp-leasefile={self.directory}/leases", "--pid-file", "--log-dhcp",
                    "--no-ping", f"--dhcp-range={first},{last},255.255.255.0,2m", *options], "DHCP, IP range")

    def udhcpd(self, seconds, first="10.0.0.70", last="10.0.0.100"):
        (self.directory / "udhcpd.leases").touch()
        (self.directory / "udhcpd.conf").write_text(f"""
start {first}
end {last}
interface {self.netns.tap}
lease_file {self.directory}/udhcpd.leases
pidfile {self.directory}/udhcpd.pid
min_lease 1
option subnet 255.255.255.0
option router {HOST}
option lease {seconds}
""")
        self.start(["udhcpd", "-f", self.directory / "udhcpd.conf"], "started")

    def stop(self):
        self.process.terminate()
        self.process.wait(5)


@pytest.fixture
def server(netns, tmp_path):
    return Server(netns, tmp_path)


def echoes(connection, text=b"still there?"):
    connection.sendall(text)
    return connection.recv(100) == text


@targets
def test_dnsmasq_gives_a_configured_unikernel_its_address(server, boot, target):
    server.dnsmasq("10.0.0.70", "10.0.0.100", "--dhcp-option=6,10.0.0.1,10.0.0.53")
    guest = boot("echo", target=target, configured=DHCP_BUILT, address=None)
    address, rest = guest.wait_for_lease()
    assert rest == "10.0.0.1 for 120 s, gateway 10.0.0.1, DNS 10.0.0.1, 10.0.0.53"
    assert 70 <= int(address.split(".")[3]) <= 100
    guest.wait_for_port(9000)
    assert "echo" in (server.directory / "leases").read_text(), "the name that it told"


def test_an_address_that_is_given_at_boot_goes_before_dhcp(server, boot):
    server.dnsmasq()
    guest = boot("echo", configured=DHCP_BUILT)
    guest.wait_for_port(9000)
    assert "[dhcp]" not in guest.log()


def test_the_program_reads_all_options(server, boot):
    server.dnsmasq("10.0.0.70", "10.0.0.100", "--dhcp-option=224,a word", "--domain=pampas")
    guest = boot(LEASE, address=None)
    guest.wait_for_log("domain pampas, mask 24, server 10.0.0.1")
    guest.wait_for_log("private option of 6 bytes: a word")


@targets
def test_a_lease_is_renewed_and_connections_go_on(server, netns, boot, target):
    server.udhcpd(4)
    guest = boot(LEASE, "-l", "*:info,dhcp:debug", target=target, address=None)
    guest.wait_for_lease()
    connection = netns.connect(guest.address, 7)
    wait_until(lambda: guest.log().count("is extended") >= 3, 15, "three renewals")
    assert echoes(connection)
    assert "ours no more" not in guest.log()


def test_at_its_end_a_lease_is_lost_and_had_again_when_the_server_is_back(server, netns, boot):
    server.udhcpd(4)
    guest = boot(LEASE, address=None)
    guest.wait_for_lease()
    connection = netns.connect(guest.address, 7)
    assert echoes(connection)
    server.stop()
    guest.wait_for_log("WRN .dhcp. 10.0.0.* is ours no more, and connections end: its lease has ended", 10)
    guest.wait_for_log("connection ended with -101")  # ENETUNREACH
    assert guest.ping("-c1", "-W1")[0] == 0, "it must not use the address any more"
    server.udhcpd(60)
    guest.wait_for_lease(20, number=2)
    assert echoes(netns.connect(guest.address, 7))


def test_a_refused_renewal_leads_to_another_address(server, boot):
    server.dnsmasq("10.0.0.70", "10.0.0.79", "--dhcp-option=option:T1,3", "--dhcp-authoritative")
    guest = boot(LEASE, address=None)
    guest.wait_for_lease()
    server.stop()
    (server.directory / "leases").unlink()
    server.dnsmasq("10.0.0.80", "10.0.0.89", "--dhcp-authoritative")
    guest.wait_for_log("ours no more, and connections end: the server refuses it", 15)
    address, _ = guest.wait_for_lease(number=2)
    assert 80 <= int(address.split(".")[3]) <= 89


def test_an_address_in_use_is_declined(server, netns, boot):
    # Another host has the only address; it is not in the host's own tables, so the server cannot know.
    server.dnsmasq("10.0.0.70", "10.0.0.70")
    link = netns.link()
    guest = boot(LEASE, address=None)
    probe = link.expect(lambda frame: ARP in frame and frame[ARP].psrc == "0.0.0.0" and frame[ARP].pdst == "10.0.0.70", 10)
    link.send(Ether(src="02:00:00:00:00:99", dst=probe.src) / ARP(op=2, hwsrc="02:00:00:00:00:99", psrc="10.0.0.70",
                                                                  hwdst=probe.src, pdst="0.0.0.0"))
    guest.wait_for_log("10.0.0.70 is another host's already: declined")
    wait_until(lambda: "DHCPDECLINE" in server.log.read_text(), 5, "the server hears of it")
    assert "INF [dhcp] 10.0.0.70" not in guest.log()


def test_without_a_server_it_says_what_it_waits_for(netns, boot):
    link = netns.link()
    guest = boot(LEASE, address=None)
    discover = link.expect(lambda frame: DHCP in frame, 10)
    assert (discover[IP].src, discover[IP].dst, discover[UDP].sport, discover[UDP].dport) == \
        ("0.0.0.0", "255.255.255.255", 68, 67)
    assert dict(option[:2] for option in discover[DHCP].options if isinstance(option, tuple))["message-type"] == 1
    guest.wait_for_log("asking for an address")
    guest.wait_for_log("no DHCP server has answered yet; asking again")
