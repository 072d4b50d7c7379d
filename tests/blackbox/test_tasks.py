# SPDX-License-Identifier: ISC
"""What tasks promise of a whole image."""
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build"))


def test_100_000_tasks_live_at_once_in_512_mb():
    done = subprocess.run([BUILD / "skerry-spt", "--mem=512", "--", BUILD / "unikernels/crowd.spt"], timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout
    live = re.search(r"100000 tasks live in (\d+) bytes", done.stdout)
    assert live and int(live.group(1)) < 512 << 20, done.stdout
    assert done.stdout.rstrip().endswith("100000 have counted"), done.stdout
