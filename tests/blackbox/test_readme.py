# SPDX-License-Identifier: ISC
"""Every command of the README, run as it is printed there. A new block of commands fails until it has its test here."""
import os
import pathlib
import re
import subprocess
import tempfile
import time

import netns as networks
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
NOBODY = 65534
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "README.md").read_text(), re.S)


def block(beginning):
    return next(text for text in BLOCKS if text.startswith(beginning))


def in_build(command):
    """The command with the directories of this run, and without its comment."""
    command = re.sub(r"\s+#.*", "", command)
    return re.sub(r"\bdist/", f"{networks.DIST}/", re.sub(r"\bbuild/", f"{networks.BUILD}/", command))


@pytest.fixture
def machine():
    """A namespace that has the README's addresses and ports free."""
    reason = networks.why_impossible()
    if reason:
        pytest.skip(reason)
    with networks.Namespace(tap="spare0", address="10.9.9.1") as namespace:
        yield namespace


def fetch(machine, url, process, seconds=networks.READY_SECONDS):
    def answer():
        assert process.poll() is None, f"it ended with status {process.returncode}"
        done = machine.run(["curl", "-sS", "-m", "5", url], stderr=subprocess.DEVNULL)
        return done.stdout if done.returncode == 0 else None
    return networks.wait_until(answer, seconds, f"an answer of {url}")


def test_every_block_of_commands_has_a_test():
    # make and curl: test_build.py, in a fresh clone; make install: test_install.py, and here; make test: this run.
    begins = ["make\nsudo make install\n", "skerry new", "curl -F", "sudo skerry net up", "make test", "dist/web"]
    assert [next((b for b in begins if text.startswith(b)), text) for text in BLOCKS] == begins


@pytest.fixture
def home():
    """A directory of an ordinary user's; unlike pytest's own, one that it may enter."""
    with tempfile.TemporaryDirectory(prefix="skerry-readme-") as path:
        os.chmod(path, 0o755)
        (pathlib.Path(path) / "home").mkdir()
        os.chown(pathlib.Path(path) / "home", NOBODY, NOBODY)
        yield pathlib.Path(path) / "home"


@pytest.fixture(params=["installed", "in the tree"])
def bin_directory(request, home):
    """Where the commands are."""
    if request.param == "in the tree":
        return networks.BUILD
    subprocess.run(["make", "install", f"O={os.path.relpath(networks.BUILD, ROOT)}", f"PREFIX={home.parent}/usr"],
                   cwd=ROOT, check=True, capture_output=True, env={**os.environ, "MAKEFLAGS": ""})
    return home.parent / "usr/bin"


def test_from_nothing_to_a_page_in_ten_seconds_without_root(machine, home, bin_directory, capsys):
    script = block("skerry new").replace("skerry run", "exec skerry run")
    begin = time.monotonic()
    process = machine.start(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", "sh", "-ec", script],
                            cwd=home, env={"PATH": f"{bin_directory}:/usr/bin:/bin", "HOME": str(home)})
    page = fetch(machine, "http://127.0.0.1:8080/", process, 30)
    seconds = time.monotonic() - begin
    assert page == "Hello World!\n"
    assert seconds < 10, f"{seconds:.1f} s"
    with capsys.disabled():
        print(f"\nfrom nothing to a page: {seconds:.2f} s ({bin_directory})")


def test_the_image_has_an_address_of_its_own_on_a_tap(machine):
    setup, guest = (in_build(line.removeprefix("sudo ").replace("skerry ", "build/skerry "))
                    for line in block("sudo skerry net up").strip().split("\n"))
    done = machine.run(setup.split())
    assert done.returncode == 0, f"{setup}: {done.stdout}"
    process = machine.start(guest.split())
    assert "<form" in fetch(machine, "http://10.0.0.2/", process)


def test_the_web_example_runs_in_both_ways_and_tells_its_arguments(machine):
    as_process, in_sandbox, help_text = (in_build(line) for line in block("dist/web").strip().split("\n"))
    for command in (as_process, in_sandbox):
        process = machine.start(command.split())
        assert fetch(machine, "http://127.0.0.1:8000/", process) == "Hello World!\n"
        networks.end_process(process)
    assert "--port" in machine.run(help_text.split()).stdout
