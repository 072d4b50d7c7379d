# SPDX-License-Identifier: ISC
"""The frame of the skerry command: help, manual pages, completion, and what it says to words that it does not know."""
import os
import pathlib
import re
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).absolute()
SKERRY = BUILD / "skerry"


def skerry(*arguments, **options):
    return subprocess.run([SKERRY, *map(str, arguments)],
                          **{"capture_output": True, "text": True, "timeout": 30, "stdin": subprocess.DEVNULL, **options})


COMMANDS = skerry("help", "--list").stdout.split()


def test_help_lists_every_command_with_its_summary():
    done = skerry("help")
    assert done.returncode == 0 and done.stderr == ""
    listed = re.findall(r"^  (\w+)  +\w", done.stdout, re.M)
    assert listed == COMMANDS and "help" in COMMANDS and "crunch" in COMMANDS
    assert skerry("--help").stdout == skerry("-h").stdout == done.stdout


def test_no_command_prints_the_help_to_standard_error_and_fails():
    done = skerry()
    assert (done.returncode, done.stdout, done.stderr) == (1, "", skerry("help").stdout)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_fits_a_terminal_and_is_the_same_however_it_is_asked_for(command):
    done = skerry("help", command)
    assert done.returncode == 0 and done.stderr == ""
    assert done.stdout.startswith(f"skerry {command}: ") and f"\nUsage: skerry {command}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert skerry(command, "--help").stdout == skerry(command, "-h").stdout == done.stdout


def test_a_name_may_be_shortened_to_what_only_one_command_starts_with():
    assert skerry("cru", "--help").stdout == skerry("crunch", "--help").stdout
    assert skerry("help", "el").stdout == skerry("help", "elf").stdout


@pytest.mark.parametrize("arguments, line", [
    (["crunhc"], 'skerry: unknown command "crunhc"; did you mean crunch? skerry help lists all'),
    (["frobnicate"], 'skerry: unknown command "frobnicate"; skerry help lists all'),
    (["help", "hlep"], 'skerry: unknown command "hlep"; did you mean help? skerry help lists all'),
    (["crunch", "--haeder=x"], "skerry crunch: unknown option --haeder=x; did you mean --header? --help lists all"),
    (["crunch", "--heder"], "skerry crunch: unknown option --heder; did you mean --header? --help lists all"),
    (["crunch", "--zebra"], "skerry crunch: unknown option --zebra; --help lists all"),
    (["crunch", "-z"], "skerry crunch: unknown option -z; --help lists all"),
    (["crunch", "--no-gzip=1", "x"], 'skerry crunch: --no-gzip "1": expected no value'),
    (["crunch", "--header"], "skerry crunch: --header: expected OUT.h"),
    (["crunch", "--header="], "skerry crunch: --header: expected OUT.h"),
    (["crunch", "-o"], "skerry crunch: -o: expected OUT.c"),
    (["help", "--completion=ksh"], 'skerry help: --completion: "ksh"; expected bash, zsh or fish'),
    (["help", "elf", "crunch"], 'skerry help: "crunch": expected one COMMAND, and "elf" is there'),
])
def test_a_mistake_is_one_line_that_names_it_and_the_nearest_known_word(arguments, line):
    done = skerry(*arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", line + "\n")


def test_the_version_is_the_tenders():
    tender = subprocess.run([BUILD / "skerry-spt", "--version"], capture_output=True, text=True, check=True).stdout
    assert skerry("--version").stdout.split()[1] == tender.split()[1]


def test_a_full_disk_is_an_error():
    with open("/dev/full", "w") as full:
        done = skerry("help", stdout=full, capture_output=False, stderr=subprocess.PIPE)
    assert (done.returncode, done.stderr) == (1, "skerry: standard output: No space left on device\n")


# Manual pages --------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("command", COMMANDS)
def test_a_manual_page_has_every_option_and_example_and_no_line_that_roff_takes_for_its_own(command):
    page = skerry("help", "--man", command).stdout
    assert page.startswith('.\\" SPDX') and f".TH SKERRY-{command.upper()} 1 " in page
    requests = set(re.findall(r"^[.'](\S+)", page, re.M))
    assert requests <= {'\\"', "TH", "SH", "TP", "PP", "br", "nf", "fi"}, requests
    assert set(re.findall(r"\\(.)", page)) <= set('"-efR(B&I'), "only known escapes"
    plain = re.sub(r"\\f[BRI]", "", page).replace("\\-", "-").replace("\\e", "\\").replace("\\(aq", "'")
    for option in re.findall(r"--[a-z][a-z-]*", skerry("help", command).stdout.split("\nOptions:")[1]):
        assert option in plain
    for section in ("NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS"):
        assert f"\n.SH {section}\n" in page


@pytest.mark.parametrize("path", sorted((BUILD / "man").iterdir()), ids=lambda path: path.name)
def test_mandoc_has_nothing_to_say_of_a_page_but_that_it_bears_no_date(path):
    said = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", path], capture_output=True, text=True).stdout
    assert [line for line in said.splitlines() if "missing date" not in line] == []


def test_the_overview_page_names_every_command():
    page = skerry("help", "--man").stdout
    assert page.count("\n.TP\n") == len(COMMANDS)
    for command in COMMANDS:
        assert f"\\fBskerry\\-{command}\\fR(1)" in page


def test_make_writes_a_page_for_every_command():
    assert {path.name for path in (BUILD / "man").iterdir()} == {
        "skerry.1", *(f"skerry-{command}.1" for command in COMMANDS)}


# Completion ----------------------------------------------------------------------------------------------------------

def completed(line):
    """What bash would offer for a line that ends at the cursor."""
    words = re.findall(r"=|[^\s=]+|\s$", line)
    words = [word if word.strip() else "" for word in words]
    script = skerry("help", "--completion=bash").stdout + f"""
compopt() {{ :; }}
COMP_WORDS=({' '.join(repr(word) for word in words)})
COMP_CWORD={len(words) - 1}
_skerry
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-euc", script], capture_output=True, text=True, timeout=30)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return done.stdout.split()


def test_bash_completes_commands_options_and_values():
    assert completed("skerry ") == COMMANDS
    assert completed("skerry cru") == ["crunch"]
    assert completed("skerry crunch --he") == ["--help", "--header="]
    assert completed("skerry help --completion=") == ["bash", "zsh", "fish"]
    assert completed("skerry help --completion=z") == ["zsh"]
    assert completed("skerry help cr") == ["crunch"]
    assert completed("skerry elf query-a") == ["query-abi"]
    assert completed("skerry crunch file") == []  # then bash offers files


@pytest.mark.parametrize("shell, check", [("bash", ["bash", "-n"]), ("zsh", ["zsh", "-n"]), ("fish", ["fish", "-n"])])
def test_completion_scripts_are_well_formed(shell, check, tmp_path):
    script = tmp_path / "script"
    script.write_text(skerry("help", f"--completion={shell}").stdout)
    text = script.read_text()
    for command in COMMANDS:
        assert re.search(rf"\b{command}\b", text)
    assert "no-gzip" in text
    done = subprocess.run([*check, script], capture_output=True, text=True)
    assert done.returncode == 0 and done.stderr == "", done.stderr
