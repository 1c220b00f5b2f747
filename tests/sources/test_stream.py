"""Streams from a real server on loopback that stalls, sends garbage, hangs up, and comes back."""

import base64
import socket
import threading
import time

import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.sources.base import Source
from guiapp.sources.stream import StreamSource, decoded, without_password

QUICK = (0.02, 0.05)


@pytest.fixture
def serve(closing, tools):
    return lambda *scenarios: closing(tools.Mjpeg(*scenarios))


@pytest.fixture
def watch(closing):
    def opened(address, **options):
        return closing(StreamSource(address, **{"pauses": QUICK, "stall": 20.0, **options}))

    return opened


def shows(source, tools, number):
    tools.until(lambda: (p := source.latest()) is not None and tools.number_of(p.pixels) == number)


@pytest.mark.parametrize("length", [True, False])
def test_frames_come_one_by_one(serve, watch, tools, length):
    go = [threading.Event() for _ in range(5)]

    def scenario(link):
        link.head()
        for n, event in enumerate(go):
            link.wait(event)
            link.part(tools.jpeg(n), length)
        link.forever()

    source = watch(serve(scenario).url)
    assert isinstance(source, Source)
    assert source.latest() is None
    assert source.state == "opening"
    for n, event in enumerate(go):
        event.set()
        picture = source.next()
        assert tools.number_of(picture.pixels) == n
        assert picture.pixels[32, 2, 0] > 150 > picture.pixels[32, 2, 2]  # red is the first channel
        assert source.latest() is picture
    assert picture.origin.kind == "stream"
    assert picture.origin.name == source.name == source.address
    assert (source.trouble, source.dropped, source.size) == ("", 0, (96, 64))
    tools.until(lambda: source.state == "playing")


def test_the_newest_frame_wins(serve, watch, tools):
    def scenario(link):
        link.head()
        link.raw(b"".join(b"--frame\r\n\r\n" + tools.jpeg(n) + b"\r\n" for n in range(200)))
        link.forever()

    source = watch(serve(scenario).url)
    source.start()
    tools.until(lambda: source.frames + source.dropped >= 200)
    shows(source, tools, 199)
    assert source.dropped >= 199 - 1
    assert source.dropped + 1 <= 200


def test_a_stream_that_hangs_up_comes_back(serve, watch, tools):
    go, again = threading.Event(), threading.Event()

    def first(link):
        link.head()
        link.part(tools.jpeg(1))
        link.wait(go)

    def second(link):
        link.wait(again)
        link.head()
        link.part(tools.jpeg(2))
        link.forever()

    source = watch(serve(first, second).url)
    held = source.next()
    tools.until(lambda: source.state == "playing")
    go.set()
    tools.until(lambda: source.state == "waiting")
    assert "it hung up; next try in" in source.trouble
    assert "\n" not in source.trouble
    assert source.latest() is held
    again.set()
    shows(source, tools, 2)
    tools.until(lambda: source.state == "playing" and source.trouble == "")


def test_a_stream_that_stalls_is_left_and_tried_again(serve, watch, tools):
    def stalls(link):
        link.head()
        link.part(tools.jpeg(1))
        link.raw(b"--frame\r\nContent-Length: 5000\r\n\r\n\xff\xd8half")
        link.forever()

    def works(link):
        link.head()
        link.part(tools.jpeg(2))
        link.forever()

    source = watch(serve(stalls, works).url, stall=0.3)
    told = []
    source.on_state = lambda: told.append((source.state, source.trouble))
    assert tools.number_of(source.next().pixels) == 1
    shows(source, tools, 2)
    assert any(state == "waiting" and "nothing has come for 0.3 s" in line for state, line in told)


def test_a_server_that_never_answers(serve, watch, tools):
    source = watch(serve(lambda link: link.forever()).url, stall=0.3)
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert "nothing has come" in source.trouble
    assert source.latest() is None


