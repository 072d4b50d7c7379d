# SPDX-License-Identifier: ISC
"""skerry doctor: all is well here; and each thing that is taken away, in a mount namespace, is missed with its fix."""
import os
import re
import shutil
import subprocess

import pytest

import netns as networks

SKERRY = networks.BUILD / "skerry"
MULTIARCH = "/usr/lib/x86_64-linux-gnu"
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="hiding files takes root")


def doctor(*before, **options):
    done = subprocess.run([*before, SKERRY, "doctor"], capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL, **options)
    return done, {line[6:20].strip(): (line[:6].strip(), line[20:]) for line in done.stdout.splitlines()
                  if re.match(r"(ok|FAIL|note) ", line)}


def hiding(*paths):
    """Runs what follows where these files are not readable as files and no programs."""
    hide = " && ".join(f"mount --bind /dev/null $(readlink -f {path})" for path in paths)
    return ["unshare", "-m", "sh", "-euc", f'{hide} && exec "$@"', "sh"]


def test_where_the_tests_run_all_that_is_needed_is_there():
    done, said = doctor()
    assert done.returncode == 0 and done.stderr == ""
    assert {word for word, _ in said.values()} <= {"ok", "note"}
    assert len(said) >= 17 and re.search(r"gcc.*\d+\.\d+", said["C compiler"][1])


@needs_root
@pytest.mark.parametrize("subject, path, text", [
    ("C compiler", "/usr/bin/gcc", "no gcc: apt-get install gcc libc6-dev"),
    ("linker", "/usr/bin/ld", "no ld: apt-get install binutils"),
    ("linker", "/usr/bin/strip", "no strip: apt-get install binutils"),
    ("C library", "/usr/include/stdio.h", "no /usr/include/stdio.h: apt-get install libc6-dev"),
    ("musl", "/usr/lib/x86_64-linux-musl/libc.a", "no /usr/lib/x86_64-linux-musl/libc.a: apt-get install musl-dev"),
    ("BearSSL", f"{MULTIARCH}/libbearssl.a", f"no {MULTIARCH}/libbearssl.a: apt-get install libbearssl-dev"),
    ("zlib", f"{MULTIARCH}/libz.a", f"no {MULTIARCH}/libz.a: apt-get install zlib1g-dev"),
    ("ninja", "/usr/bin/ninja", "no ninja: apt-get install ninja-build"),
    ("user network", f"{MULTIARCH}/libslirp.so.0", "no libslirp.so.0: apt-get install libslirp0"),
    ("libraries", networks.BUILD / "spt/libskerry.a", "no spt/libskerry.a beside skerry: make, or make install"),
    ("tender", networks.BUILD / "skerry-spt", "no skerry-spt beside skerry: make, or make install"),
])
def test_what_is_missing_is_named_with_its_fix(subject, path, text):
    done, said = doctor(*hiding(path))
    assert said[subject] == ("FAIL", text)
    assert [name for name, (word, _) in said.items() if word == "FAIL"] == [subject]
    assert (done.returncode, done.stderr) == (
        1, "skerry doctor: 1 missing: put right what says FAIL, and ask again\n")


@needs_root
def test_without_qemu_there_is_a_note():
    assert doctor()[1]["QEMU"][0] == "ok"
    done, said = doctor(*hiding("/usr/bin/qemu-system-x86_64"))
    assert (done.returncode, said["QEMU"]) == (0, ("note", "only virtio needs it: apt-get install qemu-system-x86"))


@needs_root
def test_what_only_some_uses_need_is_a_note(netns, tmp_path):
    script = 'mknod kvm c 1 3 && mknod tun c 1 3 && mount --bind kvm /dev/kvm && mount --bind tun /dev/net/tun && exec "$@"'
    hidden = ["unshare", "-m", "sh", "-euc", script, "sh"] if os.path.exists("/dev/kvm") else []
    done, said = doctor("ip", "netns", "exec", netns.name, *hidden, cwd=tmp_path)
    assert done.returncode == 0
    assert said["taps there"] == ("ok", "tap0")
    assert said["forwarding"][0] == "note" and "skerry net up --nat" in said["forwarding"][1]
    if hidden:
        assert said["KVM"] == ("note", "only hvt needs it: /dev/kvm cannot run ordinary code on this machine")
    netns.run(["ip", "link", "del", "tap0"], check=True)
    netns.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"], check=True)
    done, said = doctor("ip", "netns", "exec", netns.name)
    assert said["taps there"][0] == "note" and "skerry net up makes one" in said["taps there"][1]
    assert said["forwarding"] == ("ok", "on")


@needs_root
def test_an_ordinary_user_is_told_what_is_closed_to_it(netns, tmp_path):
    """Devices as they are where nobody has opened them to users."""
    script = ('mknod -m 600 tun c 10 200 && mount --bind tun /dev/net/tun && '
              'exec setpriv --reuid=65534 --clear-groups "$@"')
    done, said = doctor("ip", "netns", "exec", netns.name, "unshare", "-m", "sh", "-euc", script, "sh", cwd=tmp_path)
    assert done.returncode == 0
    assert said["taps"] == ("note", "only taps need /dev/net/tun, which this user may not open: chmod 666 /dev/net/tun")
    assert said["low ports"][0] == "note" and "skerry run -p 8080:80" in said["low ports"][1]


def test_alone_it_misses_the_rest_of_skerry(tmp_path):
    shutil.copy(SKERRY, tmp_path / "skerry")
    done = subprocess.run([tmp_path / "skerry", "doctor"], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and "2 missing" in done.stderr


def test_it_takes_no_argument():
    done = subprocess.run([SKERRY, "doctor", "x"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", 'skerry doctor: "x": expected no argument\n')
