# SPDX-License-Identifier: ISC
"""One tiny guest per property of the sandbox and of the platforms: tests/guests/NAME.c says what each does."""
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import time

import pytest

from netns import BUILD, ROOT, TARGET, TARGETS, TENDER

COMPILER = str(ROOT / "tool/skerry-cc")
MTU = 1500

targets = pytest.mark.parametrize("target", TARGETS)
pytestmark = pytest.mark.each_target


def command(name, *arguments, options=(), target=TARGET):
    image = str(BUILD / "guests" / f"{name}.{target}")
    if target == "unix":
        return [image, *options, *arguments]
    return [TENDER, "--mem=16", *options, "--", image, *arguments]


def run(name, *arguments, options=(), target=TARGET, **more):
    return subprocess.run(command(name, *arguments, options=options, target=target), capture_output=True, text=True,
                          timeout=30, **more)


def assert_killed(done, by):
    """By the host's signal; or, where the guest has a processor of its own, by what its exceptions lead to."""
    if TARGET == "spt":
        assert (done.returncode, done.stdout) == (-by, "before\n"), f"expected signal {by}: {done}"
    else:
        assert done.returncode == 255 and re.fullmatch(r"before\ntrap: .*\n", done.stdout), done


# What holds in every guest ------------------------------------------------------------------------------------------

@targets
def test_hello_prints_and_ends_with_0(target):
    done = run("hello", target=target)
    assert (done.returncode, done.stdout, done.stderr) == (0, "hello\n", "")


def test_data_zeros_constants_and_thread_locals_are_in_place_and_constructors_ran():
    done = run("globals")
    assert (done.returncode, done.stdout) == (0, "")


def test_floating_point_works_as_the_standard_says():
    done = run("floating")
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize("status", [0, 1, 7, 255])
@pytest.mark.parametrize("how", ["return", "exit"])
def test_exit_status_is_the_guests(status, how):
    words = [str(status)] if how == "return" else ["exit", str(status)]
    assert run("ends", *words).returncode == status


@pytest.mark.parametrize("how, line", [
    ("abort", "abort() was called"), ("platform_abort", None), ("panic", "the answer is 42"),
    ("assert", "argc == 42"), ("overflow", "buffer overflow detected"), ("'double free'", "freed twice")])
def test_a_fault_ends_with_255_and_one_line(how, line):
    done = run("ends", how)
    assert done.returncode == 255, done
    assert len(done.stdout.splitlines()) == (1 if line else 0), done.stdout
    assert line is None or line in done.stdout


# Protection ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("name", ["write_text", "write_rodata", "execute_data", "execute_stack", "execute_heap",
                                  "read_null", "jump_null"])
def test_memory_is_protected(name):
    assert_killed(run(name), signal.SIGSEGV)


@pytest.mark.parametrize("address", ["0x1000", "0xffff", "0xff000", "0x1000000", "0xffffffffff600000"])
def test_nothing_but_the_guests_memory_is_readable(address):
    """Page 0 and the rest below the tender's pages, the page below the image, what follows 16 MiB, the vsyscall page."""
    assert_killed(run("read_null", address), signal.SIGSEGV)


def test_a_smashed_stack_is_found_and_ends_with_255():
    done = run("smash_stack")
    assert (done.returncode, done.stdout) == (255, "before\nstack smashing detected\n")


def test_the_canary_is_random_and_begins_with_a_zero_byte():
    canaries = {run("smash_stack", "show").stdout.strip() for _ in range(8)}
    assert len(canaries) == 8 and all(re.fullmatch("[0-9a-f]{14}00", canary) for canary in canaries), canaries
    for digit in range(0, 14, 7):
        assert len({canary[digit:digit + 7] for canary in canaries}) > 1, canaries


@pytest.mark.spt
@pytest.mark.parametrize("call", [
    "0 0 0 0", "1 2 0 0", "2 0 0 0", "3 1", "9 0 4096 3 34 -1 0", "10 0x100000 4096 7", "12 0", "13 11 0 0 8",
    "16 1 0x5401 0", "20 1 0 0", "35 0 0", "39", "41 2 1 0", "56 0 0 0", "57", "59 0 0 0", "60 3", "62 1 0",
    "158 0x1003 0", "186", "202 0 0", "228 2 0x200000", "228 0x100000001 0x200000", "231 3 0 0", "232 3 0 0 0",
    "257 -100 0 0", "281 1 0 0 0", "286 1 0 0 0", "317 0 0 0", "318 0x200000 16 0", "0x40000001 1 0 0",
    "32 20", "32 1 3", "32 4 1 0 0"])
