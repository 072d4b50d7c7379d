# SPDX-License-Identifier: ISC
"""Fixtures for tests on a network of their own (see netns.py).

    netns   a fresh network namespace with tap0, 10.0.0.1/24 on the tests' side
    far     another namespace, 10.2.0.2, whose way to the first one's guests leads through that: they need gateway=HOST
    link    raw access to that tap: send(frame), receive(), expect(matches)
    boot    boot("echo", "--port=9000", target="spt") starts an example, or boot("tests/unikernels/NAME"), on the tap as
            10.0.0.2/24 and gives a Guest that is ready; several may run, with address="10.0.0.3"
    built   built("echo", target) is the path of an image on our own stack; options for the configure step may follow
    programs    the directory with the commands that `make install` installs, for every user

All that was started ends with the test, also when it fails. Without root, or without /dev/net/tun, tests that use
these are skipped, and say so. SKERRY_BUILD and SKERRY_DIST name other directories than build/ and dist/,
SKERRY_TARGET another target than spt.
"""
import contextlib
import os
import pathlib
import subprocess
import tempfile

import pytest

import netns as networks


def pytest_configure(config):
    config.addinivalue_line("markers", "each_target: runs once more for each SKERRY_TARGET, where that takes `-m each_target`")
    config.addinivalue_line("markers", "example(name): the test by which each target shows that this example works")
    config.addinivalue_line("markers", "spt: what is of spt or unix alone; left out for another SKERRY_TARGET")
    config.addinivalue_line("markers", "hvt: what is of hvt alone")
    config.addinivalue_line("markers", "swift: what must be done before a protocol's timers run out; left out of the lab")
    config.addinivalue_line("markers", "virtio: what is of virtio alone")
    config.addinivalue_line("markers", "long: what `make long` does at full length, with SKERRY_LONG set")


def pytest_itemcollected(item):
    if item.get_closest_marker("example"):
        item.add_marker("each_target")


def check_examples(items):
    """Every example is tested on every target; asked for by SKERRY_EVERY_EXAMPLE, when all tests are collected."""
    tested = {(mark.args[0], item.callspec.params["target"]) for item in items for mark in item.iter_markers("example")}
    missing = {(path.name, target) for path in (networks.ROOT / "examples").iterdir() if any(path.rglob("config.c"))
               for target in networks.TARGETS} - tested
    if missing:
        raise pytest.UsageError("no test runs " + ", ".join(f"{name} on {target}" for name, target in sorted(missing)))


def targets_of(item):
    """What its own marks name, else its module's, else all."""
    targets = {"spt", "hvt", "virtio"}
    return ({mark.name for mark in item.own_markers} & targets or
            {mark.name for mark in item.iter_markers()} & targets or targets)


def pytest_collection_modifyitems(items):
    if os.environ.get("SKERRY_EVERY_EXAMPLE"):
        check_examples(items)
    items[:] = [item for item in items
                if networks.TARGET in targets_of(item)
                and not (item.get_closest_marker("swift") and os.environ.get("SKERRY_LAB"))]


@pytest.fixture
def netns():
    reason = networks.why_impossible()
    if reason:
        pytest.skip(reason)
    with networks.Namespace() as namespace:
        yield namespace


@pytest.fixture
def far(netns):
    with networks.routed(netns) as client:
        yield client


@pytest.fixture
def link(netns):
    return netns.link()


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    directory = tmp_path_factory.mktemp("images")
    return lambda example, target=networks.TARGET, *options: networks.built(example, target, directory, *options)


@pytest.fixture
def boot(netns, built):
    with contextlib.ExitStack() as guests:
        def start(example, *arguments, target=networks.TARGET, configured=(), **options):
            image = built(example, target, *configured)
            return guests.enter_context(networks.Guest(netns, image, *arguments, target=target, **options))
        yield start


@pytest.fixture(scope="session")
def programs():
    if reason := networks.why_impossible():
        pytest.skip(reason)
    with tempfile.TemporaryDirectory(prefix="skerry-installed-") as directory:
        os.chmod(directory, 0o755)
        done = subprocess.run(["make", "install", f"O={os.path.relpath(networks.BUILD, networks.ROOT)}",
                               f"DESTDIR={directory}", "PREFIX=/usr"], cwd=networks.ROOT, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert done.returncode == 0, done.stdout
        yield pathlib.Path(directory) / "usr/bin"
