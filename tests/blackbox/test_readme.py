# SPDX-License-Identifier: ISC
"""Every command of the README, run as it is printed there. A new block of commands fails until it has its test here."""
import pathlib
import re
import subprocess

import netns as networks
import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
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


def fetch(machine, url, process):
    def answer():
        assert process.poll() is None, f"it ended with status {process.returncode}"
        done = machine.run(["curl", "-sS", "-m", "5", url], stderr=subprocess.DEVNULL)
        return done.stdout if done.returncode == 0 else None
    return networks.wait_until(answer, networks.READY_SECONDS, f"an answer of {url}")


def test_every_block_of_commands_has_a_test():
    # make run and curl: test_build.py, in a fresh clone; make test: this run.
    begins = ["make run", "curl -F", "ip tuntap", "make test", "dist/web"]
    assert [next((b for b in begins if text.startswith(b)), text) for text in BLOCKS] == begins


def test_the_image_has_an_address_of_its_own_on_a_tap(machine):
    *setup, guest = block("ip tuntap").strip().split("\n")
    for command in setup:
        done = machine.run(command.split())
        assert done.returncode == 0, f"{command}: {done.stdout}"
    process = machine.start(in_build(guest).split())
    assert "<form" in fetch(machine, "http://10.0.0.2/", process)


def test_the_web_example_runs_in_both_ways_and_tells_its_arguments(machine):
    as_process, in_sandbox, help_text = (in_build(line) for line in block("dist/web").strip().split("\n"))
    for command in (as_process, in_sandbox):
        process = machine.start(command.split())
        assert fetch(machine, "http://127.0.0.1:8000/", process) == "Hello World!\n"
        networks.end_process(process)
    assert "--port" in machine.run(help_text.split()).stdout
