# SPDX-License-Identifier: ISC
"""What runs the documents' commands (documents.py): a page that is right passes, and one that is wrong in any way fails."""
import os
import subprocess

import documents
import netns as networks
import pytest

ROOT = networks.ROOT

GOOD = """
```console
$ printf 'one\\ntwo\\nthree\\n'
one
...
$ echo '2026-11-21 12:00:00 -00:00: INF [application] port 4711'
1999-01-01 00:00:00 -00:00: INF [application] port ...
$ cat <<END
> a here-document
> END
a here-document
$ mkdir below && cd below
```
```c new.c
int new;
```
```console
$ cat new.c
int new;
$ false
$ echo $?
1
$ id -un
nobody
# id -un; pwd
root
.../home/below
$ nc -l 127.0.0.1 9000 &
$ echo from afar | nc -N 127.0.0.1 9000
from afar
$ sleep 1000 &
$ kill %1
$ for i in 1 2; do sleep 0.2; echo "2026-11-21 12:00:0$i -00:00: INF [server] late $i"; done &
2026-11-21 12:00:00 -00:00: INF [server] late 1
$ sleep 0.3; echo "which the server's line comes before"
which the server's line comes before
2026-11-21 12:00:00 -00:00: INF [server] late 2
```
```c examples/noop/unikernel.c
...
int start(void)
{
	return 0;
}
```
"""


def reading(programs, text):
    documents.Reader(programs).read(ROOT / "docs/book/made-up.md", text)


def test_a_page_that_is_right_passes(programs):
    reading(programs, GOOD)


@pytest.mark.parametrize("text, reason", [
    ("$ echo yes\nno\n", "`echo yes` prints:\n    yes\nexpected:\n    no"),
    ("$ echo yes\n", "`echo yes` prints:\n    yes\nexpected:\n"),
    ("$ true\nyes\n", "`true` prints:\nexpected:\n    yes"),
    ("$ echo yes\nyes\n...\nno\n", "`echo yes` prints:\n    yes"),
    ("$ false\n", "`false` ends with status 1"),
    ("$ exit\n", "`exit` does not end"),
    ("$ (sleep 0.2; echo unexpected) &\n$ sleep 0.4\n", "`sleep 0.4` prints:\n    unexpected\n"),
    ("$ echo late &\nlate\n$ true\nlate\n", "`true` prints"),
    ("text\n", "2: the block does not begin with a command: 'text\\n'"),
])
def test_a_command_that_does_otherwise_fails(programs, monkeypatch, text, reason):
    monkeypatch.setattr(documents, "LATE_SECONDS", 0.5)
    with pytest.raises(documents.Wrong) as wrong:
        reading(programs, f"```console\n{text}```\n")
    assert str(wrong.value).startswith("docs/book/made-up.md:") and reason in str(wrong.value)


@pytest.mark.parametrize("block, reason", [
    ("```c examples/noop/unikernel.c\nint start(void)\n{\n\treturn 1;\n}\n```\n", "does not hold this listing"),
    ("```c\nint x;\n```\n", "needs the name of a file"),
    ("```\nint x;\n```\n", "without a word that says what it is for"),
    (" ```console\n $ true\n ```\n", "indented"),
])
def test_a_listing_that_is_old_or_of_nothing_fails(programs, block, reason):
    with pytest.raises(documents.Wrong, match=reason):
        reading(programs, block)


def test_nothing_that_a_page_starts_outlives_it(programs):
    seconds = f"4711.{os.getpid()}"  # no other process sleeps for just so long
    reading(programs, f"```console\n$ sleep {seconds} &\n# sleep {seconds} &\n$ pgrep -fxc 'sleep {seconds}'\n2\n```\n")
    assert subprocess.run(["pgrep", "-fx", f"sleep {seconds}"], stdout=subprocess.DEVNULL).returncode == 1
