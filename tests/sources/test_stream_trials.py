"""Servers as they are met: pictures that change their size, headers without an end, lengths that lie, crawling."""

import threading
import time

import pytest

from guiapp.sources import multipart
from guiapp.sources.stream import StreamSource

SIZES = ((96, 64), (320, 240), (97, 65), (96, 64))


@pytest.fixture
def serve(closing, tools):
    return lambda *scenarios: closing(tools.Mjpeg(*scenarios))


@pytest.fixture
def watch(closing):
    def opened(address, **options):
        return closing(StreamSource(address, **{"pauses": (0.02, 0.05), "stall": 20.0, **options}))

    return opened


def test_pictures_that_change_their_size(serve, watch, tools):
    go = threading.Semaphore(1)

    def scenario(link):
        link.head()
        for n, size in enumerate(SIZES):
            assert go.acquire(timeout=tools.LIMIT)
            link.part(tools.jpeg(n, size))
        link.forever()

    source = watch(serve(scenario).url)
    for n, size in enumerate(SIZES):
        picture = source.next()
        assert (picture.size, source.size) == (size, size) and tools.number_of(picture.pixels) == n
        go.release()
    assert source.dropped == 0


def flood(link):
    """A header line that never ends."""
    link.raw(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not link.server.over.is_set():
        link.raw(b"x" * 65536)


def many_headers(link):
    link.raw(b"HTTP/1.1 200 OK\r\n" + b"X-Header: y\r\n" * 5000 + b"\r\n")
    link.forever()


def part_headers(link):
    """A part whose headers never end."""
    link.head()
    link.raw(b"--frame\r\n")
    while not link.server.over.is_set():
        link.raw(b"X-Header: y\r\n" * 1000)


def lying_length(link):
    """A part that says it is 60 MB and never is."""
    link.head()
    link.raw(b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: 60000000\r\n\r\n")
    while not link.server.over.is_set():
        link.raw(bytes(65536))
        time.sleep(0.001)


def negative_length(link):
    link.head()
    link.raw(b"--frame\r\nContent-Length: -5\r\n\r\n" + b"no picture\r\n")
    link.forever()


@pytest.mark.parametrize(
    "scenario, line",
    [
        (flood, "does not speak HTTP"),
        (many_headers, "does not speak HTTP"),
        (part_headers, "sends no pictures"),
        (lying_length, "sends what is no picture"),
        (negative_length, "nothing has come for"),
    ],
)
def test_servers_that_send_too_much_are_left(serve, watch, tools, scenario, line):
    server = serve(scenario, lambda link: (link.head(), link.part(tools.jpeg(5)), link.forever()))
    source = watch(server.url, stall=0.5, pauses=(0.5,))
    source.start()
    tools.until(lambda: line in source.trouble)
    source.retry()
    tools.until(lambda: (p := source.latest()) is not None and tools.number_of(p.pixels) == 5)
    assert len(server.asked) == 2


def test_a_stream_of_giant_pictures_without_an_end_needs_little_memory(monkeypatch):
    monkeypatch.setattr(multipart, "LARGEST", 1_000_000)
    parts = multipart.Parts(b"frame")
    parts.feed(b"--frame\r\n\r\n")
    with pytest.raises(multipart.NoPicturesError):
        for _ in range(20):
            parts.feed(b"\xff\xd8" + bytes(100_000))
    assert len(parts._buffer) < 1_200_000


def test_a_crawling_server_sends_bytes_one_by_one(serve, watch, tools):
    content = tools.jpeg(9)

    def scenario(link):
        link.head()
        whole = b"--frame\r\nContent-Type: image/jpeg\r\n\r\n" + content + b"\r\n--frame\r\n"
        for at in range(0, len(whole), 7):
            link.raw(whole[at : at + 7])
        link.forever()

    assert tools.number_of(watch(serve(scenario).url).next().pixels) == 9


def test_a_chunked_answer_with_a_broken_chunk(serve, watch, tools):
    def broken(link):
        link.handler.protocol_version = "HTTP/1.1"
        link.head(Transfer_Encoding="chunked")
        link.raw(b"zzz\r\nno length\r\n")
        link.forever()

    server = serve(broken, lambda link: (link.head(), link.part(tools.jpeg(3)), link.forever()))
    source = watch(server.url)
    assert tools.number_of(source.next().pixels) == 3 and len(server.asked) == 2
