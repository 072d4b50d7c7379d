# SPDX-License-Identifier: ISC
"""skerry run for whoever looks for a fault: gdb on every target, and what only hvt has."""
import re
import subprocess

import pytest

from netns import BUILD, DIST, TARGET, TARGETS

SKERRY = BUILD / "skerry"
pytestmark = pytest.mark.each_target


def skerry_run(*arguments, **options):
    return subprocess.run([SKERRY, "run", *map(str, arguments)], **{"capture_output": True, "text": True, "timeout": 90, **options})


@pytest.fixture
def debugged(built):
    return lambda target: built("tests/unikernels/debugged", target)


def in_gdb(image, *commands, options=()):
    done = skerry_run("--gdb", *options, image, input="".join(f"{command}\n" for command in ("set width 0", *commands)))
    return done.stdout + done.stderr


@pytest.mark.parametrize("target", TARGETS)
def test_a_breakpoint_in_start_stops_there_and_shows_its_variable_and_the_program_goes_on(target, debugged):
    text = in_gdb(debugged(target), "break start", "continue", "next", "info locals", "set var answer = 4", "continue")
    assert re.search(r"^Breakpoint \d, start \(\) at .*unikernel\.c:\d+$", text, re.M), text
    assert len(re.findall(r"^Breakpoint ", text, re.M)) == 1 and "answer = 21\n" in text, text
    assert re.search(r"the answer is 8$", text, re.M), text
    assert "exited normally" in text if target == "virtio" else re.search(r"exited with code 0*1\b", text), text


@pytest.mark.parametrize("target", TARGETS)
def test_the_callers_of_a_function_have_names_and_lines(target, debugged):
    text = in_gdb(debugged(target), "break twice", "continue", "backtrace 3", "print number", "kill")
    assert re.search(r"#0 +(0x\w+ in )?twice \(number=21\) at .*\.c:\d+\n#1 .* in start \(\) at .*\.c:\d+\n#2 .* in fiber_main ", text), text
    assert " = 21\n" in text


@pytest.mark.parametrize("target", TARGETS)
def test_print_shows_the_gdb_that_would_run(target, debugged):
    done = skerry_run("--gdb", "--print", debugged(target))
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("gdb -q "), done
    subprocess.run(["sh", "-n", "-c", done.stdout], check=True)


@pytest.mark.parametrize("option, fix", [
    ("--strace", "--strace: hvt has it; on {target}, strace $(skerry run --print) shows system calls"),
    ("--core=.", "--core: hvt has it; on {target}, after ulimit -c unlimited the kernel leaves core files")])
@pytest.mark.parametrize("target", ["unix", "spt"])
@pytest.mark.spt
def test_what_only_hvt_has_is_refused_with_what_to_use_instead(target, option, fix):
    done = skerry_run(option, DIST / ("hello" if target == "unix" else "hello.spt"))
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"skerry run: {fix.format(target=target)}\n")


@pytest.mark.spt
def test_a_capture_of_spt_is_refused_and_so_is_one_of_no_network():
    done = skerry_run("--pcap", "frames", DIST / "echo.spt")
    assert (done.returncode, done.stderr) == (
        1, "skerry run: --pcap: hvt has it; on spt, tcpdump -i tap0 watches a tap, and net_capture() any network from within\n")
    done = skerry_run("--pcap", "other=frames", DIST / "echo.spt")
    assert (done.returncode, done.stderr) == (1, 'skerry run: no network "other" in this unikernel: expected one of: service\n')


@pytest.mark.spt
def test_without_gdb_its_package_is_named():
    done = skerry_run("--gdb", DIST / "hello", env={"PATH": "/nonexistent"})
    assert (done.returncode, done.stderr) == (1, "skerry run: gdb: No such file or directory; apt-get install gdb\n")


@pytest.mark.spt
def test_gdb_and_watch_exclude_each_other():
    done = skerry_run("--gdb", "--watch")
    assert (done.returncode, done.stderr) == (1, "skerry run: --gdb: expected no --watch; gdb's own run starts it again\n")


@pytest.mark.hvt
def test_the_tender_of_hvt_gets_its_options(tmp_path):
    done = skerry_run("--strace", f"--core={tmp_path}", "--pcap", f"service={tmp_path}/frames", "--print", DIST / f"echo.{TARGET}")
    assert f" --core={tmp_path} --strace --net-pcap:service={tmp_path}/frames " in done.stdout, done
    done = skerry_run("--strace", DIST / f"hello.{TARGET}")
    assert done.returncode == 0 and re.search(r"^skerry-hvt: halt\(0x0, 0x0\)", done.stderr, re.M), done
