"""Picture files of every common kind, and what happens with broken ones."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from guiapp.core.decode import decode, over_white, within
from guiapp.core.notices import UserError

GRADIENT = np.stack(np.meshgrid(np.arange(48) * 5, np.arange(32) * 8), -1)
COLOURS = np.concatenate([GRADIENT, 255 - GRADIENT[..., :1]], -1).astype(np.uint8)  # 32 high, 48 wide
GREY = COLOURS[..., 0]


def encoded(image, kind, **options):
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("JPEG", {"quality": 95, "subsampling": 0}, 12),
        ("WEBP", {"quality": 95}, 30),
        ("PPM", {}, 0),
    ],
)
def test_formats(kind, options, tolerance):
    decoded = decode(encoded(Image.fromarray(COLOURS), kind, **options))
    assert decoded.pixels.dtype == np.uint8
    assert decoded.pixels.flags.c_contiguous
    assert decoded.size == (48, 32)
    assert not decoded.grey
    assert decoded.note == ""
    assert np.abs(decoded.pixels.astype(int) - COLOURS).max() <= tolerance


def test_gif_gives_the_first_frame():
    frames = [Image.new("RGB", (8, 4), colour) for colour in ((255, 0, 0), (0, 0, 255))]
    decoded = decode(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    assert (decoded.pixels == (255, 0, 0)).all()


def test_grey_bilevel_and_palette():
    grey = decode(encoded(Image.fromarray(GREY), "PNG"))
    assert grey.grey
    assert (grey.pixels == GREY[..., None]).all()
    bits = decode(encoded(Image.fromarray(GREY > 100), "PNG"))
    assert bits.grey
    assert (bits.pixels == np.where(GREY > 100, 255, 0)[..., None]).all()
    palette = Image.fromarray(COLOURS).quantize(256)
    assert (decode(encoded(palette, "PNG")).pixels == np.asarray(palette.convert("RGB"))).all()


def test_sixteen_bit_grey_keeps_its_proportions():
    values = (np.arange(32)[:, None] * 48 + np.arange(48)[None]).astype(np.uint16) * 42  # 0 to 64,470
    expected = np.rint(values / 257.0)
    for kind in ("PNG", "TIFF"):
        decoded = decode(encoded(Image.fromarray(values), kind))
        assert decoded.grey
        assert (decoded.pixels == expected[..., None]).all()
    pgm = b"P5 48 32 65535\n" + values.astype(">u2").tobytes()
    assert np.abs(decode(pgm).pixels[..., 0] - expected).max() <= 1


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_twelve_bits_in_sixteen_are_not_shown_black(kind):
    values = np.linspace(0, 4095, 32 * 48).reshape(32, 48).round().astype(np.uint16)
    decoded = decode(encoded(Image.fromarray(values), kind))
    assert decoded.grey and "12 bits" in decoded.note
    assert (decoded.pixels == np.rint(values / 4095 * 255)[..., None]).all()
    small = decode(encoded(Image.fromarray(values), kind), exactly=(24, 16)).pixels
    assert small.max() > 240, "a thumbnail is as bright"
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(encoded(Image.fromarray(values), kind, exif=exif))
    assert turned.pixels.shape == (48, 32, 3) and turned.pixels.max() == 255


def test_what_the_file_says_of_its_range_is_kept():
    values = np.linspace(0, 4095, 32 * 48).reshape(32, 48).round().astype(np.uint16)
    named = encoded(Image.fromarray(values), "TIFF", tiffinfo={281: 65535})
    pgm = b"P5 48 32 65535\n" + values.astype(">u2").tobytes()
    bright = values.copy()
    bright[0, 0] = 4096
    for content in (named, pgm, encoded(Image.fromarray(bright), "TIFF"), encoded(Image.fromarray(bright), "PNG")):
        decoded = decode(content)
        assert decoded.pixels.max() == 16 and not decoded.note
    classes = (values // 200).astype(np.uint16)  # a map of labels is dark by itself, not of a camera
    assert decode(encoded(Image.fromarray(classes), "TIFF")).pixels.max() == 0


def test_a_flat_sixteen_bit_picture_is_not_stretched():
    flat = np.full((4, 4), 32896, np.uint16)
    assert (decode(encoded(Image.fromarray(flat), "PNG")).pixels == 128).all()


def test_sixteen_bit_colour_keeps_its_proportions():
    import cv2

    values = COLOURS.astype(np.uint16) * 257
    _, png = cv2.imencode(".png", values[..., ::-1])
    assert (decode(png.tobytes()).pixels == COLOURS).all()
    _, tiff = cv2.imencode(".tif", values[..., ::-1])
    assert (decode(tiff.tobytes()).pixels == COLOURS).all()


def test_floating_point_values():
    ramp = np.linspace(0, 1, 256, dtype=np.float32).reshape(16, 16)
    assert (decode(encoded(Image.fromarray(ramp), "TIFF")).pixels[..., 0].ravel() == np.arange(256)).all()
    signed = decode(encoded(Image.fromarray(ramp * 8 - 4), "TIFF")).pixels[..., 0].ravel()
    assert (signed == np.arange(256)).all()
    holes = ramp.copy()
    holes[0, 0] = np.nan
    assert decode(encoded(Image.fromarray(holes), "TIFF")).pixels[0, 0, 0] == 0


def test_cmyk():
    inks = np.zeros((16, 16, 4), np.uint8)
    inks[:, :8, 0] = 255  # cyan ink on white paper
    image = Image.frombytes("CMYK", (16, 16), inks.tobytes())
    for content in (encoded(image, "TIFF"), encoded(image, "JPEG", quality=100, subsampling=0)):
        pixels = decode(content).pixels.astype(int)
        assert np.abs(pixels[:, 1:7] - (0, 255, 255)).max() < 8
        assert np.abs(pixels[:, 9:15] - 255).max() < 8


def test_adobe_jpeg_holds_inverted_inks():
    # Pillow writes the inks inverted, as Adobe does, and marks it (APP14): white paper is 255 in the file.
    white = encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 0)), "JPEG")
    assert b"Adobe" in white
    assert (decode(white).pixels == 255).all()


def test_transparent_parts_lie_on_white():
    rgba = np.dstack([COLOURS, np.where(np.arange(48) < 24, 0, 255)[None].repeat(32, 0)]).astype(np.uint8)
    for kind in ("PNG", "TIFF"):
        pixels = decode(encoded(Image.fromarray(rgba), kind)).pixels
        assert (pixels[:, :24] == 255).all()
        assert (pixels[:, 24:] == COLOURS[:, 24:]).all()
    half = np.full((2, 2, 4), (100, 0, 200, 128), np.uint8)
    assert over_white(half)[0, 0].tolist() == [177, 127, 227]  # (c * 128 + 255 * 127) / 255
    grey = Image.merge("LA", (Image.new("L", (3, 3), 0), Image.new("L", (3, 3), 0)))
    assert (decode(encoded(grey, "PNG")).pixels == 255).all()


def test_transparent_palette_entries_and_keys():
    palette = Image.new("P", (4, 4), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.putpixel((0, 0), 0)
    pixels = decode(encoded(palette, "GIF", transparency=0)).pixels
    assert pixels[0, 0].tolist() == [255, 255, 255]
    assert pixels[1, 1].tolist() == [10, 20, 30]
    assert decode(encoded(palette, "PNG", transparency=b"\x00\xff")).pixels[0, 0].tolist() == [255, 255, 255]
    keyed = Image.new("RGB", (2, 1), (1, 2, 3))
    keyed.putpixel((1, 0), (200, 0, 0))
    assert decode(encoded(keyed, "PNG", transparency=(1, 2, 3))).pixels.tolist() == [[[255] * 3, [200, 0, 0]]]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize(("kind", "options"), [("PNG", {}), ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"})])
def test_exif_orientation(orientation, kind, options):
    # What a viewer shows is given by the standard's table: row 0 and column 0 of the file are these sides.
    ways = {
        1: COLOURS,
        2: COLOURS[:, ::-1],
        3: COLOURS[::-1, ::-1],
        4: COLOURS[::-1],
        5: COLOURS.transpose(1, 0, 2),
        6: np.rot90(COLOURS, -1),
        7: COLOURS[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(COLOURS, 1),
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encoded(Image.fromarray(COLOURS), kind, exif=exif, **options))
    assert (decoded.pixels == ways[orientation]).all()
    assert decoded.size == ((48, 32) if orientation < 5 else (32, 48))


def test_a_photograph_turned_by_exif_also_as_thumbnail():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(Image.fromarray(COLOURS).resize((480, 320)), "JPEG", exif=exif)
    decoded = decode(content)
    assert decoded.pixels.shape == (480, 320, 3)
    small = decode(content, at_least=(40, 40))
    assert small.pixels.shape[0] > small.pixels.shape[1]
    assert small.size == (320, 480)


def test_a_damaged_exif_block_does_not_spoil_the_picture():
    content = encoded(Image.fromarray(COLOURS), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff garbage")
    assert decode(content).pixels.shape == (32, 48, 3)


def test_colour_profiles_are_ignored_and_lab_is_converted():
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert (decode(encoded(Image.fromarray(COLOURS), "PNG", icc_profile=profile)).pixels == COLOURS).all()
    assert (decode(encoded(Image.fromarray(COLOURS), "PNG", icc_profile=b"nonsense")).pixels == COLOURS).all()
    lab = ImageCms.profileToProfile(
        Image.fromarray(COLOURS), ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB"
    )
    assert np.abs(decode(encoded(lab, "TIFF")).pixels.astype(int) - COLOURS).mean() < 6


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("largest", [1500, 400, 150, 60])
def test_a_huge_picture_is_shown_smaller_with_a_note(kind, largest):
    decoded = decode(encoded(Image.fromarray(COLOURS), kind), largest=largest)
    height, width = decoded.pixels.shape[:2]
    assert height * width <= largest
    if largest >= 1500:
        assert decoded.note == "48 x 32 pixels are shown as 24 x 16"
    assert decoded.size == (48, 32)
    if largest > 100:
        assert np.abs(decoded.pixels.mean((0, 1)) - COLOURS.mean((0, 1))).max() < 12


def test_more_pixels_than_pillows_own_limit_are_read():
    # A real picture of 180 megapixels: Pillow alone refuses it as a decompression bomb.
    content = encoded(Image.new("1", (15_000, 12_000), 1), "PNG")
    decoded = decode(content)
    assert decoded.size == (15_000, 12_000)
    assert decoded.pixels.shape[0] * decoded.pixels.shape[1] <= 50_000_000
    assert decoded.pixels.min() == 255


def test_more_pixels_than_memory_are_refused_before_they_are_read():
    header = Image.new("1", (1, 1))
    content = bytearray(encoded(header, "BMP"))
    content[18:26] = (200_000).to_bytes(4, "little") + (200_000).to_bytes(4, "little")
    with pytest.raises(UserError, match="200000 x 200000 pixels and needs 320"):
        decode(bytes(content), "wall.bmp")


def test_exactly_resamples():
    decoded = decode(encoded(Image.fromarray(COLOURS), "PNG"), exactly=(12, 8))
    blocks = COLOURS.reshape(8, 4, 12, 4, 3).mean((1, 3))
    assert decoded.pixels.shape == (8, 12, 3)
    assert np.abs(decoded.pixels[1:-1, 1:-1] - blocks[1:-1, 1:-1]).max() < 4


def test_within():
    assert within((400, 200), 100) == (100, 50)
    assert within((40, 20), 100) == (40, 20)
    assert within((10_000, 1), 100) == (100, 1)


PNG = encoded(Image.fromarray(COLOURS), "PNG")
JPEG = encoded(Image.fromarray(COLOURS), "JPEG")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "no picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "no picture"),
        (PNG[: len(PNG) // 2], "damaged"),
        (PNG[:40], "damaged|no picture"),
        (JPEG[: len(JPEG) // 2], "damaged"),
        (PNG[:60] + b"\xff" * 40 + PNG[100:], "damaged"),
        (b"GIF89a\x01\x00\x01\x00", "damaged|no picture"),
        (b"P5 1000000 1000000 65535\n", "needs|damaged"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 30, "damaged|no picture"),
    ],
)
def test_broken_content_is_told_in_one_line(content, words):
    with pytest.raises(UserError, match=words) as error:
        decode(content, "holiday.png")
    assert "holiday.png" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP"])
def test_random_damage_never_raises_anything_else(kind):
    content = encoded(Image.fromarray(COLOURS), kind)
    random = np.random.default_rng(7)
    for _ in range(60):
        broken = bytearray(content[: random.integers(1, len(content) + 1)])
        for place in random.integers(0, len(broken), 6):
            broken[place] = random.integers(256)
        try:
            assert decode(bytes(broken), "x").pixels.dtype == np.uint8
        except UserError as error:
            assert "\n" not in str(error)


def test_files_missing_folders_and_unicode_names(tmp_path):
    with pytest.raises(UserError, match=r"nothing\.png is not there"):
        decode(tmp_path / "nothing.png")
    with pytest.raises(UserError, match="is a folder"):
        decode(tmp_path)
    file = tmp_path / "Æpfel und 林檎 🍎.png"
    file.write_bytes(PNG)
    assert (decode(file).pixels == COLOURS).all()


def test_a_picture_too_large_for_the_memory_is_refused_with_the_limit(monkeypatch):
    import psutil

    class Memory:
        available = 2_000_000_000

    monkeypatch.setattr(psutil, "virtual_memory", Memory)
    huge = encoded(Image.new("1", (20_000, 10_000)), "PNG")
    with pytest.raises(
        UserError, match=r"needs 1\.6 GB of memory; a picture may take 1\.0 GB here, half of what is free"
    ):
        decode(huge, "huge.png")


def test_memory_goes_back_after_a_large_picture_alone(monkeypatch):
    calls = []
    monkeypatch.setattr("guiapp.core.decode.give_back", lambda: calls.append(1))
    decode(encoded(Image.new("L", (300, 200)), "PNG"))
    assert calls == []
    decode(encoded(Image.new("L", (4000, 2500)), "PNG"), at_least=(64, 64))
    assert calls == [1]


@pytest.mark.parametrize("format", ["PNG", "BMP", "JPEG"])
def test_where_less_is_enough_less_is_decoded(format):
    tones = np.repeat(np.linspace(0, 255, 900).astype(np.uint8)[None], 600, 0)
    small = decode(encoded(Image.fromarray(tones), format), at_least=(64, 64)).pixels
    assert min(small.shape[:2]) >= 64
    assert max(small.shape[:2]) <= 3 * 64, "nine times less than the file holds"
    np.testing.assert_allclose(small[32, :, 0], np.linspace(0, 255, small.shape[1]), atol=3)
