"""Resolutions and rates of cameras, from a driver that the test plays."""

import errno
import struct

import pytest

from guiapp.sources.camera_modes import FORMATS, INTERVALS, SIZES, Mode, list_modes, modes_of

YUYV, MJPG = 0x56595559, 0x47504A4D


def driver(formats):
    """Answers as V4L2 does; ``formats`` is {pixel format: [(size, intervals)]}, tuples of six where it takes any."""

    def ask(code, data):
        index = struct.unpack_from("=I", data)[0]
        try:
            if code == FORMATS:
                assert struct.unpack_from("=I", data, 4)[0] == 1, "video capture"
                struct.pack_into("=I", data, 44, list(formats)[index])
                return
            sizes = formats[struct.unpack_from("=I", data, 4)[0]]
            if code == SIZES:
                size = sizes[index][0]
                struct.pack_into("=I", data, 8, 1 if len(size) == 2 else 3)
                struct.pack_into(f"={len(size)}I", data, 12, *size)
                return
            assert code == INTERVALS
            asked = struct.unpack_from("=2I", data, 8)
            rates = next(rates for size, rates in sizes if size == asked or len(size) == 6)
            struct.pack_into("=I", data, 16, 1 if len(rates[index]) == 2 else 3)
            struct.pack_into(f"={len(rates[index])}I", data, 20, *rates[index])
        except IndexError:
            raise OSError(errno.EINVAL, "Invalid argument") from None

    return ask


def test_requests_have_the_codes_of_the_kernel():
    assert (FORMATS, SIZES, INTERVALS) == (0xC0405602, 0xC02C564A, 0xC034564B)  # linux/videodev2.h


def test_resolutions_of_all_pixel_formats_together():
    modes = modes_of(
        driver(
            {
                YUYV: [((640, 480), [(1, 30), (1, 15)]), ((1280, 720), [(1, 10)])],
                MJPG: [((1280, 720), [(1, 30), (1001, 30000)]), ((1920, 1080), [(1, 30)])],
            }
        )
    )
    assert modes == [Mode(1920, 1080, (30,)), Mode(1280, 720, (30, 29.97, 10)), Mode(640, 480, (30, 15))]


def test_a_camera_that_takes_any_size_and_rate():
    modes = modes_of(driver({YUYV: [((64, 1280, 2, 64, 800, 2), [(1, 30, 1, 10, 1, 30)])]}))
    assert modes == [Mode(size[0], size[1], (30, 25, 15, 10)) for size in ((1280, 720), (800, 600), (640, 480))]


def test_a_camera_that_tells_nothing():
    def refuses(code, data):
        raise OSError(errno.ENOTTY, "Inappropriate ioctl for device")

    assert modes_of(refuses) == []
    assert list_modes(98765) is None


def test_a_driver_whose_lists_never_end():
    def endless(code, data):
        if code == FORMATS and struct.unpack_from("=I", data)[0] > 0:
            raise OSError(errno.EINVAL, "Invalid argument")
        struct.pack_into("=I", data, 8 if code == SIZES else 16, 1)
        struct.pack_into("=2I", data, 12 if code == SIZES else 20, 320, 240)

    assert [(mode.width, mode.height) for mode in modes_of(endless)] == [(320, 240)]


@pytest.mark.parametrize("size", [(640, 480)])
def test_a_rate_of_nothing_is_left_out(size):
    assert modes_of(driver({YUYV: [(size, [(0, 30)])]})) == [Mode(640, 480)]
