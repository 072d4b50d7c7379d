# SPDX-License-Identifier: ISC
"""What the README tells a newcomer: make run in a clone of the tree, also as an unprivileged user; and the documents."""
import contextlib
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time
import zipfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
URL = "http://127.0.0.1:8080"


def wait_for_page(process, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        done = subprocess.run(["curl", "-sS", "-m", "5", URL + "/"], capture_output=True, text=True)
        if done.returncode == 0:
            return done.stdout
        assert process.poll() is None, f"make run ended: {process.communicate()[0][-2000:]}"
        time.sleep(0.1)
    raise AssertionError(f"make run serves no page on {URL} within {seconds} s")


@pytest.fixture
def clone(tmp_path):
    """A clone of the tree as it is, with uncommitted changes, owned by nobody."""
    directory = tmp_path / "skerry"
    files = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                           capture_output=True, text=True).stdout.split()
    for name in files:
        if (ROOT / name).exists():
            (directory / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, directory / name)
    return directory


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming an unprivileged user takes root")
def test_make_run_serves_the_page_for_an_unprivileged_user(clone):
    for path in [clone, *clone.rglob("*")]:
        os.chown(path, 65534, 65534)
    for parent in clone.parents:
        if parent.owner() == "root" and parent.stat().st_mode & 0o005 != 0o005 and str(parent).startswith("/tmp"):
            parent.chmod(0o755)
    process = subprocess.Popen(["make", "-j2", "run"], cwd=clone, user=65534, group=65534, extra_groups=[],
                               env={"PATH": os.environ["PATH"], "HOME": "/nonexistent"}, start_new_session=True,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        page = wait_for_page(process, 240)
        assert "<form" in page and "/upload" in page, page[:300]
        command = re.search(r"```sh\n(curl .*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
        subprocess.run(["sh", "-c", command], cwd=clone, check=True, timeout=30)
        with zipfile.ZipFile(clone / "both.zip") as archive:
            assert {n: archive.read(n) for n in archive.namelist()} == {
                n: (clone / n).read_bytes() for n in ("README.md", "LICENSE")}
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=10)


def test_readme_names_only_what_exists():
    text = (ROOT / "README.md").read_text()
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if "://" not in target:
            assert (ROOT / target).exists(), f"README.md links to {target}, which does not exist"
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:^|`)make ([a-z-]+)", text, re.M):
        assert re.search(rf"^[^#\n]*\b{target}\b.*:", makefile, re.M), f"README.md says make {target}"


def test_readme_program_is_the_web_example():
    """The program printed in the README is examples/web, word for word after its opening comment."""
    program = re.search(r"```c\n(.*?)```", (ROOT / "README.md").read_text(), re.S).group(1)
    program = re.sub(r"[ \t]+/\* generated.*?\*/", "", program)
    source = (ROOT / "examples/web/unikernel.c").read_text()

    def code(text):
        return re.sub(r"\s+", " ", re.sub(r"/\*.*?\*/", "", text, flags=re.S)).strip()

    assert code(program) == code(source)
