# SPDX-License-Identifier: ISC
"""`skerry crunch`: its C is compiled into a program that prints what it holds, and that is compared with the files."""
import gzip
import hashlib
import os
import pathlib
import random
import stat
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKERRY = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).resolve() / "skerry"

# Writes, for one constant: name, content type, entity tag, both lengths (-1: no gzip), each on a line; then the bytes.
PRINTER = """
#include <stdio.h>
#include "out.h"
int main(void)
{
	const struct crunched_file *f = &%s;

	printf("%%s\\n%%s\\n%%s\\n%%zu\\n%%zd\\n", f->name, f->content_type, f->etag, f->len,
		f->gzip ? (ssize_t)f->gzip_len : -1);
	fwrite(f->data, 1, f->len, stdout);
	if (f->gzip)
		fwrite(f->gzip, 1, f->gzip_len, stdout);
	return 0;
}
"""


def crunch(directory, *arguments):
    return subprocess.run([SKERRY, "crunch", *arguments], cwd=directory, capture_output=True, timeout=60)


def compiled(directory, symbol):
    """What out.c and out.h in this directory hold under this symbol."""
    (directory / "print.c").write_text(PRINTER % symbol)
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Werror",
                    f"-I{ROOT}/include", "-o", "print", "print.c", "out.c"], cwd=directory, check=True, timeout=120)
    output = subprocess.run([directory / "print"], capture_output=True, check=True, timeout=10).stdout
    name, content_type, etag, length, gzip_length, rest = output.split(b"\n", 5)
    length, gzip_length = int(length), int(gzip_length)
    assert len(rest) == length + max(gzip_length, 0)
    return {"name": name.decode(), "type": content_type.decode(), "etag": etag.decode(), "data": rest[:length],
            "gzip": None if gzip_length < 0 else rest[length:]}


def crunched(directory, file, content, *options):
    """Crunches one file of this content and reads it back."""
    (directory / file).write_bytes(content)
    done = crunch(directory, "-f", f"thing:{file}", "-o", "out.c", "--header", "out.h", *options)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    return compiled(directory, "thing")


CONTENTS = {
    "empty": b"",
    "one byte": b"x",
    "one zero": b"\0",
    "every byte": bytes(range(256)),
    "every pair with a digit": b"".join(bytes([byte, digit]) for byte in range(256) for digit in b"079"),
    "trigraphs and escapes": b"??=??/??'\"\\\"\\\\n%s%d\r\n\t??)" * 20,
    "zeros": bytes(100000),
    "noise": random.Random(1).randbytes(100000),
    "text": b"the quick brown fox\n" * 5000,
}


@pytest.mark.parametrize("content", CONTENTS.values(), ids=CONTENTS.keys())
def test_content_arrives_byte_for_byte_with_tag_and_gzip(tmp_path, content):
    thing = crunched(tmp_path, "file.txt", content)
    assert thing["data"] == content
    assert thing["name"] == "file.txt"
    assert thing["etag"] == f'"{hashlib.sha256(content).hexdigest()}"'
    if thing["gzip"] is not None:
        assert gzip.decompress(thing["gzip"]) == content
        assert len(thing["gzip"]) < len(content)


def test_gzip_is_there_when_smaller_and_says_nothing_of_time_and_place(tmp_path):
    text = crunched(tmp_path, "a.txt", b"hello, hello! " * 1000)
    # RFC 1952: magic, deflate, no flags (no name), time 0, level 9 (2), system unknown (255)
    assert text["gzip"][:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 2, 255])
    assert len(text["gzip"]) < 200
    assert crunched(tmp_path, "a.bin", random.Random(2).randbytes(5000))["gzip"] is None
    assert crunched(tmp_path, "a.txt", b"hello, hello! " * 1000, "--no-gzip")["gzip"] is None


@pytest.mark.parametrize("file, content_type", [
    ("index.html", "text/html; charset=utf-8"), ("a.css", "text/css; charset=utf-8"),
    ("a.js", "text/javascript; charset=utf-8"), ("a.txt", "text/plain; charset=utf-8"),
    ("a.xml", "text/xml; charset=utf-8"), ("a.json", "application/json"), ("a.svg", "image/svg+xml"),
    ("a.png", "image/png"), ("a.JPG", "image/jpeg"), ("a.jpeg", "image/jpeg"), ("a.gif", "image/gif"),
    ("favicon.ico", "image/vnd.microsoft.icon"), ("a.pdf", "application/pdf"), ("a.wasm", "application/wasm"),
    ("a.woff2", "font/woff2"), ("a.zip", "application/zip"), ("a.tar.gz", "application/gzip"),
    ("README", "application/octet-stream"), ("html", "application/octet-stream"),
    ("a.html.bak", "application/octet-stream"), ("a.", "application/octet-stream"),
])
def test_the_content_type_follows_from_the_ending(tmp_path, file, content_type):
    assert crunched(tmp_path, file, b"x")["type"] == content_type


def test_an_ending_of_the_directory_is_none_of_the_file(tmp_path):
    (tmp_path / "site.html").mkdir()
    assert crunched(tmp_path, "site.html/README", b"x")["type"] == "application/octet-stream"


