# SPDX-License-Identifier: ISC
"""skerry run builds what is not built or older than its sources, and with --watch starts it again at each save."""
import os
import signal
import subprocess

import pytest

import netns as networks
from test_run import connect, free_port

SKERRY = networks.BUILD / "skerry"
TARGETS = pytest.mark.parametrize("target", ["unix", "spt"])
PROGRAM = """#include <skerry/log.h>

LOG_SOURCE(application);

int start(void)
{
	log_info("version %d", VERSION);
	return STATUS;
}
"""


def skerry(directory, *arguments):
    return subprocess.run([SKERRY, *arguments], cwd=directory, capture_output=True, text=True, timeout=60,
                          stdin=subprocess.DEVNULL)


def touch(path):
    """Makes it newer than all that was built: clocks of file systems tick only some hundred times a second."""
    def is_newest():
        path.touch()
        return all(path.stat().st_mtime_ns > built.stat().st_mtime_ns for built in (path.parent / "dist").glob("*"))
    networks.wait_until(is_newest, 10, "a tick of the file system's clock")


def write(directory, version, status=0):
    (directory / "unikernel.c").write_text(PROGRAM.replace("VERSION", str(version)).replace("STATUS", str(status)))
    touch(directory / "unikernel.c")


@pytest.fixture
def hello(tmp_path):
    """A unikernel that says its version and ends."""
    assert skerry(tmp_path, "new", "--template=hello", "hello").returncode == 0
    write(tmp_path / "hello", 1)
    return tmp_path / "hello"


@TARGETS
def test_what_is_not_built_is_built_first_and_that_is_said(target, hello):
    assert skerry(hello, "configure", "-t", target).returncode == 0
    done = skerry(hello, "run")
    assert done.returncode == 0 and "] version 1\n" in done.stdout
    name = "dist/hello" if target == "unix" else "dist/hello.spt"
    assert done.stderr.splitlines()[0] == f"skerry run: {name} is not built yet: skerry build"
    assert "skerry" not in done.stdout and "dist/" not in done.stdout, "standard output is the unikernel's"
    done = skerry(hello, "run")
    assert (done.returncode, done.stderr) == (0, "")


@TARGETS
def test_what_is_older_than_a_source_is_built_again(target, hello):
    assert skerry(hello, "configure", "-t", target).returncode == skerry(hello, "build").returncode == 0
    write(hello, 2, status=7)
    done = skerry(hello, "run")
    assert done.returncode == 7 and "] version 2\n" in done.stdout
    assert "is older than unikernel.c: skerry build" in done.stderr
    assert skerry(hello, "run").stderr == ""


def test_a_change_that_needs_no_building_is_looked_at_once(hello):
    assert skerry(hello, "configure", "-t", "spt").returncode == skerry(hello, "build").returncode == 0
    touch(hello / "config.c")
    assert "is older than config.c: skerry build" in skerry(hello, "run").stderr
    assert skerry(hello, "run").stderr == ""


@TARGETS
def test_what_does_not_build_is_not_run(target, hello):
    assert skerry(hello, "configure", "-t", target).returncode == skerry(hello, "build").returncode == 0
    (hello / "unikernel.c").write_text("int start(void) { return mistake; }\n")
    touch(hello / "unikernel.c")
    done = skerry(hello, "run")
    assert done.returncode == 1 and done.stdout == "" and "mistake" in done.stderr


class Watched:
    """`skerry run --watch` in the background."""

    def __init__(self, directory, *arguments):
        self.output = open(directory / "output", "w+")
        self.process = subprocess.Popen([SKERRY, "run", "--watch", *arguments], cwd=directory, stdin=subprocess.DEVNULL,
                                        stdout=self.output, stderr=subprocess.STDOUT, text=True)

    def log(self):
        return os.pread(self.output.fileno(), 1 << 20, 0).decode()

    def wait_for(self, text, count=1):
        def said():
            assert self.process.poll() is None, self.log()
            return self.log().count(text) >= count
        networks.wait_until(said, 20, f"{count} times {text!r}")


@pytest.fixture
def watch(request):
    started = []

    def starter(*arguments):
        started.append(Watched(*arguments))
        return started[-1]
    yield starter
    for watched in started:
        networks.end_process(watched.process)
        print(watched.log())
        watched.output.close()


