"""RTSP from a small server on loopback: JPEG over RTP in the RTSP connection (RFC 2326, 2435), cut off and back."""

import contextlib
import random
import socket
import struct
import threading

import pytest

from guiapp.sources.stream import StreamSource

SIZE = (96, 64)


def segments(content):
    """Quantisation tables and the coded picture of a baseline JPEG file."""
    at, tables = 2, b""
    while True:
        marker, length = content[at + 1], struct.unpack(">H", content[at + 2 : at + 4])[0]
        body = content[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == 0xDB:
            while body:
                tables, body = tables + body[1:65], body[65:]
        if marker == 0xDA:
            return tables, content[at:-2]


class Rtsp:
    """Plays ``picture()`` 50 times a second to whoever asks, while ``flowing`` is set; ``drop`` hangs up."""

    def __init__(self, picture, port=0):
        self.picture = picture
        self.flowing = threading.Event()
        self.flowing.set()
        self.over = threading.Event()
        self.links = []
        self.server = socket.create_server(("127.0.0.1", port))
        self.port = self.server.getsockname()[1]
        self.url = f"rtsp://127.0.0.1:{self.port}/live"
        self.threads = [threading.Thread(target=self.accept)]
        self.threads[0].start()

    def accept(self):
        while not self.over.is_set():
            try:
                link, _ = self.server.accept()
            except OSError:
                return
            self.links.append(link)
            self.threads.append(threading.Thread(target=self.serve, args=(link,)))
            self.threads[-1].start()

    def serve(self, link):
        with contextlib.suppress(OSError), link, link.makefile("rb") as stream:
            while line := stream.readline():
                if line.startswith(b"$"):
                    continue
                headers = {}
                while (header := stream.readline()).strip():
                    name, _, value = header.decode().partition(":")
                    headers[name.lower()] = value.strip()
                method = line.split()[0].decode() if line.split() else ""
                body = ""
                extra = ""
                if method == "DESCRIBE":
                    body = (
                        "v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=video 0 RTP/AVP 26\r\na=control:video\r\n"
                    )
                    extra = f"Content-Type: application/sdp\r\nContent-Length: {len(body)}\r\n"
                elif method == "SETUP":
                    extra = "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 7\r\n"
                elif method == "OPTIONS":
                    extra = "Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n"
                elif method == "PLAY":
                    extra = "Session: 7\r\n"
                link.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {headers.get('cseq', '0')}\r\n{extra}\r\n{body}".encode())
                if method == "PLAY":
                    self.flow(link)
                    return

    def flow(self, link):
        number, clock = random.Random(0).randrange(1000), 0
        while not self.over.wait(0.02):
            if not self.flowing.is_set():
                continue
            tables, scan = segments(self.picture())
            pieces = [scan[i : i + 1200] for i in range(0, len(scan), 1200)]
            offset = 0
            for i, piece in enumerate(pieces):
                rtp = struct.pack(
                    ">BBHII", 0x80, 26 | (0x80 if i == len(pieces) - 1 else 0), number & 0xFFFF, clock, 99
                )
                head = struct.pack(">IBBBB", offset, 1, 255, SIZE[0] // 8, SIZE[1] // 8)
                quantisation = struct.pack(">BBH", 0, 0, 128) + tables if i == 0 else b""
                packet = rtp + head + quantisation + piece
                link.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
                offset += len(piece)
                number += 1
            clock += 1800

    def drop(self):
        for link in self.links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.over.set()
        with contextlib.suppress(OSError):
            self.server.shutdown(socket.SHUT_RDWR)
        self.server.close()
        self.drop()
        for thread in self.threads:
            thread.join()


@pytest.fixture
def scene(tools):
    """What the camera sees: a number that the test sets."""
    box = {"number": 1}
    return box, lambda: tools.jpeg(box["number"], SIZE)


def shows(source, tools, number):
    tools.until(lambda: (p := source.latest()) is not None and tools.number_of(p.pixels) == number)


def test_frames_come_and_it_comes_back_after_a_hang_up(scene, closing, tools):
    box, picture = scene
    server = closing(Rtsp(picture))
    source = closing(StreamSource(server.url, pauses=(0.05,)))
    shows(source, tools, 1)
    assert source.latest().pixels[32, 2, 0] > 150 > source.latest().pixels[32, 2, 2]  # red is the first channel
    box["number"] = 200
    shows(source, tools, 200)
    tools.until(lambda: source.state == "playing")
    told = []
    source.on_state = lambda: told.append((source.state, source.trouble))
    box["number"] = 3
    server.drop()
    shows(source, tools, 3)
    assert any(state == "waiting" and "hung up" in line for state, line in told)
    tools.until(lambda: source.state == "playing")


def test_a_stream_that_stalls_shorter_and_longer_than_its_limit(scene, closing, tools):
    box, picture = scene
    server = closing(Rtsp(picture))
    source = closing(StreamSource(server.url, pauses=(0.05,), stall=1.0))
    shows(source, tools, 1)
    told = []
    source.on_state = lambda: told.append((source.state, source.trouble))
    server.flowing.clear()
    tools.until(lambda: any("nothing has come for 1 s" in line for _, line in told))
    held = source.latest()
    assert tools.number_of(held.pixels) == 1
    box["number"] = 2
    server.flowing.set()
    shows(source, tools, 2)
    tools.until(lambda: source.state == "playing" and source.trouble == "")


@pytest.mark.parametrize("when", ["playing", "stalled"])
def test_closing_does_not_wait_for_the_stream(scene, closing, tools, when):
    server = closing(Rtsp(scene[1]))
    source = StreamSource(server.url, stall=60)
    shows(source, tools, 1)
    if when == "stalled":
        server.flowing.clear()
    source.close()
    tools.until(lambda: not source._thread.is_alive(), 5)


def test_what_does_not_speak_rtsp(closing, tools):
    server = closing(tools.Mjpeg(lambda link: link.head()))
    source = closing(StreamSource(server.url.replace("http", "rtsp"), pauses=(0.05,)))
    source.start()
    tools.until(lambda: source.state == "waiting")
    assert "it gives no stream that can be read" in source.trouble


def test_a_video_file_over_http_plays_in_its_own_time(tmp_path, closing, tools):
    content = tools.write_video(tmp_path / "a.mp4", 30, fps=50).read_bytes()

    def send(link):
        begin = int(link.headers["Range"].split("=")[1].split("-")[0]) if "Range" in link.headers else 0
        span = f"bytes {begin}-{len(content) - 1}/{len(content)}"
        link.head("video/mp4", 206, Content_Length=len(content) - begin, Content_Range=span, Accept_Ranges="bytes")
        link.raw(content[begin:])

    def first(link):
        link.head("video/mp4", Content_Length=len(content))
        link.raw(content)

    server = closing(tools.Mjpeg(first, send))
    source = closing(StreamSource(server.url))
    moments = []
    source.on_frame = lambda: moments.append(source._newest.time)
    source.start()
    tools.until(lambda: source.frames >= 30)
    assert moments[29] - moments[0] > 0.5  # 29 frames at 50 a second, not as fast as they came
