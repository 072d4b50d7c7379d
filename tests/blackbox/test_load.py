# SPDX-License-Identifier: ISC
"""Many connections: 1,000 at once and 10,000 in sequence, on a tap; all are answered, and none leaves memory behind.

The guest is tests/unikernels/counted: an echo server on port 9000 that says on port 9001 what it holds. Clients run in
one process inside the namespace: this file, run as a program.
"""
import json
import pathlib
import socket
import sys

ADDRESS, ECHO, COUNTS = "10.0.0.2", 9000, 9001
AT_ONCE, IN_SEQUENCE = 1000, 10000

# What may differ between two equal loads: a TIME-WAIT entry for each time that the counts were asked for. A leak of ten
# bytes for each connection would be more.
TOLERANCE = 32 * 1024


def counts():
    with socket.create_connection((ADDRESS, COUNTS), timeout=10) as client:
        answer = b""
        while piece := client.recv(1000):
            answer += piece
    return {name: int(value) for name, value in (item.split("=") for item in answer.decode().split())}


def receive(client, size):
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        assert piece, f"the stream ended after {len(data)} of {size} bytes"
        data += piece
    return data


def at_once(count):
    """Opens all, writes to all, reads from all, closes all. What the guest held meanwhile."""
    clients = [socket.create_connection((ADDRESS, ECHO), timeout=30) for _ in range(count)]
    for number, client in enumerate(clients):
        client.sendall(number.to_bytes(4, "big") * 250)
    for number, client in enumerate(clients):
        assert receive(client, 1000) == number.to_bytes(4, "big") * 250, f"connection {number} got another's bytes"
    held = counts()
    for client in clients:
        client.shutdown(socket.SHUT_WR)
    for client in clients:
        assert client.recv(1) == b""
        client.close()
    return held


def in_sequence(count):
    for number in range(count):
        with socket.create_connection((ADDRESS, ECHO), timeout=10) as client:
            client.sendall(number.to_bytes(4, "big"))
            assert receive(client, 4) == number.to_bytes(4, "big")
            client.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""


def load():
    at_once(AT_ONCE)  # fills the pools, which keep what they have
    in_sequence(100)
    before = counts()
    held = at_once(AT_ONCE)
    in_sequence(IN_SEQUENCE)
    print(json.dumps({"before": before, "held": held, "after": counts()}))


def test_1000_connections_at_once_and_10000_in_sequence_leave_nothing_behind(netns, built):
    import netns as networks
    image = networks.BUILD / "unikernels/counted.spt"
    with networks.Guest(netns, image, mem=128) as guest:
        guest.wait_for_port(COUNTS)
        done = netns.run([sys.executable, pathlib.Path(__file__).resolve()], seconds=120)
        assert done.returncode == 0, done.stdout
        result = json.loads(done.stdout)
        assert result["held"]["flows"] >= AT_ONCE, f"not all were open at once: {result}"
        grown = result["after"]["used"] - result["before"]["used"]
        assert abs(grown) <= TOLERANCE, f"the heap is {grown} bytes from where it was: {result}"
        assert guest.is_running()
        print(f"heap before {result['before']['used']}, with {AT_ONCE} connections {result['held']['used']}, "
              f"after {IN_SEQUENCE} more {result['after']['used']}")


if __name__ == "__main__":
    load()
