# SPDX-License-Identifier: ISC
"""DHCP on a tap, beside the servers and clients of others: dnsmasq, udhcpd, udhcpc, dhclient."""
import re

import pytest

from netns import HOST, TARGETS, wait_until

from scapy.layers.dhcp import BOOTP, DHCP
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import ARP, Ether

targets = pytest.mark.parametrize("target", TARGETS)
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


def test_the_network_without_root_gives_an_address_too(boot):
    guest = boot("echo", configured=DHCP_BUILT, address=None, tap="user")
    assert guest.wait_for_lease() == ("10.0.0.2", "10.0.0.1 for 86400 s, gateway 10.0.0.1, DNS 10.0.0.3")


def test_what_asks_a_server_by_default_can_be_told_at_boot_not_to(boot):
    guest = boot("echo", "--dhcp=false", configured=DHCP_BUILT, address=None)
    assert guest.wait_for_end() == 1
    assert "--ipv4 is missing" in guest.log()


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


# Our server, and others' clients -----------------------------------------------------------------------------------------


SERVER = "192.168.1.5"


@pytest.fixture
def ours(boot):
    """Starts examples/dhcp-server, at 192.168.1.5 on the tap."""
    return lambda *arguments, **options: boot("dhcp-server", *arguments, address=SERVER, **options)


@pytest.fixture
def client(netns, tmp_path):
    """Runs udhcpc on the host's end of the tap until it has a lease, and gives what it was told, by name."""
    script = tmp_path / "script"
    script.write_text(f"#!/bin/sh\nenv > {tmp_path}/$1\n")
    script.chmod(0o755)
    netns.run(["ip", "addr", "flush", "dev", netns.tap])

    def run(*options):
        done = netns.run(["udhcpc", "-i", netns.tap, "-f", "-q", "-n", "-t", "3", "-T", "2", "-s", script, *options])
        assert done.returncode == 0, done.stdout
        return dict(line.split("=", 1) for line in (tmp_path / "bound").read_text().splitlines() if "=" in line)
    return run


@pytest.mark.example("dhcp-server")
@targets
def test_udhcpc_gets_an_address_and_all_that_goes_with_it(ours, client, target):
    guest = ours(target=target)
    told = client("-x", "hostname:visitor", "-O", "domain", "-O", "dns", "-O", "router")
    assert (told["ip"], told["subnet"], told["router"], told["dns"], told["domain"], told["lease"], told["serverid"]) == \
        ("192.168.1.70", "255.255.255.0", SERVER, SERVER, "pampas", "3600", SERVER)
    log = guest.wait_for_log("sent ACK") and guest.log()
    mac = r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}"
    assert re.search(rf"received DISCOVER from {mac} \(visitor\)\n", log)
    assert re.search(rf"sent OFFER to {mac} for 192.168.1.70\n", log)
    assert re.search(rf"received REQUEST from {mac} \(visitor\) for 192.168.1.70\n", log)
    assert re.search(rf"sent ACK to {mac} for 192.168.1.70\n", log)
    assert client("-r", "192.168.1.80")["ip"] == "192.168.1.70", "it keeps its address"


def test_a_client_that_wants_broadcasts_gets_them(ours, client):
    ours()
    assert client("-B")["ip"] == "192.168.1.70"


def test_a_client_that_wants_an_address_of_the_range_gets_it(ours, client):
    ours()
    assert client("-r", "192.168.1.80")["ip"] == "192.168.1.80"


def test_a_host_has_its_own_address(ours, client, netns):
    ours()
    netns.run(["ip", "link", "set", netns.tap, "address", "02:00:00:00:00:50"], check=True)
    told = client("-O", "hostname")
    assert (told["ip"], told["hostname"]) == ("192.168.1.50", "palermo")


def test_dhclient_gets_renews_and_releases_a_lease(ours, netns, tmp_path):
    guest = ours("--lease=8")
    netns.run(["ip", "addr", "flush", "dev", netns.tap])
    files = ["-lf", tmp_path / "leases", "-pf", tmp_path / "pid", "-cf", "/dev/null", "-sf", "/bin/true"]
    netns.start(["dhclient", "-4", "-d", *files, netns.tap])
    guest.wait_for_log("sent ACK to .* for 192.168.1.70", 20)
    # It renews by unicast, from the address that it has: here the script would have set it.
    netns.run(["ip", "addr", "add", "192.168.1.70/24", "dev", netns.tap], check=True)
    wait_until(lambda: guest.log().count("sent ACK") >= 3, 20, "two renewals")
    netns.run(["dhclient", "-4", "-r", *files, netns.tap])
    guest.wait_for_log("received RELEASE from .* for 192.168.1.70")


def test_our_client_gets_its_address_from_our_server(ours, netns, boot, tmp_path):
    netns.run(["ip", "link", "add", "bridge", "type", "bridge", "forward_delay", "0"], check=True)
    netns.run(["ip", "tuntap", "add", "tap1", "mode", "tap"], check=True)
    for name in ("tap0", "tap1"):
        netns.run(["ip", "link", "set", name, "master", "bridge"], check=True)
    for name in ("tap1", "bridge"):
        netns.run(["ip", "link", "set", name, "up"], check=True)
    server = ours()
    guest = boot(LEASE, address=None, tap="tap1")
    assert guest.wait_for_lease() == ("192.168.1.70", f"{SERVER} for 3600 s, gateway {SERVER}, DNS {SERVER}")
    guest.wait_for_log("domain pampas, mask 24, server 192.168.1.5")
    server.wait_for_log(r"\(lease\) for 192.168.1.70")


def test_a_range_outside_of_the_subnet_is_refused(ours):
    guest = ours("--first=10.0.0.70", announces=False)
    assert guest.wait_for_end() == 1
    assert "--first and --last: expected addresses of the server's subnet" in guest.log()
