# SPDX-License-Identifier: ISC
"""The block example, on disks that the test makes and looks into afterwards."""
import os
import re
import subprocess

import pytest

from netns import DIST, TARGETS, TENDER

REPORT_END = ["INF Test sequence finished", "INF Total tests started: 10", "INF Total tests passed:  10",
              "INF Total tests failed:  0"]

targets = pytest.mark.parametrize("target", TARGETS)
pytestmark = pytest.mark.each_target


def run(target, disk, sector):
    options = [f"--block:storage={disk}", f"--block-sector-size:storage={sector}"]
    if target == "unix":
        command = [str(DIST / "block"), *options]
    else:
        command = [TENDER, "--mem=16", *options, "--", DIST / f"block.{target}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=30)


def report(done):
    """The log's lines without their times."""
    lines = [re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d -00:00: (\w{3}) \[block\] (.*)", line)
             for line in done.stdout.splitlines()]
    assert all(lines), done
    return [f"{line[1]} {line[2]}" for line in lines]


def sector_of(check, number, size):
    line = b"check %d, sector %d\n" % (check, number)
    return (line * size)[:size]


@pytest.mark.example("block")
@targets
@pytest.mark.parametrize("sector, count", [(512, 100000), (4096, 100), (512, 24), (4096, 12)])
def test_ten_checks_pass_and_the_disk_holds_what_they_wrote(tmp_path, target, sector, count):
    disk = tmp_path / "disk.img"
    before = os.urandom(sector * count)
    disk.write_bytes(before)
    done = run(target, disk, sector)
    assert report(done) == [f"INF sectors = {count}", "INF read_write=true", f"INF sector_size={sector}"] + \
        ["ERR Expecting error output from the following operation..."] * 4 + REPORT_END
    assert done.returncode == 0
    expected = [before[i * sector:(i + 1) * sector] for i in range(count)]
    expected[:12] = [sector_of(5, i, sector) for i in range(12)]
    expected[-12:] = [sector_of(6, i, sector) for i in range(count - 12, count)]
    assert disk.read_bytes() == b"".join(expected)


@targets
def test_a_disk_too_small_for_some_checks_fails_those_and_no_others(tmp_path, target):
    disk = tmp_path / "disk.img"
    disk.write_bytes(bytes(512 * 11))
    done = run(target, disk, 512)
    assert report(done)[-4:] == [
        "INF Test sequence finished", "INF Total tests started: 10", "INF Total tests passed:  8",
        "INF Total tests failed:  2"]
    assert "ERR write and read failed: 12 sectors from sector 0" in report(done)
    assert done.returncode == 1
    assert disk.stat().st_size == 512 * 11
