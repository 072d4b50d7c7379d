# SPDX-License-Identifier: ISC
"""Runs documents: types every command that a page of Markdown shows, as its reader would, and compares what is printed.

A page begins in a fresh home that holds a copy of examples/ (an example's README.md: in the example's directory there), on a
network of its own, as an ordinary user, with what `make install` installs. All its commands go to one shell, those of root
to a second one, in the directory where the first one is. What a block is for is said by the words after its ```:

    console     a command follows "$ ", lines after it that begin with "> " go on with it; "# " begins one of root's.
                What is below a command is what it prints, standard error included.
    LANG FILE   a listing. If the repository, or the page's directory, has this file, it must hold these lines in this
                order, where a line of three dots leaves some out. Else the reader writes them to this file.
    text        a figure, or what is not to be typed

In what is printed, three dots stand for any text in a line, and a line of them for any lines; a time stamp of the log stands
for every time stamp. A command must succeed, unless `echo $?` comes next.

One that ends with "&" starts a server. The next command is repeated until it succeeds, since servers take a moment. What servers
print is shown below the command after which they print it, and as nobody knows when within it, lines of the log are compared
after all others from then on.
"""
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import tempfile
import textwrap
import time

import netns as networks

ROOT = networks.ROOT
USER = 65534
COMMAND_SECONDS = 60  # how long a command may take, on a busy machine
LATE_SECONDS = 10     # and what a server prints, or the start of one
STAMP = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d -00:00:"

# Runs what it reads, each ended by a zero byte, and answers with exit status and directory. $0 is where output goes.
# /dev/net/tun is open to all, as distributions have it.
SHELL = r"""
_dev=$(mktemp -d) && mknod -m 666 $_dev/tun c 10 200 && mount --bind $_dev/tun /dev/net/tun && rm -r $_dev || exit 1
exec setpriv --reuid="$1" --regid="$1" --clear-groups bash -c '
_status=0
while IFS= read -rd "" _line; do
	(exit $_status); eval "$_line" </dev/null >>"$0" 2>&1
	_status=$?; printf "%s %s\n" "$_status" "$PWD"
done' "$0"
"""


class Wrong(AssertionError):
    """A page is wrong: where, and how."""


class Command:
    def __init__(self, line, prompt, text):
        self.line, self.is_root, self.text, self.output, self.may_fail = line, prompt == "#", text, [], False

    def pattern(self, with_servers):
        lines = log_last(self.output) if with_servers else self.output
        return re.compile("".join(r"(?:.*\n)*?" if line == "..." else pattern(line) + "\n" for line in lines))


class Listing:
    def __init__(self, line, name, lines):
        self.line, self.name, self.lines = line, name, lines

    def is_in(self, text):
        """Whether a file's text holds this listing."""
        runs = re.split(r"^[ \t]*(?:\.\.\.|/\* \.\.\. \*/)[ \t]*\n", "".join(self.lines), flags=re.M)
        return re.search(r"^(?:.*\n)*?".join(map(re.escape, runs)), text, re.M) is not None


def pattern(line):
    """A regular expression for a line of output."""
    parts = re.split(rf"({STAMP}|\.\.\.)", line)
    return "".join(".*?" if part == "..." else STAMP if re.fullmatch(STAMP, part) else re.escape(part) for part in parts)


def log_last(lines):
    """The lines with those of the log behind the others."""
    return sorted(lines, key=lambda line: re.match(STAMP, line) is not None)


def commands(first_line, lines):
    """The commands of a console block."""
    found = []
    for number, line in enumerate(lines, first_line):
        if line[:2] in ("$ ", "# "):
            found.append(Command(number, line[0], line[2:].rstrip("\n")))
        elif not found:
            raise Wrong(f"{number}: the block does not begin with a command: {line!r}")
        elif line.startswith("> ") and not found[-1].output:
            found[-1].text += "\n" + line[2:].rstrip("\n")
        else:
            found[-1].output.append(line.rstrip("\n"))
    return found


def steps(text):
    """What a page has its reader do, in order."""
    found, fence = [], None
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        if fence is None and re.match(r"\s*```", line):
            fence, first, lines = line.strip("`\n").split(), number + 1, []
            if line.startswith(" ") or not fence:
                raise Wrong(f"{number}: a block that is indented, or without a word that says what it is for")
        elif fence is None:
            continue
        elif not line.startswith("```"):
            lines.append(line)
        else:
            if fence[0] == "console":
                found += commands(first, lines)
            elif len(fence) == 2:
                found.append(Listing(first, fence[1], lines))
            elif fence != ["text"]:
                raise Wrong(f"{first - 1}: a listing needs the name of a file")
            fence = None
    for step, after in zip(found, found[1:]):
        if isinstance(step, Command):
            step.may_fail = isinstance(after, Command) and after.text == "echo $?"
    return found


