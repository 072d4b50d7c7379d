# SPDX-License-Identifier: ISC
"""Networks for black-box tests: a namespace of the test's own, with a tap inside, and guests attached to it.

    with Namespace() as net:                    # 10.0.0.1/24 on tap0; nothing of it is seen outside
        with Guest(net, "echo") as guest:       # 10.0.0.2/24, ready: its ARP announcement was seen
            guest.wait_for_port(9000)
            net.run(["ping", "-c1", guest.address])
            net.connect(guest.address, 9000).sendall(b"hello")

conftest.py has these as fixtures: `netns`, `boot` and `link`. Whatever was started is ended when the with block ends,
however it ends: processes by their id, then the namespace with all that is in it.
"""
import contextlib
import ctypes
import fcntl
import itertools
import os
import pathlib
import re
import select
import socket
import struct
import subprocess
import tempfile
import threading
import time

os.environ.setdefault("XDG_CONFIG_HOME", "/dev/null")  # scapy must not write to the user's home

from scapy.layers.l2 import ARP, Ether  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).absolute()
DIST = pathlib.Path(os.environ.get("SKERRY_DIST", ROOT / "dist")).absolute()
TARGET = os.environ.get("SKERRY_TARGET", "spt")  # what images are tested, beside those for unix
TARGETS = ["unix", TARGET] if TARGET == "spt" else [TARGET]
TENDER = BUILD / f"skerry-{TARGET}"

HOST = "10.0.0.1"
GUEST = "10.0.0.2"
PREFIX = 24
READY_SECONDS = 10  # how long a guest may take until it is ready, on a busy machine

CLONE_NEWNET = 0x40000000
TUNSETIFF, IFF_TAP, IFF_NO_PI, IFF_VNET_HDR = 0x400454CA, 2, 0x1000, 0x4000
PACKET_OUTGOING = 4
TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
ETH_P_ALL = 3
_numbers = itertools.count(1)
_libc = ctypes.CDLL(None, use_errno=True)


def why_impossible():
    """Why networks cannot be made here, or None."""
    if os.geteuid() != 0:
        return "needs root, to make network namespaces and taps"
    if not os.path.exists("/dev/net/tun"):
        return "/dev/net/tun is missing"
    return None


class Expired(AssertionError):
    """What a test waited for did not happen in time."""


def wait_until(condition, seconds, what):
    """Polls until condition() is true, and returns its value."""
    deadline = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() >= deadline:
            raise Expired(f"{what}: not within {seconds} s")
        time.sleep(0.005)
    return value


