# SPDX-License-Identifier: ISC
"""skerry configure, build, describe, query and clean, in directories of the tests' own."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import textwrap
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).resolve()
SKERRY = BUILD / "skerry"
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in ("CFLAGS", "SKERRY_BUILD", "MAKEFLAGS")}
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}

HELLO = """
#include <skerry/log.h>
LOG_SOURCE(application);
int start(void)
{
	log_info("hello");
	return 0;
}
"""


class Project:
    """A directory with a unikernel."""

    def __init__(self, path):
        self.path = path

    def write(self, name, text):
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
        return path

    def configure_is(self, body, before=""):
        """config.c with this body of configure(), whose first line is line 5."""
        self.write("config.c", "#include <skerry/config.h>\n" + textwrap.dedent(before).replace("\n", " ")
                   + "\nvoid configure(struct unikernel *u)\n{\n" + textwrap.dedent(body).strip() + "\n}\n")

    def run(self, *command, status=0, **options):
        options = {"cwd": self.path, "env": ENVIRONMENT, "timeout": 120, **options}
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True, **options)
        assert status is None or done.returncode == status, f"{command}: {done}"
        return done

    def skerry(self, *arguments, **options):
        return self.run(SKERRY, *arguments, **options)

    def fails(self, *arguments, **options):
        """What a command says that ends with 1: the lines of standard error."""
        done = self.skerry(*arguments, status=1, **options)
        return done.stderr.strip().split("\n")

    def make(self, *options):
        self.skerry("configure", *options)
        return self.path / self.skerry("build").stdout.strip()

    def start(self, image, *arguments, devices=(), status=0):
        """What an image says, on both outputs, in the way of its target."""
        command = [image, *devices, *arguments]
        if image.suffix == ".spt":
            command = [BUILD / "skerry-spt", "--mem=16", *devices, "--", image, *arguments]
        done = self.run(*command, status=status)
        return done.stdout + done.stderr

    def files(self):
        """Each file with its content and the time of its last change."""
        return {str(path.relative_to(self.path)): (path.read_bytes(), path.stat().st_mtime_ns)
                for path in sorted(self.path.rglob("*")) if path.is_file()}


@pytest.fixture
def project(tmp_path):
    made = Project(tmp_path / "project")
    made.path.mkdir()
    made.write("unikernel.c", HELLO)
    made.configure_is('unikernel_name(u, "hello");')
    return made


# Configuring, building, cleaning --------------------------------------------------------------------------------------


@pytest.mark.parametrize("target, image", [("unix", "dist/hello"), ("spt", "dist/hello.spt")])
def test_a_unikernel_is_configured_built_and_run(project, target, image):
    assert project.skerry("configure", "-t", target).stdout == f"configured for {target}; skerry build makes {image}\n"
    assert {f"build/{target}/{name}" for name in ("main.c", "keys.h", "manifest.json", "build.ninja")} | {
        "build/compile_commands.json", "build/unikernel.json"} <= set(project.files())
    assert project.skerry("build").stdout == f"{image}\n"
    assert "INF [application] hello\n" in project.start(project.path / image)


def test_building_without_configuring_builds_for_unix(project):
    assert project.skerry("build").stdout == "not configured yet; configuring for unix\ndist/hello\n"


def test_a_build_with_nothing_to_do_changes_nothing_and_is_instant(project):
    project.make("-t", "spt")
    before = project.files()
    started = time.monotonic()
    project.skerry("build")
    assert time.monotonic() - started < 1
    assert project.files() == before
    project.skerry("configure", "-t", "spt")
    project.skerry("build")
    after = project.files()
    assert {name for name in before if before[name] != after[name]} <= {"build/spt/build.ninja"}


def test_another_value_of_a_key_compiles_only_what_has_it(project):
    project.configure_is('unikernel_name(u, "hello"); unikernel_key(u, &word);',
                         'static const struct key_config word = STRING_KEY("word", "Hi", "What to say.");')
    project.make("--word=one")
    before = project.files()
    project.make("--word=two")
    after = project.files()
    changed = {name for name in after if after[name] != before.get(name)}
    assert "build/unix/main.o" in changed and "dist/hello" in changed
    assert "build/unix/objects/unikernel.o" not in changed and "build/unix/keys.h" not in changed


def test_targets_live_side_by_side(project):
    unix, spt = project.make(), project.make("-t", "spt")
    before = project.files()
    assert project.make("-t", "unix") == unix and spt.exists()
    changed = {name for name, state in project.files().items() if state != before[name]}
    assert changed == {"build/compile_commands.json", "build/unikernel.json", "build/unix/build.ninja"}


def test_a_change_of_a_source_or_a_header_is_built(project):
    project.write("word.h", '#define WORD "hello"\n')
    project.write("unikernel.c", '#include "word.h"\n' + HELLO.replace('"hello"', "WORD"))
    image = project.make()
    project.write("word.h", '#define WORD "bonjour"\n')
    project.skerry("build")
    assert "bonjour" in project.start(image)


def test_a_change_of_the_configuration_is_configured_again_with_the_same_choices(project):
    body = 'unikernel_name(u, "hello"); unikernel_key(u, &word);'
    project.configure_is(body, 'static const struct key_config word = STRING_KEY("word", "Hi", "What to say.");')
    project.make("-t", "spt", "--word=Hola!", "-o", "greeting")
    project.write("more.c", "int more;\n")
    project.configure_is(body + 'unikernel_source(u, "unikernel.c"); unikernel_source(u, "more.c");',
                         'static const struct key_config word = STRING_KEY("word", "Hi", "What to say, or not.");')
    assert project.skerry("build").stdout == "dist/greeting.spt\n"
    assert "build/spt/objects/more.o" in project.files()
    help_text = project.start(project.path / "dist/greeting.spt", "--help", status=63)
    assert "or not. Default: Hola!" in help_text


def test_a_unikernel_is_built_in_another_directory(project, tmp_path):
    project.write("lib/word.h", '#define WORD "elsewhere"\n')
    project.write("unikernel.c", '#include "lib/word.h"\n' + HELLO.replace('"hello"', "WORD"))
    project.write("secrets/one", "1\n")
    before = project.files()
    other = Project(tmp_path / "another place")
    other.path.mkdir()
    assert "elsewhere" in other.start(other.make("-f", "../project/config.c"))
    assert "elsewhere" in other.start(other.make("-t", "spt", "-f", project.path / "config.c"))
    assert project.files() == before


def test_a_directory_with_a_space_in_its_name_is_like_any_other(tmp_path):
    project = Project(tmp_path / "a 'quoted' $name")
    project.path.mkdir()
    project.write("unikernel.c", HELLO)
    project.configure_is('unikernel_name(u, "hello");')
    for target in ("unix", "spt"):
        assert "hello" in project.start(project.make("-t", target))


def test_a_dry_run_tells_and_writes_nothing(project):
    before = project.files()
    told = project.skerry("configure", "-t", "spt", "--dry-run").stdout
    assert project.files() == before and not (project.path / "build").exists()
    assert re.search(r"^write +build/spt/main.c$", told, re.M)
    project.skerry("configure", "-t", "spt")
    assert re.search(r"^unchanged +build/spt/main.c$", project.skerry("configure", "-t", "spt", "--dry-run").stdout,
                     re.M)


def test_clean_removes_what_skerry_made_and_nothing_else(project):
    mine = {"build/notes.txt": "mine", "dist/other": "mine", "build/unix/mine.c": "mine"}
    before = project.files()
    for name, text in mine.items():
        project.write(name, text)
    project.make()
    project.make("-t", "spt")
    project.skerry("clean")
    after = project.files()
    assert set(after) == set(before) | set(mine)
    assert not (project.path / "build/spt").exists()
    for name in mine:
        (project.path / name).unlink()
    for name in ("build/unix", "build", "dist"):
        (project.path / name).rmdir()
    project.make()
    project.skerry("clean")
    assert project.files().keys() == before.keys() and not (project.path / "build").exists()
    project.skerry("clean")


@pytest.mark.parametrize("name", ["build/unix/main.c", "build/unix/keys.h", "build/compile_commands.json",
                                  "build/unix/build.ninja", "dist/hello", "build/unikernel.json", "disk.img"])
def test_a_file_that_skerry_did_not_make_is_never_touched(project, name):
    project.configure_is('unikernel_name(u, "hello"); unikernel_step(u, &disk);',
                         'static const struct build_step disk = { "disk.img", "truncate -s 1M $out", { 0 } };')
    project.write(name, "mine\n")
    before = project.files()
    complaint = project.fails("configure")
    assert len(complaint) == 1 and complaint[0].startswith(f"{name}: ") and "move it away" in complaint[0]
    assert project.files() == before
    assert project.fails("build")
    project.skerry("clean", status=None)
    assert project.files() == before


def test_compile_commands_are_what_the_build_runs(project):
    project.make("-t", "spt")
    commands = json.loads((project.path / "build/compile_commands.json").read_text())
    assert {entry["file"] for entry in commands} == {"unikernel.c", "build/spt/main.c", "build/spt/manifest.c"}
    for entry in commands:
        assert entry["directory"] == str(project.path)
        project.run("sh", "-c", entry["command"].replace(" -c ", " -fsyntax-only "))


def test_cflags_are_kept(project):
    project.write("unikernel.c", HELLO.replace('"hello"', "WORD"))
    project.skerry("configure", env={**ENVIRONMENT, "CFLAGS": '-DWORD=\\"flagged\\"'})
    assert "flagged" in project.start(project.path / project.skerry("build").stdout.strip())


def test_run_is_told_what_was_configured(project):
    project.configure_is('unikernel_name(u, "hello"); unikernel_key(u, &word); unikernel_key(u, &mode);\n'
                         'unikernel_stack(u, generic_stack(u, default_network()));\n'
                         'unikernel_block(u, block_of_file("storage", "disk.img"));',
                         'static const struct key_config word = STRING_KEY("word", "Hi", "What to say."), '
                         'mode = STRING_KEY("mode", "x", "How.", .stage = KEY_AT_CONFIGURE);')
    project.skerry("configure", "-t", "spt")
    told = json.loads((project.path / "build/unikernel.json").read_text())
    assert {key: told[key] for key in ("name", "target", "image", "config", "devices", "host_sockets", "sources")} == {
        "name": "hello", "target": "spt", "image": "dist/hello.spt", "config": "config.c", "host_sockets": False,
        "devices": [{"name": "service", "type": "NET_BASIC"},
                    {"name": "storage", "type": "BLOCK_BASIC", "file": "disk.img"}],
        "sources": ["config.c", "unikernel.c"]}
    assert {"word", "ipv4", "ipv4-gateway"} <= set(told["keys"]) and "mode" not in told["keys"]
    project.skerry("configure")
    told = json.loads((project.path / "build/unikernel.json").read_text())
    assert told["host_sockets"] is True and told["target"] == "unix"
