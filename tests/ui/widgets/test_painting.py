import numpy as np
from PySide6.QtGui import QColor

from guiapp.ui.widgets.painting import decimate, hairline, image_of, polygon, zigzag


def test_polygon_holds_the_points(qapp):
    points = polygon(np.array([0, 1, 2]), np.array([5.5, 6, 7]))
    assert [(p.x(), p.y()) for p in points] == [(0, 5.5), (1, 6), (2, 7)]
    assert polygon(np.empty(0), np.empty(0)).size() == 0


def test_decimation_keeps_every_peak():
    y = np.zeros(100_000)
    y[[17, 41_234, 99_999]] = [9, -7, 5]
    x, low, high = decimate(np.arange(100_000), y, 300)
    assert len(x) == len(low) == len(high) == 300
    assert sorted(high[high != 0]) == [5, 9] and low[low != 0].tolist() == [-7]
    assert x[0] == 0 and (np.diff(x) > 0).all()


def test_decimation_passes_over_nan_and_leaves_short_curves_alone():
    y = np.array([1.0, np.nan, 3.0, np.nan])
    assert decimate(np.arange(4), y, 2)[2].tolist() == [1, 3]
    x, low, _ = decimate(np.array([4, 5]), np.array([1.5, 2.5]), 10)
    assert x.tolist() == [4, 5] and low.tolist() == [1.5, 2.5]


def test_zigzag_visits_low_and_high_of_each_column():
    path = zigzag(np.array([0.0, 1, 2]), np.array([10.0, 11, 12]))
    assert [sorted(pair) for pair in path.reshape(3, 2).tolist()] == [[0, 10], [1, 11], [2, 12]]


def test_images_of_every_kind(qapp):
    grey = image_of(np.array([[0, 200]], np.uint8))
    assert QColor(grey.pixel(1, 0)).red() == 200
    rgb = image_of(np.array([[[10, 20, 30]]], np.uint8))
    assert QColor(rgb.pixel(0, 0)).getRgb()[:3] == (10, 20, 30)
    indexed = image_of(np.array([[3]], np.uint8), [0xFF000000] * 3 + [0xFF0000FF])
    assert QColor(indexed.pixel(0, 0)).blue() == 255
    assert image_of(np.zeros((2, 2, 4), np.uint8)).hasAlphaChannel()


def test_hairlines_stay_one_pixel_at_any_scale(qapp):
    pen = hairline(QColor("red"), 0.5)
    assert pen.isCosmetic() and pen.width() == 1
    assert abs(pen.color().alphaF() - 0.5) < 0.01
