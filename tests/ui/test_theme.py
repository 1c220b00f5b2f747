"""Colours, colour maps, icons."""

import xml.etree.ElementTree as ET

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtSvg import QSvgRenderer

from guiapp.core.paths import resources
from guiapp.ui import colour_maps, icons
from guiapp.ui.theme import DARK, LIGHT, Theme, tabular


def luminance(colour):
    parts = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in QColor(colour).getRgbF()[:3]]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one, other):
    """WCAG 2 contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("colours", [DARK, LIGHT], ids=["dark", "light"])
def test_text_can_be_read(colours):
    for ground in (colours.background, colours.panel, colours.field, colours.hover, colours.selection):
        assert contrast(colours.text, ground) >= 7
    for ground in (colours.background, colours.panel, colours.field):
        assert contrast(colours.faint, ground) >= 4.5
    assert contrast("#ffffff", colours.primary) >= 4.5
    for ink in (colours.warning, colours.error, colours.good):
        assert contrast(ink, colours.panel) >= 4.5


@pytest.mark.parametrize("mode", ["dark", "light"])
def test_class_colours_differ_and_stand_out(application, mode):
    theme = Theme(mode)
    for count in (10, 100):
        names = [theme.class_colour(i, count).name() for i in range(count)]
        assert len(set(names)) == count
    for index in range(10):
        assert contrast(theme.class_colour(index, 10), theme.panel) >= 1.7
    assert theme.class_colour(37, 100) == theme.class_colour(37, 1000), "the same class keeps its colour"


def test_pens_are_those_of_the_design(application):
    theme = Theme("dark")
    assert [c.name() for c in (theme.training, theme.validation, theme.test)] == ["#3b82f6", "#f59e0b", "#10b981"]
    with pytest.raises(AttributeError):
        theme.nonsense  # noqa: B018
    with pytest.raises(ValueError, match="system, light, dark"):
        theme.set_mode("pink")


def test_signed_map_is_transparent_at_0_neutral_at_128_and_even(application):
    table = colour_maps.signed()
    assert table.shape == (256, 4) and table.dtype == np.uint8
    assert table[0, 3] == 0 and (table[1:, 3] == 255).all()
    assert np.ptp(table[128, :3].astype(int)) == 0 and table[128, 0] > 240
    light = colour_maps.oklab_from_rgb(table[1:, :3] / 255)[:, 0]
    assert (np.diff(light[:128]) > 0).all() and (np.diff(light[127:]) < 0).all()
    assert np.abs(light - light[::-1]).max() < 0.06, "values of equal size look equally strong"
    assert table[1, 2] > table[1, 0] and table[255, 0] > table[255, 2], "negative is blue, positive red"


@pytest.mark.parametrize("name", ["viridis", "magma"])
def test_sequential_maps_are_the_published_ones(name):
    table = colour_maps.sequential(name)
    ends = {"viridis": [(68, 1, 84), (253, 231, 37)], "magma": [(0, 0, 4), (252, 253, 191)]}[name]
    assert table[0, 3] == 0
    assert [tuple(int(v) for v in table[i, :3]) for i in (1, 255)] == ends


def test_oklab_goes_and_comes_back():
    rgb = np.random.default_rng(0).random((50, 3))
    assert np.abs(colour_maps.rgb_from_oklab(colour_maps.oklab_from_rgb(rgb)) - rgb).max() < 1e-5


def test_colour_table_is_what_an_indexed_image_takes(application):
    image = QImage(1, 1, QImage.Format.Format_Indexed8)
    image.setColorTable(colour_maps.colour_table(colour_maps.signed()))
    image.setPixel(0, 0, 255)
    assert image.pixelColor(0, 0).getRgb()[:3] == tuple(int(v) for v in colour_maps.signed()[255, :3])
    image.setPixel(0, 0, 0)
    assert image.pixelColor(0, 0).alpha() == 0


@pytest.mark.parametrize("path", sorted((resources() / "icons").glob("*.svg")), ids=lambda p: p.stem)
def test_every_icon_is_of_the_family_and_draws_something(application, path):
    root = ET.parse(path).getroot()
    assert (root.get("viewBox"), root.get("stroke"), root.get("fill")) == ("0 0 16 16", "currentColor", "none")
    assert root.get("stroke-width") == "1.5"
    assert QSvgRenderer(str(path)).isValid()
    drawn = icons.pixmap(path.stem, "#ff0000", 32).toImage()
    pixels = [drawn.pixelColor(x, y) for x in range(32) for y in range(32)]
    inked = [c for c in pixels if c.alpha() > 200]
    assert len(inked) >= 8 and all(c.red() > 200 and c.green() < 60 for c in inked)
    edge = [drawn.pixelColor(x, y).alpha() for x in range(32) for y in (0, 31)]
    assert max(edge) < 200, "nothing is cut off"


def test_icons_follow_the_theme(application):
    theme, icon = Theme("dark"), icons.icon("stop")
    found = []
    for mode in ("dark", "light"):
        theme.set_mode(mode)
        theme.apply()
        image = icon.pixmap(QSize(32, 32)).toImage()
        found.append(image.pixelColor(16, 7).lightness())
    assert found[0] > 200 and found[1] < 60


def test_an_unknown_icon_is_named(application):
    with pytest.raises(LookupError, match="unicorn"):
        icons.icon("unicorn")


def test_figures_are_tabular(application):
    from PySide6.QtGui import QFont

    assert tabular().featureValue(QFont.Tag("tnum")) == 1


def test_icons_are_sharp_at_200_percent(application):
    drawn = icons.icon("close").pixmap(QSize(16, 16), 2.0)
    assert drawn.size() == QSize(32, 32) and drawn.devicePixelRatio() == 2.0
