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
from random import Random

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
        options = {"cwd": self.path, "env": ENVIRONMENT, "timeout": 120, "text": True, **options}
        done = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, **options)
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


def test_a_build_shows_its_commands_when_asked(project):
    said = project.skerry("build", "-v", "-j", "1").stdout
    assert re.search(r"^\[1/\d\] gcc .* -c -o build/unix/", said, re.M) and said.endswith("\ndist/hello\n")


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


def test_what_somebody_removed_is_made_again(project):
    image = project.make()
    for name in ("build/unix/main.c", "build/unix/objects/unikernel.o", "dist/hello"):
        (project.path / name).unlink()
        project.skerry("build")
        assert "hello" in project.start(image)
    shutil.rmtree(project.path / "build")
    assert "hello" in project.start(project.make())
    project.skerry("clean")
    assert not (project.path / "dist").exists()


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


# Keys -----------------------------------------------------------------------------------------------------------------

KEYS = """
static const struct key_config text = STRING_KEY("text", "Hi", "A text."), count = INT_KEY("count", "7", 1, 9, "A number."),
	yes = BOOL_KEY("yes", "true", "A truth."), loud = FLAG_KEY("loud", "A flag."),
	mode = ENUM_KEY("mode", "fast", "fast|small-one", "A choice."), ip = IPV4_KEY("ip", NULL, "An address."),
	prefix = PREFIX_KEY("prefix", "10.0.0.2/24", "A prefix."), names = LIST_KEY("names", "ann,bob", "Names."),
	early = ENUM_KEY("early", "one", "one|two", "When configured.", .stage = KEY_AT_CONFIGURE),
	late = STRING_KEY("late", "now", "At boot.", .stage = KEY_AT_BOOT);
"""
KEYS_BODY = """
unikernel_name(u, "keys");
unikernel_key(u, &text); unikernel_key(u, &count); unikernel_key(u, &yes); unikernel_key(u, &loud);
unikernel_key(u, &mode); unikernel_key(u, &ip); unikernel_key(u, &prefix); unikernel_key(u, &names);
unikernel_key(u, &early); unikernel_key(u, &late);
"""
KEYS_PROGRAM = r"""
#include <inttypes.h>
#include <skerry/log.h>
#include "keys.h"
LOG_SOURCE(application);
int start(void)
{
	log_info("%s %" PRId64 " %d %d %s %s %d/%d %zu:%s %s %s", keys.text, keys.count, keys.yes, keys.loud,
		keys.mode == KEY_MODE_SMALL_ONE ? "small" : "fast", keys.ip.set ? "ip" : "no-ip", keys.prefix.address[3],
		keys.prefix.prefix_len, keys.names.count, keys.names.items[keys.names.count - 1],
		keys.early == KEY_EARLY_TWO ? "two" : "one", keys.late);
	return 0;
}
"""


@pytest.fixture
def keyed(project):
    project.configure_is(KEYS_BODY, KEYS)
    project.write("unikernel.c", KEYS_PROGRAM)
    return project


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_keys_of_every_kind_have_defaults_choices_and_arguments(keyed, target):
    image = keyed.make("-t", target)
    assert "Hi 7 1 0 fast no-ip 2/24 2:bob one now\n" in keyed.start(image)
    arguments = ["--text=a  b", "--count=9", "--yes=false", "--loud", "--mode=small-one", "--ip=1.2.3.4",
                 "--prefix=10.0.0.3/8", "--names=x"]
    quoted = arguments if target == "unix" else ['--text="a  b"', *arguments[1:]]
    assert "a  b 9 0 1 small ip 3/8 1:x one later\n" in keyed.start(image, *quoted, "--late=later")
    image = keyed.make("-t", target, *arguments, "--early=two")
    assert "a  b 9 0 1 small ip 3/8 1:x two now\n" in keyed.start(image)
    assert "Hi 9" in keyed.start(image, "--text=Hi")


@pytest.mark.parametrize("argument, complaint", [
    ("--txet=x", "--txet: there is no such key; did you mean --text? skerry help configure lists all"),
    ("--frobnicate", "--frobnicate: there is no such key; skerry help configure lists all"),
    ("--count=10", '--count "10": expected a whole number from 1 to 9'),
    ("--mode=slow", '--mode "slow": expected fast|small-one'),
    ("--prefix=10.0.0.1", '--prefix "10.0.0.1": expected an IPv4 address with its prefix length, such as 10.0.0.2/24'),
    ("--names=a,,b", '--names "a,,b": expected items with commas between them'),
    ("--loud=true", '--loud "true": expected no value'),
    ("--text", "--text: expected a value, --text=VALUE"),
    ("--late=x", "--late is given when the unikernel starts, not when it is configured"),
])
def test_a_wrong_key_is_refused_in_one_line(keyed, argument, complaint):
    before = keyed.files()
    assert keyed.fails("configure", argument) == [f"skerry configure: {complaint}"]
    assert keyed.files() == before


