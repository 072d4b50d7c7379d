#!/usr/bin/python3
# SPDX-License-Identifier: ISC
"""Checks the rules of the house that a program can check, and prints a line for each: ok or FAIL, and what is wrong."""
import pathlib
import re
import subprocess
import sys
import tempfile

import features

ROOT = pathlib.Path(__file__).resolve().parent.parent

# The layers, lowest first, and the public headers of each. A file includes headers of its own layer and of those below.
LAYERS = [
    ("platform", ["platform.h"]),
    ("core", ["clock.h", "log.h", "key.h", "heap.h", "random.h", "block.h", "text.h", "crunch.h", "hash.h"]),
    ("task", ["task.h", "sync.h", "channel.h", "unikernel.h"]),
    ("net", ["address.h", "capture.h", "counters.h", "dhcp.h", "embed.h", "layers.h", "multicast.h", "net.h", "route.h",
             "stack.h", "tcp.h", "udp.h"]),
    ("stream", ["stream.h", "queue.h", "codec.h", "file_stream.h", "tcp_stream.h"]),
    ("services", ["archive.h", "http.h", "http_stream.h", "kv.h", "kv_stream.h", "multipart.h", "zip.h"]),
]
HOST_ONLY = ["config.h"]

# Which layer a directory belongs to, which others' headers it may see, and which private headers of other directories.
DIRECTORIES = {
    "platform/guest": ("core", ["abi/", "platform/vnet.h"]),
    "platform/spt": ("core", ["abi/", "platform/guest/"]),
    "platform/hvt": ("core", ["abi/", "platform/guest/"]),
    "platform/virtio": ("core", ["abi/", "platform/guest/", "platform/vnet.h"]),
    "platform/sim": ("task", ["lib/task/scheduler.h"]),
    "platform/unix": ("core", ["platform/vnet.h"]),
    "lib/core": ("core", []),
    "lib/task": ("task", []),
    "lib/net": ("net", []),
    "lib/embed": ("net", ["lib/net/", "lib/task/timer_queue.h"]),
    "lib/hostfile": ("stream", []),
    "lib/hostnet": ("net", ["lib/net/stack_ops.h", "platform/unix/watch.h"]),
    "lib/archive": ("services", ["lib/kv/tar_header.h"]),
    "lib/hostkv": ("services", ["lib/kv/store.h"]),
    "lib/http": ("services", []),
    "lib/kv": ("services", []),
    "lib/multipart": ("services", []),
    "lib/stream": ("stream", []),
    "lib/zip": ("services", []),
    "examples": ("services", []),
}

# The host side sees what guest and tender agree on, and nothing of the library but these.
HOST_DIRECTORIES = {"abi": ["abi/"], "tender": ["abi/", "tender/"], "tool": ["abi/", "tender/", "tool/", "skerry/config.h", "skerry/key.h"]}

LINES_MAX = 120
FUNCTION_LINES_MAX = 70


def sources(*patterns):
    tracked = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns], cwd=ROOT,
                             capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in tracked if name and (ROOT / name).exists()]


def relative(path):
    return str(path.relative_to(ROOT))


def includes(path):
    for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*([<"])([^>"]+)[>"]', line)
        if found:
            yield number, found.group(1) == "<", found.group(2)


def layer_of_header():
    return {f"skerry/{name}" if name != "platform.h" else name: level
            for level, (_, names) in enumerate(LAYERS) for name in names}


def check_layering():
    levels = {name: level for level, (name, _) in enumerate(LAYERS)}
    headers = layer_of_header()
    wrong = []
    for path in sources("*.c", "*.h", "*.S"):
        name = relative(path)
        if "/test/" in name or "/fuzz/" in name:
            continue
        home = next((directory for directory in DIRECTORIES if name.startswith(directory + "/")), None)
        for number, angle, target in includes(path):
            if home:
                level, others = levels[DIRECTORIES[home][0]], DIRECTORIES[home][1]
                if target in headers:
                    if headers[target] > level:
                        wrong.append(f"{name}:{number}: {target} lies above {home}")
                elif target == "skerry/config.h":
                    if not name.endswith("/config.c"):
                        wrong.append(f"{name}:{number}: config.h is for config.c")
                elif "/" in target and not angle and not target.startswith(home + "/") \
                        and not any(target.startswith(other) for other in others) \
                        and not (home == "examples" and (path.parent / target).exists()):
                    wrong.append(f"{name}:{number}: {target} is private to another directory")
            else:
                top = name.split("/")[0]
                allowed = HOST_DIRECTORIES.get(top)
                ours = target.startswith("skerry/") or target.split("/")[0] in ("lib", "platform", "abi", "tender", "tool")
                if allowed is not None and (ours or target == "platform.h") \
                        and not any(target.startswith(prefix) for prefix in allowed):
                    wrong.append(f"{name}:{number}: {target} is not for {top}/")
    known = {f"include/skerry/{header}" for _, names in LAYERS for header in names} | {"include/skerry/config.h"}
    for path in sources("include/skerry/*.h"):
        if relative(path) not in known:
            wrong.append(f"{relative(path)}: belongs to no layer: add it to tests/house.py")
    return wrong


def check_public_headers():
    """Each public header compiles by itself and includes only headers of its layer and below."""
    headers, wrong = layer_of_header(), []
    for path in sources("include/skerry/*.h", "platform/platform.h", "abi/*.h"):
        with tempfile.NamedTemporaryFile("w", suffix=".c") as unit:
            unit.write(f'#include "{path}"\n')
            unit.flush()
            done = subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-fsyntax-only",
                                   f"-I{ROOT}/include", f"-I{ROOT}/platform", f"-I{ROOT}", unit.name],
                                  capture_output=True, text=True)
        if done.returncode:
            wrong.append(f"{relative(path)} does not compile alone: {done.stderr.splitlines()[0]}")
        own = headers.get("skerry/" + path.name)
        for number, _, target in includes(path):
            if own is not None and headers.get(target, 0) > own:
                wrong.append(f"{relative(path)}:{number}: {target} lies above it")
    return wrong