def test_every_other_system_call_kills_with_sigsys(call):
    done = run("forbidden", *call.split())
    if call.startswith("231 "):
        assert done.returncode == 3, "exit_group is allowed"
    else:
        assert_killed(done, signal.SIGSYS)


@pytest.mark.spt
@pytest.mark.parametrize("call", ["1 1 0 0", "228 0 0x200000", "228 1 0x200000"])
def test_the_system_calls_of_the_interface_are_allowed(call):
    assert run("forbidden", *call.split()).stdout == "before\n0\n"


# Arguments ---------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("line, words", [
    ("", []), ("   ", []), ("a", ["a"]), (" a  b ", ["a", "b"]), ("--key=value", ["--key=value"]),
    ("'a b' c", ["a b", "c"]), ('"a b"c', ["a bc"]), ("a\\ b", ["a b"]), ("''", [""]), ('"" \'\'', ["", ""]),
    ("'\\'", ["\\"]), ('"\\""', ['"']), ('"\\\\"', ["\\"]), ('"\\n"', ["\\n"]), ("\\'", ["'"]), ('"it\'s"', ["it's"]),
    ("'say \"hi\"'", ['say "hi"']), ("--greeting='Hello, World!'", ["--greeting=Hello, World!"]),
    ("a\tb\nc", ["a", "b", "c"]), ("\u00e4\u20ac", ["\u00e4\u20ac"]), ("x " * 4000, ["x"] * 4000),
    ("y" * 8191, ["y" * 8191])])
def test_the_command_line_is_split_as_a_shell_does(line, words):
    done = run("arguments", line)
    assert (done.returncode, done.stdout) == (0, "".join(f"<{word}>\n" for word in words))


@pytest.mark.parametrize("line", ["'", '"', "a 'b c", 'a "b\' c', "a\\", "'a' \"b\\\""])
def test_an_unclosed_quote_is_named_in_one_line_and_ends_with_64(line):
    done = run("arguments", line)
    assert done.returncode == 64, done
    assert len(done.stdout.splitlines()) == 1 and "not closed" in done.stdout, done.stdout


@pytest.mark.spt
def test_on_unix_arguments_come_as_they_are_without_the_devices():
    done = run("arguments", "a b", "--net:service=tap7", "'c", "--block:disk=/x", "--block-sector-size:disk=4096", "--d",
               target="unix")
    assert (done.returncode, done.stdout) == (0, "<a b>\n<'c>\n<--d>\n")


@pytest.mark.spt
@pytest.mark.parametrize("argument", ["--net:", "--net:x", "--net:x=", "--block:=f", "--block-sector-size:d=511",
                                      "--block-sector-size:d=131072", "--block-sector-size:d=4k", "--net:a-b=c"])
def test_on_unix_a_bad_device_is_named_in_one_line(argument):
    done = run("arguments", argument, target="unix")
    assert done.returncode == 1 and done.stdout == "", done
    assert argument in done.stderr and len(done.stderr.splitlines()) == 1, done.stderr


@pytest.mark.spt
def test_on_unix_a_device_given_twice_is_named_in_one_line():
    done = run("arguments", "--net:service=a", "--net:service=b", target="unix")
    assert done.returncode == 1 and "--net:service=b" in done.stderr and "twice" in done.stderr, done


# Time and memory -----------------------------------------------------------------------------------------------------------

@targets
def test_clocks_and_waits_keep_time(target):
    started = time.time()
    done = run("clocks", target=target)
    assert done.returncode == 0, done
    assert started - 1 <= int(done.stdout) <= time.time() + 1


@pytest.mark.parametrize("megabytes", [4, 16, 512])
def test_running_out_of_memory_is_survived(megabytes):
    done = subprocess.run([TENDER, f"--mem={megabytes}", "--", BUILD / f"guests/memory.{TARGET}"], capture_output=True,
                          text=True, timeout=60)
    assert done.returncode == 0, done
    assert (megabytes - 2) * 2**20 < int(done.stdout) < megabytes * 2**20, "nearly all of the memory is the heap's"


# Plain C -------------------------------------------------------------------------------------------------------------------