def test_a_key_that_was_chosen_when_configured_cannot_be_given_at_boot(keyed):
    said = keyed.start(keyed.make("--early=two"), "--early=one", status=64)
    assert said == "keys: --early=one: was chosen when the unikernel was configured\n"


def test_required_keys_are_asked_for_when_they_are_due(project):
    project.configure_is('unikernel_name(u, "keys"); unikernel_key(u, &early); unikernel_key(u, &late);',
                         'static const struct key_config early = STRING_KEY("early", NULL, "Which.", '
                         '.stage = KEY_AT_CONFIGURE, .required = true), '
                         'late = STRING_KEY("late", NULL, "When.", .required = true);')
    assert project.fails("configure") == ["skerry configure: --early=VALUE is required: Which."]
    image = project.make("--early=x")
    assert project.start(image, status=64) == "keys: --late=TEXT is required: When.\n"
    project.start(image, "--late=x")
    project.start(project.make("--early=x", "--late=y"))


def test_configure_chooses_by_keys_and_target(project):
    project.configure_is("""
        unikernel_name(u, "hello");
        unikernel_key(u, &size); unikernel_key(u, &fast);
        if (key_true(u, &fast) && key_number(u, &size) > 10 && target_is(u, "spt"))
            unikernel_source(u, "large.c");
        unikernel_source(u, "unikernel.c");
        """, 'static const struct key_config size = INT_KEY("size", "10", 0, 0, "Size."), fast = FLAG_KEY("fast", "Fast.");')
    project.write("large.c", "int large;\n")
    for options, chosen in ((["-t", "spt"], False), (["-t", "spt", "--size=11", "--fast"], True), (["--size=11", "--fast"], False)):
        assert ("large.c" in project.skerry("query", "build.ninja", *options).stdout) == chosen


def test_help_lists_the_keys_of_the_unikernel(keyed):
    for command in (["configure", "--help"], ["help", "configure"]):
        text = re.sub(r"\s+", " ", keyed.skerry(*command).stdout)
        assert "--dry-run" in text and "Keys of keys:" in text
        assert "--mode=fast|small-one A choice. Default: fast (At boot, too.)" in text
        assert text.endswith("--early=one|two When configured. Default: one ")
        assert "--late" not in text


def test_help_needs_no_unikernel(tmp_path):
    text = Project(tmp_path).skerry("help", "configure").stdout
    assert "--dry-run" in text and "Keys of" not in text


def test_keys_of_a_group_begin_with_its_name(project):
    project.configure_is("""
        unikernel_name(u, "hello");
        unikernel_stack(u, direct_stack(u, default_network()));
        unikernel_group(u, "management");
        unikernel_key(u, &port);
        unikernel_stack(u, direct_stack(u, network("lan")));
        unikernel_group(u, NULL);
        unikernel_stack(u, direct_stack(u, network("third")));
        """, 'static const struct key_config port = PORT_KEY("port", "80", "Port.");')
    project.write("unikernel.c", """
        #include "keys.h"
        int start(struct stack *one, struct stack *two, struct stack *three)
        {
            return one != two && two != three ? (int)keys.management_port : 0;
        }
        """)
    project.make("-t", "spt", "--management-ipv4=10.1.0.2/24")
    told = json.loads((project.path / "build/unikernel.json").read_text())
    assert {"ipv4", "management-ipv4", "management-ipv4-gateway", "management-port", "third-ipv4"} <= set(told["keys"])
    assert "--management-ipv4=10.1.0.2/24, when" in project.skerry("describe").stdout


