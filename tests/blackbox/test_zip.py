# SPDX-License-Identifier: ISC
"""The upload-and-zip server: what goes in comes out bit for bit, in constant memory, and nothing broken looks whole."""
import hashlib
import http.client
import io
import os
import re
import secrets
import socket
import subprocess
import threading
import time
import zipfile

import pytest

from netns import TARGET
from test_examples import Server, targets

GIB = 1 << 30


class ZipServer(Server):
    """dist/zip in the sandbox with 16 MiB of memory, or as a process."""

    def __init__(self, target=TARGET, *keys):
        super().__init__("zip", target, 80)
        self.command += keys

    def __enter__(self):
        super().__enter__()
        self.connect().close()
        return self

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def log_line(self, pattern):
        """The next line of the log that matches."""
        for line in self.process.stdout:
            if found := re.search(pattern, line.decode()):
                return found
        raise AssertionError(f"the log ended before a line like {pattern}")


@pytest.fixture
def server(target):
    with ZipServer(target) as running:
        yield running


@pytest.fixture
def guest():
    with ZipServer() as running:
        yield running


def form(*files, boundary="b0undary"):
    """A body and its headers. files: (filename, content) or, for a text field, (None, content)."""
    body = b""
    for name, content in files:
        filename = b"" if name is None else b'; filename="' + (name if isinstance(name, bytes) else name.encode()) + b'"'
        body += b"--%s\r\nContent-Disposition: form-data; name=\"file\"%s\r\n\r\n%s\r\n" % (
            boundary.encode(), filename, content)
    body += b"--%s--\r\n" % boundary.encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def request(server, method, path, body=None, headers={}):
    """Status, headers and body of one exchange. Sends all before it reads, as a browser does."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.headers, response.read()
    finally:
        connection.close()


def upload(server, *files):
    status, headers, body = request(server, "POST", "/upload", *form(*files))
    assert status == 200, body
    assert headers["Content-Type"] == "application/zip"
    assert headers["Content-Disposition"] == 'attachment; filename="archive.zip"'
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.testzip() is None
    return archive


# The page -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, content_type", [
    ("/", "text/html; charset=utf-8"), ("/style.css", "text/css"), ("/script.js", "text/javascript")])
def test_the_page_and_its_files_are_served_with_a_strict_policy(guest, path, content_type):
    status, headers, body = request(guest, "GET", path)
    assert status == 200 and len(body) > 500
    assert headers["Content-Type"].startswith(content_type)
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_page_loads_nothing_from_elsewhere(guest):
    for path in ("/", "/style.css", "/script.js"):
        _, _, body = request(guest, "GET", path)
        assert not re.search(rb"https?://|@import|url\((?!data:)", body)
    assert not re.search(rb"<script(?![^>]*src=)|<style|\son\w+=", request(guest, "GET", "/")[2])


# What people use ------------------------------------------------------------------------------------------------------


@pytest.mark.example("zip")
@targets
def test_files_sent_by_curl_come_back_bit_for_bit(server, tmp_path):
    contents = {"noise.bin": os.urandom(1_000_000), "empty": b"", "text.txt": b"some text\r\n" * 50_000, "one": b"1"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    archive = tmp_path / "x.zip"
    files = [argument for name in contents for argument in ("-F", f"file=@{tmp_path / name}")]
    subprocess.run(["curl", "-sSf", "-m", "60", *files, f"{server.url}/upload", "-o", str(archive)], check=True)
    subprocess.run(["unzip", "-tqq", str(archive)], check=True)
    subprocess.run(["7z", "t", "-bso0", "-bsp0", str(archive)], check=True)
    with archive.open("rb") as stream:
        listed = subprocess.run(["bsdtar", "-tf", "-"], stdin=stream, capture_output=True, text=True, check=True)
    assert listed.stdout.split("\n")[:-1] == list(contents)
    with zipfile.ZipFile(archive) as unpacked:
        assert {name: unpacked.read(name) for name in unpacked.namelist()} == contents


def test_an_entry_has_the_time_of_its_upload_and_an_ordinary_mode(guest):
    before = time.time()
    entry = upload(guest, ("a", b"a")).infolist()[0]
    taken = time.mktime((*entry.date_time, 0, 0, 0)) - time.timezone
    assert before - 2 <= taken <= time.time() + 2
    assert entry.external_attr >> 16 == 0o100644


def test_one_connection_makes_several_archives(guest):
    connection = http.client.HTTPConnection("127.0.0.1", guest.port, timeout=30)
    connection.connect()
    first = connection.sock
    for round in range(5):
        connection.request("POST", "/upload", *form((f"{round}.txt", b"x" * round)))
        archive = zipfile.ZipFile(io.BytesIO(connection.getresponse().read()))
        assert archive.namelist() == [f"{round}.txt"]
        assert connection.sock is first
    connection.close()


def test_archives_at_once_do_not_mix(guest):
    contents = {f"{number}.bin": os.urandom(300_000) for number in range(8)}
    results = {}

    def visitor(name):
        results[name] = upload(guest, (name, contents[name])).read(name)

    visitors = [threading.Thread(target=visitor, args=(name,)) for name in contents]
    for thread in visitors:
        thread.start()
    for thread in visitors:
        thread.join()
    assert results == contents


def test_a_client_that_reads_only_after_sending_gets_its_archive(guest):
    noise = os.urandom(2_000_000)
    assert upload(guest, ("noise", noise)).read("noise") == noise


def test_a_form_without_script_gets_its_archive_after_the_upload(guest):
    noise = os.urandom(2_000_000)
    status, headers, body = request(guest, "POST", "/upload?hold", *form(("noise", noise)))
    assert status == 200 and headers["Content-Type"] == "application/zip"
    assert zipfile.ZipFile(io.BytesIO(body)).read("noise") == noise


def test_an_archive_that_cannot_be_held_is_refused_with_the_reason(guest):
    status, headers, body = request(guest, "POST", "/upload?hold", *form(("noise", os.urandom(40_000_000))))
    assert status == 413 and b"too large" in body
    assert upload(guest, ("still", b"alive")).namelist() == ["still"]


# Names ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sent, kept", [
    ("../../etc/passwd", "passwd"), ("/abs/olute", "olute"), ("C:\\new\\table.txt", "table.txt"), ("..", "file"),
    ("a/", "file"), (b"b\x1b[2J\x07ell", "b[2Jell"), ("%22quoted%22", '"quoted"'), ("line%0D%0Afeed", "linefeed"),
    ("schön 文.txt", "schön 文.txt"), (b"bad \xff utf8", "bad \ufffd utf8"), ("cod\u202etxt.exe", "codtxt.exe")])
def test_names_are_made_safe_and_flagged_when_they_are_not_ascii(guest, sent, kept):
    entry = upload(guest, (sent, b"content")).infolist()[0]
    assert entry.filename == kept
    assert bool(entry.flag_bits & 0x800) == (not kept.isascii())


def test_files_of_one_name_all_arrive(guest):
    archive = upload(guest, ("a.txt", b"1"), ("d/a.txt", b"2"), ("a (1).txt", b"3"), ("a.txt", b"4"))
    assert {name: archive.read(name) for name in archive.namelist()} == {
        "a.txt": b"1", "a (1).txt": b"2", "a (1) (1).txt": b"3", "a (2).txt": b"4"}


def test_two_thousand_files_all_arrive_whether_their_names_differ_or_not(guest):
    contents = [b"content %d" % number for number in range(2000)]
    different = upload(guest, *[(f"{number}.txt", content) for number, content in enumerate(contents)])
    assert [different.read(f"{number}.txt") for number in range(2000)] == contents
    same = upload(guest, *[("a.txt", content) for content in contents])
    assert [same.read(name) for name in same.namelist()] == contents and len(set(same.namelist())) == 2000


def test_fields_and_empty_file_fields_are_not_packed(guest):
    assert upload(guest, (None, b"a note"), ("", b""), ("real", b"x"), (None, b"")).namelist() == ["real"]


# Bad requests ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers, body, status, reason", [
    ({"Content-Type": "text/plain"}, b"hello", 415, b"multipart/form-data"),
    ({}, b"hello", 415, b"multipart/form-data"),
    ({"Content-Type": "multipart/form-data"}, b"hello", 400, b"boundary"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"hello", 400, b"closing boundary"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x--", 400, b"no file was chosen"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n\r\nno header\r\n--x--", 400, b"Content-Disposition"),
    ({"Content-Type": "multipart/form-data; boundary=x"}, b"--x\r\n" + b"a" * 5000, 400, b"too long")])
def test_a_bad_form_is_answered_with_the_reason(guest, headers, body, status, reason):
    answer, fields, text = request(guest, "POST", "/upload", body, headers)
    assert answer == status and reason in text
    assert fields["Content-Type"].startswith("text/plain")


def test_a_form_without_files_is_refused(guest):
    assert request(guest, "POST", "/upload", *form(("", b""), (None, b"text")))[0] == 400


def is_whole(answer):
    """Whether a client could take this for a complete response or a complete archive."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    if b"200" not in head.split(b"\r\n")[0]:
        return False
    return rest.endswith(b"0\r\n\r\n") or b"PK\x05\x06" in rest


