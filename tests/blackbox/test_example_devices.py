# SPDX-License-Identifier: ISC
"""The examples of keys, libraries and devices: what they say, on unix and in the sandbox."""
import datetime
import re
import socket
import subprocess

import pytest

from test_examples import Server, command, run, targets

pytestmark = pytest.mark.each_target

LOG = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d) -00:00: (\w+) \[application\] (.*)$")


def told(output):
    """Levels and messages of the log."""
    lines = [LOG.match(line) for line in output.splitlines()]
    assert all(lines), output
    return [(line[2], line[3]) for line in lines]


@pytest.mark.example("hello-key")
@targets
@pytest.mark.parametrize("arguments, words", [((), "Hello World!"), (("--hello=Bonjour!",), "Bonjour!")])
def test_hello_key_says_its_words_four_times(target, arguments, words):
    done = subprocess.run(command("hello-key", target, *arguments), capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and told(done.stdout) == [("INF", words)] * 4, done


@targets
def test_hello_key_lists_its_key(target):
    done = subprocess.run(command("hello-key", target, "--help"), capture_output=True, text=True, timeout=30)
    assert done.returncode == 63 and re.search(r"--hello\b.*How to say hello\..*Hello World!", done.stdout, re.S), done


@pytest.mark.example("local-library")
@targets
def test_local_library_tells_its_librarys_message(target):
    done = subprocess.run(command("local-library", target), capture_output=True, text=True, timeout=30)
    assert told(done.stdout) == [("INF", "The hello library has a message for you: Hello!")], done


@pytest.mark.example("app-info")
@targets
def test_app_info_lists_what_it_is_made_of(target):
    done = subprocess.run(command("app-info", target), capture_output=True, text=True, timeout=30)
    first, *libraries = done.stdout.splitlines()
    assert (done.returncode, first) == (0, "libraries:"), done
    assert any(re.fullmatch(r"  - skerry\.\d\S*", line) for line in libraries), done


@pytest.mark.example("clock")
@targets
def test_clock_tells_both_times_each_second(target):
    with subprocess.Popen(command("clock", target), stdout=subprocess.PIPE, text=True) as process:
        try:
            lines = told("".join(process.stdout.readline() for _ in range(6)))
        finally:
            process.terminate()
    elapsed = [int(re.fullmatch(r"(\d+) nanoseconds have elapsed\.", text)[1]) for _, text in lines[::2]]
    strokes = [datetime.datetime.fromisoformat(
        re.fullmatch(r"At the stroke, the time will be (.*) UTC \*BEEP\*", text)[1]) for _, text in lines[1::2]]
    now = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)
    for second in range(3):
        assert second <= elapsed[second] / 1e9 < second + 1, elapsed
        assert abs((now - strokes[second]).total_seconds() - (2 - second)) <= 2, strokes


@pytest.mark.example("network")
@targets
@pytest.mark.parametrize("level", ["info", "debug"])
def test_network_tells_who_connects_and_what_they_send(target, level):
    with Server("network", target, 8080, "-l", f"*:{level}") as server:
        for sent in b"", b"hello tcp world":
            with server.connect() as client:
                client.sendall(sent)
                client.shutdown(socket.SHUT_WR)
                assert client.recv(100) == b"", "it closes after the first read"
        server.process.terminate()
        output = server.process.communicate(timeout=10)[0].decode()
    messages = [line for line in output.splitlines() if LOG.match(line)]
    seen = told("\n".join(messages))
    peer = "127.0.0.1" if target == "unix" else r"10\.\d+\.\d+\.\d+"
    connected = [text for _, text in seen if re.fullmatch(rf"new tcp connection from IP {peer} on port \d+", text)]
    rest = [(tag, text) for tag, text in seen if text not in connected]
    read = [("DBG", 'read: 15 "hello tcp world"')] if level == "debug" else []
    assert len(connected) == 2 and rest == [("INF", "Closing connection!"), *read], output