class Shell:
    """A shell in a namespace: run() types a command."""

    def __init__(self, net, user, output, **options):
        self.process = net.start(["bash", "-c", SHELL, output, user], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                 start_new_session=True, **options)

    def run(self, command):
        """The exit status, and the directory in which it leaves the shell. None: it did not end."""
        if jobs := re.fullmatch(r"kill (%\d+(?: %\d+)*)", command):
            command += f" && wait {jobs[1]} 2>/dev/null; true"
        self.process.stdin.write(command.encode() + b"\0")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], COMMAND_SECONDS)[0]:
            return None, ""
        status, _, directory = self.process.stdout.readline().decode().strip().partition(" ")
        return (int(status), directory) if status else (None, "")

    def end(self):
        """Ends all that was started in it and still runs."""
        networks.end_process(self.process)
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


class Reader:
    """Who reads a page: does its steps, in a home that is gone afterwards."""

    def __init__(self, programs):
        self.environment = {"PATH": f"{programs}:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG": "C.UTF-8",
                            "PKG_CONFIG_PATH": str(programs.parent / "lib/pkgconfig")}

    def read(self, page, text=None, directory="."):
        """Does what the page says. Raises Wrong."""
        with tempfile.TemporaryDirectory(prefix="skerry-book-") as place, \
                networks.Namespace(tap="spare0", address="10.9.9.1", ipv6=True) as net:
            os.chmod(place, 0o755)
            home = pathlib.Path(place) / "home"
            home.mkdir()
            (home / ".curlrc").write_text("silent\nshow-error\n")  # as it is on a terminal
            shutil.copytree(ROOT / "examples", home / "examples", ignore=shutil.ignore_patterns("build", "dist"))
            for path in (home, *home.rglob("*")):
                os.chown(path, USER, USER)
            self.page, self.output = page, pathlib.Path(place) / "output"
            self.output.touch()
            self.output.chmod(0o666)
            self.read_up_to, self.has_servers, self.starting = 0, False, False
            environment = dict(self.environment, HOME=str(home), SUDO_USER="nobody")
            shells = [Shell(net, user, self.output, cwd=home / directory, env=environment) for user in (USER, 0)]
            try:
                self.do(steps(page.read_text() if text is None else text), *shells)
            except Wrong as wrong:
                raise Wrong(f"{page.relative_to(ROOT)}:{wrong}") from None
            finally:
                for shell in shells:
                    shell.end()

    def do(self, what, user, root):
        _, directory = user.run("true")
        for step in what:
            if isinstance(step, Listing):
                self.compare_or_write(step, pathlib.Path(directory))
            elif step.is_root:
                root.run(f"cd '{directory}'")
                self.type(step, root)
            else:
                directory = self.type(step, user)

    def compare_or_write(self, listing, directory):
        for place in (ROOT, self.page.parent):
            if (place / listing.name).is_file():
                if not listing.is_in((place / listing.name).read_text()):
                    raise Wrong(f"{listing.line}: {listing.name} does not hold this listing")
                return
        path = directory / listing.name
        path.parent.mkdir(exist_ok=True)
        path.write_text("".join(listing.lines))
        for made in path.parent, path:
            os.chown(made, USER, USER)

    def printed(self):
        """What was printed since the last command was done with, as a text of whole lines."""
        lines = self.output.read_bytes()[self.read_up_to:].decode(errors="replace").splitlines()
        return "".join(line + "\n" for line in (log_last(lines) if self.has_servers else lines))

    def type(self, command, shell):
        deadline = time.monotonic() + LATE_SECONDS
        status, directory = shell.run(command.text)
        while status and self.starting and not command.may_fail and time.monotonic() < deadline:
            self.read_up_to = self.output.stat().st_size
            time.sleep(0.02)
            status, directory = shell.run(command.text)
        self.starting = command.text.endswith("&")
        self.has_servers |= self.starting
        expected = command.pattern(self.has_servers)
        deadline = time.monotonic() + LATE_SECONDS
        while not (good := expected.fullmatch(self.printed())) and self.has_servers and time.monotonic() < deadline:
            time.sleep(0.02)
        if status is None or not good or (status and not command.may_fail):
            how = "does not end" if status is None else f"ends with status {status}" if status else "prints"
            raise Wrong(f"{command.line}: `{command.text}` {how}:\n{textwrap.indent(self.printed(), '    ')}"
                        "expected:\n" + "".join(f"    {line}\n" for line in command.output))
        self.read_up_to = self.output.stat().st_size
        return directory
