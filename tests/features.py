#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Checks docs/FEATURES.md: each line has an answer, each `yes` names a test or says that there is none, and each test
exists. Prints what is wrong."""
import functools
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/FEATURES.md"
ANSWER = re.compile(r"(yes|no|differs)\b")


@functools.cache
def tests_of(path):
    """The tests that a program runs: functions in a table of cmocka's, or pytest's by their names."""
    text = path.read_text()
    if path.suffix == ".py":
        return set(re.findall(r"^def (test_\w+)\(", text, re.M))
    return {name for table in re.findall(r"struct CMUnitTest \w+\[\] = \{(.*?)^\t\};", text, re.M | re.S)
            for name in re.findall(r"\w+", table)}


def sources_of(program):
    """Where `net/udp` or `test_net` lies."""
    folder, _, name = program.rpartition("/")
    if not folder:
        return list(ROOT.glob(f"tests/blackbox/{name}.py"))
    return list(ROOT.glob(f"lib/{folder}/test/{name}.c")) + list(ROOT.glob(f"{folder}/*/test/{name}.c"))


def check_names(line):
    """What is wrong with the tests and fuzz targets that a line of the page names."""
    for quoted in re.findall(r"`([^`]+)`", line):
        test = re.fullmatch(r"([a-z0-9_]+(?:/[a-z0-9_]+)?):(\w+)", quoted)
        if test:
            sources = sources_of(test[1])
            if len(sources) != 1:
                yield f"{len(sources)} programs are called {test[1]}"
            elif test[2] not in tests_of(sources[0]):
                yield f"{sources[0].relative_to(ROOT)} has no test {test[2]}"
        elif re.fullmatch(r"[\w/*]+/(fuzz|test)/[\w*]+\.c", quoted) and not list(ROOT.glob(quoted)):
            yield f"there is no {quoted}"


def check_row(line):
    """The last two columns of a table are the answer and the tests."""
    answer, test = (cell.strip() for cell in line.split("|")[-3:-1])
    found = ANSWER.match(answer)
    if not found:
        yield f'"{answer}" is neither yes, no nor differs'
    elif found[1] == "yes" and not test:
        yield "a yes without a test; write \"no test\" if there is none"


def check():
    wrong, header = [], False
    for number, line in enumerate(PAGE.read_text().split("\n"), 1):
        found = list(check_names(line))
        if line.startswith("|"):
            if header and not line.startswith("|---"):
                found += check_row(line)
            header = True
        else:
            header = False
        wrong += [f"{PAGE.relative_to(ROOT)}:{number}: {what}" for what in found]
    return wrong


if __name__ == "__main__":
    problems = check()
    print("\n".join(problems) or "docs/FEATURES.md: every test exists")
    sys.exit(1 if problems else 0)