def test_names_come_from_the_last_component(tmp_path):
    for file in ("index.html", "a-b c.txt", "404.html", "ünïcode", "site/deep.css"):
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).write_text(file)
    done = crunch(tmp_path, "index.html", "a-b c.txt", "404.html", "ünïcode", "site/deep.css", "-o", "out.c",
                  "--header", "out.h")
    assert done.returncode == 0, done.stderr
    for symbol, file in {"index_html": "index.html", "a_b_c_txt": "a-b c.txt", "_404_html": "404.html",
                         "__n__code": "ünïcode", "deep_css": "site/deep.css"}.items():
        thing = compiled(tmp_path, symbol)
        assert thing["data"] == file.encode()
        assert thing["name"] == file


def test_standard_output_is_the_default_and_the_dash(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    by_default, by_dash = crunch(tmp_path, "a.txt"), crunch(tmp_path, "-o", "-", "--", "a.txt")
    assert by_default.returncode == by_dash.returncode == 0
    assert by_default.stdout == by_dash.stdout != b""
    assert crunch(tmp_path, "a.txt", "-o", "out.c").returncode == 0
    assert (tmp_path / "out.c").read_bytes() == by_dash.stdout
    header = crunch(tmp_path, "a.txt", "-o", "/dev/null", "--header", "-").stdout
    assert b"extern const struct crunched_file a_txt;" in header
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)  # was not replaced


def test_output_depends_on_names_and_bytes_alone(tmp_path):
    (tmp_path / "a.txt").write_text("hello " * 100)
    first = crunch(tmp_path, "a.txt").stdout
    os.utime(tmp_path / "a.txt", (1, 1))
    (tmp_path / "a.txt").chmod(0o600)
    assert crunch(tmp_path, "a.txt").stdout == first


def test_output_replaces_a_file_whole_with_ordinary_permissions(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "out.c").write_text("old")
    with open(tmp_path / "out.c") as old:
        assert crunch(tmp_path, "a.txt", "-o", "out.c", "--header", "out.h").returncode == 0
        assert old.read() == "old"  # whoever had it open sees it whole
    mask = os.umask(0)
    os.umask(mask)
    assert stat.S_IMODE((tmp_path / "out.c").stat().st_mode) == 0o666 & ~mask
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.txt", "out.c", "out.h"]


@pytest.mark.parametrize("arguments, words", [
    ([], ["FILE", "-f NAME:FILE"]),
    (["missing.txt"], ["missing.txt", "No such file"]),
    (["good.txt", "missing.txt"], ["missing.txt", "No such file"]),
    (["directory"], ["directory", "Is a directory"]),
    (["directory/"], ["directory/", "expected the name of a file"]),
    ([""], ['""', "expected the name of a file"]),
    (["good.txt", "good-txt"], ["good-txt", "good_txt", "good.txt"]),
    (["good.txt", "-f", "good_txt:good-txt"], ["good-txt", "good.txt"]),
    (["while"], ["while", "a meaning in C"]),
    (["-f", "int:good.txt"], ["int", "a meaning in C"]),
    (["-f", ":good.txt"], ['""', "no C name"]),
    (["-f", "1a:good.txt"], ['"1a"', "no C name"]),
    (["-f", "a-b:good.txt"], ['"a-b"', "no C name"]),
    (["-f", "good.txt"], ["good.txt", "NAME:FILE"]),
    (["-f", "name:"], ["name:", "NAME:FILE"]),
    (["good.txt", "-f"], ["-f", "expected NAME:FILE"]),
    (["good.txt", "--header"], ["--header", "expected OUT.h"]),
    (["good.txt", "-x"], ["-x", "unknown option"]),
    (["-xy", "good.txt"], ["-xy", "unknown option"]),
    (["good.txt", "--frob"], ["--frob", "unknown option"]),
    (["good.txt", "-o", "nowhere/out.c"], ["nowhere/out.c", "No such file"]),
    (["good.txt", "--header", "nowhere/out.h", "-o", "/dev/null"], ["nowhere/out.h", "No such file"]),
    (["good.txt", "-o", "directory"], ["directory", "Is a directory"]),
    (["good.txt", "-o", "/dev/full"], ["/dev/full", "No space left"]),
])
def test_a_mistake_is_one_line_and_status_1_and_writes_nothing(tmp_path, arguments, words):
    (tmp_path / "directory").mkdir()
    for file in ("good.txt", "good-txt", "while"):
        (tmp_path / file).write_text("good")
    before = sorted(tmp_path.iterdir())
    done = crunch(tmp_path, *arguments)
    assert done.returncode == 1
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("skerry crunch: ")
    for word in words:
        assert word in lines[0]
    assert done.stdout == b""
    assert sorted(tmp_path.iterdir()) == before


def test_an_unreadable_file_leaves_the_output_as_it_was(tmp_path):
    (tmp_path / "a.txt").write_text("hello")
    (tmp_path / "out.c").write_text("old")
    assert crunch(tmp_path, "a.txt", "missing", "-o", "out.c").returncode == 1
    assert (tmp_path / "out.c").read_text() == "old"


def test_help_names_every_option(tmp_path):
    done = crunch(tmp_path, "--help")
    assert done.returncode == 0 and done.stderr == b""
    for option in (b"-f NAME:FILE", b"-o ", b"--header", b"--no-gzip"):
        assert option in done.stdout


def test_ten_megabytes_compile_in_seconds(tmp_path):
    content = random.Random(3).randbytes(10_000_000)
    assert crunched(tmp_path, "big.bin", content)["data"] == content  # gcc gets 120 s; it takes one
