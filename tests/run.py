#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Runs the test suite and ends with one line: N passed, N failed, N skipped.

    tests/run.py [--build DIR] [--dist DIR] [--only units|fuzz|simulator|house|blackbox|virtio|lab]

Everything must be built already (make test does both). Units are cmocka programs, one process each; fuzz programs run
their seeds and a fixed number of mutations; the house check looks at layering and headers; black-box tests are pytest's.
"""
import argparse
import difflib
import os
import pathlib
import re
import subprocess
import sys
import time
import xml.etree.ElementTree as xml

ROOT = pathlib.Path(__file__).resolve().parent.parent
UNIT_SECONDS = 120
FUZZ_INPUTS = 20000
FUZZ_SECONDS = 120
SIMULATOR_SEEDS = 1000
SIMULATOR_SECONDS = 600
BLACKBOX_SECONDS = 1500
LAB_SECONDS = 600
LAB_UNPREPARED = 254  # of tests/lab.py
VIRTIO_SECONDS = 600


class Tally:
    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, passed=0, failed=0, skipped=0):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped


def run(command, seconds, **options):
    """The command's exit status (None: it ran out of time) and its output."""
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=seconds,
                              stdin=subprocess.DEVNULL, errors="replace", **options)
        return done.returncode, done.stdout
    except OSError as error:
        return None, f"{command[0]}: {error.strerror}\n"
    except subprocess.TimeoutExpired as late:
        return None, (late.stdout or b"").decode(errors="replace") + f"\nstill running after {seconds} s\n"


def report(label, good, detail, started):
    print(f"{'ok  ' if good else 'FAIL'}  {label}  {detail}  {time.monotonic() - started:.1f} s", flush=True)


def run_units(build, tally):
    environment = dict(os.environ, CMOCKA_MESSAGE_OUTPUT="STDOUT",
                       ASAN_OPTIONS="detect_stack_use_after_return=0:abort_on_error=0")
    for source in sorted(ROOT.glob("*/*/test/*.c")) + sorted(ROOT.glob("*/test/*.c")):
        name = str(source.relative_to(ROOT).with_suffix(""))
        started = time.monotonic()
        status, output = run([str(build / "test" / name)], UNIT_SECONDS, env=environment, cwd=ROOT)
        passed = len(re.findall(r"^\[       OK \]", output, re.M))
        failed = len(set(re.findall(r"^\[  FAILED  \] (\w+)$", output, re.M)))
        skipped = re.findall(r"^\[  SKIPPED \] (\w+)$", output, re.M)
        if (status != 0 or passed == 0) and failed == 0:
            failed = 1
        report(name, failed == 0, f"{passed} passed, {failed} failed", started)
        for test in sorted(set(skipped)):
            print(f"  skipped: {test}")
        if failed:
            print(output)
        tally.add(passed, failed, len(set(skipped)))


def run_fuzz(build, tally):
    for source in sorted(ROOT.glob("*/*/fuzz/*.c")):
        name = str(source.relative_to(ROOT).with_suffix(""))
        started = time.monotonic()
        seeds = source.with_suffix(".seeds")
        status, output = run([str(build / "test" / name), str(seeds), str(FUZZ_INPUTS)], FUZZ_SECONDS, cwd=build)
        report(name, status == 0, (output.strip().splitlines() or ["no output"])[-1], started)
        if status != 0:
            print(output)
        tally.add(passed=status == 0, failed=status != 0)


def run_simulator(build, tally):
    """Networks that are drawn from seeds; and the table of goodput, which is as it is committed."""
    started = time.monotonic()
    status, output = run([str(build / "test/tests/simulator/simulator"), "1", str(SIMULATOR_SEEDS)], SIMULATOR_SECONDS)
    report("simulator", status == 0, (output.splitlines() or ["no output"])[0], started)
    if status != 0:
        print(output)
    started = time.monotonic()
    ended, table = run([str(build / "unix/tests/simulator/goodput")], SIMULATOR_SECONDS)
    committed = (ROOT / "docs/goodput.md").read_text()
    same = ended == 0 and table == committed
    report("goodput", same, "as in docs/goodput.md" if same else "not as in docs/goodput.md: make goodput accepts it", started)
    if not same:
        print("\n".join(difflib.unified_diff(committed.splitlines(), table.splitlines(), "docs/goodput.md", "now", lineterm="")))
    tally.add(passed=(status == 0) + same, failed=(status != 0) + (not same))


