# SPDX-License-Identifier: ISC
"""Streams in a guest (tests/unikernels/streams), each checked by the host's own tools: tar, gzip, zip, unzip, sha256."""
import gzip
import hashlib
import io
import os
import subprocess
import tarfile
import zipfile

import pytest

from netns import BUILD, GUEST, Guest

DISK, TAR, ZIP, UNTAR, UNZIP, LINES = range(9001, 9007)

FILES = {
    "empty": b"",
    "one": b"1",
    "a long name, with blanks and ümlauts.txt": b"The quick brown fox jumps over the lazy dog.\n" * 50_000,
    "block": os.urandom(512),
    "noise.bin": os.urandom(700_001),
}


@pytest.fixture
def directory(tmp_path):
    (tmp_path / "t").mkdir()
    for number, (name, content) in enumerate(FILES.items()):
        (tmp_path / "t" / name).write_bytes(content)
        os.utime(tmp_path / "t" / name, (1_700_000_000 + 2 * number,) * 2)
    return tmp_path


@pytest.fixture
def talk(netns, directory):
    """Sends bytes to a port of the guest, ends, and gives what comes back; None: the connection was reset."""
    disk = directory / "disk.img"
    subprocess.run(["tar", "-C", directory, "-cf", disk, "t"], check=True)
    os.truncate(disk, -(-disk.stat().st_size // 65536) * 65536)
    with Guest(netns, BUILD / "unikernels/streams.spt", options=[f"--block:storage={disk}"]) as guest:
        guest.wait_for_port(LINES)

        def talk(port, data=b""):
            with netns.connect(GUEST, port, 30) as client:
                try:
                    client.sendall(data)
                    client.shutdown(1)
                    return b"".join(iter(lambda: client.recv(65536), b""))
                except TimeoutError:
                    raise
                except OSError:
                    return None

        talk.guest, talk.disk = guest, disk
        yield talk
        assert guest.is_running()


def report(files):
    return "".join(f"{name} {len(content)} {hashlib.sha256(content).hexdigest()}\n" for name, content in files).encode()


def test_a_disk_is_compressed_and_hashed_on_its_way(talk):
    assert gzip.decompress(talk(DISK)) == talk.disk.read_bytes()
    digest = subprocess.run(["sha256sum", talk.disk], capture_output=True, text=True, check=True).stdout.split()[0]
    talk.guest.wait_for_log(f"disk {digest}")


def test_an_archive_that_a_task_makes_is_what_tar_expects(talk, directory):
    (directory / "out.tar.gz").write_bytes(talk(TAR))
    (directory / "out").mkdir()
    subprocess.run(["tar", "-C", directory / "out", "-xzf", directory / "out.tar.gz"], check=True)
    assert {path.name: path.read_bytes() for path in (directory / "out").iterdir()} == FILES
    for name in FILES:
        assert int((directory / "out" / name).stat().st_mtime) == int((directory / "t" / name).stat().st_mtime)


def test_a_zip_archive_is_what_unzip_expects(talk, directory):
    (directory / "out.zip").write_bytes(talk(ZIP))
    subprocess.run(["unzip", "-tq", directory / "out.zip"], check=True, stdout=subprocess.DEVNULL)
    with zipfile.ZipFile(directory / "out.zip") as archive:
        assert {name: archive.read(name) for name in archive.namelist()} == FILES


@pytest.mark.parametrize("format", ["ustar", "pax", "gnu"])
def test_what_tar_wrote_is_read(talk, directory, format):
    made = subprocess.run(["tar", "-C", directory / "t", f"--format={format}", "-czf", "-", *FILES], check=True,
                          stdout=subprocess.PIPE).stdout
    assert talk(UNTAR, made) == report(FILES.items())


def test_what_zip_wrote_is_read(talk, directory):
    subprocess.run(["zip", "-q", directory / "in.zip", *FILES], cwd=directory / "t", check=True)
    assert talk(UNZIP, (directory / "in.zip").read_bytes()) == report(FILES.items())


def test_what_is_cut_off_or_changed_is_never_taken_for_whole(talk):
    tar, content, entry = io.BytesIO(), os.urandom(100_000), tarfile.TarInfo("a")
    entry.size = len(content)
    with tarfile.open(fileobj=tar, mode="w:gz") as archive:
        archive.addfile(entry, io.BytesIO(content))
    made = tar.getvalue()
    assert talk(UNTAR, made) == report([("a", content)])
    assert talk(UNTAR, made[:len(made) // 2]) is None
    assert talk(UNTAR, made[:-1]) is None
    middle = bytes([made[50_000] ^ 1])  # which is for gzip's checksum to notice
    assert talk(UNTAR, made[:50_000] + middle + made[50_001:]) is None
    assert talk(UNZIP, made) is None


def test_lines_are_filtered_changed_and_cut(talk):
    lines = [f"line {number}{' # a comment' if number % 3 == 0 else ''}" for number in range(500)]
    expected = "".join(f"{line.upper()}\n" for line in lines if "#" not in line).encode()
    assert talk(LINES, "\n".join(lines).encode()) == expected[:1000]
    assert talk(LINES, b"x" * 1001) is None
