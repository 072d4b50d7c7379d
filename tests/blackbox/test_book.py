# SPDX-License-Identifier: ISC
"""The book and the examples' own pages: all that they tell their reader to do is done, as documents.py says."""
import concurrent.futures

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