def test_garbage_is_passed_over(serve, watch, tools):
    whole = tools.jpeg(4)

    def scenario(link):
        link.head()
        link.part(tools.jpeg(1))
        link.wait(go)
        link.raw(np.random.default_rng(0).bytes(3000))
        link.part(b"this is no picture")
        link.part(whole[: len(whole) // 2])  # cut off
        link.wait(more)
        link.part(tools.jpeg(3))
        link.forever()

    go, more = threading.Event(), threading.Event()
    source = watch(serve(scenario).url)
    held = source.next()
    go.set()
    tools.until(lambda: source.state == "waiting")
    assert "no picture" in source.trouble
    assert source.latest() is held
    more.set()
    shows(source, tools, 3)
    tools.until(lambda: source.state == "playing" and source.trouble == "")


def test_nothing_but_garbage_is_left(serve, watch, tools):
    def scenario(link):
        link.head()
        while not link.server.over.is_set():
            link.part(b"nothing")

    server = serve(scenario)
    source = watch(server.url)
    source.start()
    tools.until(lambda: len(server.asked) >= 3)  # it hangs up by itself and tries again
    assert source.state == "waiting"
    assert source.latest() is None


def test_pauses_grow_and_begin_anew_after_a_frame(watch, tools, monkeypatch):
    source = watch("http://127.0.0.1:1/", pauses=(0.5, 1.0, 2.0))
    waited = []
    results = iter([0, 0, 0, 0, 1, 1, 0])  # frames of each session

    def session():
        got = next(results, None)
        if got is None:
            source._stop = True
            return
        source.frames += got
        raise ConnectionRefusedError(111, "Connection refused")

    plain = source._condition.wait_for

    def wait_for(condition, timeout=None):
        if threading.current_thread() is source._thread:
            waited.append(timeout)
            timeout = 0
        return plain(condition, timeout)

    monkeypatch.setattr(source, "_session", session)
    monkeypatch.setattr(source._condition, "wait_for", wait_for)
    source.start()
    tools.until(lambda: not source._thread.is_alive())
    assert waited == [1.0, 2.0, 2.0, 2.0, 0.5, 0.5, 1.0]


def answers(status, **headers):
    return lambda link: link.head("text/html", status, **headers)


@pytest.mark.parametrize(
    "scenario, line",
    [
        (answers(404), "it answers 404 Not Found"),
        (answers(200), "a page of text, not a stream"),
        (answers(401), "it asks for a password"),
        (answers(302, Location="ftp://x/"), "not of HTTP"),
        (answers(302, Location="/again"), "it answers 302"),
        (lambda link: link.raw(b"\0\1\2 garbage\r\n\r\n"), "it does not speak HTTP"),
        (lambda link: None, "it hangs up without an answer"),
    ],
)
def test_answers_that_are_no_stream(serve, watch, tools, scenario, line):
    source = watch(serve(scenario).url)
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert line in source.trouble
    assert source.latest() is None


def test_nobody_is_there(watch, tools):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for address in (f"http://127.0.0.1:{port}/", f"rtsp://127.0.0.1:{port}/a"):
        source = watch(address)
        source.start()
        tools.until(lambda source=source: source.state == "waiting")
        assert "the connection is refused" in source.trouble


def test_a_redirection_is_followed_and_a_password_given(serve, watch, tools):
    def stream(link):
        link.head()
        link.part(tools.jpeg(9))
        link.forever()

    server = serve(lambda link: link.head(status=302, Location="/there?a=1&b=x%20y"), stream)
    address = server.url.replace("http://", "http://me:se%20cret@")
    source = watch(address)
    assert tools.number_of(source.next().pixels) == 9
    basic = "Basic " + base64.b64encode(b"me:se cret").decode()
    assert server.asked == [("/video", basic), ("/there?a=1&b=x%20y", basic)]
    assert source.name == server.url
    assert "cret" not in source.name + source.trouble


def test_digest_passwords(serve, watch, tools):
    def stream(link):
        link.head()
        link.part(tools.jpeg(5))
        link.forever()

    challenge = 'Digest realm="cam", nonce="abc", qop="auth", opaque="xyz"'
    server = serve(answers(401, WWW_Authenticate=challenge), stream)
    source = watch(server.url.replace("http://", "http://me:pw@"))
    assert tools.number_of(source.next().pixels) == 5
    import hashlib
    import re

    fields = dict(re.findall(r'(\w+)="?([^",]+)', server.asked[1][1].removeprefix("Digest ")))
    md5 = lambda text: hashlib.md5(text.encode()).hexdigest()  # noqa: E731
    expected = md5(f"{md5('me:cam:pw')}:abc:00000001:{fields['cnonce']}:auth:{md5('GET:/video')}")
    assert fields["response"] == expected
    assert (fields["opaque"], fields["uri"], fields["nc"]) == ("xyz", "/video", "00000001")


def test_a_wrong_password(serve, watch, tools):
    source = watch(serve(answers(401, WWW_Authenticate='Digest realm="a", nonce="b"')).url.replace("//", "//a:b@"))
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert "the password is wrong" in source.trouble


def test_an_address_that_gives_one_picture_at_a_time(serve, watch, tools):
    number = iter(range(100))

    def scenario(link):
        content = tools.jpeg(next(number))
        link.head("image/jpeg", Content_Length=len(content))
        link.raw(content)

    source = watch(serve(scenario).url)
    seen = [tools.number_of(source.next().pixels) for _ in range(3)]
    assert seen == sorted(set(seen))


@pytest.mark.parametrize("when", ["connecting", "silent", "half", "playing", "waiting"])
def test_closing_is_quick_whatever_it_waits_for(serve, tools, when):
    def scenario(link):
        if when == "silent":
            link.forever()
        link.head()
        if when == "half":
            link.raw(b"--frame\r\nContent-Length: 9999\r\n\r\n\xff\xd8")
        while when == "playing" and not link.server.over.wait(0.005):
            link.part(tools.jpeg(1))
        if when != "waiting":
            link.forever()

    server = serve(scenario)
    source = StreamSource(server.url, stall=60, pauses=(60,))
    source.start()
    if when != "connecting":
        tools.until(lambda: server.asked)
    if when in ("playing", "waiting"):
        tools.until(lambda: source.state == when)
    source.close()
    tools.until(lambda: not source._thread.is_alive(), 5)
    assert source.latest() is None


def test_freezing_holds_the_picture_and_drops_nothing(serve, watch, tools):
    def scenario(link):
        link.head()
        n = 0
        while not link.server.over.wait(0.002):
            link.part(tools.jpeg(n % 256))
            n += 1

    source = watch(serve(scenario).url)
    source.next()
    source.pause()
    held, before = source.latest(), source.frames
    tools.until(lambda: source.state == "paused")
    tools.until(lambda: source.frames > before + 10)
    assert source.latest() is held
    source.mirror = True
    assert (source.latest().pixels == held.pixels[:, ::-1]).all()
    source.play()
    tools.until(lambda: source.latest().origin is not held.origin and source.state == "playing")
    assert source.rate > 0


def test_addresses():
    assert without_password("rtsp://me:pw@host:554/a?b") == "rtsp://host:554/a?b"
    for bad in ("http:///x", "rtsp://", "ftp://host/x", "http://host:99999/", "http://[::1/"):
        with pytest.raises(UserError, match="no address"):
            StreamSource(bad)


def test_decoded(tools):
    whole = tools.jpeg(77)
    assert tools.number_of(decoded(whole)) == 77
    assert tools.number_of(decoded(whole + b"\0\r\n")) == 77
    for bad in (b"", b"no picture", whole[:-200], b"\xff\xd8\xff\xd9"):
        assert decoded(bad) is None


def test_the_clock_of_a_picture_is_its_arrival(serve, watch, tools):
    def scenario(link):
        link.head()
        link.part(tools.jpeg(0))
        link.forever()

    before = time.monotonic()
    picture = watch(serve(scenario).url).next()
    assert before < picture.time <= time.monotonic()