# Mistakes -------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("body, complaint", [
    ("", "config.c: the unikernel has no name; call unikernel_name()"),
    ('unikernel_name(u, "a b");', 'config.c:5: unikernel "a b": expected only letters, digits and -_ in the name'),
    ('unikernel_name(u, "x");\nunikernel_name(u, "y");', 'config.c:6: the unikernel has a name, "x", already'),
    ('unikernel_name(u, "x");\nunikernel_source(u, "none.c");',
     'config.c:6: source "none.c" is not there; put it beside config.c'),
    ('unikernel_name(u, "x");\nunikernel_source(u, "/etc/passwd.c");',
     'config.c:6: source "/etc/passwd.c": expected a path relative to config.c'),
    ('unikernel_name(u, "x");\nunikernel_block(u, block("disk"));\nunikernel_network(u, network("disk"));',
     'config.c:7: device "disk" has the name of another, made in line 6; give it its own'),
    ('unikernel_name(u, "x");\nstruct network_device lan = network("lan");\nunikernel_network(u, lan);\n'
     'unikernel_stack(u, direct_stack(u, lan));', 'config.c:6: network "lan" is used twice; each has one owner'),
    ('unikernel_name(u, "x");\nunikernel_block(u, block("my disk"));',
     'config.c:6: block "my disk": expected only letters, digits in the name'),
    ('unikernel_name(u, "x");\nunikernel_kv_ro(u, generic_kv_ro(u, "htdocs"));',
     'config.c:6: directory "htdocs" is not there; make it beside config.c'),
    ('unikernel_name(u, "x");\nunikernel_kv_ro(u, crunch_kv("unikernel.c"));',
     'config.c:6: "unikernel.c" is no directory'),
    ('unikernel_name(u, "x");\nunikernel_file(u, "page", "index.html");',
     'config.c:6: file "index.html" is not there; put it beside config.c'),
    ('unikernel_name(u, "x");\nunikernel_kv_rw(u, memory_kv(0));',
     'config.c:6: memory_kv(0): expected the most bytes that the store may take'),
    ('unikernel_name(u, "x");\nunikernel_network(u, (struct network_device){ 0 });',
     'config.c:6: this device was not made by any of the functions that make devices'),
    ('unikernel_name(u, "x");\nunikernel_kv_ro(u, tar_kv((struct block_device){ 0 }));',
     'config.c:6: this device was not made by any of the functions that make devices'),
    ('unikernel_name(u, "x");\nif (target_is(u, "sbt"))\n\treturn;',
     'config.c:6: unknown target "sbt"; known are unix, spt, hvt and virtio'),
    ('unikernel_name(u, "x");\nunikernel_library(u, "no-such-package-dev", "none");',
     'config.c:6: package "no-such-package-dev" is not installed; apt-get install no-such-package-dev'),
    ('unikernel_name(u, "x");\nunikernel_library(u, "libc6-dev", "none");',
     'config.c:6: package "libc6-dev" has no static library "none", libnone.a'),
    ('unikernel_name(u, "x");\nextern void elsewhere(void);\nelsewhere();', "config.c: undefined symbol: elsewhere"),
    ('*(volatile int *)u->name = 0;', None),
    ('unikernel_name(u, "x");\nunikernel_key(u, &(struct key_config)STRING_KEY("a", "", "A."));\n'
     'unikernel_key(u, &(struct key_config)STRING_KEY("a", "", "A."));',
     'config.c:7: key "a" is declared twice, first in line 6'),
    ('unikernel_name(u, "x");\nunikernel_key(u, &(struct key_config)INT_KEY("n", "x", 0, 0, "N."));',
     'config.c:6: key "n": default "x": expected a whole number'),
    ('unikernel_name(u, "x");\nunikernel_key(u, &(struct key_config)STRING_KEY("default", "", "D."));',
     'config.c:6: key "default" has a meaning in C; choose another name'),
    ('unikernel_name(u, "x");\nunikernel_key(u, &(struct key_config)STRING_KEY(NULL, "", "D."));',
     'config.c:6: key "": expected a name of 1 to 31 characters'),
    ('unikernel_name(u, "x");\nunikernel_key(u, &(struct key_config)STRING_KEY("logs", "", "L."));',
     'config.c:6: key "logs": every unikernel has one of this name; choose another'),
])
def test_a_mistake_in_the_configuration_is_one_line_that_names_its_own(project, body, complaint):
    project.configure_is(body)
    before = project.files()
    said = project.fails("configure")
    assert complaint is None or said == [complaint]
    assert project.files() == before


def test_what_only_unix_has_is_refused_elsewhere_with_what_to_use(project):
    project.write("t/one", "1\n")
    for call, complaint in (
            ("unikernel_stack(u, host_stack(u));",
             "host_stack(): the host's sockets are there on target unix only; use generic_stack()"),
            ('unikernel_kv_ro(u, directory_kv(u, "t"));',
             "directory_kv(): the host's directories are there on target unix only")):
        project.configure_is('unikernel_name(u, "x");\n' + call)
        assert project.fails("configure", "-t", "spt") == [f"config.c:6: {complaint}"]
        project.skerry("configure", "--dry-run")
    project.configure_is('unikernel_name(u, "x");\nunikernel_stack(u, generic_stack(u, default_network()));\n'
                         'unikernel_kv_ro(u, generic_kv_ro(u, "t"));')
    assert project.fails("configure", "-t", "spt", "--net=socket") == [
        "config.c:6: --net=socket: the host's sockets are there on target unix only; use --net=direct"]
    assert project.fails("configure", "-t", "spt", "--kv_ro=direct") == [
        "config.c:7: --kv_ro=direct: the host's directories are there on target unix only; "
        "expected crunch, archive or fat"]


def test_a_wrong_wiring_is_an_error_of_the_compiler_in_its_line(project):
    project.configure_is('unikernel_name(u, "x");\nunikernel_block(u, default_network());')
    said = project.fails("configure")
    assert any(re.match(r"config.c:6:.* error: incompatible type for argument 2 of .unikernel_block", line) for line in said)
    assert any("expected ‘struct block_device’ but argument is of type ‘struct network_device’" in line for line in said)