def test_stdio_of_plain_c_reaches_the_console_in_order():
    done = run("stdio", input="not for the guest\n")
    assert done.returncode == 3, done
    assert done.stdout == ("-1 two 3.00 4\nto stderr: c\na line\nc\n" + " " * 1999 + "5\n"
                           "perror: No such file or directory\nat exit")


def compile_program(directory, text, **environment):
    (directory / "program.c").write_text(text)
    manifest = directory / "manifest.c"
    subprocess.run([BUILD / "skerry", "elf", "gen-manifest", ROOT / "tests/guests/manifest.json", manifest], check=True)
    return subprocess.run([COMPILER, "-t", "spt", "-o", directory / "program.spt", directory / "program.c", manifest],
                          env=dict(os.environ, SKERRY_BUILD=str(BUILD), **environment), capture_output=True, text=True)


@pytest.mark.spt
@pytest.mark.parametrize("header, call, function", [
    ("fcntl.h", 'open("/etc/passwd", O_RDONLY)', "open"), ("unistd.h", "getpid()", "getpid"),
    ("sys/mman.h", "(int)(long)mmap(0, 1, 0, 0, 0, 0)", "mmap"), ("sys/socket.h", "socket(1, 2, 3)", "socket"),
    ("stdio.h", 'fopen("a", "r") != 0', "fopen")])
def test_a_program_that_makes_system_calls_does_not_link_and_is_told_why(tmp_path, header, call, function):
    done = compile_program(tmp_path, f"""#include <{header}>
#include <platform.h>
int platform_main(int argc, char **argv) {{ (void)argc; (void)argv; return {call}; }}
""")
    assert done.returncode != 0 and not (tmp_path / "program.spt").exists()
    assert re.search(rf"system call.*\bfor {function} in \S+\.o\b", done.stderr), done.stderr


@pytest.mark.spt
def test_a_program_with_a_system_call_of_its_own_does_not_link(tmp_path):
    program = """#include <platform.h>
static long sneak(void) { long r; __asm__ volatile("%s" : "=a"(r) : "a"(39L)); return r; }
int platform_main(int argc, char **argv) { (void)argc; (void)argv; return (int)sneak(); }
"""
    for instruction in ("syscall", "sysenter", "int $0x80"):
        done = compile_program(tmp_path, program % instruction)
        assert done.returncode != 0 and not (tmp_path / "program.spt").exists()
        assert re.search(r"(platform_main|sneak)\(\) makes a system call", done.stderr), done.stderr
    assert compile_program(tmp_path, program % "syscall", SKERRY_ALLOW_SYSCALLS="other").returncode != 0


@pytest.mark.spt
def test_an_undefined_symbol_does_not_link(tmp_path):
    done = compile_program(tmp_path, """#include <platform.h>
int nowhere(void);
int platform_main(int argc, char **argv) { (void)argc; (void)argv; return nowhere(); }
""")
    assert done.returncode != 0 and "nowhere" in done.stderr and not (tmp_path / "program.spt").exists()


@pytest.mark.spt
@pytest.mark.parametrize("header", ["linux/if.h", "sys/sysctl.h", "curl/curl.h", "zlib.h/..", "openssl/ssl.h"])
def test_a_guest_does_not_see_the_hosts_headers(tmp_path, header):
    done = compile_program(tmp_path, f"#include <{header}>\n")
    assert done.returncode != 0 and "No such file" in done.stderr or "Not a directory" in done.stderr, done.stderr


@pytest.mark.spt
def test_a_guest_may_use_bearssl_and_zlib(tmp_path):
    done = compile_program(tmp_path, """#include <bearssl.h>
#include <string.h>
#include <zlib.h>
#include <platform.h>
static br_ssl_server_context server;
int platform_main(int argc, char **argv)
{
	static unsigned char io[BR_SSL_BUFSIZE_BIDI];
	unsigned char packed[100], plain[100];
	uLongf packed_len = sizeof packed, plain_len = sizeof plain;

	(void)argc;
	(void)argv;
	br_ssl_server_zero(&server);
	br_ssl_engine_set_versions(&server.eng, BR_TLS12, BR_TLS12);
	br_ssl_engine_set_default_rsavrfy(&server.eng);
	br_ssl_server_init_full_rsa(&server, 0, 0, 0);
	br_ssl_engine_set_buffer(&server.eng, io, sizeof io, 1);
	/* Without a seed the engine refuses to start: it comes from the processor, by our hook. */
	if (!br_ssl_server_reset(&server))
		return 2;
	if (compress(packed, &packed_len, (const Bytef *)"hello hello hello", 18) != Z_OK)
		return 3;
	if (uncompress(plain, &plain_len, packed, packed_len) != Z_OK || strcmp((char *)plain, "hello hello hello"))
		return 4;
	return 0;
}
""")
    assert done.returncode == 0, done.stderr
    assert subprocess.run([TENDER, "--mem=16", tmp_path / "program.spt"], timeout=30).returncode == 0


