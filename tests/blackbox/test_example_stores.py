# SPDX-License-Identifier: ISC
"""The examples that keep something: kv_rw, and the game disk-lottery, which has one high score a sector."""
import os
import re
import subprocess
import zlib

import pytest

from netns import ROOT
from test_example_devices import told
from test_examples import Server, command, targets

pytestmark = pytest.mark.each_target

def run(name, target, disk, *arguments):
    attached = f"--block:storage={disk}"
    words = command(name, target, *([attached] if target == "unix" else []), *arguments, options=[attached])
    return subprocess.run(words, capture_output=True, text=True, timeout=30)


def assert_told(done, status, *messages):
    seen = told(done.stdout)
    assert done.returncode == status and len(seen) == len(messages), done
    for (level, text), (wanted, pattern) in zip(seen, messages):
        assert level == wanted and re.fullmatch(pattern, text), done


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.img"
    path.touch()
    os.truncate(path, 65536)
    return path


@pytest.mark.example("kv_ro")
@targets
def test_kv_ro_finds_the_secret_that_was_built_in(target):
    done = subprocess.run(command("kv_ro", target), capture_output=True, text=True, timeout=30)
    assert_told(done, 0, ("INF", "Contents of extremely secret vital storage confirmed!"))


@pytest.mark.example("static-website")
@targets
def test_static_website_serves_the_files_of_its_directory(target):
    with Server("static-website", target, 80) as server:
        server.connect().close()
        for path, file in ("/", "index.html"), ("/style.css", "style.css"):
            got = subprocess.run(["curl", "-sSf", "-m20", f"http://127.0.0.1:{server.port}{path}"], capture_output=True, check=True)
            assert got.stdout == (ROOT / "examples/static-website/htdocs" / file).read_bytes()


@pytest.mark.example("kv_rw")
@targets
def test_kv_rw_counts_its_starts_on_the_disk(disk, target):
    line = re.escape("foo: 00000000: 4865 6c6c 6f20 576f 726c 6421            Hello World!")
    for start in range(1, 30):
        assert_told(run("kv_rw", target, disk), 0, ("INF", f"start {start}"), ("INF", line))


@targets
@pytest.mark.parametrize("content", [bytes(65535) + b"x", b"text\n" * 13107 + b"\n", b"SKERRYKV" + bytes(65528)],
                         ids=["the last byte", "text", "the name of a store"])
def test_kv_rw_leaves_a_disk_with_something_else_alone(disk, target, content):
    disk.write_bytes(content)
    done = run("kv_rw", target, disk)
    assert done.returncode == 1 and '"storage" holds something else than a key-value store' in done.stdout, done
    assert disk.read_bytes() == content


def state(score, magic=b"LOTO", error=0):
    content = magic + score.to_bytes(4, "big")
    return content + (zlib.crc32(content) ^ error).to_bytes(4, "big") + bytes(500)


WON = ("APP", r"YOU WON! You beat the old high score (\d+) with (\d+)!")
LOST = ("APP", r"YOU LOST! With (\d+) you didn't beat the high score (\d+)")
PLAYED = ("INF", "Saving new game state..."), ("INF", "Done!"), ("APP", "Thank you for playing! Exiting...")


@pytest.mark.example("disk-lottery")
@targets
def test_the_lottery_keeps_the_high_score(disk, target):
    disk.write_bytes(state(0) + state(0xffffffff) + state(1 << 31))
    first = run("disk-lottery", target, disk)
    assert_told(first, 0, WON, *PLAYED)
    drawn = int(re.search(r"score 0 with (\d+)", first.stdout)[1])
    assert disk.read_bytes() == state(drawn) + state(0xffffffff) + state(1 << 31)
    assert_told(run("disk-lottery", target, disk, "--slot=1"), 0, LOST, *PLAYED)
    assert disk.read_bytes()[512:1024] == state(0xffffffff)
    outcomes = set()
    while len(outcomes) < 2:  # each is as likely as the other
        disk.write_bytes(state(1 << 31))
        done = run("disk-lottery", target, disk)
        outcome = WON if "YOU WON" in done.stdout else LOST
        assert_told(done, 0, outcome, *PLAYED)
        numbers = [int(number) for number in re.search(outcome[1], done.stdout).groups()]
        assert (1 << 31) in numbers and disk.read_bytes() == state(max(numbers))
        outcomes.add(outcome)


@targets
def test_the_lottery_resets_one_slot_or_all(disk, target):
    disk.write_bytes(b"x" * 4096)
    assert_told(run("disk-lottery", target, disk, "--reset", "--slot=4"), 0, ("APP", r"Reset game slot 4\."))
    assert disk.read_bytes() == b"x" * 2048 + state(0) + b"x" * 1536
    assert_told(run("disk-lottery", target, disk, "--reset-all"), 0, ("APP", r"All 8 game slots reset\."))
    assert disk.read_bytes() == 8 * state(0)


@targets
def test_the_lottery_ends_with_5_for_a_slot_that_is_not_there(disk, target):
    for slot in 128, -1, 1 << 55:
        for more in (), ("--reset",):
            done = run("disk-lottery", target, disk, f"--slot={slot}", *more)
            assert_told(done, 5, ("ERR", f"Invalid sector {slot}"))
    assert disk.read_bytes() == bytes(65536)


@targets
@pytest.mark.parametrize("content, message", [
    (bytes(512), r"Error reading state: bad magic; is this lottery data\?"),
    (state(7, magic=b"LOTT"), r"Error reading state: bad magic; is this lottery data\?"),
    (state(7, error=1), "Error reading state: bad checksum; possible data corruption")], ids=["zeros", "another name", "another sum"])
def test_the_lottery_ends_with_6_for_what_is_no_game(disk, target, content, message):
    disk.write_bytes(content)
    assert_told(run("disk-lottery", target, disk), 6, ("ERR", message))
    assert disk.read_bytes() == content


@pytest.mark.spt
def test_the_lottery_ends_with_6_if_it_cannot_write(disk):
    disk.write_bytes(state(0))
    disk.chmod(0o444)
    os.chmod(disk.parent, 0o755)
    words = command("disk-lottery", "unix", f"--block:storage={disk}")
    if os.geteuid() == 0:  # who may write it all the same
        words = ["capsh", "--drop=cap_dac_override", "--", "-c", 'exec "$0" "$@"', *words]
    done = subprocess.run(words, capture_output=True, text=True, timeout=30)
    assert_told(done, 6, WON, PLAYED[0], ("ERR", "Error writing new state: the disk is read-only"))
