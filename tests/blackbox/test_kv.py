# SPDX-License-Identifier: ISC
"""Key-value stores on a disk, as a guest in the sandbox reads them: archives and file systems that the test makes."""
import hashlib
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build"))


def make_tar(directory, disk):
    subprocess.run(["tar", "-C", directory, "-cf", disk, "t"], check=True)
    os.truncate(disk, -(-disk.stat().st_size // 65536) * 65536)


def make_fat(directory, disk):
    disk.touch()
    os.truncate(disk, 8 << 20)
    subprocess.run(["mkfs.fat", "-S", "512", "-s", "8", disk], check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["mcopy", "-s", "-i", disk, directory / "t", "::/t"], check=True)


def run(disk, sector):
    return subprocess.run(
        [BUILD / "skerry-spt", "--mem=16", f"--block:storage={disk}", f"--block-sector-size:storage={sector}", "--",
         BUILD / "unikernels/kv.spt"], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize("sector", [512, 4096])
@pytest.mark.parametrize("make", [make_tar, make_fat])
def test_a_guest_reads_what_the_host_wrote(tmp_path, make, sector):
    files = {"empty": b"", "secret": b"foo\n", "a long name with blanks.html": os.urandom(5000),
             "large.bin": os.urandom(1 << 20)}
    (tmp_path / "t").mkdir()
    for name, content in files.items():
        (tmp_path / "t" / name).write_bytes(content)
    disk = tmp_path / "disk.img"
    make(tmp_path, disk)
    done = run(disk, sector)
    assert done.returncode == 0, done
    lines = [re.sub(r"^.*INF \[kv\] ", "", line) for line in done.stdout.splitlines()]
    assert lines == [f"{name} {len(files[name])} {hashlib.sha256(files[name]).hexdigest()}" for name in sorted(files)]


def test_a_disk_that_holds_neither_is_refused(tmp_path):
    disk = tmp_path / "disk.img"
    disk.write_bytes(b"neither archive nor file system\n" * 2048)
    done = run(disk, 512)
    assert done.returncode == 1 and "EBADMSG" in done.stdout, done