@pytest.mark.spt
def test_the_installed_compiler_builds_for_both_targets_without_the_source_tree(tmp_path):
    # -o all: what is built is enough here.
    subprocess.run(["make", "-s", "-o", "all", "install", f"O={BUILD}", f"DESTDIR={tmp_path}", "PREFIX=/opt/skerry"],
                   cwd=ROOT, check=True, capture_output=True)
    manifest = tmp_path / "manifest.c"
    subprocess.run([BUILD / "skerry", "elf", "gen-manifest", ROOT / "tests/guests/manifest.json", manifest], check=True)
    environment = {name: value for name, value in os.environ.items() if name != "SKERRY_BUILD"}
    (tmp_path / "program.c").write_text("""#include <bearssl.h>
#include <platform.h>
#include <skerry/log.h>
#include <skerry/tcp.h>
int platform_main(int argc, char **argv) { (void)argv; must(argc == 1); platform_console_write("hi\\n", 3); return 5; }
""")
    for target, sources, tender in (("spt", ["program.c", manifest], [TENDER]), ("unix", ["program.c"], [])):
        subprocess.run([tmp_path / "opt/skerry/bin/skerry-cc", "-t", target, "-s", "-o", "program", *sources],
                       cwd=tmp_path, env=environment, check=True)
        done = subprocess.run([*tender, "./program"], cwd=tmp_path, capture_output=True, text=True, timeout=30)
        assert (done.returncode, done.stdout) == (5, "hi\n"), done


# The image -----------------------------------------------------------------------------------------------------------------

@pytest.mark.spt
def test_the_image_is_what_solo5_expects():
    image = str(BUILD / "guests/globals.spt")
    text = subprocess.run(["readelf", "-lW", image], capture_output=True, text=True, check=True).stdout
    assert "EXEC" in text and "/nonexistent/solo5/" in text
    loads = [line.split() for line in text.splitlines() if line.split()[:1] == ["LOAD"]]
    flags = ["".join(words[6:-1]).replace(" ", "") for words in loads]
    assert flags == ["RE", "R", "RW"], text
    addresses = [(int(words[2], 16), int(words[5], 16)) for words in loads]
    assert addresses[0][0] == 0x100000 and all(begin % 4096 == 0 for begin, _ in addresses)
    assert all(begin + size <= after for (begin, size), (after, _) in zip(addresses, addresses[1:]))
    assert len(re.findall(r"^  NOTE ", text, re.M)) == 3, text
    for question, answer in (("query-abi", '"spt"'), ("query-manifest", '"solo5.manifest"')):
        done = subprocess.run([BUILD / "skerry", "elf", question, image], capture_output=True, text=True)
        assert done.returncode == 0 and answer in done.stdout, done


@pytest.mark.spt
def test_the_host_does_not_run_an_image():
    with pytest.raises(FileNotFoundError):
        subprocess.run([str(BUILD / "guests/hello.spt")])


@pytest.mark.spt
def test_a_hello_is_small(tmp_path):
    subprocess.run(["strip", "-o", tmp_path / "hello", BUILD / "guests/hello.spt"], check=True)
    assert (tmp_path / "hello").stat().st_size < 16384


# Devices -------------------------------------------------------------------------------------------------------------------

class Wire:
    """Our end of a guest's network: a socket that keeps frames apart."""

    def __init__(self):
        self.ours, self.theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.ours.settimeout(10)
        os.set_inheritable(self.theirs.fileno(), True)

    def option(self, name):
        return f"--net:{name}=@{self.theirs.fileno()}"

    def close(self):
        self.ours.close()
        self.theirs.close()


@pytest.fixture
def wires():
    pair = Wire(), Wire()
    yield pair
    for wire in pair:
        wire.close()


