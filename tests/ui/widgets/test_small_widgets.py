"""Running means, the time slider, the history, the option form, the grid, and their end."""

import gc
import weakref

import numpy as np
import pytest
import shiboken6
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QPen, QStandardItem, QStandardItemModel
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox

from guiapp.datasets.base import Samples
from guiapp.training.recipe import Recipe
from guiapp.ui.widgets.atlas_view import AtlasView
from guiapp.ui.widgets.class_bars import ClassBars
from guiapp.ui.widgets.colour_bar import ColourBar, number, short
from guiapp.ui.widgets.confidence_history import LOOKS, ConfidenceHistory
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.drawing_canvas import DrawingCanvas
from guiapp.ui.widgets.image_view import ImageView
from guiapp.ui.widgets.line_legend import LineLegend
from guiapp.ui.widgets.number_table import NumberTable
from guiapp.ui.widgets.option_form import OptionForm, fields_of
from guiapp.ui.widgets.quiet_label import QuietLabel
from guiapp.ui.widgets.readable import Readable
from guiapp.ui.widgets.running_mean import RunningMean
from guiapp.ui.widgets.sample_grid import SampleGrid
from guiapp.ui.widgets.time_slider import TimeSlider


def test_running_mean_equals_the_mean_of_the_last_values():
    values = np.random.default_rng(1).normal(size=5000).astype(np.float32)
    mean = RunningMean()
    for end in (1, 100, 1500, 5000):
        mean.follow(values[:end])
    steps = np.array([1, 3, 50, 4999, 5000])
    expected = [values[max(0, s - 50) : s].mean() for s in steps]
    assert mean.at(steps, 50) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_running_mean_begins_anew_when_a_run_was_cut_back_and_leaves_nan_out():
    mean = RunningMean()
    mean.follow(np.array([5.0, 5.0, 5.0], np.float32))
    mean.follow(np.array([1.0, np.nan], np.float32))
    assert mean.at(np.array([2]), 10) == pytest.approx([1.0])
    assert np.isnan(mean.at(np.array([2]), 1)).all()


@pytest.fixture
def slider(theme, qtbot):
    made = TimeSlider(theme)
    made.resize(400, 30)
    qtbot.addWidget(made)
    made.show()
    made.set_steps([0, 1, 2, 4, 8, 100, 1000])
    return made


def test_slider_reaches_every_snapshot_and_live(slider):
    chosen = []
    slider.moved.connect(chosen.append)
    for place in range(8):
        QTest.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider.x_of(place)), 8))
    assert chosen == [0, 1, 2, 4, 8, 100, 1000, None]


def test_slider_by_keys(slider):
    QTest.keyClick(slider, Qt.Key.Key_Left)
    assert slider.step == 1000
    QTest.keyClick(slider, Qt.Key.Key_Home)
    assert slider.step == 0
    QTest.keyClick(slider, Qt.Key.Key_Right)
    assert slider.step == 1
    QTest.keyClick(slider, Qt.Key.Key_End)
    assert slider.step is None


def test_slider_keeps_a_step_whose_snapshot_was_thinned(slider):
    slider.set_step(4)
    slider.set_steps([0, 2, 8, 1000])
    assert slider.step == 4
    slider.go(-1)
    assert slider.step == 2


def test_slider_without_snapshots_does_nothing(theme, qtbot):
    empty = TimeSlider(theme)
    qtbot.addWidget(empty)
    empty.go(-1)
    QTest.mouseClick(empty, Qt.MouseButton.LeftButton)
    assert empty.step is None


def test_history_keeps_the_last_looks_and_names_the_leading_classes(theme, qtbot):
    history = ConfidenceHistory(theme, "h")
    qtbot.addWidget(history)
    labels = ("a", "b", "c")
    for i in range(LOOKS + 50):
        history.add(np.array([i / 1000, 1 - i / 1000, 0], np.float32), labels)
    assert history.count == LOOKS
    assert history.values()[-1, 0] == pytest.approx(0.249)
    assert history.values()[0, 0] == pytest.approx(0.05)
    assert history.leading() == [1, 0]
    history.clear()
    assert history.count == 0 and history.leading() == []


