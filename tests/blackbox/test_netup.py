# SPDX-License-Identifier: ISC
"""skerry net up and down, each in a network namespace of its own: what they make, mark, print and take away."""
import fcntl
import json
import os
import re
import socket
import struct
import subprocess

import pytest
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Ether

import netns as networks

SKERRY = networks.BUILD / "skerry"
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 2, 0x1000


@pytest.fixture
def network():
    """A namespace with an interface that `skerry net` must leave alone."""
    reason = networks.why_impossible()
    if reason:
        pytest.skip(reason)
    with networks.Namespace(tap="other0", address="192.0.2.1") as namespace:
        yield namespace


def net(network, *arguments, user=None):
    environment = {key: value for key, value in os.environ.items() if key != "SUDO_USER"}
    if user:
        environment["SUDO_USER"] = user
    return network.run([SKERRY, "net", *arguments], env=environment)


def links(network):
    return {link["ifname"]: link for link in json.loads(network.run(["ip", "-d", "-j", "addr"], check=True).stdout)}


def made(done):
    """The lines that were run."""
    assert done.returncode == 0, done.stdout
    return [line for line in done.stdout.splitlines() if not line.startswith("#")]


def test_up_makes_a_bridge_with_a_tap_and_prints_each_line_that_does_so(network):
    done = net(network, "up")
    assert made(done) == [
        "ip link add dev skerry0 type bridge",
        "ip link set dev skerry0 alias skerry:skerry0",
        "ip addr add 10.0.0.1/24 dev skerry0",
        "ip link set dev skerry0 up",
        "ip tuntap add dev tap0 mode tap",
        "ip link set dev tap0 alias skerry:skerry0",
        "ip link set dev tap0 master skerry0 up",
    ]
    assert done.stdout.splitlines()[-1] == "# skerry run --net tap0 --ipv4=10.0.0.2/24 --ipv4-gateway=10.0.0.1"
    there = links(network)
    assert there["tap0"]["master"] == "skerry0" and "UP" in there["tap0"]["flags"]
    assert there["tap0"]["linkinfo"]["info_data"]["type"] == "tap"
    assert there["skerry0"]["linkinfo"]["info_kind"] == "bridge" and "UP" in there["skerry0"]["flags"]
    assert [(a["local"], a["prefixlen"]) for a in there["skerry0"]["addr_info"]] == [("10.0.0.1", 24)]


def test_what_is_printed_is_a_script_that_does_the_same(network):
    printed = net(network, "up", "--print", "--tap=tap0", "--tap=tap1", "--nat").stdout
    assert set(links(network)) == {"lo", "other0"}, "--print has done nothing"
    network.run(["sh", "-euc", printed], check=True)
    assert made(net(network, "up", "--tap=tap0", "--tap=tap1", "--nat")) == [], "all of it is there"


def test_up_again_does_only_what_is_missing(network):
    net(network, "up")
    assert made(net(network, "up")) == []
    network.run(["ip", "link", "set", "tap0", "down"], check=True)
    network.run(["ip", "link", "set", "skerry0", "down"], check=True)
    assert made(net(network, "up")) == ["ip link set dev skerry0 up", "ip link set dev tap0 master skerry0 up"]
    assert made(net(network, "up", "--tap=tap1", "--address=10.0.0.9/24")) == [
        "ip addr add 10.0.0.9/24 dev skerry0", "ip tuntap add dev tap1 mode tap",
        "ip link set dev tap1 alias skerry:skerry0", "ip link set dev tap1 master skerry0 up"]


def test_down_removes_what_up_has_made_and_nothing_else(network):
    before = links(network)
    network.run(["ip", "tuntap", "add", "mine0", "mode", "tap"], check=True)
    net(network, "up", "--tap=tap0", "--tap=tap1")
    net(network, "up", "--bridge=skerry1", "--tap=tap2", "--address=10.1.0.1/24")
    network.run(["ip", "link", "set", "mine0", "master", "skerry0"], check=True)
    done = net(network, "down")
    assert sorted(made(done)) == ["ip link del dev skerry0", "ip tuntap del dev tap0 mode tap",
                                  "ip tuntap del dev tap1 mode tap"]
    assert set(links(network)) == {"lo", "other0", "mine0", "skerry1", "tap2"}
    assert len(made(net(network, "down", "--bridge=skerry1"))) == 2
    assert set(links(network)) == {*before, "mine0"}
    done = net(network, "down")
    assert (done.returncode, done.stdout) == (0, "# nothing of skerry:skerry0 is there\n")


