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
import struct
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
RUNS = 100
RUNS_EMULATED = 15
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
        size = stripped_bytes(dist / f"{name}.spt") / 1024
        verdict = f"aim: under {aim} KB{'' if size < aim else ', MISSED'}" if aim else ""
        print(f"  {name + '.spt':<34}{size:9.1f} KB   {verdict}")


def ending_at_once(image, target, out):
    """Writes a copy of the image whose first instructions end it with status 0: what then takes time is the tender."""
    content = bytearray(image.read_bytes())
    entry, headers = struct.unpack_from("<QQ", content, 24)
    for i in range(struct.unpack_from("<H", content, 56)[0]):
        kind, _, offset, address, _, size = struct.unpack_from("<IIQQQQ", content, headers + 56 * i)
        if kind == 1 and address <= entry < address + size:  # PT_LOAD
            place = offset + entry - address
    code = {
        "spt": b"\xb8\xe7\0\0\0\x31\xff\x0f\x05",  # exit_group(0)
        # out to the port of the halt, with the address of 16 bytes of zeros that follow
        "hvt": b"\xb8" + struct.pack("<I", entry + 16) + b"\x66\xba\x08\x05\xef",
        # "0\n" to port 0xe9, and a trap without a table of handlers, which ends the machine
        "virtio": b"\x66\xba\xe9\0\xb0\x30\xee\xb0\x0a\xee\x0f\x01\x1d" + struct.pack("<I", entry + 24) + b"\xcc",
    }[target]
    content[place:place + 32] = code.ljust(32, b"\0")
    out.write_bytes(content)


def stripped_bytes(image):
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, image], check=True)
        return os.path.getsize(stripped.name)


def target_row(build, dist, target, runs):
    """Tender, boot and size of noop for this target; for unix, /bin/true is in the tender's place."""
    image = dist / ("noop" if target == "unix" else f"noop.{target}")
    with tempfile.TemporaryDirectory() as directory:
        ends = pathlib.Path(directory) / "ends"
        if target == "unix":
            alone, whole = ["/bin/true"], [str(image)]
        else:
            tender = [str(build / f"skerry-{target}"), "--mem=16", "--"]
            ending_at_once(image, target, ends)
            alone, whole = [*tender, str(ends)], [*tender, str(image)]
        times = [(milliseconds(alone), milliseconds(whole)) for _ in range(runs)]
    alone, whole = (statistics.median(column) for column in zip(*times))
    print(f"  {target:<8}{alone:9.2f} ms{whole - alone:12.2f} ms{stripped_bytes(image) / 1024:12.1f} KB", flush=True)


def targets(build, dist, names, runs):
    print(f"  {'':<8}{'tender':>12}{'to start()':>15}{'noop':>15}", flush=True)
    for name in names:
        target_row(build, dist, name, runs)


def kvm_works(build, dist):
    return subprocess.run([build / "skerry-hvt", "--mem=16", "--", dist / "noop.hvt"], stderr=subprocess.DEVNULL).returncode == 0


def all_targets(build, dist):
    """hvt in the lab where this machine has no KVM: there everything is emulated, so spt stands beside it. virtio's tender is
    QEMU, with the machine that it makes; without KVM it emulates."""
    direct = kvm_works(build, dist)
    print("Start-up of the tender (unix: of /bin/true), boot of the guest to start(), image size, stripped", flush=True)
    targets(build, dist, ["unix", "spt", "hvt"] if direct else ["unix", "spt"], RUNS)
    target_row(build, dist, "virtio", RUNS_EMULATED)
    if not direct and os.geteuid() == 0:
        print("  the same on an emulated machine that has KVM:", flush=True)
        subprocess.run([ROOT / "tests/lab.py", "--build", build, "/usr/bin/python3", ROOT / "bench/run.py", "--build", build,
                        "--dist", dist, "--targets", "spt,hvt"], check=True)


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
    parser.add_argument("--targets", help="compare these alone, such as spt,hvt")
    arguments = parser.parse_args()
    if arguments.targets:
        targets(arguments.build.resolve(), arguments.dist.resolve(), arguments.targets.split(","), RUNS_EMULATED)
        return
    tender = arguments.build.resolve() / "skerry-spt"
    sizes(arguments.dist)
    all_targets(arguments.build.resolve(), arguments.dist.resolve())
    start_up(tender, arguments.dist.resolve())
    idle_memory(tender, arguments.dist.resolve())
    subprocess.run([ROOT / "bench/throughput.py", "--build", arguments.build], check=True)
    for program in sorted((arguments.build / "unix/bench").glob("*")):
        if program.is_file() and os.access(program, os.X_OK) and not program.suffix:
            subprocess.run([program], check=True)


if __name__ == "__main__":
    main()
