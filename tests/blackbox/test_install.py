# SPDX-License-Identifier: ISC
"""make install: what it installs is all that those need who have neither the source tree nor a right to write there."""
import os
import pathlib
import shutil
import stat
import subprocess
import tempfile

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("SKERRY_BUILD", ROOT / "build")).resolve()
NOBODY = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}

# Takes something from each part of what is installed: headers, the library with its tasks, the platform, zlib, libc.
PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <zlib.h>

#include <platform.h>
#include <skerry/task.h>
#include <skerry/unikernel.h>

static int sleep_and_return(void *arg)
{
	int err = task_sleep(clock_deadline(MSEC(1)));

	return err < 0 ? err : *(int *)arg;
}

static int run(void)
{
	struct task *task;
	int value = 7, result;
	char line[64];
	int err = task_spawn(NULL, sleep_and_return, &value, &task);

	if (err == 0)
		err = task_await(task, &result, FOREVER);
	if (err < 0)
		return err;
	snprintf(line, sizeof line, "%08lx\n", crc32(0, (const unsigned char *)"123456789", 9));
	platform_console_write(line, strlen(line));
	return result;
}

const struct unikernel unikernel = { .name = "program", .run = run };
"""

CONFIGURATION = """
#include <skerry/config.h>
void configure(struct unikernel *u)
{
	unikernel_name(u, "secret");
	unikernel_kv_ro(u, generic_kv_ro(u, "t"));
}
"""
UNIKERNEL = """
#include <skerry/kv.h>
int start(struct kv *kv)
{
	uint64_t size;
	int err = kv_size(kv, "secret", &size);
	return err < 0 ? err : (int)size;
}
"""


def install(destination, prefix):
    subprocess.run(["make", "install", f"O={os.path.relpath(BUILD, ROOT)}", f"DESTDIR={destination}",
                    f"PREFIX={prefix}"], cwd=ROOT, check=True, capture_output=True, env=ENVIRONMENT)


@pytest.fixture
def directory():
    """Unlike pytest's own, one that other users may enter."""
    with tempfile.TemporaryDirectory(prefix="skerry-install-") as path:
        os.chmod(path, 0o755)
        yield pathlib.Path(path)


@pytest.fixture(params=["/usr", "/opt/skerry"])
def installed(request, directory):
    """What was installed, moved to another place, where nobody may write."""
    install(directory / "destination", request.param)
    prefix = directory / "moved"
    shutil.move(str(directory / "destination" / request.param.lstrip("/")), prefix)
    for path in (prefix, *prefix.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    return prefix


@pytest.fixture
def home(directory):
    """A directory that belongs to who runs the commands."""
    path = directory / "home"
    path.mkdir()
    os.chown(path, NOBODY.get("user", -1), NOBODY.get("group", -1))
    return path


def run(home, *command):
    return subprocess.run(command, cwd=home, env=ENVIRONMENT, capture_output=True, text=True, timeout=60, **NOBODY)


def succeed(home, *command):
    done = run(home, *command)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), done


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_program_is_compiled_linked_and_run_with_what_is_installed_only(installed, home, target):
    compiler = [installed / "bin/skerry-cc", "-t", target]
    sources, objects, tender = ["program.c"], ["program.o"], []
    (home / "program.c").write_text(PROGRAM)
    if target == "spt":
        (home / "manifest.json").write_text('{"type":"solo5.manifest","version":1,"devices":[]}\n')
        succeed(home, installed / "bin/skerry", "elf", "gen-manifest", "manifest.json", "manifest.c")
        sources, objects = [*sources, "manifest.c"], [*objects, "manifest.o"]
        tender = [installed / "bin/skerry-spt", "--mem=4", "--"]
    for source in sources:
        succeed(home, *compiler, "-Wall", "-Wextra", "-Werror", "-c", source)
    succeed(home, *compiler, "-o", "program", *objects)
    done = run(home, *tender, "./program")
    assert (done.returncode, done.stdout, done.stderr) == (7, "cbf43926\n", "")


@pytest.mark.parametrize("target", ["unix", "spt"])
def test_a_unikernel_is_configured_and_built_with_what_is_installed_only(installed, home, target):
    skerry = installed / "bin/skerry"
    (home / "t").mkdir()
    (home / "t/secret").write_text("foo")
    (home / "config.c").write_text(CONFIGURATION)
    (home / "unikernel.c").write_text(UNIKERNEL)
    for path in (home / "t", home / "t/secret", home / "config.c", home / "unikernel.c"):
        os.chown(path, NOBODY.get("user", -1), NOBODY.get("group", -1))
    for command in (["configure", "-t", target, "--kv_ro=fat"], ["build"], ["configure", "-t", target], ["build"]):
        done = run(home, skerry, *command)
        assert done.returncode == 0, done
    image = home / done.stdout.strip()
    listed = run(home, skerry, "elf", "sbom", image).stdout
    assert "skerry " in listed, listed
    tender = [installed / "bin/skerry-spt", "--mem=4", "--"] if target == "spt" else []
    assert run(home, *tender, image).returncode == 3
    assert run(home, skerry, "clean").returncode == 0 and not (home / "build").exists()


