# SPDX-License-Identifier: ISC
"""The boot keys of the network, each with good and bad values, and a unikernel with several networks."""
import subprocess
import types

import pytest

from netns import HOST, Link, TARGETS, TENDER, wait_until

from scapy.layers.dhcp import DHCP

targets = pytest.mark.parametrize("target", TARGETS)
UNIKERNEL = "tests/unikernels/multihomed"
ALL_KEYS = ("--dhcp=true", "--dual-stack=true", "--management-dhcp=true", "--management-dual-stack=true")
TAPS = {"service": "tap0", "lan": "tap1", "management": "tap2"}


@pytest.fixture
def start(netns, built):
    """Starts the unikernel on three taps; 10.0.0.1, 10.0.8.1 and 10.0.9.1 are the host's."""
    for tap, address in (("tap1", "10.0.8.1"), ("tap2", "10.0.9.1")):
        netns.run(["ip", "tuntap", "add", tap, "mode", "tap"], check=True)
        netns.run(["ip", "addr", "add", f"{address}/24", "dev", tap], check=True)
        netns.run(["ip", "link", "set", tap, "up"], check=True)

    def started(target, *arguments, configured=(), **options):
        image = built(UNIKERNEL, target, *configured)
        networks = [f"--net:{name}={tap}" for name, tap in TAPS.items()]
        command = [image, *networks] if target == "unix" else [TENDER, "--mem=16", *networks, "--", image]
        return netns.start([*command, *arguments], **options)
    return started


def reached_by(netns, address):
    def answer():
        try:
            with netns.connect(address, 7, 1) as connection:
                return connection.recv(100).decode()
        except OSError:
            return None
    return wait_until(answer, 10, f"{address} answers")


# Keys -----------------------------------------------------------------------------------------------------------------

BAD = [("ipv4", "10.0.0.2", "expected an IPv4 address with its prefix length, such as 10.0.0.2/24"),
       ("ipv4", "10.0.0.256/24", "expected an IPv4 address with its prefix length, such as 10.0.0.2/24"),
       ("ipv4", "10.0.0.2/33", "expected an IPv4 address with its prefix length, such as 10.0.0.2/24"),
       ("ipv4-gateway", "10.0.0.1/24", "expected an IPv4 address, such as 10.0.0.1"),
       ("ipv4-gateway", "router", "expected an IPv4 address, such as 10.0.0.1"),
       ("ipv6", "2001:db8::2", "expected an IPv6 address with its prefix length, such as 2001:db8::2/64"),
       ("ipv6", "2001:db8::2/129", "expected an IPv6 address with its prefix length, such as 2001:db8::2/64"),
       ("ipv6-gateway", "10.0.0.1", "expected an IPv6 address, such as 2001:db8::1"),
       ("accept-router-advertisements", "maybe", "expected true or false"),
       ("ipv4-only", "1", "expected true or false"), ("ipv6-only", "", "expected true or false"),
       ("dhcp", "on", "expected true or false")]


@pytest.mark.parametrize("group", ["", "management-"])
def test_a_bad_value_is_named_with_what_was_expected(built, group):
    image = built(UNIKERNEL, "unix", *ALL_KEYS)
    for key, value, expected in BAD:
        done = subprocess.run([image, f"--{group}{key}={value}"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 64 and done.stdout.endswith(f': --{group}{key} "{value}": {expected}\n')
    for key in ("hostname", *{key for key, _, _ in BAD}):
        done = subprocess.run([image, f"--{group}{key}"], capture_output=True, text=True, timeout=10)
        assert done.returncode == 64 and f"--{group}{key}" in done.stdout


@pytest.mark.parametrize("arguments, complaint", [
    (["--ipv4=10.0.0.255/24"], "10.0.0.255/24 is not an address that a host can have"),
    (["--ipv4=224.0.0.1/4"], "224.0.0.1/4 is not an address that a host can have"),
    (["--ipv4=10.0.0.2/24", "--ipv4-gateway=10.0.0.2"], "10.0.0.2 cannot be the gateway of 10.0.0.2/24"),
    (["--ipv4-only=true", "--ipv6-only=true"], "--ipv4-only and --ipv6-only leave nothing: give one of them"),
    (["--ipv6-only=true", "--ipv6=ff02::1/64"], "ff02::1/64 is not an address that a host can have"),
    (["--ipv4-only=true", "--dhcp=false"], "--ipv4 is missing: a stack of our own needs an address"),
    (["--ipv4=10.0.0.2/24", "--ipv4-only=true", "--management-ipv4=10.0.9.0/24"],
     "10.0.9.0/24 is not an address that a host can have")])
def test_an_address_that_cannot_be_is_refused(start, arguments, complaint):
    process = start("unix", *arguments, configured=ALL_KEYS, stdout=subprocess.PIPE, text=True)
    said, _ = process.communicate(timeout=10)
    assert complaint in said and process.returncode == 1


@targets
@pytest.mark.parametrize("arguments, network, name", [
    (["--hostname=front"], "service", b"front"), ([], "service", b"whole"),
    (["--ipv4=10.0.0.2/24", "--hostname=front", "--management-hostname=back"], "management", b"back"),
    (["--ipv4=10.0.0.2/24", "--hostname=front"], "management", b"whole")])
def test_hostname_is_what_a_dhcp_server_is_told_on_each_network(netns, start, target, arguments, network, name):
    link = Link(types.SimpleNamespace(socket=netns.socket, tap=TAPS[network]))
    start(target, "--name=whole", *arguments, configured=("--dhcp=true", "--management-dhcp=true"))

    def host_name(frame):
        options = frame[DHCP].options if DHCP in frame else []
        return next((option[1] for option in options if option[0] == "hostname"), None)

    assert host_name(link.expect(host_name, 10, "a name in a DHCP message")) == name


# Several networks -----------------------------------------------------------------------------------------------------

@targets
def test_each_network_has_its_own_keys_and_address(netns, start, target):
    start(target, "--ipv4=10.0.0.2/24", "--management-ipv4=10.0.9.2/24", "--alias=10.0.0.77/24")
    for address in ("10.0.0.2", "10.0.0.77", "10.0.8.2", "10.0.9.2"):
        assert reached_by(netns, address) == f"{address}:7"


@targets
def test_an_answer_leaves_by_the_network_of_its_question(netns, start, target):
    """Two default gateways: to whom is not on any link, each address answers by its own."""
    netns.run("ip addr add 192.0.2.1/32 dev lo".split(), check=True)
    start(target, "--ipv4=10.0.0.2/24", f"--ipv4-gateway={HOST}", "--lan-gateway=10.0.8.1", "--management-ipv4=10.0.9.2/24")
    reached_by(netns, "10.0.8.2")
    for address in ("10.0.0.2", "10.0.8.2"):
        done = netns.run(["ping", "-c", "1", "-W", "5", "-I", "192.0.2.1", address])
        assert done.returncode == 0, done.stdout


@targets
def test_a_route_leads_to_a_network_behind_a_gateway_off_the_link(netns, start, target):
    netns.run("ip addr add 192.0.2.1/32 dev tap0".split(), check=True)
    netns.run("ip addr add 172.31.1.1/32 dev tap0".split(), check=True)
    start(target, "--ipv4=10.0.0.2/24", "--far=192.0.2.0/24", "--far-gateway=172.31.1.1", "--management-ipv4=10.0.9.2/24")
    reached_by(netns, "10.0.0.2")
    assert netns.run(["ping", "-c", "1", "-W", "5", "-I", "192.0.2.1", "10.0.0.2"]).returncode == 0
