"""A view on a grey picture, and its pixels as an array."""

import numpy as np
import pytest

from guiapp.ui.theme import Theme
from guiapp.ui.widgets.image_view import ImageView
from tests.ui.painters.pictures import GREY, pixels_of


@pytest.fixture
def theme(qapp):
    made = Theme("dark")
    made.apply()
    return made


@pytest.fixture
def make_view(theme, qtbot):
    """A shown view of a picture in one grey."""

    def make(picture=(64, 48), widget=(300, 200)):
        view = ImageView(theme)
        qtbot.addWidget(view)
        view.resize(*widget)
        view.set_image(np.full((picture[1], picture[0], 3), GREY, np.uint8))
        view.show()
        return view

    return make


@pytest.fixture
def shot():
    """What a view shows with a layer, uint8 (H, W, 3)."""

    def take(view, *layers):
        view.set_layers(layers)
        return pixels_of(view.grab().toImage())

    return take
