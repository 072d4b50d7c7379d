#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Measurements of the built images, each beside what it compares to, in one run: make bench.

Times are medians over interleaved runs, with the ratio to the comparison. Nothing here is a test.
"""
import argparse
import os
import pathlib
import socket
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = 100
SIZE_AIMS = {"noop": None, "hello": 24, "echo": None, "web": 96, "zip": 192}


def milliseconds(command):
    started = time.perf_counter()
    process = os.posix_spawn(command[0], command, os.environ,
                             file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
    _, status = os.waitpid(process, 0)
    elapsed = (time.perf_counter() - started) * 1e3
    if status != 0:
        raise SystemExit(f"{command}: status {status}")
    return elapsed


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def first_answer(command, port):
    """Milliseconds from exec to the last byte of the first HTTP answer."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        while time.perf_counter() - started < 10:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                    answer = b""
                    while piece := client.recv(65536):
                        answer += piece
                if b"Hello World!" in answer:
                    return (time.perf_counter() - started) * 1e3
            except OSError:
                pass
        raise SystemExit(f"{command}: no answer in 10 s")
    finally:
        process.terminate()
        process.wait()


def memory_kib(pid):
    """Proportional set size of a process, and of its children, in KiB."""
    total = 0
    for line in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().split("\n"):
        if line.startswith("Pss:"):
            total = int(line.split()[1])
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return total, [memory_kib(int(child))[0] for child in children]


def compare(label, measure, other_label, other, runs):
    ours, theirs = [], []
    for _ in range(runs):
        ours.append(measure())
        theirs.append(other())
    a, b = statistics.median(ours), statistics.median(theirs)
    print(f"  {label:<34}{a:9.2f} ms   {other_label} {b:.2f} ms, ratio {a / b:.2f}")


def sizes(dist):
    print("Image sizes, stripped")
    for name, aim in SIZE_AIMS.items():
        with tempfile.NamedTemporaryFile() as stripped:
            subprocess.run(["strip", "-o", stripped.name, dist / f"{name}.spt"], check=True)
            size = os.path.getsize(stripped.name) / 1024
        verdict = f"aim: under {aim} KB{'' if size < aim else ', MISSED'}" if aim else ""
        print(f"  {name + '.spt':<34}{size:9.1f} KB   {verdict}")


def start_up(tender, dist):
    print("From exec to exit")
    noop = [str(tender), "--mem=16", "--", str(dist / "noop.spt")]
    compare("noop.spt in the tender", lambda: milliseconds(noop), "/bin/true", lambda: milliseconds(["/bin/true"]), RUNS)
    compare("noop as an ordinary process", lambda: milliseconds([str(dist / "noop")]), "/bin/true",
            lambda: milliseconds(["/bin/true"]), RUNS)
    print("From exec to the first HTTP answer")
    port, other_port = free_port(), free_port()
    sandbox = [str(tender), "--mem=16", f"--net:service=user,{port}:80", "--", str(dist / "web.spt")]
    process = [str(dist / "web"), f"--port={other_port}"]
    compare("web.spt, user-mode network", lambda: first_answer(sandbox, port), "web as a process",
            lambda: first_answer(process, other_port), 15)


def idle_memory(tender, dist):
    print("Memory of an idle instance (proportional set size)")
    port = free_port()
    command = [str(tender), "--mem=16", f"--net:service=user,{port}:80", "--", str(dist / "web.spt")]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                    client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                    if client.recv(100):
                        break
            except OSError:
                pass
        own, helpers = memory_kib(process.pid)
        print(f"  {'web.spt in the tender':<34}{own:9d} KiB")
        print(f"  {'its user-mode network process':<34}{sum(helpers):9d} KiB")
    finally:
        process.terminate()
        process.wait()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--dist", type=pathlib.Path, default=ROOT / "dist")
    arguments = parser.parse_args()
    tender = arguments.build.resolve() / "skerry-spt"
    sizes(arguments.dist)
    start_up(tender, arguments.dist.resolve())
    idle_memory(tender, arguments.dist.resolve())
    for program in sorted((arguments.build / "unix/bench").glob("*")):
        if program.is_file() and os.access(program, os.X_OK) and not program.suffix:
            subprocess.run([program], check=True)


if __name__ == "__main__":
    main()
