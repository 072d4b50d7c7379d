# SPDX-License-Identifier: ISC
"""The HTTP server as its clients see it: curl, Python's client and plain sockets, against the examples web and zip, as a
process on the host's sockets and in the sandbox on our own stack. What needs a handler of its own is in
lib/http/test/server.c."""
import concurrent.futures
import http.client
import re
import socket
import subprocess
import time

import pytest

from netns import TARGETS
from test_examples import Server

pytestmark = pytest.mark.each_target

LAST = b"Host: a\r\nConnection: close\r\n\r\n"
HELLO = b"Hello World!\n"
HEADER_SECONDS = 10  # http_limits' header_ns


class Logged(Server):
    """With all that it printed in `log` when it has ended. Only for a few requests: nobody reads meanwhile."""

    def __init__(self, name, target):
        super().__init__(name, target, 80)
        self.command += ["-l", "http:debug"]

    def __exit__(self, *_):
        self.process.terminate()
        self.log = self.process.communicate(timeout=10)[0].decode()


@pytest.fixture(scope="module", params=TARGETS)
def web(request):
    with Server("web", request.param, 80) as server:
        server.connect().close()
        yield server


@pytest.fixture(scope="module", params=TARGETS)
def archive(request):
    with Server("zip", request.param, 80) as server:
        server.connect().close()
        yield server


def curl(server, path, *options):
    done = subprocess.run(["curl", "-sS", "--max-time", "30", *options, f"http://127.0.0.1:{server.port}{path}"],
                          capture_output=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def exchange(server, data, shut=False):
    """Sends this, and returns all that comes until the server ends the connection."""
    with server.connect() as client:
        client.settimeout(30)
        client.sendall(data)
        if shut:
            client.shutdown(socket.SHUT_WR)
        answer = b""
        while piece := client.recv(65536):
            answer += piece
    return answer


def statuses(answer):
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answer)]


# Messages -------------------------------------------------------------------------------------------------------------


def test_page_has_a_date_a_type_and_a_length(web):
    head, _, body = curl(web, "/", "-i").partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 200 OK"
    fields = dict(line.split(b": ", 1) for line in lines[1:])
    assert fields[b"Content-Type"] == b"text/plain; charset=utf-8"
    assert fields[b"Content-Length"] == b"13"
    sent = time.mktime(time.strptime(fields[b"Date"].decode(), "%a, %d %b %Y %H:%M:%S GMT")) - time.timezone
    assert abs(sent - time.time()) < 5
    assert body == HELLO


def test_head_has_the_same_fields_and_no_body(web):
    assert b"Content-Length: 13\r\n" in curl(web, "/", "-I")
    assert exchange(web, b"HEAD / HTTP/1.1\r\n" + LAST).endswith(b"\r\n\r\n")


def test_two_requests_of_curl_share_a_connection(web):
    url = f"http://127.0.0.1:{web.port}/"
    assert curl(web, "/", url, "-w", "[%{num_connects}]", "-o", "/dev/null", "-o", "/dev/null") == b"[1][0]"


def test_http_1_0_is_answered_and_closed(web):
    assert curl(web, "/", "-0") == HELLO
    assert exchange(web, b"GET / HTTP/1.0\r\n\r\n").endswith(b"Connection: close\r\n\r\n" + HELLO)


def test_unknown_path_and_wrong_method(web):
    code = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert curl(web, "/nothing", *code) == b"404"
    assert curl(web, "/", "-X", "DELETE", *code) == b"405"
    assert b"\r\nAllow: GET, HEAD, OPTIONS\r\n" in curl(web, "/", "-i", "-X", "POST", "-d", "x")
    assert b"\r\nAllow: GET, HEAD, OPTIONS\r\n" in curl(web, "", "-i", "-X", "OPTIONS", "--request-target", "*")


def test_request_of_a_proxy_is_served(web):
    assert curl(web, "/", "--request-target", "http://example.org/") == HELLO