def test_form_has_every_field_of_the_recipe_with_its_help(qtbot):
    form = OptionForm(Recipe(), "recipe")
    qtbot.addWidget(form)
    names = [f.dotted for f in fields_of(Recipe())]
    assert {"optimiser.lr", "schedule.every", "seed", "device"} <= set(names)
    for name in names:
        assert form.editor(name).objectName() == f"recipe.{name}"
        assert form.editor(name).toolTip()


def test_form_takes_good_values_and_rejects_bad_ones_with_a_message(qtbot):
    form = OptionForm(Recipe(), "recipe")
    qtbot.addWidget(form)
    edited, messages = [], []
    form.edited.connect(lambda name, value: edited.append((name, value)))
    form.rejected.connect(messages.append)
    line = form.editor("batch")
    line.clear()
    QTest.keyClicks(line, "many")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert edited == [] and "batch" in messages[-1] and "'many'" in messages[-1]
    assert line.text() == "many"
    line.clear()
    QTest.keyClicks(line, "0")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert "between 1" in messages[-1] and edited == []
    line.clear()
    QTest.keyClicks(line, "128")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert edited == [("batch", 128)] and messages[-1] == "" and form.options.batch == 128


def test_form_choices(qtbot):
    form = OptionForm(Recipe(), "recipe", choices={"augmentation.name": lambda: ("default", "none")})
    qtbot.addWidget(form)
    box = form.editor("optimiser.name")
    assert isinstance(box, QComboBox) and box.currentText() == "momentum"
    got = []
    form.edited.connect(lambda name, value: got.append((name, value)))
    box.textActivated.emit("adam")
    assert got == [("optimiser.name", "adam")]
    assert form.editor("augmentation.name").count() == 2


def test_numbers_have_a_true_minus():
    assert (
        number(-0.12345) == "−0.123" and short(-0.00002) == "0" and short(-3.24) == "−3.2" and short(0.0056) == "0.0056"
    )


@pytest.fixture
def grid(theme, qtbot):
    made = SampleGrid(theme)
    made.resize(300, 200)
    qtbot.addWidget(made)
    made.show()
    images = np.zeros((55_000, 28, 28, 1), np.uint8)
    made.set_samples(Samples(images, np.arange(55_000) % 10), tuple("0123456789"))
    return made


def test_grid_reads_only_what_is_in_sight(grid):
    assert 4 <= len(grid.visible_indices()) <= 30
    grid.verticalScrollBar().setValue(grid.verticalScrollBar().maximum())
    assert grid.visible_indices()[-1] == 54_999


def test_grid_click_and_arrows(grid):
    chosen = []
    grid.chosen.connect(chosen.append)
    QTest.mouseClick(grid.viewport(), Qt.MouseButton.LeftButton, pos=grid.cell_rect(2).center())
    QTest.keyClick(grid, Qt.Key.Key_Right)
    QTest.keyClick(grid, Qt.Key.Key_Down)
    QTest.keyClick(grid, Qt.Key.Key_End)
    assert chosen == [2, 3, 3 + grid.columns, 54_999]
    assert 54_999 in grid.visible_indices()


def test_grid_cells_and_points_agree(grid):
    for place in range(grid.columns * 2):
        point = grid.cell_rect(place).center()
        assert grid.index_at(point.x(), point.y()) == place


def test_grid_shows_predictions_in_green_and_red(grid, theme):
    grid.set_predictions(np.array([0, 1]), np.array([0, 7]))
    image = grid.viewport().grab().toImage()

    def inks(place):
        area = grid.cell_rect(place)
        lines = range(area.top() + 58, min(area.bottom() + 1, image.height()))
        return {image.pixelColor(x, y).name() for y in lines for x in range(area.left() + 20, area.right())}

    assert theme.good.name() in inks(0) and theme.error.name() in inks(1)


