"""Sample pictures are there wherever the program is installed, and the command line takes them by name."""

import json

import numpy as np
import pytest

from guiapp.cli import main
from guiapp.core.notices import UserError
from guiapp.engine.samples import FLOWER, SAMPLES, STREET, WALK, for_task, is_sample, open_live_source, read_sample
from guiapp.imaging.street import walk


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_a_colour_picture_of_some_size(name):
    picture = read_sample(name)
    assert min(picture.size) >= 400 and is_sample(name)
    assert np.abs(np.diff(picture.pixels.astype(int), axis=2)).mean() > 5
    later = read_sample(name)
    assert later.pixels is picture.pixels and later.time >= picture.time


def test_what_is_no_sample_is_named():
    assert not is_sample("photo.jpg")
    with pytest.raises(UserError, match="sample:street, sample:flower, sample:temple"):
        read_sample("sample:cat")
    assert (for_task("classification"), for_task("detection")) == (FLOWER, STREET)
    assert for_task("clip") == for_task("flow") == WALK and not is_sample(WALK)


def test_the_walk_is_a_video_that_is_stepped_sought_and_begins_again():
    source = open_live_source(WALK)
    try:
        source.pause()
        first = source.next()
        assert (source.kind, source.count, source.fps, source.index, source.loop) == ("video", 200, 25.0, 0, True)
        assert first.origin.path is None and first.size == (960, 640)
        source.seek(199)
        np.testing.assert_array_equal(source.next().pixels, walk(199))
        assert source.seconds == 199 / 25
        source.play()
        assert source.next().origin.index == 0
    finally:
        source.close()


def test_the_command_line_takes_samples(capsys):
    assert main(["predict", "haar-face", STREET, "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert found["input"] == STREET and found["prediction"]["boxes"]
    assert main(["predict", "haar-face", "sample:cat"]) == 2