def test_hundred_requests_at_once_are_answered_in_order(web):
    paths = ["/" if n % 3 else f"/no{n}" for n in range(100)]
    requests = [f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n".encode() for path in paths[:-1]]
    answer = exchange(web, b"".join(requests) + f"GET {paths[-1]} HTTP/1.1\r\n".encode() + LAST)
    assert statuses(answer) == [200 if path == "/" else 404 for path in paths]


def test_request_that_trickles_in_is_answered(web):
    with web.connect() as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            client.sendall(bytes([byte]))
            time.sleep(0.001)  # so that most bytes travel alone
        assert b"".join(iter(lambda: client.recv(4096), b"")).endswith(HELLO)


def test_client_that_shuts_its_side_is_answered(web):
    assert exchange(web, b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", shut=True).endswith(HELLO)


# Refusals -------------------------------------------------------------------------------------------------------------

# Each is followed by what a smuggler wants to be taken for a request of its own: it must never be answered.
MALFORMED = [
    (400, b"GET / HTTP/1.1\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\nHost: a\n\n"),
    (400, b"GET /\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost : a\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n"),
    (400, b"GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nContent-Length: 0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1,1\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n0\r\n\r\n"),
    (400, b"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
    (501, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
    (501, b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n"),
    (505, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
    (417, b"GET / HTTP/1.1\r\nHost: a\r\nExpect: a-miracle\r\n\r\n"),
    (400, b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
    (414, b"GET /" + b"x" * 9000),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000),
    (431, b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X%d: y\r\n" * 100 % tuple(range(100)) + b"\r\n"),
]


@pytest.mark.parametrize("status, request_bytes", MALFORMED)
def test_malformed_request_is_refused_and_ends_the_connection(web, status, request_bytes):
    answer = exchange(web, request_bytes + b"GET / HTTP/1.1\r\n" + LAST)
    assert statuses(answer) == [status], answer
    assert b"\r\nConnection: close\r\n" in answer
    assert re.search(rb"\r\n\r\n%d [A-Z][\w ]+: [a-z0-9A-Z][^\r\n]+\n$" % status, answer), answer


def test_malformed_chunks_are_no_place_to_hide_a_request(archive):
    head = (b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n")
    for body in b"5\nabcde\n0\n\n", b"5\r\nabcdeX\r\n0\r\n\r\n", b"fffffffffffffffff\r\n", b"-1\r\n", b"2;\nx\r\nab\r\n":
        answer = exchange(archive, head + body + b"GET / HTTP/1.1\r\n" + LAST)
        assert statuses(answer) == [400], answer


def test_unread_body_is_not_taken_for_a_request(web):
    inner = b"GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n"
    answer = exchange(web, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(inner) + inner
                      + b"GET / HTTP/1.1\r\n" + LAST)
    assert statuses(answer) == [405, 200]


def test_answer_to_a_long_unwanted_body_is_seen(web):
    answer = exchange(web, b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n" + b"x" * 2000000)
    assert statuses(answer) == [405]


def test_slow_header_is_408_and_a_client_that_is_silent_is_told_nothing(web):
    begin = time.monotonic()
    with web.connect() as slow, web.connect() as silent:
        slow.settimeout(30)
        slow.sendall(b"GET / HTTP/1.1\r\n")
        for _ in range(3):  # more of it does not prolong it
            time.sleep(HEADER_SECONDS / 5)
            slow.sendall(b"X: y\r\n")
        answer = b"".join(iter(lambda: slow.recv(4096), b""))
        assert HEADER_SECONDS - 1 < time.monotonic() - begin < HEADER_SECONDS + 5
        assert statuses(answer) == [408]
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.recv(1)
        silent.setblocking(True)
        silent.sendall(b"GET / HTTP/1.1\r\n" + LAST)
        assert b"".join(iter(lambda: silent.recv(4096), b"")).endswith(HELLO)


# Files and forms ------------------------------------------------------------------------------------------------------


def test_files_are_not_sent_again_to_those_who_have_them(archive, tmp_path):
    tag = str(tmp_path / "tag")
    for options in [], ["--compressed"]:
        page = curl(archive, "/style.css", "--etag-save", tag, *options)
        assert b"{" in page
        code = curl(archive, "/style.css", "--etag-compare", tag, "-w", "%{http_code}", *options)
        assert code == b"304"
    assert curl(archive, "/style.css", "-w", "%{http_code}", "-o", "/dev/null", "-H", "If-None-Match: *") == b"304"
    assert curl(archive, "/style.css", "-w", "%{http_code}", "-o", "/dev/null", "-H", 'If-None-Match: "x"') == b"200"


def test_files_are_compressed_for_those_who_ask(archive):
    plain = curl(archive, "/", "-i", "--raw")
    head, _, body = curl(archive, "/", "-i", "--raw", "-H", "Accept-Encoding: br, gzip;q=0.5").partition(b"\r\n\r\n")
    assert b"\r\nContent-Encoding: gzip" in head and b"\r\nVary: Accept-Encoding" in head and body[:2] == b"\x1f\x8b"
    assert b"\r\nContent-Encoding" not in plain and b"\r\nVary: Accept-Encoding" in plain
    assert b"\r\nContent-Encoding" not in curl(archive, "/", "-i", "-H", "Accept-Encoding: gzip;q=0")
    assert curl(archive, "/", "--compressed") == curl(archive, "/")


def test_curl_that_expects_100_continue_gets_it(archive, tmp_path):
    (tmp_path / "a").write_bytes(b"x" * 2_000_000)
    done = subprocess.run(["curl", "-svS", "--max-time", "30", "-H", "Expect: 100-continue", "--expect100-timeout", "20",
                           "-F", f"file=@{tmp_path}/a", "-o", f"{tmp_path}/a.zip",
                           f"http://127.0.0.1:{archive.port}/upload"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "< HTTP/1.1 100 Continue" in done.stderr
    subprocess.run(["unzip", "-qt", f"{tmp_path}/a.zip"], check=True)


def test_chunked_form_is_taken(archive):
    client = http.client.HTTPConnection("127.0.0.1", archive.port, timeout=30)
    pieces = [b'--b\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\n', *[b"y" * n for n in range(1, 300)],
              b"\r\n--b--\r\n"]
    client.request("POST", "/upload", iter(pieces), {"Content-Type": "multipart/form-data; boundary=b"},
                   encode_chunked=True)
    response = client.getresponse()
    assert response.status == 200 and response.read().startswith(b"PK\x03\x04")
    client.close()


# Many -----------------------------------------------------------------------------------------------------------------


def test_thousand_connections_one_after_the_other(web):
    for _ in range(1000):
        assert exchange(web, b"GET / HTTP/1.1\r\n" + LAST).endswith(HELLO)


def test_hundred_connections_at_once(web):
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        answers = list(pool.map(lambda _: exchange(web, b"GET / HTTP/1.1\r\n" + LAST), range(300)))
    assert all(answer.endswith(HELLO) for answer in answers)


@pytest.mark.parametrize("target", TARGETS)
def test_clients_that_go_away_are_no_error(target):
    with Logged("zip", target) as server:
        for data in b"", b"GET /", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", (
                b"POST /upload HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=b\r\n"
                b"Content-Length: 1000\r\n\r\n--b\r\n"):
            client = server.connect()
            client.sendall(data)
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            client.close()
        assert curl(server, "/").startswith(b"<!")
    log = server.log
    assert re.search(r"DBG \[http\] GET / 200 \d+ bytes \d+ ms from [\d.]+:\d+", log), log
    assert "ERR" not in log and "WRN" not in log, log
