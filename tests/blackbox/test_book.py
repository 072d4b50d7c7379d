# SPDX-License-Identifier: ISC
"""The book and the examples' own pages: all that they tell their reader to do is done, as documents.py says; and links."""
import concurrent.futures
import re

import documents
import netns as networks
import pytest

ROOT = networks.ROOT
AT_ONCE = 3  # pages that are read at a time: they sleep more than they compute


def readings():
    """Each page, with the target that is put in the place of spt. An example's page that publishes no port and names no other
    target is about any target."""
    for page in sorted((ROOT / "docs/book").glob("*.md")):
        yield page, "spt"
    for page in sorted((ROOT / "examples").rglob("README.md")):
        yield page, "spt"
        if not any(word in page.read_text() for word in ("-t unix", " -p ")):
            yield page, "unix"


def name(value):
    return value if isinstance(value, str) else str(value.relative_to(ROOT).with_suffix(""))


def read(programs, page, target):
    """Raises documents.Wrong."""
    directory = page.parent.relative_to(ROOT) if page.is_relative_to(ROOT / "examples") else "."
    text = page.read_text()
    documents.Reader(programs).read(page, text if target == "spt" else text.replace(".spt", "").replace("spt", target),
                                    directory)


@pytest.fixture(scope="session")
def being_read(request, programs):
    """All pages that were asked for, read side by side."""
    asked = [item.callspec.params for item in request.session.items if "being_read" in getattr(item, "fixturenames", [])]
    with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        yield {(one["page"], one["target"]): pool.submit(read, programs, **one) for one in asked}


@pytest.mark.parametrize("page, target", readings(), ids=name)
def test_page_says_what_happens(being_read, page, target):
    being_read[page, target].result()


@pytest.mark.parametrize("page", sorted(path for top in ("", "docs", "docs/book", "examples", "examples/*")
                                        for path in ROOT.glob(f"{top}/*.md".lstrip("/"))), ids=name)
def test_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_example_has_a_page_or_is_in_the_book():
    book = "".join(page.read_text() for page in (ROOT / "docs/book").glob("*.md"))
    examples = [config.parent for config in (ROOT / "examples").rglob("config.c")]
    alone = [example for example in examples if not (example / "README.md").exists()
             and not (example.parent.name == "tasks" and (example.parent / "README.md").exists())]
    assert len(examples) > 20 and [example.name for example in alone if f"cd examples/{example.name}\n" not in book] == []
