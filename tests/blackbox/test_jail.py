# SPDX-License-Identifier: ISC
"""--jail: a tender that root has started runs its guest as somebody else, in an empty directory, in namespaces of its own."""
import os
import pathlib
import re
import subprocess

import pytest

from netns import DIST, TARGET, TENDER

NOBODY = 65534
LIMITED = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]

pytestmark = [pytest.mark.each_target, pytest.mark.spt, pytest.mark.hvt,
              pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who alone can make a jail")]


def process_of(guest):
    return pathlib.Path(f"/proc/{guest.process.pid}")


@pytest.fixture
def jailed(boot):
    guest = boot("echo", options=["--jail=nobody"])
    guest.wait_for_port(9000)
    return guest


def status(guest, field):
    return re.search(rf"^{field}:[ \t]*(.*)$", (process_of(guest) / "status").read_text(), re.M).group(1).split()


def test_the_guest_serves_its_network_from_the_jail(jailed, netns):
    with netns.connect(jailed.address, 9000) as client:
        client.sendall(b"hello")
        assert client.recv(5) == b"hello"


def test_the_process_is_the_users_without_groups_capabilities_and_new_privileges(jailed):
    assert status(jailed, "Uid") == status(jailed, "Gid") == [str(NOBODY)] * 4 and status(jailed, "Groups") == []
    assert {int(status(jailed, name)[0], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb")} == {0}
    assert status(jailed, "NoNewPrivs") == ["1"] and status(jailed, "Seccomp") == ["2"]


def test_its_root_directory_is_empty_and_read_only_and_nothing_else_is_mounted(jailed):
    assert os.listdir(process_of(jailed) / "root") == os.listdir(process_of(jailed) / "cwd") == []
    mounts = (process_of(jailed) / "mountinfo").read_text().splitlines()
    assert len(mounts) == 1 and " / / ro," in mounts[0] and "tmpfs" in mounts[0], mounts


def test_its_namespaces_are_its_own(jailed):
    for name in ("mnt", "net", "ipc", "uts"):
        assert os.readlink(process_of(jailed) / "ns" / name) != os.readlink(f"/proc/self/ns/{name}"), name


def test_without_the_option_the_guest_stays_where_it_was_started(boot):
    guest = boot("echo")
    assert (process_of(guest) / "root/etc").is_dir() and status(guest, "Uid") == ["0"] * 4


def run(*options, before=()):
    return subprocess.run([*before, TENDER, "--mem=16", *options, "--", DIST / f"noop.{TARGET}"], capture_output=True, text=True,
                          timeout=60)


def test_a_user_may_be_a_number(boot):
    guest = boot("echo", options=["--jail=4711"])
    assert status(guest, "Uid") == status(guest, "Gid") == ["4711"] * 4


@pytest.mark.parametrize("user, line", [
    ("nonesuch", 'no user "nonesuch"; expected one, such as nobody'),
    ("", 'no user ""; expected one, such as nobody'),
    ("0", 'no user "0"; expected one, such as nobody'),
    ("root", '"root" is root, or of root\'s group; expected a user without rights, such as nobody')])
def test_a_user_who_is_not_there_or_is_root_is_refused(user, line):
    done = run(f"--jail={user}")
    assert (done.returncode, done.stderr) == (1, f"skerry-{TARGET}: --jail: {line}\n")


def test_root_without_its_capabilities_is_told(tmp_path):
    done = run("--jail=nobody", before=["setpriv", "--bounding-set=-sys_admin"])
    assert (done.returncode, done.stderr) == (1, f"skerry-{TARGET}: --jail: namespaces: Operation not permitted; "
                                                 "expected root with all its capabilities\n")


@pytest.mark.spt
def test_who_is_not_root_is_told(tmp_path):
    with open(TENDER, "rb") as tender, open(DIST / "noop.spt", "rb") as image:
        done = subprocess.run([*LIMITED, f"/dev/fd/{tender.fileno()}", "--jail=nobody", "--", f"/dev/fd/{image.fileno()}"],
                              pass_fds=[tender.fileno(), image.fileno()], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1, "skerry-spt: --jail: only root can make one; without it, the tender is yours\n")


@pytest.mark.hvt
def test_a_core_file_could_not_be_named():
    done = run("--jail=nobody", "--core=/tmp")
    assert (done.returncode, done.stderr) == (1, "skerry-hvt: --jail: expected no --core; from a jail no file can be named\n")