def test_a_syntax_error_is_the_compilers_to_report(project):
    project.configure_is('unikernel_name(u, "x")')
    assert any(re.match(r"config.c:5:.* error: expected ‘;’", line) for line in project.fails("configure"))


def test_a_start_that_takes_something_else_is_named_in_both_files(project):
    project.configure_is('unikernel_name(u, "x");\nunikernel_block(u, block("storage"));')
    project.skerry("configure")
    said = "\n".join(project.fails("build"))
    assert re.search(r"unikernel.c:4:5: error: conflicting types for ‘start’", said)
    assert re.search(r"config.c:6:5: note: previous declaration of ‘start’", said)
    assert "FAILED" not in said and "ninja" not in said


def test_configurations_that_crash_or_hang_on_nothing_are_reported(project):
    project.configure_is("__builtin_trap();")
    assert project.fails("configure") == ["skerry: configure() of config.c was ended by signal 4, Illegal instruction"]
    project.write("config.c", "#include <skerry/config.h>\n")
    assert project.fails("configure") == ["config.c: there is no function configure() in it"]


def test_no_configuration_is_named_with_what_makes_one(tmp_path):
    project = Project(tmp_path)
    for command in ("configure", "build", "describe"):
        assert project.fails(command)[-1] == \
            "config.c: No such file or directory; -f FILE names another, skerry new NAME makes a unikernel"
    assert project.fails("query", "name")[-1].startswith("config.c: No such file")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("arguments, complaint", [
    (["configure", "-t", "spd"], 'skerry configure: unknown target "spd"; did you mean spt? known are unix, spt, hvt and virtio'),
    (["configure", "-t", "windows"], 'skerry configure: unknown target "windows"; known are unix, spt, hvt and virtio'),
    (["configure", "-o", "../x"], 'skerry configure: -o "../x": expected a name of letters, digits, -, _ and .'),
    (["configure", "word"], 'skerry configure: "word": expected no argument'),
    (["build", "-j", "many"], 'skerry build: -j "many": expected a number'),
    (["query"], "skerry query: expected one of: name "),
    (["query", "nothing"], 'skerry query: "nothing": expected one of: name '),
])
def test_a_wrong_argument_is_refused_in_one_line(project, arguments, complaint):
    said = project.fails(*arguments)
    assert len(said) == 1 and said[0].startswith(complaint)


