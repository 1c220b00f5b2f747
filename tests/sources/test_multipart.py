"""Multipart streams in pieces of any size, with wrong lengths and garbage between."""

import numpy as np
import pytest

from guiapp.sources.multipart import LARGEST, NoPicturesError, Parts, boundary_of

PICTURES = [b"\xff\xd8first\r\n--not a mark\xff\xd9", b"\xff\xd8" + b"x" * 5000 + b"\xff\xd9", b"\xff\xd8third\xff\xd9"]


def stream(pictures, mark=b"--frame", length=True):
    parts = []
    for content in pictures:
        extra = b"Content-Length: %d\r\n" % len(content) if length else b""
        parts.append(mark + b"\r\nContent-Type: image/jpeg\r\n" + extra + b"\r\n" + content + b"\r\n")
    return b"".join(parts)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 100_000])
@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("boundary", [b"frame", b""])
def test_pieces_of_any_size(size, length, boundary):
    data = stream(PICTURES, length=length)
    parts = Parts(boundary)
    seen = [content for at in range(0, len(data), size) for content in parts.feed(data[at : at + size])]
    assert seen == PICTURES


def test_a_picture_without_a_length_is_given_at_its_end_not_with_the_next():
    parts = Parts(b"frame")
    assert parts.feed(stream(PICTURES[:1], length=False)) == PICTURES[:1]
    assert parts.feed(stream(PICTURES[1:2], length=False)) == PICTURES[1:2]


@pytest.mark.parametrize("wrong", [5, 40, 5020])
def test_after_a_wrong_length_the_next_picture_is_right(wrong):
    bad = b"--frame\r\nContent-Length: %d\r\n\r\n" % wrong + PICTURES[0] + b"\r\n"
    seen = Parts(b"frame").feed(bad + stream(PICTURES[1:]) + stream(PICTURES))
    assert seen[-3:] == PICTURES
    assert PICTURES[1] in seen or PICTURES[2] in seen


def test_garbage_before_between_and_behind():
    noise = np.random.default_rng(1).bytes(10_000)
    parts = Parts(b"frame")
    seen = []
    for content in PICTURES:
        seen += parts.feed(noise)
        seen += parts.feed(stream([content]))
    assert seen == PICTURES


def test_empty_parts_and_plain_line_ends():
    assert Parts(b"frame").feed(b"--frame\r\nContent-Length: 0\r\n\r\n\r\n" + stream(PICTURES[2:])) == PICTURES[2:]
    assert Parts(b"frame").feed(b"--frame\nContent-Type: image/jpeg\n\n" + PICTURES[0] + b"\n--frame\n") == PICTURES[:1]


def test_what_never_ends_is_refused():
    with pytest.raises(NoPicturesError, match="no boundary"):
        Parts().feed(b"x" * 20_000)
    with pytest.raises(NoPicturesError, match="no boundary"):
        Parts(b"frame").feed(b"--frame\r\n" + b"Header: x\r\n" * 2000)
    parts = Parts(b"frame")
    parts.feed(b"--frame\r\n\r\n")
    with pytest.raises(NoPicturesError, match="without an end"):
        parts.feed(b"x" * (LARGEST + 1))
    parts = Parts(b"frame")
    for _ in range(100):  # what is no part at all is not kept
        parts.feed(b"x" * 100_000)
    assert len(parts._buffer) < 100


def test_boundaries_as_servers_name_them():
    kind = "multipart/x-mixed-replace"
    assert boundary_of(f"{kind}; boundary=frame") == b"frame"
    assert boundary_of(f'{kind};boundary="my frame"; x=1') == b"my frame"
    assert boundary_of(f"{kind}; BOUNDARY=--myboundary") == b"myboundary"
    assert boundary_of(kind) == b""
