# SPDX-License-Identifier: ISC
"""A console that takes nothing: full, closed, or without a reader. What a program says is lost, and nothing else."""
import contextlib
import os
import signal
import subprocess

import pytest

from netns import TARGETS, end_process
from test_examples import Server, command, receive_all

targets = pytest.mark.parametrize("target", TARGETS)
consoles = pytest.mark.parametrize("console", ["full", "closed", "without a reader"])


@contextlib.contextmanager
def started(arguments, console):
    """A process with such a console, for its output and its errors."""
    if console == "closed":
        arguments, output = ["sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh", *arguments], None
    elif console == "full":
        output = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, output = os.pipe()
        os.close(reader)
    process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    if output is not None:
        os.close(output)
    try:
        yield process
    finally:
        end_process(process)


@targets
@consoles
@pytest.mark.parametrize("argument, status", [("--help", 63), ("--nonesuch", 64)])
def test_the_exit_status_comes_through(target, console, argument, status):
    with started(command("noop", target, argument), console) as process:
        assert process.wait(10) == status


@targets
@consoles
def test_a_server_that_logs_each_request_serves_and_ends_when_told(target, console):
    server = Server("web", target, 80)
    with started([*server.command, "--logs=*:debug"], console) as server.process:
        for _ in range(3):
            with server.connect() as client:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                answer = receive_all(client)
            assert answer.startswith(b"HTTP/1.1 200 OK\r\n") and answer.endswith(b"\r\n\r\nHello World!\n"), answer
            assert b"DBG" not in answer, "the log went to the client"
        assert server.process.poll() is None
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(10) in (1, -signal.SIGTERM)