def check_openings():
    """Every source file names its licence and says its subject in its first lines."""
    wrong = []
    for path in sources("*.c", "*.h", "*.S", "*.py", "Makefile"):
        text = path.read_text(errors="replace")
        head = "\n".join(text.split("\n")[:4])
        if "SPDX-License-Identifier: ISC" not in head:
            wrong.append(f"{relative(path)}: no SPDX line at the top")
        elif path.suffix in (".c", ".h") and path.name != "config.c" and not re.match(r"/\* SPDX[^\n]*\n \*\n \* \S", text):
            wrong.append(f"{relative(path)}: the opening comment does not say the file's subject")
    return wrong


def check_conditionals():
    """No #if inside a function: a variant is a file that the build chooses."""
    wrong = []
    for path in sources("*.c"):
        depth_zero = True
        for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
            if line.startswith("{"):
                depth_zero = False
            elif line.startswith("}"):
                depth_zero = True
            elif re.match(r"\s*#\s*(if|ifdef|ifndef|elif)\b", line) and not depth_zero:
                wrong.append(f"{relative(path)}:{number}: conditional compilation inside a function")
    return wrong


def check_sizes():
    wrong = []
    for path in sources("*.c", "*.h"):
        begin = None
        for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
            if len(line.expandtabs(8)) > LINES_MAX:
                wrong.append(f"{relative(path)}:{number}: {len(line.expandtabs(8))} columns")
            if line == "{":
                begin = number
            elif line == "}" and begin:
                if number - begin - 1 > FUNCTION_LINES_MAX and "/test/" not in relative(path):
                    wrong.append(f"{relative(path)}:{begin}: a function of {number - begin - 1} lines")
                begin = None
    return wrong


def check_streams():
    """The library formats with text_format(): snprintf brings 13 KB into every image."""
    wrong = []
    for path in sources("lib/*.c"):
        if any(part in relative(path) for part in ("/test/", "/fuzz/", "lib/hostnet/")):
            continue
        for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1):
            if re.search(r"\bv?s?n?printf\(", line) and "format(printf" not in line:
                wrong.append(f"{relative(path)}:{number}: formats with the C library's streams")
    return wrong


def check_conflicts():
    """No page or source holds what git leaves when two changes meet."""
    return [f"{relative(path)}:{number}: a mark of a conflict" for path in sources("*.c", "*.h", "*.py", "*.md", "*.S", "Makefile", "tool/*")
            for number, line in enumerate(path.read_text(errors="replace").split("\n"), 1)
            if re.match(r"(<{7}|>{7}) ", line)]


def check_format():
    files = [str(path) for path in sources("*.c", "*.h")]
    done = subprocess.run(["clang-format", "--dry-run", *files], cwd=ROOT, capture_output=True, text=True)
    return sorted(set(re.findall(r"^(\S+?):\d+:\d+: warning", done.stderr, re.M)))


# Declared in the headers of libskerry-net, and not in it: what needs a unikernel's tasks or devices, and what the program
# itself defines.
LIBRARY_HEADERS = ["address", "counters", "embed", "multicast", "route", "stack", "tcp", "udp"]
NOT_IN_THE_LIBRARY = {
    "stack_open", "stack_open_host", "stack_add_interface",
    "stack_print_when_asked",
    "tcp_connect", "tcp_connect_any", "tcp_connect_fast", "tcp_connect_tuned", "tcp_deliver",
    "stack_log",
}


def check_library():
    """libskerry-net shows what its headers declare."""
    declared = set()
    for header in LIBRARY_HEADERS:
        text = re.sub(r"/\*.*?\*/", "", (ROOT / f"include/skerry/{header}.h").read_text(), flags=re.S)
        declared |= set(re.findall(r"\b((?:ip|stack|tcp|udp)_\w+)\(", text))
        for line in re.findall(r"^extern const struct \w+ (.*?)(?: __.*)?;", text, re.M):
            declared |= set(line.split(", "))
    shown = set((ROOT / "lib/embed/exports").read_text().split())
    lacking, surplus = declared - shown - NOT_IN_THE_LIBRARY, shown - (declared - NOT_IN_THE_LIBRARY)
    return [f"lib/embed/exports lacks {name}: add it, or tell here why not" for name in sorted(lacking)] \
        + [f"lib/embed/exports has {name}, which none of its headers declares" for name in sorted(surplus)]


RULES = {
    "includes go down the layers": check_layering,
    "public headers stand alone": check_public_headers,
    "files open with licence and subject": check_openings,
    "no conditional compilation inside functions": check_conditionals,
    "lines and functions fit a screen": check_sizes,
    "the library formats without the C library's streams": check_streams,
    "libskerry-net shows what its headers declare": check_library,
    "formatted as .clang-format says": check_format,
    "no change is half merged": check_conflicts,
    "every test that docs/FEATURES.md names exists": features.check,
}


def main():
    failed = False
    for rule, check in RULES.items():
        wrong = check()
        print(f"{'FAIL' if wrong else 'ok'}  {rule}")
        for line in wrong:
            print(f"    {line}")
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
