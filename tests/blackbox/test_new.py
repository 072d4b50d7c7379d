# SPDX-License-Identifier: ISC
"""skerry new: what it writes builds with the tree as it is, is the user's own, and touches nothing that is there."""
import os
import subprocess

import pytest

import netns as networks

SKERRY = networks.BUILD / "skerry"


def new(directory, *arguments, **options):
    return subprocess.run([SKERRY, "new", *arguments], cwd=directory, capture_output=True, text=True, timeout=30,
                          stdin=subprocess.DEVNULL, **options)


@pytest.mark.parametrize("template", ["web", "hello", "echo"])
def test_a_template_is_the_example_under_the_users_name(template, tmp_path):
    done = new(tmp_path, f"--template={template}", "my-app")
    assert (done.returncode, done.stderr) == (0, "")
    made = tmp_path / "my-app"
    assert sorted(path.name for path in made.iterdir()) == [".gitignore", "README.md", "config.c", "unikernel.c"]
    config, program = (made / "config.c").read_text(), (made / "unikernel.c").read_text()
    example = networks.ROOT / "examples" / template
    licence = "/* SPDX-License-Identifier: ISC"
    assert config == (example / "config.c").read_text().replace(f'unikernel_name(u, "{template}")',
                                                                'unikernel_name(u, "my-app")').replace(f"{licence} */\n", "")
    assert 'unikernel_name(u, "my-app")' in config
    assert program == (example / "unikernel.c").read_text().replace(f"{licence}\n *\n", "/*\n")
    assert "SPDX" not in config + program
    assert (made / ".gitignore").read_text() == "/build/\n/dist/\n"


def test_web_is_the_default_and_the_next_steps_are_printed_as_in_its_readme(tmp_path):
    done = new(tmp_path, "site")
    assert "http_serve" in (tmp_path / "site/unikernel.c").read_text()
    steps = ["skerry configure -t spt", "skerry build", "skerry run -p 8080:80"]
    assert done.stdout.split("\n\n")[1].split("\n") == ["  cd site", *(f"  {step}" for step in steps), ""]
    readme = (tmp_path / "site/README.md").read_text()
    assert readme.startswith("# site\n") and len(readme) < 600
    for step in steps:
        assert f"\n{step}" in readme


def test_a_path_makes_it_there_and_the_last_part_is_its_name(tmp_path):
    (tmp_path / "sub").mkdir()
    assert new(tmp_path, "sub/web2").returncode == 0
    assert 'unikernel_name(u, "web2")' in (tmp_path / "sub/web2/config.c").read_text()


@pytest.mark.parametrize("arguments, line", [
    ([], "expected a NAME, such as skerry new web"),
    (["there"], "there exists already; choose another name"),
    (["file"], "file exists already; choose another name"),
    (["a", "b"], '"b": expected one NAME, and a is there'),
    (["no/where"], "no/where: cannot be made: No such file or directory"),
    (["a b"], "\"a b\": expected a name of up to 63 letters, digits and '-'"),
    (["-t", "zip", "x"], '--template: "zip"; expected web, hello or echo'),
    (["web/"], "\"\": expected a name of up to 63 letters, digits and '-'"),
    (["."], "\".\": expected a name of up to 63 letters, digits and '-'"),
    (["x" * 64], f"\"{'x' * 64}\": expected a name of up to 63 letters, digits and '-'"),
    (["--", "-x"], "\"-x\": expected a name of up to 63 letters, digits and '-'"),
])
def test_a_mistake_is_one_line_and_changes_nothing(arguments, line, tmp_path):
    (tmp_path / "there").mkdir()
    (tmp_path / "file").touch()
    done = new(tmp_path, *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"skerry new: {line}\n")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "there"]


@pytest.mark.skipif(os.geteuid() != 0, reason="becoming an unprivileged user takes root")
def test_without_permission_it_says_so(tmp_path):
    done = new(tmp_path, "web", user=65534, group=65534, extra_groups=[])
    assert done.returncode == 1 and done.stderr.startswith("skerry new: web: cannot be made: Permission denied")


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a file system takes root")
def test_without_space_nothing_is_left(tmp_path):
    script = ("mount -t tmpfs -o size=8k,nr_inodes=20 none . && cd . && cd \"$PWD\" && "
              "(cat /dev/zero > fill 2> /dev/null; true) && \"$0\" new web; status=$?; ls; exit $status")
    done = subprocess.run(["unshare", "-m", "sh", "-c", script, SKERRY], cwd=tmp_path, capture_output=True, text=True,
                          timeout=30)
    assert done.returncode == 1 and "No space left on device" in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == "fill\n"
