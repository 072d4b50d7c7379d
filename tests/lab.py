#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""The lab: a Linux under emulation, in which KVM, taps, bridges and netem work whatever the machine outside is.

    tests/lab.py [--build DIR] [--seconds N] COMMAND [ARGUMENT]...

Boots Debian's cloud kernel in QEMU (TCG, with AMD's SVM, so that kvm-amd loads) with this machine's own root directory
below a writable layer in memory, runs the command there as root in the current directory, and ends with its status, or
with 254 if there can be no lab.
What the command writes into files is gone afterwards. Takes about ten seconds to the first line.
"""
import argparse
import contextlib
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODULES = ["virtio_pci", "virtiofs", "overlay", "kvm-amd", "tun", "bridge", "sch_netem", "veth"]
MEMORY_MB = 2048
UNPREPARED = 254  # the exit status when there can be no lab

INIT = """#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin:/usr/sbin:/usr/bin:/sbin
mkdir -p /proc /sys /dev /host /layer /new
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in {modules}; do modprobe $module; done
mount -t virtiofs -o ro host /host
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay /new
for name in proc sys dev; do mount --move /$name /new/$name; done
mkdir -p /new/dev/shm /new/dev/pts
ln -s /proc/self/fd /new/dev/fd
mount -t tmpfs shm /new/dev/shm
mount -t devpts pts /new/dev/pts
mount -t tmpfs run /new/run
ip link set lo up
echo 'lab: ready'
chroot /new /bin/bash {script} </new/dev/null
echo "lab: status $?"
poweroff -f
"""


def kernel(directory):
    """Unpacks Debian's kernel package there, unless it has been; returns the kernel and its modules' directory."""
    if not list(directory.glob("boot/vmlinuz-*")):
        meta = subprocess.run(["apt-cache", "depends", "linux-image-cloud-amd64"], capture_output=True, text=True,
                              check=True).stdout
        package = re.search(r"Depends: (linux-image-\S+)", meta).group(1)
        with tempfile.TemporaryDirectory() as download:
            os.chmod(download, 0o755)
            subprocess.run(["apt-get", "-q", "download", package], cwd=download, check=True, stdout=subprocess.DEVNULL)
            subprocess.run(["dpkg-deb", "-x", *map(str, pathlib.Path(download).glob("*.deb")), str(directory)],
                           check=True)
    modules = next(directory.glob("lib/modules/*"))
    if not (modules / "modules.dep").exists():
        subprocess.run(["depmod", "-b", str(directory), modules.name], check=True)
    return next(directory.glob("boot/vmlinuz-*")), modules


def closure(modules, names):
    """The files of the modules with all that they depend on."""
    depends = dict(line.split(":", 1) for line in (modules / "modules.dep").read_text().splitlines())
    by_name = {pathlib.Path(path).stem.replace("-", "_"): path for path in depends}
    found = set()
    for name in names:
        path = by_name[name.replace("-", "_")]
        found |= {path, *depends[path].split()}
    return found


def initramfs(path, modules, script):
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        libraries = subprocess.run(["ldd", "/bin/busybox"], capture_output=True, text=True).stdout
        for file in ["/bin/busybox", *re.findall(r"(/\S+) \(", libraries)]:
            (root / file[1:]).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, root / file[1:])
        target = root / "lib/modules" / modules.name
        for file in closure(modules, MODULES):
            (target / file).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(modules / file, target / file)
        for file in ("modules.dep", "modules.alias", "modules.symbols", "modules.softdep"):
            shutil.copy(modules / file, target / file)
        (root / "init").write_text(INIT.format(modules=" ".join(MODULES), script=script))
        (root / "init").chmod(0o755)
        files = subprocess.run(["find", ".", "-print0"], cwd=root, capture_output=True, check=True).stdout
        with open(path, "wb") as out:
            subprocess.run(["cpio", "--null", "-o", "--quiet", "-H", "newc"], cwd=root, input=files, stdout=out,
                           check=True)


@contextlib.contextmanager
def host_root(socket):
    """Serves this machine's root directory on the socket."""
    daemon = subprocess.Popen(["/usr/lib/qemu/virtiofsd", f"--socket-path={socket}", "-o", "source=/,cache=always,sandbox=chroot"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while not socket.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("lab: virtiofsd does not start")
            time.sleep(0.02)
        yield
    finally:
        daemon.kill()
        daemon.wait()


def run(build, command, seconds):
    """The command's exit status in the lab, or None when it did not end; its output goes to stdout."""
    vmlinuz, modules = kernel(build / "lab")
    with tempfile.TemporaryDirectory(prefix="skerry-lab-") as name:
        work = pathlib.Path(name)
        words = ["env", "HOME=/root", "SKERRY_LAB=yes", *(f"{key}={value}" for key, value in os.environ.items() if key.startswith("SKERRY_"))]
        (work / "command").write_text(f"cd {shlex.quote(os.getcwd())}\n{shlex.join([*words, *command])}\n")
        initramfs(work / "initramfs", modules, work / "command")
        with host_root(work / "socket"):
            machine = ["-machine", "q35,accel=tcg,memory-backend=memory", "-cpu", "max,+svm", "-smp", "1",
                       "-m", str(MEMORY_MB), "-object", f"memory-backend-memfd,id=memory,size={MEMORY_MB}M,share=on",
                       "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio",
                       "-chardev", f"socket,id=host,path={work}/socket",
                       "-device", "vhost-user-fs-pci,chardev=host,tag=host",
                       "-kernel", str(vmlinuz), "-initrd", str(work / "initramfs"),
                       "-append", "console=ttyS0 quiet panic=-1 softlockup_panic=1 tsc=reliable"]
            qemu = subprocess.Popen(["timeout", str(seconds), "qemu-system-x86_64", *machine],
                                    stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, errors="replace")
            return relay(qemu)


def relay(qemu):
    """Copies what the command prints, and no more; returns its status."""
    running, status = False, None
    for line in qemu.stdout:
        line = line.replace("\r", "")
        if line.endswith("lab: ready\n"):  # the firmware may have begun the line
            running = True
        elif ended := re.fullmatch(r"lab: status (\d+)\n", line):
            running, status = False, int(ended.group(1))
        elif running:
            sys.stdout.write(line)
            sys.stdout.flush()
    qemu.wait()
    return status


def main():
    parser = argparse.ArgumentParser(usage=__doc__.split("\n")[2].strip())
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    deadline = time.monotonic() + options.seconds
    try:
        kernel(options.build.absolute() / "lab")
    except (OSError, subprocess.CalledProcessError, AttributeError) as error:
        print(f"lab: Debian's kernel cannot be fetched or unpacked: {error}", file=sys.stderr)
        sys.exit(UNPREPARED)
    status = run(options.build.absolute(), options.command, options.seconds)
    if status is None and time.monotonic() < deadline:
        print("lab: the emulated machine broke down; once more", file=sys.stderr)
        status = run(options.build.absolute(), options.command, options.seconds)
    if status is None:
        print("lab: the command did not end", file=sys.stderr)
    sys.exit(255 if status is None else status)


if __name__ == "__main__":
    main()
