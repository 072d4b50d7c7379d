# SPDX-License-Identifier: ISC
"""The upload page in headless Chromium, driven over the WebDriver protocol: the journey of a visitor."""
import base64
import contextlib
import json
import os
import pathlib
import subprocess
import time
import urllib.error
import urllib.request
import zipfile

import pytest

from test_examples import free_port
from test_zip import ZipServer

SCREENSHOTS = os.environ.get("SKERRY_SCREENSHOTS")  # a directory, to look at the page
ARGUMENTS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1000,900"]


class Browser:
    """Chromium with a profile of its own. JavaScript is on unless told otherwise."""

    def __init__(self, directory, script=True):
        self.downloads = directory / "downloads"
        self.downloads.mkdir()
        port = free_port()
        self.base = f"http://127.0.0.1:{port}"
        self.driver = subprocess.Popen(["/usr/bin/chromedriver", f"--port={port}"], stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL, start_new_session=True)
        preferences = {"download.default_directory": str(self.downloads)}
        if not script:
            preferences["profile.managed_default_content_settings.javascript"] = 2
        options = {"args": [*ARGUMENTS, f"--user-data-dir={directory / 'profile'}"], "prefs": preferences}
        self.session = ""
        try:
            self.wait(self.is_up, "chromedriver does not start")
            opened = self.call("POST", "/session", {"capabilities": {"alwaysMatch": {
                "browserName": "chrome", "goog:loggingPrefs": {"browser": "ALL"}, "goog:chromeOptions": options}}})
            self.session = f"/session/{opened['sessionId']}"
        except BaseException:
            self.close()
            raise

    def close(self):
        try:
            if self.session:
                self.call("DELETE", "")
        finally:
            self.driver.terminate()
            self.driver.wait(10)

    def is_up(self):
        try:
            return self.call("GET", "/status")["ready"]
        except (urllib.error.URLError, ConnectionError):
            return False

    def call(self, method, path, body=None):
        request = urllib.request.Request(self.base + self.session + path, method=method,
                                         data=None if body is None else json.dumps(body).encode(),
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return json.load(response)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{method} {path}: {error.read().decode()}") from None

    @staticmethod
    def wait(condition, complaint, seconds=40):
        deadline = time.monotonic() + seconds
        while not (value := condition()):
            assert time.monotonic() < deadline, complaint
            time.sleep(0.02)
        return value

    def open(self, url):
        self.call("POST", "/url", {"url": url})

    def elements(self, selector):
        found = self.call("POST", "/elements", {"using": "css selector", "value": selector})
        return [f"/element/{next(iter(element.values()))}" for element in found]

    def element(self, selector):
        found = self.elements(selector)
        assert len(found) == 1, f"{len(found)} elements are {selector}"
        return found[0]

    def click(self, selector):
        self.call("POST", self.element(selector) + "/click", {})

    def choose(self, selector, *paths):
        self.call("POST", self.element(selector) + "/value", {"text": "\n".join(map(str, paths))})

    def text(self, selector):
        return self.call("GET", self.element(selector) + "/text")

    def texts(self, selector):
        return [self.call("GET", element + "/text") for element in self.elements(selector)]

    def shown(self, selector):
        return self.call("GET", self.element(selector) + "/displayed")

    def complaints(self):
        """What the console holds: a broken policy, a failed request, an error in the script. Chromium's start page, which
        is chrome://something, has complaints of its own where fonts are missing."""
        messages = [entry["message"] for entry in self.call("POST", "/se/log", {"type": "browser"})]
        return [message for message in messages if not message.startswith("chrome://")]

    def picture(self, name):
        if SCREENSHOTS:
            pathlib.Path(SCREENSHOTS, name).write_bytes(base64.b64decode(self.call("GET", "/screenshot")))

    def downloaded(self):
        """The archive that was downloaded, whole and good."""
        def whole():
            files = list(self.downloads.iterdir())
            return files if files and all(file.suffix == ".zip" for file in files) else None

        files = self.wait(whole, f"no download: {list(self.downloads.iterdir())}")
        assert [file.name for file in files] == ["archive.zip"]
        subprocess.run(["unzip", "-tqq", str(files[0])], check=True)
        return zipfile.ZipFile(files[0])


@pytest.fixture
def files(tmp_path):
    """Small and large, empty, with a name that needs care. The noise is far more than any buffer on the way."""
    directory = tmp_path / "files"
    directory.mkdir()
    contents = {"noise.bin": os.urandom(24_000_000), "text.txt": b"a line of text\r\n" * 10_000, "empty": b"",
                'sch\u00f6n "\u6587".txt': b"utf-8 name"}
    for name, content in contents.items():
        (directory / name).write_bytes(content)
    return directory, contents


@contextlib.contextmanager
def visit(tmp_path, script=True):
    with ZipServer() as server, contextlib.closing(Browser(tmp_path, script)) as browser:
        browser.open(server.url)
        yield server, browser


def unpacked(archive):
    return {name: archive.read(name) for name in archive.namelist()}


def test_a_visitor_gets_the_archive_of_the_chosen_files(tmp_path, files):
    directory, contents = files
    with visit(tmp_path) as (server, browser):
        browser.choose("#files", *(directory / name for name in list(contents)[:2]))
        browser.choose("#files", *(directory / name for name in list(contents)[2:]))
        assert browser.texts("#list .name") == list(contents)
        browser.picture("chosen.png")
        browser.click("#send")
        browser.wait(lambda: "Done: 4 files" in browser.text("#status"), "the upload does not end")
        assert unpacked(browser.downloaded()) == contents
        assert browser.texts("#list .name") == []
        assert browser.complaints() == []
        browser.picture("done.png")


def test_files_can_be_removed_before_sending(tmp_path, files):
    directory, contents = files
    with visit(tmp_path) as (server, browser):
        assert not browser.shown("#clear")
        browser.choose("#files", *(directory / name for name in contents))
        browser.click("#list li:nth-child(1) button")
        browser.click("#list li:nth-child(2) button")
        assert browser.texts("#list .name") == ["text.txt", 'sch\u00f6n "\u6587".txt']
        browser.click("#send")
        del contents["noise.bin"], contents["empty"]
        assert unpacked(browser.downloaded()) == contents


def test_all_files_can_be_removed(tmp_path, files):
    directory, contents = files
    with visit(tmp_path) as (server, browser):
        browser.choose("#files", *(directory / name for name in contents))
        browser.click("#clear")
        assert browser.texts("#list .name") == []
        assert not browser.call("GET", browser.element("#send") + "/enabled")


def test_an_upload_can_be_stopped_and_its_archive_is_not_kept(tmp_path):
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(8 << 30)
    with visit(tmp_path) as (server, browser):
        browser.choose("#files", huge)
        browser.click("#send")
        browser.wait(lambda: " sent" in browser.text("#status"), "no progress is shown")
        assert browser.shown("#progress")
        browser.picture("progress.png")
        browser.click("#stop")
        browser.wait(lambda: "not complete" in browser.text("#status"), "the upload goes on")
        assert [file for file in browser.downloads.iterdir() if file.suffix == ".zip"] == []
        assert browser.texts("#list .name") == ["huge"]


def test_the_page_works_without_script(tmp_path, files):
    directory, contents = files
    del contents["noise.bin"]
    with visit(tmp_path, script=False) as (server, browser):
        fields = browser.elements("input[type=file]")
        assert len(fields) == 3 and not browser.shown("#list")
        for field, name in zip(fields, contents):
            browser.call("POST", field + "/value", {"text": str(directory / name)})
        browser.picture("without-script.png")
        browser.click("#send")
        assert unpacked(browser.downloaded()) == contents
