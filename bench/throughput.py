#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Bulk TCP between the kernel and tests/unikernels/bulk, beside the same program on the kernel's own sockets across a veth
pair: the host to the guest, the guest to the host, and both at once (echo). As root.

Rounds are interleaved, medians printed in Gbit/s with the ratio to the kernel's.
"""
import argparse
import contextlib
import os
import pathlib
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUNDS = 5
SECONDS = 0.5
ECHO, DISCARD, GENERATE = 7, 9, 19
PIECE = 1 << 18
PEER = "10.1.0.2"


def send(client):
    """Bits sent, for SECONDS."""
    piece, sent, end = bytes(PIECE), 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        sent += client.send(piece)
    return sent * 8


def receive(client):
    piece, received, end = bytearray(PIECE), 0, time.monotonic() + SECONDS
    while time.monotonic() < end:
        received += client.recv_into(piece)
    return received * 8


def exchange(client):
    def send_and_end():
        send(client)
        client.shutdown(socket.SHUT_WR)

    sender, piece, received = threading.Thread(target=send_and_end), bytearray(PIECE), 0
    sender.start()
    while length := client.recv_into(piece):
        received += length
    sender.join()
    return received * 8


def gigabits(connect, port, talk):
    with connect(port) as client:
        started = time.monotonic()
        return talk(client) / (time.monotonic() - started) / 1e9


@contextlib.contextmanager
def on_the_kernel(networks, image):
    """Connects to the program on the host's sockets, in a namespace at the other end of a veth pair."""
    with networks.Namespace() as near, networks.Namespace(address="10.2.0.1") as far:
        near.run(["ip", "link", "add", "near", "type", "veth", "peer", "name", "far", "netns", far.name], check=True)
        for net, name, address in ((near, "near", "10.1.0.1"), (far, "far", PEER)):
            net.run(["ip", "addr", "add", f"{address}/24", "dev", name], check=True)
            net.run(["ip", "link", "set", name, "up"], check=True)
        far.start([image], stdout=subprocess.DEVNULL)
        yield lambda port: networks.wait_until(lambda: attempt(near, port), 10, "the kernel listens")


def attempt(net, port):
    with contextlib.suppress(ConnectionRefusedError):
        return net.connect(PEER, port)


@contextlib.contextmanager
def on_a_tap(networks, image, target, offloads):
    with networks.Namespace() as net, contextlib.ExitStack() as stack:
        descriptors = [] if offloads else [net.open_tap()]
        guest = stack.enter_context(networks.Guest(net, image, target=target, mem=64, descriptors=descriptors,
                                                   tap=f"@{descriptors[0]}" if descriptors else None))
        guest.wait_for_port(DISCARD)
        yield lambda port: net.connect(guest.address, port)


def build(target, directory, *options):
    """The program's image."""
    place = pathlib.Path(directory) / f"bulk-{target}-{len(options)}"
    place.mkdir()
    for command in (["configure", "-t", target, "-f", ROOT / "tests/unikernels/bulk/config.c", *options], ["build"]):
        done = subprocess.run([pathlib.Path(os.environ["SKERRY_BUILD"]) / "skerry", *command], cwd=place, check=True,
                              capture_output=True, text=True)
    return place / done.stdout.strip()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    os.environ["SKERRY_BUILD"] = str(parser.parse_args().build.resolve())
    sys.path.insert(0, str(ROOT / "tests/blackbox"))
    import netns as networks  # pylint: disable=import-outside-toplevel
    if reason := networks.why_impossible():
        print(f"Throughput: skipped: {reason}")
        return
    with tempfile.TemporaryDirectory() as directory, contextlib.ExitStack() as stack:
        own, sandboxed = build("unix", directory, "--net=direct"), build("spt", directory)
        rows = {
            "the kernel, on veth": on_the_kernel(networks, build("unix", directory)),
            "unix, on a tap": on_a_tap(networks, own, "unix", True),
            "unix, without offloads": on_a_tap(networks, own, "unix", False),
            "spt, on a tap": on_a_tap(networks, sandboxed, "spt", True),
            "spt, without offloads": on_a_tap(networks, sandboxed, "spt", False),
        }
        stack.enter_context(contextlib.redirect_stdout(open(os.devnull, "w")))  # what the guests have said at their end
        connect = {label: stack.enter_context(row) for label, row in rows.items()}
        talks = ((DISCARD, send), (GENERATE, receive), (ECHO, exchange))
        measured = {label: [[] for _ in talks] for label in rows}
        for _ in range(ROUNDS):
            for label in rows:
                for column, (port, talk) in zip(measured[label], talks):
                    column.append(gigabits(connect[label], port, talk))
        medians = {label: [statistics.median(column) for column in columns] for label, columns in measured.items()}
        kernel = medians["the kernel, on veth"]
        print("Bulk TCP, Gbit/s (ratio to the kernel's)", file=sys.__stdout__)
        print(f"  {'':<26}{'to the guest':>18}{'from the guest':>18}{'echo':>18}", file=sys.__stdout__)
        for label, row in medians.items():
            print(f"  {label:<26}" + "".join(f"{value:10.2f} ({value / base:5.2f})" for value, base in zip(row, kernel)),
                  file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main()
