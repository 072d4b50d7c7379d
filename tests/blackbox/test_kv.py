# SPDX-License-Identifier: ISC
"""Key-value stores on a disk: archives and file systems that the test makes, as a guest reads them, and the store that a guest
writes, when it is killed."""
import hashlib
import os
import pathlib
import random
import re
import subprocess
import time

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


class Ledger:
    """A guest that writes entries to a store (tests/unikernels/ledger), on a disk that outlives it."""
    SLOTS = 11

    def __init__(self, disk, sector, image):
        options = [f"--block:storage={disk}", f"--block-sector-size:storage={sector}"]
        command = [image, *options] if image.suffix != ".spt" else [BUILD / "skerry-spt", "--mem=8", *options, "--", image]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.found = {}
        for line in self.process.stdout:
            if "] found all" in line:
                return
            key, number = re.search(r"\] found (\S+) (\d+)$", line).groups()
            self.found[key] = int(number)
        raise AssertionError(f"the guest ended with {self.process.wait()}")

    def kill(self, seconds):
        """Kills the guest that long after it first wrote. The numbers of the last entries that it said it had set, and kept."""
        first = self.process.stdout.readline()
        time.sleep(seconds)
        self.process.kill()
        lines = [first, *self.process.stdout]
        self.process.wait()
        said = re.findall(r"\] (set|kept) (\d+)\n", "".join(lines))
        return [max((int(number) for what, number in said if what == word), default=0) for word in ("set", "kept")]


@pytest.mark.parametrize("target, sector", [("spt", 512), ("spt", 4096), ("unix", 512)])
def test_a_guest_that_is_killed_at_any_moment_finds_all_that_it_had_written(tmp_path, built, target, sector):
    disk, image, last_set, last_kept = tmp_path / "disk.img", built("tests/unikernels/ledger", target), 0, 0
    disk.touch()
    os.truncate(disk, 256 * sector)
    lengths = random.Random(4)
    for _ in range(24):
        ledger = Ledger(disk, sector, image)
        found = ledger.found
        kept = {number for key, number in found.items() if key.startswith("kept/")}
        drafts = {number for key, number in found.items() if key.startswith("draft/")}
        assert all(int(key.split("/")[1]) == number % ledger.SLOTS for key, number in found.items())
        newest = max(kept, default=0)
        assert newest in (last_kept, last_kept + 1), (found, last_set, last_kept)
        assert kept == set(range(max(1, newest - ledger.SLOTS + 1), newest + 1))
        # A draft is there between being set and being kept; what was said to be set is there.
        assert drafts <= {newest + 1} and last_set <= max(kept | drafts, default=0), (found, last_set, last_kept)
        said = ledger.kill(lengths.uniform(0, 0.03))
        last_set, last_kept = max(newest, *drafts, said[0]), max(newest, said[1])
    assert last_kept > 24
