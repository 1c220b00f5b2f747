"""Downloads against a server on this machine that behaves as servers do on bad days."""

import hashlib
import http.server
import threading

import pytest

from guiapp.core.downloads import fetch, matches
from guiapp.core.notices import UserError

CONTENT = bytes(range(256)) * 4096  # 1 MB
MD5 = hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()
SHA = hashlib.sha256(CONTENT).hexdigest()


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves CONTENT at every path; what it does wrong is set on the server."""

    def do_GET(self):
        server = self.server
        server.requests.append((self.path, self.headers.get("Range")))
        if self.path in server.missing:
            self.send_error(404)
            return
        content = server.content.get(self.path, CONTENT)
        start = 0
        wanted = self.headers.get("Range")
        if wanted and server.ranges:
            start = int(wanted.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self.send_response(416)
                self.send_header("Content-Range", f"bytes */{len(content)}")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        else:
            self.send_response(200)
        body = content[start:]
        if server.lengths:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.hang_ups:
            server.hang_ups -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.requests, server.missing, server.content = [], set(), {}
    server.ranges, server.lengths, server.hang_ups = True, True, 0
    server.url = f"http://127.0.0.1:{server.server_port}/file.bin"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("digest", [MD5, SHA, SHA.upper(), SHA[:8], SHA[:10], ""])
def test_whole_file_with_progress(server, tmp_path, digest):
    shares = []
    path = fetch(server.url, tmp_path / "deep" / "file.bin", digest, lambda share, text: shares.append((share, text)))
    assert path.read_bytes() == CONTENT
    assert shares[-1][0] == 1.0
    assert [s for s, _ in shares] == sorted(s for s, _ in shares)
    assert any("0.5 of 1.0 MB" in text for _, text in shares)
    assert not (tmp_path / "deep" / "file.bin.part").exists()


def test_a_file_that_is_there_is_not_fetched_again(server, tmp_path):
    (tmp_path / "file.bin").write_bytes(b"mine")
    fetch(server.url, tmp_path / "file.bin", MD5)
    assert (tmp_path / "file.bin").read_bytes() == b"mine"
    assert server.requests == []


def test_a_hang_up_in_the_middle_is_resumed(server, tmp_path):
    server.hang_ups = 3
    assert fetch(server.url, tmp_path / "file.bin", MD5).read_bytes() == CONTENT
    half, three_quarters = len(CONTENT) // 2, len(CONTENT) * 3 // 4
    assert [wanted for _, wanted in server.requests[:3]] == [None, f"bytes={half}-", f"bytes={three_quarters}-"]


def test_a_hang_up_where_ranges_are_not_served_starts_anew(server, tmp_path):
    server.hang_ups, server.ranges = 1, False
    assert fetch(server.url, tmp_path / "file.bin", MD5).read_bytes() == CONTENT


def test_a_part_of_an_earlier_program_is_resumed(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(CONTENT[:1000])
    fetch(server.url, tmp_path / "file.bin", SHA)
    assert server.requests == [("/file.bin", "bytes=1000-")]


def test_a_part_of_another_file_is_fetched_from_the_start(server, tmp_path):
    (tmp_path / "file.bin.part").write_bytes(b"x" * 1000)
    assert fetch(server.url, tmp_path / "file.bin", SHA).read_bytes() == CONTENT
    assert [wanted for _, wanted in server.requests] == ["bytes=1000-", None]


@pytest.mark.parametrize("part", [CONTENT, CONTENT + b"more"])
def test_a_part_that_has_nothing_behind_it(server, tmp_path, part):
    (tmp_path / "file.bin.part").write_bytes(part)
    assert fetch(server.url, tmp_path / "file.bin", MD5).read_bytes() == CONTENT


def test_a_server_that_tells_no_length(server, tmp_path):
    server.lengths = False
    assert fetch(server.url, tmp_path / "file.bin", MD5).read_bytes() == CONTENT


def test_a_wrong_file_goes_to_the_next_address(server, tmp_path):
    server.content["/bad"] = b"<html>Log in to the hotel's network</html>"
    bad = server.url.replace("/file.bin", "/bad")
    assert fetch([bad, server.url], tmp_path / "file.bin", MD5).read_bytes() == CONTENT


def test_a_wrong_file_everywhere_is_told_and_leaves_nothing(server, tmp_path):
    server.content["/file.bin"] = b"something else"
    with pytest.raises(UserError) as error:
        fetch(server.url, tmp_path / "file.bin", MD5)
    for part in ("file.bin", server.url, str(tmp_path), "digest"):
        assert part in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "file.bin").exists()
    assert not (tmp_path / "file.bin.part").exists()


def test_a_missing_file_and_a_dead_mirror_are_told(server, tmp_path):
    server.missing.add("/file.bin")
    dead = "http://127.0.0.1:9/file.bin"  # the discard port: nothing listens
    with pytest.raises(
        UserError, match=r"404.*no connection: .*get it from http://127.0.0.1:\d+/file.bin and put it in"
    ):
        fetch([server.url, dead], tmp_path / "file.bin", MD5)


def test_a_server_that_hangs_up_for_ever_is_given_up(server, tmp_path):
    server.hang_ups = 10**6
    server.content["/file.bin"] = b"xy" * 10  # short: after some halves nothing more comes
    with pytest.raises(UserError, match="hung up"):
        fetch(server.url, tmp_path / "file.bin", MD5)


def test_progress_may_stop_it_and_a_later_call_resumes(server, tmp_path):
    class Stopped(Exception):
        pass

    def stop(share, text):
        if share > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        fetch(server.url, tmp_path / "file.bin", MD5, stop)
    part = tmp_path / "file.bin.part"
    assert 0 < part.stat().st_size < len(CONTENT)
    length = part.stat().st_size
    assert fetch(server.url, tmp_path / "file.bin", MD5).read_bytes() == CONTENT
    assert server.requests[-1][1] == f"bytes={length}-"


def test_a_folder_that_cannot_be_made_is_told(server, tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(UserError, match="could not be written"):
        fetch(server.url, tmp_path / "file" / "file.bin", MD5)


def test_two_at_once_fetch_it_once(server, tmp_path):
    results = []
    threads = [
        threading.Thread(target=lambda: results.append(fetch(server.url, tmp_path / "file.bin", MD5))) for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 3
    assert len(server.requests) == 1


def test_other_schemes_are_refused(tmp_path):
    with pytest.raises(ValueError, match="http"):
        fetch("file:///etc/passwd", tmp_path / "file.bin", "")


def test_matches(tmp_path):
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert matches(file, "900150983cd24fb0d6963f7d28e17f72")  # RFC 1321, A.5
    assert matches(file, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")  # FIPS 180-2, B.1
    assert matches(file, "ba7816bf")  # the beginning, as names of published weights carry it
    assert not matches(file, "0" * 32)
    assert not matches(file, "ba7816be")
    with pytest.raises(ValueError, match="neither"):
        matches(file, "ba7816b")
    with pytest.raises(ValueError, match="neither"):
        matches(file, "abc")
