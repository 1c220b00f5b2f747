"""Videos written by the test, servers on loopback that misbehave on order, and a watch on threads left over."""

import contextlib
import http.server
import threading
import time

import numpy as np
import pytest

LIMIT = 30.0  # seconds that a condition may take on a machine that is busy elsewhere


def until(condition, limit=LIMIT):
    """Wait until a condition holds; fail where it does not."""
    end = time.monotonic() + limit
    while not (result := condition()):
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.002)
    return result


def coded(number, size=(96, 64)):
    """An RGB frame that carries a number from 0 to 255 in eight fields, right and left of it red and blue."""
    frame = np.zeros((size[1], size[0], 3), np.uint8)
    frame[:, : size[0] // 2] = 200, 30, 30
    frame[:, size[0] // 2 :] = 30, 30, 200
    for bit in range(8):
        frame[size[1] // 4 : -size[1] // 4, 8 * bit + 16 : 8 * bit + 24] = 255 if number >> bit & 1 else 0
    return frame


def number_of(pixels):
    """The number in a frame of ``coded``, after any compression."""
    middle = pixels.shape[0] // 2
    return sum(
        (int(pixels[middle - 4 : middle + 4, 8 * bit + 18 : 8 * bit + 22].mean()) > 127) << bit for bit in range(8)
    )


def write_video(path, count, fps=25.0, size=(96, 64), codec="mp4v"):
    """Write frames 0, 1, 2 ... of ``coded`` to a file."""
    from guiapp.sources.opencv import load

    cv2 = load()
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*codec), fps, size)
    assert writer.isOpened()
    for n in range(count):
        writer.write(coded(n, size)[:, :, ::-1].copy())
    writer.release()
    return path


def jpeg(number, size=(96, 64)):
    """``coded`` as the content of a JPEG file."""
    from guiapp.sources.opencv import load

    done, content = load().imencode(".jpg", coded(number, size)[:, :, ::-1].copy())
    assert done
    return content.tobytes()


class Link:
    """One connection to the MJPEG server, as a scenario sees it."""

    def __init__(self, handler, server):
        self.handler = handler
        self.server = server
        self.path = handler.path
        self.headers = handler.headers

    def head(self, content_type="multipart/x-mixed-replace; boundary=frame", status=200, **headers):
        self.handler.send_response(status)
        for name, value in {"Content-Type": content_type, **headers}.items():
            self.handler.send_header(name.replace("_", "-"), value)
        self.handler.end_headers()

    def raw(self, data):
        self.handler.wfile.write(data)
        self.handler.wfile.flush()

    def part(self, content, length=True):
        extra = b"Content-Length: %d\r\n" % (len(content) if length is True else length) if length else b""
        self.raw(b"--frame\r\nContent-Type: image/jpeg\r\n" + extra + b"\r\n" + content + b"\r\n")

    def wait(self, event):
        """Until the test says go on, or the server is shut down."""
        while not event.wait(0.02) and not self.server.over.is_set():
            pass

    def forever(self):
        """Keep the connection and send nothing more."""
        self.server.over.wait(LIMIT)


class Mjpeg:
    """A server whose n-th connection plays the n-th scenario, the last one again and again."""

    def __init__(self, *scenarios):
        self.over = threading.Event()
        self.asked = []
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append((self.path, self.headers.get("Authorization")))
                scenario = scenarios[min(len(outer.asked), len(scenarios)) - 1]
                with contextlib.suppress(ConnectionError):
                    scenario(Link(self, outer))
                self.close_connection = True

            def log_message(self, *_):
                pass

        class Server(http.server.ThreadingHTTPServer):
            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = False  # their end is waited for
        self.url = f"http://127.0.0.1:{self.server.server_port}/video"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()

    def close(self):
        self.over.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture(autouse=True)
def no_thread_left():
    """Whatever a test opens it closes, and closing ends the thread."""
    before = set(threading.enumerate())
    yield
    until(lambda: not [t for t in threading.enumerate() if t not in before], 10)


@pytest.fixture
def closing():
    """Call ``closing(x)`` and ``x.close()`` is called at the end of the test, the last first."""
    with contextlib.ExitStack() as stack:
        yield lambda thing: stack.enter_context(contextlib.closing(thing))


@pytest.fixture
def tools():
    """The helpers above."""
    from types import SimpleNamespace

    return SimpleNamespace(
        until=until, coded=coded, number_of=number_of, write_video=write_video, jpeg=jpeg, Mjpeg=Mjpeg, LIMIT=LIMIT
    )