def exchange_raw(server, data, shut):
    """Sends, shuts the sending side if told so, and reads while anything comes."""
    answer = b""
    with server.connect() as client:
        client.settimeout(30)
        reader_done = threading.Event()

        def read():
            nonlocal answer
            try:
                while piece := client.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
            reader_done.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        try:
            client.sendall(data)
            if shut:
                client.shutdown(socket.SHUT_WR)
        except ConnectionError:
            pass
        assert reader_done.wait(40), "the server neither answers nor closes"
    return answer


@pytest.mark.parametrize("received", [10, 200, 50_000, 900_000, 1_000_050])
def test_an_upload_that_is_cut_off_never_looks_like_an_archive(guest, received):
    body, headers = form(("noise", os.urandom(1_000_000)), ("second", b"2"))
    head = (f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    assert not is_whole(exchange_raw(guest, head + body[:received], shut=True))
    assert upload(guest, ("still", b"alive")).namelist() == ["still"]


@pytest.mark.parametrize("tail", [b"\r\n--b0undaryX\r\n\r\n", b"\r\n--b0undary\r\n\r\nno disposition", b"no boundary"])
def test_a_body_that_turns_bad_in_the_middle_never_looks_like_an_archive(guest, tail):
    body, headers = form(("noise", os.urandom(500_000)))
    body = body[:-len(b"\r\n--b0undary--\r\n")] + tail
    head = (f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    answer = exchange_raw(guest, head + body, shut=False)
    assert answer.startswith(b"HTTP/1.1 200 ") and not is_whole(answer)


def test_a_whole_archive_looks_whole(guest):
    body, headers = form(("noise", os.urandom(500_000)))
    head = (f"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    assert is_whole(exchange_raw(guest, head + body, shut=False))


# Upload and download as two requests, as the page's script makes them -----------------------------------------------------


class Download(threading.Thread):
    def __init__(self, server, ticket):
        super().__init__(daemon=True)
        self.server, self.path, self.result = server, f"/archive?ticket={ticket}", None
        self.start()

    def run(self):
        try:
            self.result = request(self.server, "GET", self.path)
        except (http.client.HTTPException, ConnectionError) as error:
            self.result = error

    def wait(self):
        self.join(60)
        assert not self.is_alive(), "the download does not end"
        return self.result


@pytest.mark.parametrize("download_first", [True, False])
def test_an_archive_larger_than_memory_goes_to_the_download_with_the_same_ticket(guest, download_first):
    noise, ticket = os.urandom(20_000_000), secrets.token_hex(16)
    download = Download(guest, ticket) if download_first else None
    answers = []
    sender = threading.Thread(target=lambda: answers.append(
        request(guest, "POST", f"/upload?ticket={ticket}", *form(("noise", noise), ("b", b"b")))))
    sender.start()
    download = download or Download(guest, ticket)
    status, headers, body = download.wait()
    sender.join(60)
    assert status == 200 and headers["Content-Type"] == "application/zip"
    archive = zipfile.ZipFile(io.BytesIO(body))
    assert archive.read("noise") == noise and archive.read("b") == b"b"
    assert answers[0][0] == 200 and b"2 files" in answers[0][2]


@pytest.mark.parametrize("query", ["ticket=", "ticket=xyz", "ticket=" + "A" * 32, "ticket=" + "a" * 33, "tocket=1", "hold=1"])
def test_a_bad_ticket_is_refused(guest, query):
    assert request(guest, "POST", f"/upload?{query}", *form(("a", b"a")))[0] == 400
    assert request(guest, "GET", f"/archive?{query}")[0] == 400


def head_status(server, ticket):
    return request(server, "HEAD", f"/archive?ticket={ticket}")[0]


def test_head_of_an_archive_says_what_a_download_would_meet(guest):
    ticket = secrets.token_hex(16)
    assert head_status(guest, "xyz") == 400
    assert head_status(guest, ticket) == 408
    answers = []
    sender = threading.Thread(target=lambda: answers.append(
        request(guest, "POST", f"/upload?ticket={ticket}", *form(("a", b"a")))))
    sender.start()
    deadline = time.monotonic() + 10
    while (status := head_status(guest, ticket)) != 200:
        assert status == 408 and time.monotonic() < deadline
    status, _, body = Download(guest, ticket).wait()
    sender.join(60)
    assert status == 200 and zipfile.ZipFile(io.BytesIO(body)).read("a") == b"a"
    assert answers[0][0] == 200
    assert head_status(guest, ticket) == 408


def test_forms_that_break_before_anybody_reads_leave_no_memory_behind(guest):
    """Malformed at its very end, with which the archive's first 32 KiB are full: its sender begins, but has not run."""
    def heap():
        upload(guest, ("a", b"a"))
        return int(guest.log_line(r"heap (\d+)").group(1))

    body, headers = form(("noise", os.urandom(33_500)))
    head = (f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    used = []
    for _ in range(2):
        for _ in range(50):
            exchange_raw(guest, head + body[:-4] + b"XXXX", shut=False)
        used.append(heap())
    assert used[1] - used[0] < 50 * 2000, used  # a connection in TIME-WAIT takes some 1,200


def test_of_two_downloads_with_one_ticket_the_second_is_refused(guest):
    ticket = secrets.token_hex(16)
    downloads = [Download(guest, ticket), Download(guest, ticket)]
    deadline = time.monotonic() + 20
    while all(download.is_alive() for download in downloads):
        assert time.monotonic() < deadline, "both wait"
        time.sleep(0.01)
    assert request(guest, "POST", f"/upload?ticket={ticket}", *form(("a", b"a")))[0] == 200
    assert sorted(download.wait()[0] for download in downloads) == [200, 409]


def test_a_bad_form_with_a_ticket_fails_both_requests(guest):
    ticket = secrets.token_hex(16)
    download = Download(guest, ticket)
    body, headers = form(("noise", os.urandom(500_000)))
    status, _, text = request(guest, "POST", f"/upload?ticket={ticket}", body[:-4] + b"XX", headers)
    assert status == 400 and b"boundary" in text
    assert isinstance(download.wait(), (http.client.IncompleteRead, ConnectionError))


def test_an_upload_that_is_cut_off_fails_its_download(guest):
    ticket = secrets.token_hex(16)
    download = Download(guest, ticket)
    body, headers = form(("noise", os.urandom(500_000)))
    head = (f"POST /upload?ticket={ticket} HTTP/1.1\r\nHost: x\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    exchange_raw(guest, head + body[:-20], shut=True)
    assert isinstance(download.wait(), (http.client.IncompleteRead, ConnectionError))


def test_a_download_that_is_stopped_ends_its_upload(guest):
    ticket = secrets.token_hex(16)
    with guest.connect() as client:
        client.sendall(f"GET /archive?ticket={ticket} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        answers = []

        def send():
            try:
                answers.append(request(guest, "POST", f"/upload?ticket={ticket}",
                                       *form(("noise", os.urandom(20_000_000))))[0])
            except (ConnectionError, http.client.HTTPException) as error:
                answers.append(error)

        sender = threading.Thread(target=send)
        sender.start()
        assert client.recv(1000).startswith(b"HTTP/1.1 200 ")
    sender.join(60)
    assert not sender.is_alive(), "the upload goes on without its download"
    assert answers[0] == 409 or isinstance(answers[0], (ConnectionError, http.client.HTTPException))
    assert upload(guest, ("still", b"alive")).namelist() == ["still"]


# Memory ---------------------------------------------------------------------------------------------------------------


def test_more_archives_than_memory_are_refused_and_the_rest_is_made(guest):
    body, headers = form(("noise", os.urandom(100_000)))
    head = (f"POST /upload HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: {headers['Content-Type']}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n").encode()
    clients = [guest.connect() for _ in range(80)]
    statuses = []
    for client in clients:
        client.settimeout(30)
        client.sendall(head + body[:1000])
    for client in clients:
        answer = b""
        try:
            client.sendall(body[1000:])
        except ConnectionError:
            pass
        while piece := client.recv(65536):
            answer += piece
        statuses.append(answer.split(b" ")[1])
        assert statuses[-1] != b"200" or is_whole(answer)
        client.close()
    assert set(statuses) == {b"200", b"503"}, statuses
    assert upload(guest, ("still", b"alive")).namelist() == ["still"]


def test_archives_leave_nothing_behind(guest):
    used = []
    for round in range(60):
        kind = ("/upload", "/upload?hold", f"/upload?ticket={secrets.token_hex(16)}")[round % 3]
        download = Download(guest, kind[-32:]) if "ticket" in kind else None
        assert request(guest, "POST", kind, *form(("noise", b"x" * 100_000)))[0] == 200
        assert download is None or download.wait()[0] == 200
        used.append(int(guest.log_line(r"heap (\d+),").group(1)))
    assert max(used[-30:]) <= max(used[:30]), used


def gibibyte():
    """A GiB in pieces of 16 KiB that compress well, and no two of which are the same."""
    base = os.urandom(16384 - 8)
    for number in range(GIB // 16384):
        yield number.to_bytes(8, "little") + base


def test_a_gibibyte_comes_back_through_16_mib_of_memory(capsys):
    boundary, sent, received = "b0undary", hashlib.blake2b(), hashlib.blake2b()
    body_head = (f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n').encode()
    body_tail = f"\r\n--{boundary}--\r\n".encode()
    started = time.monotonic()
    with ZipServer("spt", "--level=1") as server, server.connect() as client, \
            subprocess.Popen(["bsdtar", "-xOf", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as unpacker:
        client.settimeout(120)

        def send():
            client.sendall((f"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body_head) + GIB + len(body_tail)}"
                            f"\r\nContent-Type: multipart/form-data; boundary={boundary}\r\n\r\n").encode() + body_head)
            for piece in gibibyte():
                sent.update(piece)
                client.sendall(piece)
            client.sendall(body_tail)

        def check():
            while piece := unpacker.stdout.read(1 << 20):
                received.update(piece)

        threads = [threading.Thread(target=send), threading.Thread(target=check)]
        for thread in threads:
            thread.start()
        response = http.client.HTTPResponse(client, method="POST")
        response.begin()
        assert response.status == 200
        while piece := response.read1(1 << 16):
            unpacker.stdin.write(piece)
        unpacker.stdin.close()
        for thread in threads:
            thread.join()
        assert unpacker.wait() == 0
        peak, total = map(int, server.log_line(r"at most (\d+) of (\d+) bytes").groups())
    assert received.digest() == sent.digest()
    assert 0 < peak < total < 16 << 20
    with capsys.disabled():
        print(f"\n1 GiB in {time.monotonic() - started:.1f} s; heap high-water mark {peak} of {total} bytes")
