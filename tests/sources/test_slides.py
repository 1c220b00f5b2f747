"""A folder of pictures as a live source: in natural order, stepped and sought by index, what is broken passed over."""

import time

import numpy as np
import pytest
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.sources.open import open_live
from guiapp.sources.slides import SlideSource


def until(condition, seconds=30.0):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return
        time.sleep(0.005)
    raise AssertionError("it never came true")


@pytest.fixture
def album(tmp_path):
    for number in (10, 2, 1):
        Image.fromarray(np.full((4 + number, 6, 3), 20 * number, np.uint8)).save(tmp_path / f"p{number}.png")
    (tmp_path / "p3.png").write_bytes(b"no picture")
    return tmp_path


def test_a_folder_is_stepped_sought_and_ends(album):
    source = open_live(album)
    assert isinstance(source, SlideSource)
    source.pause()
    assert source.next().pixels[0, 0, 0] == 20
    assert (source.kind, source.count, source.fps, source.index) == ("video", 4, 1.0, 0)
    source.step(1)
    assert source.next().pixels[0, 0, 0] == 40
    source.step(1)  # p3 is broken
    assert source.next().pixels.shape == (14, 6, 3)
    assert source.index == 3
    source.step(-1)
    assert source.next().pixels[0, 0, 0] == 40
    source.seek(0)
    assert source.next().origin.index == 0
    source.seek(3)
    assert source.next().origin.index == 3
    source.play()
    until(lambda: source.state == "ended")
    source.close()


def test_a_folder_without_pictures_is_told_at_once(tmp_path):
    with pytest.raises(UserError, match="holds no pictures"):
        open_live(tmp_path)