def test_a_target_that_this_skerry_was_built_without_is_named(project, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    shutil.copy2(SKERRY, bare / "skerry")
    (bare / "unix").symlink_to(BUILD / "unix")
    assert project.run(bare / "skerry", "configure", "-t", "virtio", status=1).stderr == (
        "skerry configure: target virtio: this skerry was built without it; it has unix\n")


def without(tmp_path, *missing):
    """An environment whose PATH has all commands but some."""
    place = tmp_path / "bin"
    place.mkdir()
    for directory in ("/usr/bin", "/bin"):
        for path in pathlib.Path(directory).iterdir():
            if path.name not in missing and not (place / path.name).exists():
                (place / path.name).symlink_to(path)
    return {**ENVIRONMENT, "PATH": str(place)}


def test_missing_programs_are_named_with_their_packages(project, tmp_path):
    environment = without(tmp_path, "ninja", "mcopy")
    project.skerry("configure", env=environment)
    assert project.fails("build", env=environment) == ["skerry build: ninja is not there; apt-get install ninja-build"]
    (tmp_path / "bin/ninja").symlink_to("/usr/bin/ninja")
    project.write("t/one", "1\n")
    project.write("unikernel.c", "int start(struct kv *t)\n{\n\treturn !t;\n}\n")
    project.configure_is('unikernel_name(u, "x");\nunikernel_kv_ro(u, generic_kv_ro(u, "t"));')
    project.skerry("configure", "--kv_ro=fat", env=environment)
    assert project.fails("build", env=environment) == ["make-image: mcopy is not there; apt-get install mtools"]
    (tmp_path / "bin/gcc").unlink()
    assert project.fails("configure", env=environment) == [
        "skerry configure: gcc is not there; apt-get install gcc libc6-dev"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming an unprivileged user takes root")
def test_a_directory_where_one_may_not_write_is_named(project):
    for path in (project.path, *project.path.parents):
        if path.owner() == "root" and str(path).startswith("/tmp/"):
            path.chmod(0o755)
    assert project.fails("configure", **NOBODY) == ["build: Permission denied; run this where you may write"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting takes root")
def test_a_full_disk_is_named_and_leaves_what_was_there(project):
    script = f"""
        mount -t tmpfs -o size=40k none full && cp config.c unikernel.c full && cd full &&
        head -c 100k /dev/zero >filling 2>/dev/null; ls >../before; {SKERRY} configure; echo $?; ls >../after; {SKERRY} clean
    """
    (project.path / "full").mkdir()
    done = project.run("unshare", "--mount", "sh", "-c", script)
    assert done.stdout == "1\n"
    assert re.fullmatch(r"build/unikernel.json: No space left on device; make room\n", done.stderr), done.stderr
    assert (project.path / "before").read_text().split() == ["config.c", "filling", "unikernel.c"]


# Devices --------------------------------------------------------------------------------------------------------------

STORE = r"""
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <skerry/kv.h>
#include <skerry/log.h>
LOG_SOURCE(application);
static int show(struct kv *kv, const char *key)
{
	uint8_t *value;
	size_t len;
	int err = kv_get(kv, key, &value, &len);
	if (err == 0) {
		log_info("%s=%s", key, (const char *)value);
		free(value);
	}
	return err;
}
int start(struct kv *kv)
{
	struct kv_list list;
	int err = kv_list(kv, "sub", &list);
	for (size_t i = 0; err == 0 && i < list.count; i++)
		log_info("sub/%s", list.entries[i].name);
	kv_list_free(&list);
	return err ? err : show(kv, "sub/two words.txt") || show(kv, ".hidden");
}
"""


@pytest.fixture
def store(project):
    project.write("t/sub/two words.txt", "2")
    project.write("t/sub/deeper/three", "3")
    project.write("t/.hidden", "h")
    project.write("unikernel.c", STORE)
    project.configure_is('unikernel_name(u, "store");\nunikernel_kv_ro(u, generic_kv_ro(u, "t"));')
    return project


STORE_SAYS = ["sub/deeper", "sub/two words.txt", "sub/two words.txt=2", ".hidden=h"]


def said(output):
    return re.findall(r"INF \[application\] (.*)", output)


@pytest.mark.parametrize("target", ["unix", "spt"])
@pytest.mark.parametrize("kind, file", [("crunch", None), ("archive", "dist/t.tar"), ("fat", "dist/t.fat")])
def test_a_store_is_the_same_in_each_kind(store, target, kind, file):
    image = store.make("-t", target, f"--kv_ro={kind}")
    devices = [f"--block:t={file}"] if file and target != "unix" else []
    assert said(store.start(image, devices=devices)) == STORE_SAYS
    told = json.loads((store.path / "build/unikernel.json").read_text())
    assert told["devices"] == ([{"name": "t", "type": "BLOCK_BASIC", "file": file}] if file else [])
    # Another file, and another value: the build sees both.
    (store.path / "t/sub/two words.txt").write_text("22")
    store.write("t/sub/added", "a")
    store.skerry("build")
    assert said(store.start(image, devices=devices)) == ["sub/added", *STORE_SAYS[:2], "sub/two words.txt=22", ".hidden=h"]
    (store.path / "t/sub/added").unlink()
    store.skerry("build")
    assert "sub/added" not in store.start(image, devices=devices)
    before = store.files()
    store.skerry("build")
    assert store.files() == before
    store.skerry("clean")
    assert not (store.path / "dist").exists() and (store.path / "t/.hidden").exists()


@pytest.mark.parametrize("kind", ["crunch", "archive", "fat"])
def test_a_store_has_any_number_of_names(store, kind):
    for number in range(700):
        store.write(f"t/{'a long name ' * 12}{number}", "x")
    store.write("unikernel.c", """
        #include <skerry/kv.h>
        int start(struct kv *kv)
        {
            struct kv_list list;
            int err = kv_list(kv, "", &list);
            return err ? err : list.count == 702;
        }
        """)
    store.start(store.make(f"--kv_ro={kind}"), status=1)


def test_a_store_is_the_hosts_directory(store):
    image = store.make("--kv_ro=direct")
    assert said(store.start(image)) == STORE_SAYS
    (store.path / "t/.hidden").write_text("seen at once")
    assert ".hidden=seen at once" in store.start(image)


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_an_archive_can_be_in_the_image(store, target):
    store.configure_is('unikernel_name(u, "store");\nunikernel_kv_ro(u, tar_kv_in_image("t"));')
    assert said(store.start(store.make("-t", target))) == STORE_SAYS


def test_an_empty_directory_is_an_empty_store(store):
    shutil.rmtree(store.path / "t")
    (store.path / "t").mkdir()
    store.write("unikernel.c", """
        #include <skerry/kv.h>
        int start(struct kv *kv)
        {
            struct kv_list list;
            return kv_list(kv, "", &list) || list.count;
        }
        """)
    for kind in ("crunch", "archive", "fat", "direct"):
        store.start(store.make(f"--kv_ro={kind}"))


WRITTEN = r"""
#include <skerry/kv.h>
#include <skerry/log.h>
#include <stdlib.h>
LOG_SOURCE(application);
int start(struct kv *kv)
{
	uint8_t *value;
	size_t len;
	if (kv_get(kv, "count", &value, &len) == 0) {
		log_info("%s", (const char *)value);
		free(value);
	} else {
		log_info("none");
	}
	return kv_set(kv, "count", "some", 4);
}
"""


@pytest.mark.parametrize("kind, keeps", [("memory_kv(65536)", False), ('directory_kv_rw(u, "t")', True),
                                         ('log_kv(block_of_file("disk", "disk.img"))', True)])
def test_stores_are_written(project, kind, keeps):
    project.write("t/other", "1")
    project.write("unikernel.c", WRITTEN)
    project.configure_is(f'unikernel_name(u, "store");\nunikernel_kv_rw(u, {kind});')
    (project.path / "disk.img").write_bytes(bytes(1 << 20))
    image = project.make()
    assert said(project.start(image)) == ["none"]
    assert said(project.start(image)) == ["some" if keeps else "none"]


def test_several_of_each_come_in_the_order_of_the_configuration(project):
    project.configure_is("""
        unikernel_name(u, "many");
        unikernel_block(u, block_of_file("b", "b.img"));
        unikernel_kv_ro(u, crunch_kv("one"));
        unikernel_block(u, block_of_file("a", "a.img"));
        unikernel_kv_ro(u, crunch_kv("two"));
        """)
    for name in ("one", "two"):
        project.write(f"{name}/name", name)
    for name, size in (("a", 512), ("b", 1024)):
        (project.path / f"{name}.img").write_bytes(bytes(size))
    project.write("unikernel.c", r"""
        #include <skerry/block.h>
        #include <skerry/kv.h>
        int start(struct block *b, struct kv *one, struct block *a, struct kv *two)
        {
            char text[8] = "";
            if (b->info.capacity_bytes != 1024 || a->info.capacity_bytes != 512)
                return 1;
            return kv_read(one, "name", 0, text, 1) != 1 || kv_read(two, "name", 0, text + 1, 1) != 1 ||
                text[0] != 'o' || text[1] != 't';
        }
        """)
    project.start(project.make())
    project.start(project.make("-t", "spt"), devices=["--block:a=a.img", "--block:b=b.img"])
    (project.path / "c.img").write_bytes(bytes(512))
    project.start(project.path / "dist/many", "--block:b=c.img", status=1)


CUSTOM = """
static const struct device_config counter = { .name = "counter", .type = "struct counter *", .header = "counter.h",
	.open = "counter_open", .close = "counter_close", .arguments = "40, keys.more", .sources = { "counter.c" } };
static const struct key_config more = INT_KEY("more", "2", 0, 0, "How many more.");
"""
CUSTOM_HEADER = """
#include <stdint.h>
struct block;
struct counter { int64_t count; };
int counter_open(int base, int64_t more, struct counter **counter);
void counter_close(struct counter *counter);
"""
CUSTOM_SOURCE = """
#include "counter.h"
#include <errno.h>
#include <stdlib.h>
int counter_open(int base, int64_t more, struct counter **counter)
{
	*counter = malloc(sizeof **counter);
	if (!*counter)
		return -ENOMEM;
	(*counter)->count = base + more;
	return 0;
}
void counter_close(struct counter *counter) { free(counter); }
"""


@pytest.fixture
def counter(project):
    project.write("counter.h", CUSTOM_HEADER)
    project.write("counter.c", CUSTOM_SOURCE)
    project.write("unikernel.c", '#include "counter.h"\nint start(struct counter *c)\n{\n\treturn (int)c->count;\n}\n')
    project.configure_is('unikernel_name(u, "custom");\nunikernel_key(u, &more);\nunikernel_custom(u, custom(&counter));', CUSTOM)
    return project


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_device_of_ones_own_is_opened_and_closed(counter, target):
    image = counter.make("-t", target)
    counter.start(image, status=42)
    counter.start(image, "--more=3", status=43)


def test_a_wrong_open_function_is_named_in_the_line_of_the_configuration(counter):
    counter.write("counter.h", CUSTOM_HEADER.replace("int base, int64_t more", "int base"))
    counter.write("counter.c", CUSTOM_SOURCE.replace("int base, int64_t more", "int base").replace("base + more", "base"))
    counter.skerry("configure")
    assert re.search(r"^config.c:7:\d+: error: too many arguments to function .counter_open", "\n".join(counter.fails("build")), re.M)


def test_a_custom_device_can_be_a_store_on_a_block_device(project):
    project.write("half.h", "struct block;\nstruct kv;\nint half_open(struct block *block, struct kv **kv);\n")
    project.write("half.c", """
        #include "half.h"
        #include <skerry/kv.h>
        int half_open(struct block *block, struct kv **kv)
        {
            return block ? kv_memory_open(4096, kv) : -1;
        }
        """)
    project.write("unikernel.c", WRITTEN)
    project.configure_is("""
        unikernel_name(u, "custom");
        struct block_device disk = block_of_file("disk", "disk.img");
        struct device_config half = { .name = "half", .header = "half.h", .open = "half_open", .close = "kv_close",
            .sources = { "half.c" }, .needs = { disk.device } };
        unikernel_kv_rw(u, custom_kv_rw(&half));
        """)
    (project.path / "disk.img").write_bytes(bytes(512))
    assert said(project.start(project.make())) == ["none"]
    assert 'custom "half" on block "disk" (config.c:9)' in project.skerry("describe").stdout


def test_a_step_makes_sources_headers_and_images(project):
    project.configure_is("""
        unikernel_name(u, "steps");
        unikernel_step(u, &source); unikernel_step(u, &header); unikernel_step(u, &disk);
        unikernel_source(u, "unikernel.c"); unikernel_source(u, "made.c");
        unikernel_block(u, block_of_file("disk", "disk.img"));
        """, 'static const struct build_step source = { "made.c", "sed s/WORD/made/ $in >$out", { "made.c.in" } }, '
             'header = { "made.h", "X=HEADER; echo \\"#define $X 1\\" >$out", { 0 } }, '
             'disk = { "disk.img", "dd if=/dev/zero of=$out count=100 2>/dev/null", { 0 } };')
    project.write("made.c.in", "int WORD;\n")
    project.write("unikernel.c", """
        #include <skerry/block.h>
        #include "made.h"
        extern int made;
        int start(struct block *disk)
        {
            return (int)(disk->info.capacity_bytes / 512) + HEADER + made;
        }
        """)
    image = project.make()
    project.start(image, status=101)
    project.write("made.c.in", "int WORD = 5;\n")
    project.skerry("build")
    project.start(image, status=106)
    (project.path / "disk.img").write_bytes(bytes(1024))
    project.skerry("build")
    project.start(image, status=8)
    project.skerry("clean")
    assert set(project.files()) == {"config.c", "made.c.in", "unikernel.c"}


def test_clean_removes_what_a_build_that_failed_has_left(project):
    before = project.files()
    project.write("unikernel.c", "#include <skerry/log.h>\nint start(void)\n{\n}\n")
    project.skerry("configure")
    assert any("error: control reaches end of non-void function" in line for line in project.fails("build"))
    project.skerry("clean")
    assert project.files().keys() == before.keys() and not (project.path / "build").exists()


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_disk_that_is_too_small_or_cut_is_named(project, target):
    project.configure_is('unikernel_name(u, "x");\nunikernel_block(u, block_of_file("storage", "disk.img"));')
    project.write("unikernel.c", "int start(struct block *disk)\n{\n\treturn !disk;\n}\n")
    image = project.make("-t", target)
    devices = [] if target == "unix" else ["--block:storage=disk.img"]
    assert "disk.img: No such file or directory" in project.start(image, devices=devices, status=1)
    for size in (0, 100, 700):
        (project.path / "disk.img").write_bytes(bytes(size))
        assert re.search(r'"storage": disk.img: (empty|.*512)', project.start(image, devices=devices, status=1))


def test_a_step_that_fails_says_why(project):
    project.configure_is('unikernel_name(u, "x"); unikernel_step(u, &step);',
                         'static const struct build_step step = { "out", "echo no luck >&2; false", { 0 } };')
    project.skerry("configure")
    assert project.fails("build") == ["no luck"]


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_embedded_files_are_named_as_the_configuration_names_them(project, target):
    project.write("pages/index.html", "<p>")
    project.write("unikernel.c", """
        #include <string.h>
        #include "files.h"
        int start(void)
        {
            return strcmp(index_html.name, "pages/index.html") != 0 || index_html.len != 3;
        }
        """)
    project.configure_is('unikernel_name(u, "x");\nunikernel_file(u, "index_html", "pages/index.html");')
    project.start(project.make("-t", target))


# Libraries ------------------------------------------------------------------------------------------------------------

LIBRARY = """
#include <lz4.h>
#include <skerry/log.h>
#include <skerry/unikernel.h>
LOG_SOURCE(application);
int start(void)
{
	static const char text[100];
	char packed[200], back[100];
	int len = LZ4_compress_default(text, packed, sizeof text, sizeof packed);
	log_info("%s", unikernel.libraries);
	return len > 0 && len < 50 ? LZ4_decompress_safe(packed, back, len, sizeof back) : 1;
}
"""


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_library_of_debian_is_linked_and_listed(project, target):
    project.write("unikernel.c", LIBRARY)
    project.configure_is('unikernel_name(u, "packed");\nunikernel_library(u, "liblz4-dev", "lz4");')
    image = project.make("-t", target)
    output = project.start(image, status=100)
    listed = project.skerry("elf", "sbom", image).stdout
    version = project.run("dpkg-query", "-W", "-f", "${Version}", "liblz4-dev").stdout
    assert f"lz4 {version}\n" in listed and "skerry " in listed and ("musl " if target == "spt" else "glibc ") in listed
    assert "zlib" not in listed and "bearssl" not in listed
    for line in listed.split("\n"):
        assert line in output and line in project.skerry("describe").stdout
    assert "liblz4-dev\n" in project.skerry("query", "packages").stdout


def test_a_library_with_a_system_call_is_refused_on_guests(project):
    project.configure_is('unikernel_name(u, "calls");\nunikernel_library(u, "libcap-dev", "cap");')
    project.write("unikernel.c", "int cap_get_bound(int);\nint start(void)\n{\n\treturn cap_get_bound(1);\n}\n")
    project.make()
    project.skerry("configure", "-t", "spt")
    assert any("makes a system call, which a guest cannot" in line for line in project.fails("build"))
    assert not (project.path / "dist/calls.spt").exists()


# Describing -----------------------------------------------------------------------------------------------------------


def test_describe_tells_keys_devices_manifest_and_libraries(store):
    store.configure_is("""
        unikernel_name(u, "store");
        unikernel_key(u, &port);
        unikernel_stack(u, direct_stack(u, default_network()));
        unikernel_kv_ro(u, generic_kv_ro(u, "t"));
        """, 'static const struct key_config port = PORT_KEY("port", "80", "Port.");')
    store.write("unikernel.c", "int start(struct stack *s, struct kv *t)\n{\n\treturn !s || !t;\n}\n")
    store.make("-t", "spt", "--kv_ro=fat")
    text = store.skerry("describe").stdout
    for line in ("Name: store", "Target: spt", "Image: dist/store.spt", "  --port=80 (default), when configured and at boot",
                 "  --kv_ro=fat, when configured", '  network "service" (config.c:7)',
                 '  stack "service" on network "service" (config.c:7)', '  block "t", dist/t.fat (config.c:8)',
                 '  FAT file system "t" on block "t" (config.c:8)', '  start(stack "service", FAT file system "t")',
                 'Manifest: {"type":"solo5.manifest","version":1,"devices":[{"name":"service","type":"NET_BASIC"},'
                 '{"name":"t","type":"BLOCK_BASIC"}]}'):
        assert line in text.split("\n"), text
    assert re.search(r"^Libraries:\n  bearssl \S+\n  musl \S+\n  skerry \S+\n", text, re.M)
    before = store.files()
    other = store.skerry("describe", "-t", "unix").stdout
    assert "Target: unix" in other and "  --kv_ro=crunch (default)" in other and "not built yet" in other
    graph = store.skerry("describe", "--dot").stdout
    assert graph.startswith('digraph "store" {') and graph.count("->") == 4 and "start -> device1;" in graph
    assert store.files() == before


def test_query_prints_one_thing_and_writes_nothing(project):
    before = project.files()
    printed = {kind: project.skerry("query", kind, "-t", "spt").stdout for kind in
               ("name", "target", "image", "packages", "files", "manifest", "main.c", "keys.h", "build.ninja", "start.h",
                "compile_commands.json")}
    assert project.files() == before
    assert (printed["name"], printed["target"], printed["image"]) == ("hello\n", "spt\n", "dist/hello.spt\n")
    project.skerry("configure", "-t", "spt")
    files = project.files()
    assert set(printed["files"].split()) == set(files) - set(before)
    for name in ("main.c", "keys.h", "build.ninja", "start.h"):
        assert files[f"build/spt/{name}"][0].decode() == printed[name]
    assert json.loads(printed["manifest"]) == {"type": "solo5.manifest", "version": 1, "devices": []}
    for package in printed["packages"].split():
        project.run("dpkg-query", "-W", package)


def test_a_list_of_libraries_is_read_from_any_file_without_harm(project):
    image = project.make("-t", "spt").read_bytes()
    random = Random(1)
    for _ in range(300):
        mutated = bytearray(image)
        for _ in range(random.randrange(1, 12)):
            mutated[random.randrange(700 if random.random() < 0.8 else len(image))] = random.randrange(256)
        cut = random.randrange(len(image)) if random.random() < 0.2 else len(image)
        (project.path / "mutated").write_bytes(mutated[:cut])
        done = project.skerry("elf", "sbom", "mutated", status=None, text=False)
        assert done.returncode in (0, 1), done


def test_a_list_of_libraries_is_read_from_images_only(project):
    image = project.make()
    (project.path / "cut").write_bytes(image.read_bytes()[:100])
    (project.path / "empty").write_bytes(b"")
    for name in ("unikernel.c", "cut", "/bin/true"):
        assert project.fails("elf", "sbom", name) == [
            f"skerry elf: sbom: {name}: no list of libraries; expected an image that skerry build made"]
    assert project.fails("elf", "sbom", "empty")[0].startswith("skerry elf: sbom: empty: ")
    assert project.fails("elf", "sbom", "missing") == ["skerry elf: sbom: missing: No such file or directory"]
