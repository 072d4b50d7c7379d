# SPDX-License-Identifier: ISC
"""Groups of IPv4: the kernel's bridge, which listens to IGMP, learns who is a member, and passes their datagrams."""
import json
import socket

import pytest

from netns import TARGETS, wait_until

targets = pytest.mark.parametrize("target", TARGETS)
GROUP = "239.1.2.3"


@pytest.fixture
def bridge(netns):
    """The tap is a port of a bridge that asks who is a member (of which version it is told), and floods nobody else."""
    def made(version):
        for command in (f"ip addr flush dev {netns.tap}", "ip link add br0 type bridge mcast_snooping 1 mcast_querier 1 "
                        f"mcast_igmp_version {version} mcast_query_response_interval 100 mcast_startup_query_interval 100",
                        f"ip link set {netns.tap} master br0", f"bridge link set dev {netns.tap} mcast_flood off",
                        f"ip addr add {netns.address}/24 dev br0", "ip link set br0 up",
                        f"ip route add 239.0.0.0/8 dev br0"):
            netns.run(command.split(), check=True)
    return made


def members(netns):
    told = netns.run(["bridge", "-j", "mdb", "show", "dev", "br0"], check=True).stdout
    return [entry["grp"] for entry in json.loads(told)[0].get("mdb", []) if entry["port"] == netns.tap]


def answers(client):
    client.sendto(b"hello", (GROUP, 7))
    try:
        return client.recv(100) == b"hello"
    except TimeoutError:
        return False


@targets
@pytest.mark.parametrize("version", [3, 2])
def test_a_bridge_learns_membership_and_passes_datagrams_of_the_group(netns, bridge, boot, target, version):
    bridge(version)
    boot("tests/unikernels/listener", target=target)
    wait_until(lambda: GROUP in members(netns), 10, "the bridge knows the member")
    client = netns.udp(seconds=0.5)
    client.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 4)
    wait_until(lambda: answers(client), 10, "a datagram to the group is answered")
    client.sendto(b"leave", (GROUP, 7))
    wait_until(lambda: GROUP not in members(netns), 10, "the bridge knows that it has left")
    assert not answers(client)