class Namespace:
    """A network namespace with one tap. The tests' end of the tap has the address HOST."""

    def __init__(self, tap="tap0", address=HOST, prefix=PREFIX, mtu=1500, ipv6=False):
        self.name = f"skerry-{os.getpid()}-{next(_numbers)}"
        self.tap, self.address, self.prefix, self.mtu, self.ipv6 = tap, address, prefix, mtu, ipv6
        self.stack = contextlib.ExitStack()

    def __enter__(self):
        subprocess.run(["ip", "netns", "add", self.name], check=True)
        self.stack.callback(subprocess.run, ["ip", "netns", "del", self.name], check=False)
        try:
            if not self.ipv6:  # so that the host says nothing on the tap that a test has not asked for
                self.run(["sysctl", "-qw", "net.ipv6.conf.all.disable_ipv6=1", "net.ipv6.conf.default.disable_ipv6=1"],
                         check=True)
            for command in ("ip link set lo up", f"ip tuntap add {self.tap} mode tap",
                            f"ip link set {self.tap} mtu {self.mtu} up",
                            f"ip addr add {self.address}/{self.prefix} dev {self.tap}"):
                self.run(command.split(), check=True)
        except BaseException:
            self.stack.close()
            raise
        return self

    def __exit__(self, *_):
        self.stack.close()

    def run(self, command, seconds=30, **options):
        """Runs a command in here to its end. Its output is kept, as text."""
        return subprocess.run(self.inside(command), **{"timeout": seconds, "stdout": subprocess.PIPE, "text": True,
                                                       "stderr": subprocess.STDOUT, "stdin": subprocess.DEVNULL,
                                                       **options})

    def start(self, command, **options):
        """Starts a command in here. It is killed with the namespace, if it still runs then."""
        process = subprocess.Popen(self.inside(command), **options)
        self.stack.callback(end_process, process)
        return process

    def inside(self, command):
        return ["ip", "netns", "exec", self.name, *map(str, command)]  # replaces itself: the id is the command's

    def within(self, make):
        """What make() returns when it runs in here. What it opens stays in here, in whatever thread it is used."""
        made = []

        def enter_and_make():
            with open(f"/run/netns/{self.name}", "rb") as namespace:
                if _libc.setns(namespace.fileno(), CLONE_NEWNET) != 0:
                    raise OSError(ctypes.get_errno(), "setns")
            made.append(make())

        thread = threading.Thread(target=enter_and_make)  # a namespace is entered by thread, and this thread ends
        thread.start()
        thread.join()
        assert made, "it could not be made in the namespace"
        return made[0]

    def socket(self, *arguments):
        """A socket of this namespace."""
        made = self.within(lambda: socket.socket(*arguments))
        self.stack.callback(made.close)
        return made

    def connect(self, address, port, seconds=10):
        """A TCP connection from in here."""
        client = self.socket(socket.AF_INET, socket.SOCK_STREAM)
        client.settimeout(seconds)
        client.connect((address, port))
        return client

    def udp(self, port=0, seconds=5):
        """A UDP socket of the host's."""
        client = self.socket(socket.AF_INET, socket.SOCK_DGRAM)
        client.settimeout(seconds)
        client.bind((self.address, port))
        return client

    def open_tap(self, name=None, flags=0):
        """A descriptor of a tap, without flags as somebody opens it who has not heard of offloads: Guest's tap="@N"."""
        def attach():
            fd = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", (name or self.tap).encode(), IFF_TAP | IFF_NO_PI | flags))
            return fd
        fd = self.within(attach)
        self.stack.callback(os.close, fd)
        return fd

    def link(self):
        """Raw access to the tap: see Link."""
        return Link(self)

    def capture(self, path):
        """Writes all that passes the tap to a pcap file, from the return of this call until the namespace ends."""
        process = self.start(["tcpdump", "-i", self.tap, "-U", "--immediate-mode", "-w", path],
                             stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        while "listening on" not in (line := process.stderr.readline()):
            assert line, f"tcpdump ended with {process.wait()}"
        return process


def open_tap(name):
    """The wire's end of a tap: what the kernel sends is read here."""
    descriptor = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(descriptor, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return descriptor


@contextlib.contextmanager
def routed(router):
    """A namespace of a client's, 10.2.0.2, whose way to anybody leads through this one."""
    with Namespace(tap="unused", address="10.1.0.1") as client:
        for net, command in (
                (router, "sysctl -qw net.ipv4.ip_forward=1 net.ipv4.icmp_ratelimit=0"),
                (router, f"ip link add down0 type veth peer name up0 netns {client.name}"),
                (router, "ip addr add 10.2.0.1/24 dev down0"), (router, "ip link set down0 up"),
                (client, "ip addr add 10.2.0.2/24 dev up0"), (client, "ip link set up0 up"),
                (client, "ip route add default via 10.2.0.1")):
            net.run(command.split(), check=True)
        yield client


class Link:
    """Frames on the tap: what the guest sends is received, and what is sent here goes to the guest."""

    def __init__(self, net):
        self.socket = net.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16 << 20)
        self.socket.bind((net.tap, ETH_P_ALL))
        self.mac = ":".join(f"{byte:02x}" for byte in self.socket.getsockname()[4])

    def send(self, frame):
        """Sends a frame: bytes, or a packet of scapy's from Ether() on."""
        self.socket.send(bytes(frame))

    def receive(self, seconds=5):
        """The next frame from the guest, as scapy reads it; None: there was none in time."""
        deadline = time.monotonic() + seconds
        while select.select([self.socket], [], [], max(0, deadline - time.monotonic()))[0]:
            frame, address = self.socket.recvfrom(65535)
            if address[2] != PACKET_OUTGOING:
                return Ether(frame)
        return None

    def expect(self, matches, seconds=5, what="the expected frame"):
        """The first frame from the guest for which matches(frame) holds; those before it are dropped."""
        deadline = time.monotonic() + seconds
        while (frame := self.receive(max(0, deadline - time.monotonic()))) is not None:
            if matches(frame):
                return frame
        raise Expired(f"{what}: not seen within {seconds} s")

    def ask(self, frame, matches, seconds=5, what="an answer"):
        """Sends, and gives the first frame that matches."""
        self.drain()
        self.send(frame)
        return self.expect(matches, seconds, what)

    def drain(self):
        while self.receive(0) is not None:
            pass


def is_announcement(address):
    """Whether a frame announces this address (RFC 5227, 2.3)."""
    def matches(frame):
        return ARP in frame and frame[ARP].op == 1 and frame[ARP].psrc == frame[ARP].pdst == address
    return matches


def end_process(process, seconds=5):
    """Asks a process that we started to end, and makes it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        if stream:
            stream.close()


def built(example, target, directory, *options):
    """The image of an example, or of a directory with a config.c. On unix, images on our own stack (and all that
    `make` has not built, such as those with options for the configure step) are built into directory."""
    if target == TARGET and "/" not in str(example) and not options:
        return DIST / f"{example}.{target}"
    source = ROOT / "examples" / example if "/" not in str(example) else ROOT / example
    name = "-".join([source.name, *(option.strip("-") for option in options)])
    image = directory / f"{name}.{target}"
    if not image.exists():
        place = directory / f"{name}-{target}"
        place.mkdir()
        config = source / "config.c"
        direct = ["--net=direct"] if target == "unix" and "generic_stack" in config.read_text() else []
        for command in (["configure", "-t", target, "-f", config, *direct, *options], ["build"]):
            done = subprocess.run([BUILD / "skerry", *command], cwd=place, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True)
            assert done.returncode == 0, done.stdout
        image.symlink_to(place / done.stdout.strip())
    return image


class Guest:
    """A unikernel on the namespace's tap, under the tender (target TARGET) or as a process ("unix").

    image: path of the image. arguments: the guest's own. options: the tender's, beside the network. Ready when the
    with block begins: its announcement was seen (kept in .announcement), or with announces=False, it was started.
    tap="@5", descriptors=[5]: it has that descriptor instead of the namespace's tap.
    address=None: it gets one by itself, and wait_for_lease() waits for that.
    """

    def __init__(self, net, image, *arguments, target=TARGET, address=GUEST, prefix=PREFIX, gateway=None, mem=16,
                 options=(), announces=True, tap=None, descriptors=()):
        self.net, self.address, self.announces = net, address, announces and address
        self.descriptors = descriptors
        own = [*([f"--ipv4={address}/{prefix}"] if address else []),
               *([f"--ipv4-gateway={gateway}"] if gateway else []), *arguments]
        network = f"--net:service={tap or net.tap}"
        if target == "unix":
            self.command = [image, network, *own]
        else:
            self.command = [TENDER, f"--mem={mem}", network, *options, "--", image, *own]

    def __enter__(self):
        self.output = tempfile.TemporaryFile("w+", errors="replace")
        link = self.net.link()
        self.process = self.net.start(self.command, stdin=subprocess.DEVNULL, stdout=self.output,
                                      stderr=subprocess.STDOUT, pass_fds=self.descriptors)
        try:
            if self.announces:
                self.announcement = self.wait_for_announcement(link)
                self.mac = self.announcement[ARP].hwsrc
        except BaseException:
            self.stop()
            print(f"{' '.join(map(str, self.command))}\nstatus {self.process.returncode}, said:\n{self.log()}")
            raise
        finally:
            link.socket.close()
        return self

    def __exit__(self, *_):
        self.stop()
        print(f"the guest said:\n{self.log()}")  # pytest shows it if the test fails
        self.output.close()

    def wait_for_announcement(self, link):
        deadline = time.monotonic() + READY_SECONDS
        while self.is_running() and time.monotonic() < deadline:
            with contextlib.suppress(Expired):
                return link.expect(is_announcement(self.address), 0.1)
        raise Expired(f"{self.address} does not announce itself")

    def wait_for_lease(self, seconds=READY_SECONDS, number=1):
        """The address that a DHCP server gives it, for the number-th time."""
        pattern = r"INF \[dhcp\] ([0-9.]+)/\d+ from (.*)"
        leases = wait_until(lambda: (found := re.findall(pattern, self.log()))[number - 1:] and found, seconds,
                            f"lease number {number}")
        self.address = leases[number - 1][0]
        return leases[number - 1]

    def stop(self):
        """Ends it, and gives its exit status."""
        end_process(self.process)
        return self.process.returncode

    def is_running(self):
        return self.process.poll() is None

    def log(self):
        """What it has written so far."""
        self.output.flush()
        return os.pread(self.output.fileno(), 1 << 24, 0).decode(errors="replace")

    def wait_for_log(self, pattern, seconds=READY_SECONDS):
        return wait_until(lambda: re.search(pattern, self.log(), re.M), seconds, f"a line like {pattern!r}")

    def wait_for_port(self, port, seconds=READY_SECONDS):
        """Until it accepts TCP connections to this port."""
        def accepts():
            assert self.is_running(), f"it ended with status {self.process.returncode}"
            try:
                self.net.connect(self.address, port, 1).close()
                return True
            except OSError:
                return False
        wait_until(accepts, seconds, f"port {port} of {self.address} is open")

    def wait_for_end(self, seconds=READY_SECONDS):
        """Its exit status, when it ends by itself."""
        return self.process.wait(seconds)

    def ping(self, *options, seconds=30):
        """Pings it from the host's end: (answers received, what ping printed)."""
        done = self.net.run(["ping", *map(str, options), self.address], seconds)
        received = re.search(r"(\d+) received", done.stdout)
        return int(received.group(1)) if received else 0, done.stdout