def test_a_bridge_of_somebody_elses_gets_taps_and_stays(network):
    network.run(["ip", "link", "add", "br0", "type", "bridge"], check=True)
    done = net(network, "up", "--bridge=br0")
    assert made(done) == ["ip tuntap add dev tap0 mode tap", "ip link set dev tap0 alias skerry:br0",
                          "ip link set dev tap0 master br0 up"]
    done_again = net(network, "up", "--bridge=br0", "--address=10.0.0.1/24")
    assert (done_again.returncode, done_again.stdout) == (
        1, "skerry net: br0: is there, and not of skerry net's making: expected no --address or --nat for it\n")
    assert made(net(network, "down", "--bridge=br0")) == ["ip tuntap del dev tap0 mode tap"]
    assert "br0" in links(network)


def test_an_interface_of_somebody_elses_is_not_taken_for_a_tap_and_nothing_is_made(network):
    before = links(network)
    done = net(network, "up", "--tap=tap0", "--tap=other0")
    assert (done.returncode, done.stdout) == (
        1, "skerry net: other0: is there, and not of skerry net's making; expected another --tap\n")
    assert links(network) == before


def test_taps_belong_to_who_called_sudo_or_to_user(network):
    assert "ip tuntap add dev tap0 mode tap user nobody" in made(net(network, "up", user="nobody"))
    assert "ip tuntap add dev tap1 mode tap user daemon" in made(
        net(network, "up", "--tap=tap1", "--user=daemon", user="nobody"))
    done = net(network, "up", "--user=daemon")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (
        1, "skerry net: tap0: belongs to nobody; skerry net down first")


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_unikernel_of_an_ordinary_user_runs_on_it(target, network, built, tmp_path):
    image = built("echo", target)
    for parent in (*image.parents, *SKERRY.parents):
        if parent.owner() == "root" and str(parent).startswith("/tmp/") and parent.stat().st_mode & 0o005 != 0o005:
            parent.chmod(parent.stat().st_mode | 0o055)
    hint = net(network, "up", "--user=nobody").stdout.splitlines()[-1]
    words = re.fullmatch(r"# skerry run (.*)", hint).group(1).split()
    # Everybody may open /dev/net/tun, as Debian makes it; here this is so only for the process and its children.
    script = ("mknod tun c 10 200 && chmod 666 tun && mount --bind tun /dev/net/tun && "
              "exec setpriv --reuid=nobody --clear-groups \"$@\"")
    process = network.start(["unshare", "-m", "sh", "-c", script, "sh", SKERRY, "run", *words[:3], image, *words[3:]],
                            cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def answer():
        assert process.poll() is None, process.communicate()
        try:
            with network.connect("10.0.0.2", 9000, 1) as client:
                client.sendall(b"hello")
                return client.recv(5) == b"hello"
        except OSError:
            return False
    networks.wait_until(answer, 10, "an answer on the tap")


def test_nat_lets_what_is_on_a_tap_out_under_this_machines_address(network):
    outside = networks.Namespace(tap="unused0", address="198.51.100.1")
    with outside:
        network.run(["ip", "link", "add", "up0", "type", "veth", "peer", "name", "in0", "netns", outside.name], check=True)
        for where, command in ((network, "ip addr add 203.0.113.1/24 dev up0"), (network, "ip link set up0 up"),
                               (outside, "ip addr add 203.0.113.2/24 dev in0"), (outside, "ip link set in0 up")):
            where.run(command.split(), check=True)
        assert network.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout == "0\n"
        lines = made(net(network, "up", "--nat"))
        assert "sysctl -w net.ipv4.ip_forward=1" in lines and lines[-1].startswith("nft 'add table ip skerry_skerry0;")

        def open_tap():
            fd = os.open("/dev/net/tun", os.O_RDWR)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH", b"tap0", IFF_TAP | IFF_NO_PI))
            return fd
        tap = network.within(open_tap)
        try:
            bridge = links(network)["skerry0"]["address"]
            server = outside.socket(socket.AF_INET, socket.SOCK_DGRAM)
            server.bind(("203.0.113.2", 5001))
            server.settimeout(0.1)
            frame = Ether(src="02:00:00:00:00:02", dst=bridge) / IP(src="10.0.0.2", dst="203.0.113.2") / \
                UDP(sport=1234, dport=5001) / b"out"

            def arrived():  # again: a bridge forwards only when it has noticed that the cable is held
                os.write(tap, bytes(frame))
                try:
                    return server.recvfrom(16)
                except TimeoutError:
                    return None
            assert networks.wait_until(arrived, 10, "a datagram outside") == (b"out", ("203.0.113.1", 1234))
        finally:
            os.close(tap)
        net(network, "down")
        assert network.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout == "0\n"
        assert network.run(["nft", "list", "ruleset"], check=True).stdout == ""


def test_forwarding_that_was_on_before_stays_on(network):
    network.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
    assert not [line for line in made(net(network, "up", "--nat")) if "ip_forward" in line]
    net(network, "down")
    assert network.run(["cat", "/proc/sys/net/ipv4/ip_forward"]).stdout == "1\n"


@pytest.mark.parametrize("arguments, line", [
    ([], "expected up or down"),
    (["sideways"], "expected up or down"),
    (["up", "down"], '"down": expected no more than up or down'),
    (["up", "--tap=a b"], '"a b": expected a name of up to 15 letters, digits, \'-\' and \'_\''),
    (["up", "--bridge=sixteen-letters0"],
     '"sixteen-letters0": expected a name of up to 15 letters, digits, \'-\' and \'_\''),
    (["up", "--address=10.0.0.1"], '--address: "10.0.0.1"; expected one such as 10.0.0.1/24'),
    (["up", "--address=10.0.0.1/31"], '--address: "10.0.0.1/31"; expected one such as 10.0.0.1/24'),
    (["up", "--address=10.0.0.256/24"], '--address: "10.0.0.256/24"; expected one such as 10.0.0.1/24'),
    (["up", "--address=10.0.0.1/24x"], '--address: "10.0.0.1/24x"; expected one such as 10.0.0.1/24'),
    (["up", "--user=no-such-user"], '--user: no user "no-such-user"'),
    (["down", "--nat"], "down takes no option but --bridge and --print: it knows what up made"),
    (["up", "--tp=x"], "unknown option --tp=x; did you mean --tap? --help lists all"),
])
def test_a_mistake_is_one_line_and_nothing_is_made(arguments, line, network):
    done = net(network, *arguments)
    assert (done.returncode, done.stdout) == (1, f"skerry net: {line}\n")
    assert set(links(network)) == {"lo", "other0"}


def test_without_root_it_prints_the_line_to_run(network):
    done = network.run(["setpriv", "--reuid=65534", "--clear-groups", SKERRY, "net", "up"])
    assert (done.returncode, done.stdout) == (1, (
        "skerry net: needs root: sudo skerry net up (--print shows what that runs; without it, skerry run has a "
        "network of its own)\n"))


def test_without_nft_it_says_which_package_and_makes_nothing(network, tmp_path):
    (tmp_path / "bin").mkdir()
    for name in ("sh", "ip"):
        (tmp_path / "bin" / name).symlink_to(subprocess.run(["which", name], capture_output=True, text=True).stdout.strip())
    script = f"mount -t tmpfs none /usr/sbin && exec {SKERRY} net up --nat"
    done = network.run(["unshare", "-m", "sh", "-c", script], env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin"})
    assert (done.returncode, done.stdout) == (1, "skerry net: --nat needs nft(8); apt-get install nftables\n")
    assert set(links(network)) == {"lo", "other0"}
