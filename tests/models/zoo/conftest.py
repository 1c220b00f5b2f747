"""What the tests of the zoo share: no weights but those of the test, and a server that gives some."""

import hashlib
import http.server
import threading

import pytest
import torch

from guiapp.models.zoo import table as zoo_table
from guiapp.models.zoo import weights as zoo_weights


@pytest.fixture(autouse=True)
def nothing_here(tmp_path, monkeypatch):
    """Neither the data of this machine nor the files that torchvision has fetched; the folder of the person's data."""
    folder = tmp_path / "given"
    (folder / "weights").mkdir(parents=True)
    monkeypatch.setenv("GUIAPP_DATA", str(folder))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(zoo_weights, "_checked", set())
    return folder


class Handler(http.server.BaseHTTPRequestHandler):
    """Gives ``server.content``; hangs up in the middle as often as ``server.hang_ups`` says."""

    def do_GET(self):
        server = self.server
        wanted = self.headers.get("Range")
        server.requests.append(wanted)
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted else 0
        body = server.content[start:]
        self.send_response(206 if wanted else 200)
        if wanted:
            total = len(server.content)
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if server.hang_ups:
            server.hang_ups -= 1
            body = body[: len(body) // 2]
        self.wfile.write(body)

    def log_message(self, *args):
        pass


@pytest.fixture
def publisher(tmp_path, monkeypatch):
    """Publishes weights of SqueezeNet 1.1 on this machine, in place of those of the table."""
    import dataclasses

    from guiapp.models.zoo.build import build_random

    entry = zoo_table.ZOO["squeezenet1_1"]
    file = tmp_path / "published.pth"
    torch.save(build_random(entry, seed=7).state_dict(), file)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.content, server.requests, server.hang_ups = file.read_bytes(), [], 0
    digest = hashlib.sha256(server.content).hexdigest()[:8]
    server.file = f"squeezenet1_1-{digest}.pth"
    url = f"http://127.0.0.1:{server.server_port}/models/{server.file}"
    weights = dataclasses.replace(entry.best, url=url, bytes=len(server.content))
    server.entry = dataclasses.replace(entry, weights=(weights,))
    monkeypatch.setitem(zoo_table.ZOO._items, entry.name, server.entry)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()