def test_an_image_is_linked_again_when_what_it_is_linked_with_changes(installed, home):
    skerry = installed / "bin/skerry"
    assert run(home, skerry, "new", "--template=hello", "greeter").returncode == 0
    home /= "greeter"
    assert run(home, skerry, "configure", "-t", "spt").returncode == 0
    image = home / run(home, skerry, "build").stdout.strip()
    for name in ("bin/skerry-cc", "lib/skerry/check-image", "lib/skerry/guest/image.ld", "lib/skerry/spt/libskerry.a"):
        before = image.stat().st_mtime_ns
        while (installed / name).stat().st_mtime_ns <= before:  # files' times are as coarse as the kernel's tick
            os.utime(installed / name)
        assert run(home, skerry, "build").returncode == 0 and image.stat().st_mtime_ns > before, name
        before = image.stat().st_mtime_ns
        assert run(home, skerry, "build").returncode == 0 and image.stat().st_mtime_ns == before, name


def test_an_image_with_a_system_call_is_refused(installed, home):
    (home / "call.c").write_text("#include <unistd.h>\nint platform_main(int c, char **v) { return chdir(v[!c]); }\n")
    done = run(home, installed / "bin/skerry-cc", "-t", "spt", "-o", "call", "call.c")
    assert done.returncode == 1 and "chdir() makes a system call" in done.stderr, done
    assert not (home / "call").exists()


@pytest.mark.parametrize("header", ["gnu/libc-version.h", "beside.h"])
def test_a_guest_sees_no_header_of_the_host(installed, home, header):
    (installed / "include").chmod(0o755)
    (installed / "include/beside.h").touch()
    (home / "host.c").write_text(f"#include <{header}>\n")
    done = run(home, installed / "bin/skerry-cc", "-t", "spt", "-c", "host.c")
    assert done.returncode == 1 and f"{header}: No such file" in done.stderr, done


def test_commands_say_what_they_are(installed, home):
    for name in ("skerry", "skerry-spt"):
        version = run(home, installed / "bin" / name, "--version")
        assert version.returncode == 0 and version.stdout.startswith(f"{name} "), version
        usage = run(home, installed / "bin" / name, "--help")
        assert usage.returncode == 0 and usage.stdout.lower().startswith(f"usage: {name} "), usage


def test_what_is_installed_does_not_name_the_places_it_was_built_in(installed):
    for path in installed.rglob("*"):
        for place in (ROOT, BUILD):
            content = os.readlink(path).encode() if path.is_symlink() else path.read_bytes() if path.is_file() else b""
            assert os.fsencode(place) + b"/" not in content, f"{path} names {place}"


def test_everybody_may_read_what_is_installed_and_only_commands_are_executable(installed):
    executables = set()
    for path in installed.rglob("*"):
        mode = path.stat().st_mode
        assert mode & 0o444 == 0o444, f"{path}: {stat.filemode(mode)}"
        if path.is_file() and mode & 0o111:
            executables.add(str(path.relative_to(installed)))
    assert executables == {"bin/skerry", "bin/skerry-cc", "bin/skerry-spt", "bin/skerry-hvt", "bin/skerry-virtio",
                           "lib/skerry/check-image", "lib/skerry/make-image"}


def test_manual_pages_and_completion_are_installed_where_they_are_looked_for(installed):
    pages = {path.name for path in (installed / "share/man/man1").iterdir()}
    assert {"skerry.1", "skerry-crunch.1", "skerry-help.1"} <= pages
    for path in ("bash-completion/completions/skerry", "zsh/site-functions/_skerry",
                 "fish/vendor_completions.d/skerry.fish"):
        assert "crunch" in (installed / "share" / path).read_text()


def test_installing_again_replaces(directory):
    install(directory, "/usr")
    files = [path for path in directory.rglob("*") if path.is_file() and directory in path.resolve().parents]
    for path in files:
        path.write_text("old")
    install(directory, "/usr")
    assert len(files) > 20 and not [path for path in files if path.read_text(errors="replace") == "old"]
