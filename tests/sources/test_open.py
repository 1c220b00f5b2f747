"""What a person types becomes the right source; sources import nothing heavy."""

import subprocess
import sys
from pathlib import Path

import pytest

from guiapp.core.notices import UserError
from guiapp.sources.camera import Camera, CameraSource
from guiapp.sources.open import is_live, open_live
from guiapp.sources.stream import StreamSource
from guiapp.sources.video import VideoSource


@pytest.mark.parametrize(
    "text, kind",
    [
        ("camera:0", CameraSource), ("Camera: 3", CameraSource), ("camera:Logitech BRIO", CameraSource),
        ("rtsp://me:pw@10.0.0.3/live", StreamSource), ("rtsps://host/x", StreamSource),
        ("http://host:8080/video", StreamSource), (" https://host/video ", StreamSource),
    ],
)  # fmt: skip
def test_cameras_and_streams(text, kind):
    source = open_live(text)
    assert type(source) is kind
    assert is_live(text)
    assert source._thread is None  # nothing runs before it is asked
    assert "pw" not in source.name
    source.close()
    assert source.latest() is None


def test_names_of_cameras_come_from_whoever_knows_them(tools, closing):
    source = closing(open_live("camera:front", cameras=lambda: [Camera(0, "Back")], mirror=True))
    assert source.mirror
    source.start()
    tools.until(lambda: "there are 0: Back" in source.trouble)


def test_video_files(tmp_path, tools):
    path = tools.write_video(tmp_path / "a b.mp4", 3)
    for text in (str(path), path, path.as_uri()):
        source = open_live(text)
        assert type(source) is VideoSource
        assert source.path == path
        assert is_live(str(text))
        source.close()


def test_what_is_nothing(tmp_path):
    for text, line in [
        ("camera:", "needs a number or a name"),
        ("gopher://host/x", "rtsp, rtsps, http or https"),
        (str(tmp_path / "missing.mp4"), "is not there"),
        (tmp_path, "holds no pictures"),
        ("http://", "no address"),
    ]:
        with pytest.raises(UserError, match=line):
            open_live(text)
    assert not is_live("picture.png")
    assert not is_live("cat.jpg")


def test_nothing_heavy_is_imported_with_the_sources():
    code = (
        "import sys, guiapp.sources.open, guiapp.sources.record\n"
        "assert not {'cv2', 'torch', 'PIL', 'PySide6'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])