@TARGETS
def test_watch_builds_and_starts_again_at_each_save(target, hello, watch):
    assert skerry(hello, "configure", "-t", target).returncode == 0
    watched = watch(hello)
    watched.wait_for("] version 1\n")
    watched.wait_for("ended with status 0; save a source to start it again")
    write(hello, 2, status=3)
    watched.wait_for("] version 2\n")
    watched.wait_for("ended with status 3")
    # As editors do: a new file in the old one's place.
    write(hello, 4)
    (hello / "unikernel.c").rename(hello / "new")
    write(hello, 3)
    (hello / "unikernel.c").rename(hello / "unikernel.c~")
    (hello / "new").rename(hello / "unikernel.c")
    watched.wait_for("] version 4\n")
    assert "] version 3\n" not in watched.log()
    watched.process.send_signal(signal.SIGINT)
    assert watched.process.wait(10) == 0


def test_watch_waits_for_a_save_when_the_first_build_fails(hello, watch):
    assert skerry(hello, "configure", "-t", "unix").returncode == 0
    (hello / "unikernel.c").write_text("int start(void) { return mistake; }\n")
    watched = watch(hello)
    watched.wait_for("not started; save again to try again")
    write(hello, 2)
    watched.wait_for("] version 2\n")


def test_watch_where_nothing_is_configured_says_so(tmp_path):
    done = skerry(tmp_path, "run", "--watch")
    assert done.returncode == 1 and done.stderr.startswith("skerry run: no unikernel in this directory (no config.c)")


def test_watch_takes_what_is_no_source_for_none(hello, watch):
    assert skerry(hello, "configure", "-t", "unix").returncode == 0
    watched = watch(hello)
    watched.wait_for("ended with status 0")
    (hello / "notes.txt").write_text("nothing")
    (hello / "README.md").write_text("nothing")
    write(hello, 2)
    watched.wait_for("] version 2\n")
    assert watched.log().count("sources have changed") == 1


@pytest.fixture
def web(tmp_path):
    assert skerry(tmp_path, "new", "web").returncode == 0
    return tmp_path / "web"


def page(port, process):
    """What the server says, as soon as it says something."""
    def answer():
        with connect(port, process) as client:
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            text = b""
            try:
                while more := client.recv(4096):
                    text += more
            except ConnectionError:
                return None
            return text.partition(b"\r\n\r\n")[2] or None
    return networks.wait_until(answer, 20, "a page")


def wait_for_page(port, process, text):
    networks.wait_until(lambda: page(port, process) == text, 20, f"the page {text!r}")


@TARGETS
def test_a_server_is_replaced_on_its_port_and_stays_when_a_build_fails(target, web, watch):
    port = free_port()
    assert skerry(web, "configure", "-t", target).returncode == 0
    watched = watch(web, *(["-p", f"{port}:80"] if target == "spt" else [f"--port={port}"]))
    wait_for_page(port, watched.process, b"Hello World!\n")
    source = (web / "unikernel.c").read_text()
    (web / "unikernel.c").write_text(source.replace("Hello World!", "Hello again!"))
    wait_for_page(port, watched.process, b"Hello again!\n")
    (web / "unikernel.c").write_text(source.replace("return http_serve", "return mistake"))
    watched.wait_for("the old one keeps running; save again to try again")
    assert "mistake" in watched.log()
    assert page(port, watched.process) == b"Hello again!\n"
    (web / "unikernel.c").write_text(source.replace("Hello World!", "Third!"))
    wait_for_page(port, watched.process, b"Third!\n")
    watched.process.send_signal(signal.SIGTERM)
    assert watched.process.wait(10) == (1 if target == "spt" else 128 + signal.SIGTERM)


def test_a_change_of_config_is_built_as_well(web, watch):
    port = free_port()
    assert skerry(web, "configure", "-t", "spt").returncode == 0
    watched = watch(web, "-p", f"{port}:8000")
    watched.wait_for("skerry build")
    config = (web / "config.c").read_text()
    assert '"80"' in config
    (web / "config.c").write_text(config.replace('"80"', '"8000"'))
    wait_for_page(port, watched.process, b"Hello World!\n")


def test_the_end_of_skerry_is_the_end_of_the_unikernel(web, watch):
    port = free_port()
    assert skerry(web, "configure", "-t", "spt").returncode == 0
    watched = watch(web, "-p", f"{port}:80")
    page(port, watched.process)
    watched.process.kill()
    watched.process.wait()

    def is_free():
        done = subprocess.run(["curl", "-s", "-m", "1", f"http://127.0.0.1:{port}/"], capture_output=True)
        return done.returncode == 7
    networks.wait_until(is_free, 10, "nothing listens any more")
