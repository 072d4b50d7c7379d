# SPDX-License-Identifier: ISC
"""The examples of tasks: what they say and when, on unix and in the sandbox; and asking a process for its tasks."""
import pathlib
import re
import signal
import subprocess
import threading
import time

import pytest

from netns import DIST, TARGETS, TENDER

pytestmark = pytest.mark.each_target

LATE = 0.9  # seconds that a busy machine may add to any of these times

# What each one logs, with the seconds after its start, and when it ends.
EXPECTED = {
    "sleep": ([(">> start", 1), (">> woken up", 3)], 3),
    "coin": ([("Heads", 1)], 1),
    "join": ([("Heads", 1), ("Tails", 2), ("Finished", 2)], 2),
    "timeout --work=500": ([("Returned 500", 0.5), ("Returned 500", 1)], 1),
    "timeout --work=10000": ([("Cancelled", 2), ("Cancelled", 4)], 4),
    "wakener": ([("x", 2)], 2),
}


def command(line, target):
    name, *arguments = line.split()
    image = DIST / "tasks" / name
    return [*([image] if target == "unix" else [TENDER, "--mem=16", "--", f"{image}.{target}"]), *arguments]


class Run:
    """A program that runs to its end; its lines with the seconds after its start."""

    def __init__(self, argv):
        self.started = time.monotonic()
        self.process = subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.lines = []
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append((line.rstrip("\n"), time.monotonic() - self.started))
        self.status = self.process.wait()
        self.ended = time.monotonic() - self.started


@pytest.fixture(scope="module")
def runs():
    """All of them side by side: they sleep most of the time."""
    started = {(name, target): Run(command(name, target)) for name in EXPECTED for target in TARGETS}
    for run in started.values():
        run.reader.join(timeout=20)
        if run.reader.is_alive():
            run.process.kill()
            run.reader.join()
    return started


@pytest.mark.example("tasks")
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", EXPECTED)
def test_example_logs_its_lines_in_their_time_and_ends(runs, name, target):
    run, (lines, end) = runs[name, target], EXPECTED[name]
    assert run.status == 0, run.lines
    assert [re.sub(r"^.* INF \[application\] ", "", text) for text, _ in run.lines] == [text for text, _ in lines]
    for (_, at), (text, expected) in zip(run.lines, lines):
        assert expected <= at < expected + LATE, f"{text!r} came after {at} s"
    assert end <= run.ended < end + LATE


def waits_for_signals(process):
    """Until it has taken charge of the signal, that would end it; and only then is it asleep because its tasks are."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    blocked = int(re.search(r"SigBlk:\s*(\w+)", status).group(1), 16)
    return blocked & 1 << (signal.SIGUSR1 - 1) and "State:\tS" in status


@pytest.mark.parametrize("target", TARGETS)
def test_the_tasks_are_listed_at_each_sigusr1(target):
    process = subprocess.Popen(command("join", target), stdout=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 5
        while not waits_for_signals(process):
            assert time.monotonic() < deadline and process.poll() is None
            time.sleep(0.01)
        for _ in range(3):
            process.send_signal(signal.SIGUSR1)
            expect_list([process.stdout.readline() for _ in range(3)])
    finally:
        process.kill()
        process.wait()


def expect_list(listed):
    for line, name, waits in zip(listed, ["start", "heads", "tails"], ["task_join", "task_sleep", "task_sleep"]):
        assert re.search(rf'APP \[task\] +task "{name}" \(spawned at \S+:\d+\) waits in {waits}\b.*; stack \d+ of \d+', line), listed