def run_house(build, tally):
    started = time.monotonic()
    status, output = run([sys.executable, str(ROOT / "tests/house.py")], 300)
    rules = re.findall(r"^(ok|FAIL)  ", output, re.M)
    report("house", status == 0, f"{len(rules)} rules", started)
    print(output, end="")
    failed = rules.count("FAIL") or (0 if status == 0 else 1)
    tally.add(passed=rules.count("ok"), failed=failed)


def run_blackbox(build, tally):
    results = build / "blackbox.xml"
    results.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-rs", "--durations=8",
               f"--junitxml={results}", str(ROOT / "tests/blackbox")]
    try:
        status = subprocess.run(command, timeout=BLACKBOX_SECONDS, stdin=subprocess.DEVNULL, cwd=ROOT,
                                env=dict(os.environ, SKERRY_EVERY_EXAMPLE="1")).returncode
    except subprocess.TimeoutExpired:
        print(f"black-box tests still running after {BLACKBOX_SECONDS} s")
        status = None
    if not results.exists():
        tally.add(failed=1)
        return
    suite = xml.parse(results).getroot().find("testsuite")
    count, bad, skipped = (int(suite.get("tests")), int(suite.get("failures")) + int(suite.get("errors")),
                           int(suite.get("skipped")))
    if status != 0 and bad == 0:
        bad = 1
    tally.add(count - bad - skipped, bad, skipped)


def run_target(label, target, command, seconds, tally):
    """The black-box tests of each target, and of this one alone; the command runs pytest there."""
    started = time.monotonic()
    status, output = run([*command, "/usr/bin/python3", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--color=no", "-rs",
                          "-m", f"each_target or {target}", str(ROOT / "tests/blackbox")],
                         seconds, env=dict(os.environ, SKERRY_TARGET=target, SKERRY_EVERY_EXAMPLE="1"), cwd=ROOT)
    counts = {word: int(count) for count, word in re.findall(r"(\d+) (passed|failed|skipped|error)", output)}
    failed = counts.get("failed", 0) + counts.get("error", 0)
    if status != 0 and failed == 0:
        failed = 1
    report(label, failed == 0, f"{counts.get('passed', 0)} passed, {failed} failed", started)
    for skip in re.findall(r"^SKIPPED .*$", output, re.M):
        print(f"  {skip}")
    if failed:
        print(output)
    tally.add(counts.get("passed", 0), failed, counts.get("skipped", 0))


def run_virtio(build, tally):
    """Under QEMU, which emulates where there is no KVM."""
    run_target("virtio", "virtio", [], VIRTIO_SECONDS, tally)


def run_lab(build, tally):
    """On target hvt, in the lab."""
    if os.geteuid() != 0:
        print("  skipped: lab: serving this machine's root directory to it takes root")
        tally.add(skipped=1)
        return
    lab = [sys.executable, str(ROOT / "tests/lab.py"), "--build", str(build), "--seconds", str(LAB_SECONDS)]
    status, output = run([*lab, "true"], LAB_SECONDS)
    if status == LAB_UNPREPARED:
        print(f"  skipped: {output.strip()}")
        tally.add(skipped=1)
        return
    run_target("lab", "hvt", lab, LAB_SECONDS + 30, tally)


STAGES = {"house": run_house, "units": run_units, "fuzz": run_fuzz, "simulator": run_simulator, "blackbox": run_blackbox, "virtio": run_virtio,
          "lab": run_lab}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build")
    parser.add_argument("--dist", type=pathlib.Path, default=ROOT / "dist")
    parser.add_argument("--only", choices=STAGES)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    os.environ["SKERRY_BUILD"] = str(build)
    os.environ["SKERRY_DIST"] = str(arguments.dist.resolve())
    tally = Tally()
    for name, stage in STAGES.items():
        if arguments.only in (None, name):
            stage(build, tally)
    print(f"{tally.passed} passed, {tally.failed} failed, {tally.skipped} skipped")
    return 1 if tally.failed or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
