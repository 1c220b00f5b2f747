"""Video files as they are met: damaged in the middle, cut off anywhere, of one frame, without pictures, oddly named."""

import itertools
import math
import shutil
import wave

import numpy as np
import pytest

from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.engine.annotate import annotate
from guiapp.sources.open import open_live
from guiapp.sources.video import VideoSource
from guiapp.sources.video_reader import VideoReader


def numbers(path, tools):
    reader = VideoReader(path)
    try:
        return [(index, tools.number_of(pixels)) for index, _, pixels in reader.frames()], reader.cut_off()
    finally:
        reader.close()


@pytest.fixture
def torn(tmp_path, tools):
    """A video whose frames 10, 11 and 20 hold nothing that can be decoded."""
    path = tools.write_video(tmp_path / "torn.avi", 30, codec="MJPG")
    content = bytearray(path.read_bytes())
    at = content.index(b"movi")
    for number in range(30):
        at = content.index(b"00dc", at) + 8
        if number in (10, 11, 20):
            length = int.from_bytes(content[at - 4 : at], "little")
            content[at : at + length] = bytes(length)
    path.write_bytes(content)
    return path


def test_damaged_frames_are_passed_over_and_the_others_keep_their_index(torn, tools):
    seen, trouble = numbers(torn, tools)
    assert seen == [(n, n) for n in range(30) if n not in (10, 11, 20)]
    assert trouble == "torn.avi is damaged: 3 frames could not be decoded"


def test_a_damaged_video_plays_to_its_end_and_can_be_sought(torn, tools, closing):
    source = closing(VideoSource(torn, every=True))
    seen = []
    while (picture := source.next()) is not None:
        seen.append((picture.origin.index, tools.number_of(picture.pixels)))
    assert seen == [(n, n) for n in range(30) if n not in (10, 11, 20)]
    tools.until(lambda: source.state == "ended")
    assert "3 frames could not be decoded" in source.trouble
    source.seek(25)
    tools.until(lambda: source.index == 25 and tools.number_of(source.latest().pixels) == 25)
    source.seek(11)  # the next one that there is
    tools.until(lambda: tools.number_of(source.latest().pixels) == 12)


def test_a_copy_of_a_damaged_video_lasts_as_long(torn, tools, tmp_path):
    reader = VideoReader(torn)
    reader.scan(math.inf)
    for _ in annotate(reader, lambda picture: None, lambda pixels, drawn: pixels, tmp_path / "copy.mp4"):
        pass
    reader.close()
    seen = [n for _, n in numbers(tmp_path / "copy.mp4", tools)[0]]
    assert seen == [*range(10), 9, 9, *range(12, 20), 19, *range(21, 30)]


@pytest.mark.parametrize("ending, codec", [("avi", "MJPG"), ("mkv", "mp4v")])
def test_a_file_that_is_cut_off_anywhere_gives_what_is_there_and_says_so(tmp_path, tools, ending, codec):
    whole = tools.write_video(tmp_path / f"whole.{ending}", 60, codec=codec).read_bytes()
    path, counts = tmp_path / f"cut.{ending}", []
    for share in (0.002, 0.1, 0.35, 0.5, 0.75, 0.9, 0.999):
        path.write_bytes(whole[: int(len(whole) * share)])
        try:
            seen, trouble = numbers(path, tools)
        except UserError as error:
            assert share <= 0.1 and "no video that can be read" in str(error)
            continue
        assert seen == [(n, n) for n in range(len(seen))]
        assert ("cut off" in trouble) == (len(seen) < 55)
        counts.append(len(seen))
    assert len(counts) >= 5 and counts == sorted(counts) and counts[0] > 8 and counts[-1] == 60


def test_an_mp4_whose_recording_broke_off_says_so(tmp_path, tools):
    whole = tools.write_video(tmp_path / "whole.mp4", 20).read_bytes()
    (tmp_path / "part.mp4").write_bytes(whole[: whole.index(b"moov") - 4])
    with pytest.raises(UserError, match=r"part\.mp4 is cut off: the index at its end is missing"):
        VideoReader(tmp_path / "part.mp4")


@pytest.mark.parametrize("count, size", [(1, (96, 64)), (3, (321, 241)), (2, (96, 33))])
def test_few_frames_and_odd_sizes(tmp_path, tools, closing, count, size):
    path = tmp_path / "a.mjpeg"  # OpenCV writes even sizes only
    path.write_bytes(b"".join(tools.jpeg(n, size) for n in range(count)))
    source = closing(VideoSource(path, every=True))
    pictures = []
    while (picture := source.next()) is not None:
        pictures.append(picture)
    assert [picture.size for picture in pictures] == [size] * count
    assert [tools.number_of(picture.pixels) for picture in pictures] == list(range(count))
    tools.until(lambda: source.state == "ended")
    assert source.count == count and source.trouble == ""
    source.step(-1)
    source.play()
    tools.until(lambda: source.state == "ended" and source.index == count - 1)


def test_frames_of_another_size_are_brought_to_the_first_ones(tmp_path, tools):
    sizes = [(160, 120), (96, 64), (320, 90), (160, 120)]
    (tmp_path / "a.mjpeg").write_bytes(b"".join(tools.jpeg(n, size) for n, size in enumerate(sizes)))
    reader = VideoReader(tmp_path / "a.mjpeg")
    shapes = [pixels.shape for _, _, pixels in reader.frames()]
    reader.close()
    assert shapes == [(120, 160, 3)] * 4


def test_sound_without_pictures(tmp_path, closing):
    with wave.open(str(tmp_path / "song.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes(16000))
    shutil.copy(tmp_path / "song.wav", tmp_path / "song.mp4")
    source = closing(VideoSource(tmp_path / "song.mp4"))
    with pytest.raises(UserError, match=r"song\.mp4 is damaged or no video"):
        source.next()


def test_names_in_any_script_of_any_length_and_with_any_ending(tmp_path, tools, closing):
    plain = tools.write_video(tmp_path / "a.mp4", 3)
    deep = tmp_path
    for _ in range(4):
        deep = deep / ("ordner-" + "ü映画 " * 20)
    deep.mkdir(parents=True)
    for name in ("Ünï 映画 🎬.mp4", "wrong.avi", "no ending", "%d%%s [x] 'a\"b.mp4", "-i.mp4", "x" * 200 + ".mp4"):
        path = shutil.copy(plain, deep / name)
        source = closing(open_live(path))
        assert isinstance(source.next(), Picture) and source.name == name
        source.close()
    address = closing(open_live((deep / "Ünï 映画 🎬.mp4").as_uri()))
    assert address.next().size == (96, 64)


def test_real_videos_cut_and_damaged(real_data, tmp_path):
    """Whatever happens to a file, reading ends, and each frame comes at most once."""
    noise = np.random.default_rng(3)
    for name in ("WUzgd7C1pWA.mp4", "v_SoccerJuggling_g23_c01.avi"):
        content = np.frombuffer((real_data / "video" / name).read_bytes(), np.uint8)
        for share in (0.3, 1.0):
            torn = content[: int(len(content) * share)].copy()
            torn[noise.integers(len(torn) // 10, len(torn) * 9 // 10, 60)] ^= 255
            path = tmp_path / name
            path.write_bytes(torn.tobytes())
            try:
                reader = VideoReader(path)
            except UserError as error:
                assert share < 1 and "index" in str(error)
                continue
            indices = [index for index, _, _ in reader.frames()]
            reader.close()
            assert all(a < b for a, b in itertools.pairwise(indices))
            assert len(indices) > 0.8 * share * reader.declared, "what is not damaged is read"
