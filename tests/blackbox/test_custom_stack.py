# SPDX-License-Identifier: ISC
"""examples/custom-stack: a stack that the program puts together, and what it says of what it sees."""
import pytest

from netns import HOST, TARGETS, wait_until

from scapy.layers.inet6 import ICMPv6EchoRequest, IPv6
from scapy.layers.l2 import Ether

targets = pytest.mark.parametrize("target", TARGETS)
pytestmark = pytest.mark.each_target


@pytest.mark.example("custom-stack")
@targets
def test_each_layer_says_what_it_sees(boot, netns, target):
    guest = boot("custom-stack", target=target)
    assert guest.ping("-c1")[0] == 1

    connection = netns.connect(guest.address, 80)
    connection.sendall(b"hello tcp world")
    port = connection.getsockname()[1]
    guest.wait_for_log(rf"INF .application. new tcp from {HOST} {port}$")
    guest.wait_for_log(r'INF .application. read: 15 "hello tcp world"$')
    assert connection.recv(1) == b"", "it has closed"

    netns.connect(guest.address, 80).close()
    guest.wait_for_log("INF .application. read: eof")

    sender = netns.udp()
    sender.connect((guest.address, 4242))
    sender.send(b"anybody?")
    guest.wait_for_log("INF .application. udp packet on port 4242")
    with pytest.raises(ConnectionRefusedError):
        sender.recv(1)

    link = netns.link()
    link.send(Ether(src=link.mac, dst=guest.mac) / IPv6(src="fe80::1", dst="fe80::2") / ICMPv6EchoRequest())
    guest.wait_for_log("INF .application. ipv6")


def test_a_closed_port_is_refused(boot, netns):
    guest = boot("custom-stack")
    with pytest.raises(ConnectionRefusedError):
        netns.connect(guest.address, 81)


def test_with_dhcp_it_shows_the_server_s_answers_too(boot, netns, tmp_path):
    with open(tmp_path / "log", "w") as log:
        netns.start(["dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--port=0", "--user=root", "--bind-interfaces",
                     f"--interface={netns.tap}", f"--dhcp-leasefile={tmp_path}/leases", "--pid-file", "--no-ping",
                     "--dhcp-range=10.0.0.70,10.0.0.79,255.255.255.0,2m"], stdout=log, stderr=log)
    wait_until(lambda: "DHCP, IP range" in (tmp_path / "log").read_text(), 10, "dnsmasq is ready")
    guest = boot("custom-stack", "--dhcp", address=None)
    guest.wait_for_lease()
    guest.wait_for_log("INF .application. udp packet on port 68")
    assert netns.connect(guest.address, 80).getpeername()[0] == guest.address
