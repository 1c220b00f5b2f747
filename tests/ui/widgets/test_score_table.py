"""The table of scores keeps what it paints with."""

import numpy as np
from PySide6.QtCore import QObject, Qt

from guiapp.ui.theme import Theme
from guiapp.ui.widgets.score_table import ScoreTable, swatch


def test_the_colour_of_a_class_is_one_icon_however_often_it_is_painted(application):
    owner = QObject()
    table = ScoreTable(Theme(application), owner)
    table._labels, table.values = ("a", "b"), np.zeros((2, 4), np.float32)

    def square(row):
        return table.data(table.index(row, 0), Qt.ItemDataRole.DecorationRole)

    # Qt keeps 10 MB of pixmaps by this key: a new key at each painting fills them.
    assert square(0).cacheKey() == square(0).cacheKey() != square(1).cacheKey()
    assert swatch(0xFF336699).pixmap(8, 8).toImage().pixelColor(3, 3).name() == "#336699"