@pytest.fixture
def frames(wires, request):
    """The guest "frames" on both wires, once it is ready."""
    target, *arguments = request.param if isinstance(request.param, tuple) else (request.param,)
    options = [wires[0].option("one"), wires[1].option("two")]
    process = subprocess.Popen(command("frames", *arguments, options=options, target=target), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               text=True, pass_fds=[wire.theirs.fileno() for wire in wires])
    assert process.stdout.readline() == "ready\n"
    yield process
    if process.poll() is None:
        process.kill()
    process.communicate()


both = pytest.mark.parametrize("frames", TARGETS, indirect=True)


def finish(process, wire):
    wire.ours.send(b"end")
    output, _ = process.communicate(timeout=10)
    assert process.returncode == 0, output
    return output.splitlines()


@both
def test_frames_of_every_length_pass_both_ways_unchanged(frames, wires):
    lengths = [3, 4, 14, 60, 1000, MTU + 13, MTU + 14, MTU + 18] + [random.Random(1).randint(15, 1514) for _ in range(50)]
    for length in lengths:
        frame = os.urandom(length)
        frame = b"\0" + frame[1:]
        wires[0].ours.send(frame)
        assert wires[0].ours.recv(65536) == b"\1" + frame[1:]
    assert finish(frames, wires[0]) == [str(length) for length in lengths] + ["3"]


@both
def test_a_frame_longer_than_the_mtu_is_dropped_whole(frames, wires):
    for length in (MTU + 19, MTU + 20, 9000):
        wires[0].ours.send(b"\0" * length)
        wires[0].ours.send(b"\0after")
        assert wires[0].ours.recv(65536) == b"\1after"
    assert finish(frames, wires[0]) == ["-90", "6"] * 3 + ["3"]


@pytest.mark.parametrize("frames", [(target, "100") for target in TARGETS], indirect=True)
def test_a_frame_longer_than_the_buffer_is_dropped_and_one_that_fills_it_is_not(frames, wires):
    for length in (99, 100, 101, 100, 1514):
        wires[0].ours.send(b"\0" * length)
        if length <= 100:
            assert len(wires[0].ours.recv(65536)) == length
    assert finish(frames, wires[0]) == ["99", "100", "-90", "100", "-90", "3"]


def processor_seconds(pid):
    words = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.parametrize("frames", [TARGET], indirect=True)
def test_frames_for_a_network_that_nobody_opened_do_not_keep_the_guest_awake(frames, wires):
    wires[1].ours.settimeout(10)
    for _ in range(200):  # the socket holds some ten: each must be taken for the next to be sent
        wires[1].ours.send(b"\0" * 100)
    before, started = processor_seconds(frames.pid), time.monotonic()
    time.sleep(0.5)
    used, elapsed = processor_seconds(frames.pid) - before, time.monotonic() - started
    assert used < elapsed / 5, f"{used} s of processor time in {elapsed} s without work"
    wires[0].ours.send(b"\0still there")
    assert wires[0].ours.recv(100) == b"\1still there"
    output = finish(frames, wires[0])
    assert output == ["12", "3"]


@targets
@pytest.mark.parametrize("sector", [512, 4096])
def test_a_block_device_is_read_and_written_by_sectors(tmp_path, target, sector):
    disk = tmp_path / "disk"
    content = os.urandom(64 * 1024)
    disk.write_bytes(content)
    done = run("sectors", options=[f"--block:disk={disk}", f"--block-sector-size:disk={sector}"], target=target)
    assert (done.returncode, done.stdout) == (0, f"65536 {sector}\n"), done
    last = bytes((byte + 1) % 256 for byte in content[:sector])
    assert disk.read_bytes() == content[:-sector] + last


@pytest.mark.spt
def test_on_unix_a_block_device_that_is_missing_is_named(tmp_path):
    done = run("sectors", options=[f"--block:disk={tmp_path}/nonesuch"], target="unix")
    assert done.returncode == 1 and f"{tmp_path}/nonesuch: No such file or directory" in done.stderr, done


@pytest.mark.spt
def test_on_unix_without_a_main_of_the_configure_step_the_manifest_is_empty():
    done = run("hello", "--manifest", target="unix")
    assert (done.returncode, done.stdout) == (0, '{"type":"solo5.manifest","version":1,"devices":[]}\n')