MAKERS = {
    "CurvePlot": lambda t: CurvePlot(t, "loss"), "ImageView": ImageView, "ClassBars": ClassBars,
    "TimeSlider": TimeSlider, "ConfidenceHistory": lambda t: ConfidenceHistory(t, "h"),
    "AtlasView": lambda t: AtlasView(t, "atlas"), "ColourBar": lambda t: ColourBar(t, "bar"),
    "SampleGrid": SampleGrid, "DrawingCanvas": lambda t: DrawingCanvas(),
    "OptionForm": lambda t: OptionForm(Recipe(), "recipe"),
}  # fmt: skip


@pytest.mark.parametrize("name", MAKERS)
def test_built_five_times_dies_five_times(name, theme, qapp):
    alive = []
    for _ in range(5):
        widget = MAKERS[name](theme)
        widget.show()
        widget.grab()
        alive.append(weakref.ref(widget))
        widget.close()
        widget.deleteLater()
        assert shiboken6.isValid(widget)
        del widget
    for _ in range(3):
        QApplication.processEvents()
        QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
        gc.collect()
    assert [ref() for ref in alive] == [None] * 5


def test_a_number_that_is_cleared_is_the_accepted_one_again(qtbot):
    form = OptionForm(Recipe(), "recipe")
    qtbot.addWidget(form)
    form.show()
    edited, messages = [], []
    form.edited.connect(lambda name, value: edited.append((name, value)))
    form.rejected.connect(messages.append)
    line = form.editor("optimiser.lr")
    line.selectAll()
    QTest.keyClicks(line, "1e-400")
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert "between" in messages[-1] and line.text() == "1e-400"
    line.selectAll()
    QTest.keyClick(line, Qt.Key.Key_Delete)
    assert messages[-1] == "", "an empty field is not wrong yet"
    QTest.keyClick(line, Qt.Key.Key_Return)
    assert line.text() == "0.05" and edited == [] and messages[-1] == ""


def test_a_line_says_in_less_room_what_fits(qtbot):
    label = QuietLabel("l")
    qtbot.addWidget(label)
    label.set_text("paused · epoch 1 of 40 · step 12 of 680", ("paused · epoch 1/40 · step 12/680", "paused"))
    wide = label.fontMetrics().horizontalAdvance
    for text in ("paused · epoch 1 of 40 · step 12 of 680", "paused · epoch 1/40 · step 12/680", "paused"):
        label.resize(wide(text) + 1, 20)
        assert label.shown == text
        label.grab()
    assert label.toolTip() == "paused · epoch 1 of 40 · step 12 of 680" == label.text()
    label.resize(wide("paused") - 6, 20)
    assert label.shown.endswith("…")


def test_what_changes_fast_is_shown_seldom_and_the_last_time_always(qapp, qtbot):
    shown, newest = [], [0]
    readable = Readable(0.05, lambda: shown.append(newest[0]), qapp)
    for newest[0] in range(1, 6):
        readable.soon()
    assert shown == [1] and readable.waiting
    qtbot.waitUntil(lambda: shown == [1, 5])
    newest[0] = 6
    readable.now()
    assert shown[-1] == 6
    readable.soon()
    readable.drop()
    assert not readable.waiting
    readable.deleteLater()


def test_names_of_lines_share_the_room(qtbot):
    legend = LineLegend("l")
    qtbot.addWidget(legend)
    assert legend.isHidden()
    legend.resize(300, 18)
    legend.set_lines(["a", "a very long name of a run that somebody gave it", "b"], [QPen(), QPen(), QPen()])
    assert not legend.isHidden() and not legend.grab().isNull()
    places = legend._places()
    assert sum(width for _, width in places) <= 300 and places[1][1] > 150
    assert places[0][1] < 60 and places[2][0] == pytest.approx(places[0][1] + places[1][1])
    legend.set_lines([], [])
    assert legend.isHidden()


def test_a_long_name_does_not_push_the_last_columns_out(qtbot):
    model = QStandardItemModel(1, 3)
    for column, text in enumerate(("a name that goes on and on and on for a very long time", "90.0", "10:31")):
        model.setItem(0, column, QStandardItem(text))
    table = NumberTable(None, "t", "Table", model)
    qtbot.addWidget(table)
    table.resize(260, 120)
    table.show()
    table.fit()
    assert sum(table.columnWidth(c) for c in range(3)) <= table.viewport().width()
