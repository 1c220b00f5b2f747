"""The unit inspector follows and moves the selection, changes strengths, and shows what studies of a network find."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
import torch
from PySide6.QtCore import QPointF, Qt
from torch import nn

from guiapp.datasets.base import Dataset, Samples
from guiapp.engine.job import Job
from guiapp.engine.state import EngineState
from guiapp.engine.study import Study
from guiapp.interpret.atlas import make_atlas
from guiapp.interpret.layers import layer_list
from guiapp.interpret.units.probe import UnitView
from guiapp.models.base import Preprocessing
from guiapp.ui.panels.units import GROWN, PATCHES, PICTURE, TRACED, VALUES, UnitsPanel


class Model:
    """What a study has of a network that was trained here."""

    origin, weights, device = "trained", None, "cpu"

    def __init__(self, module):
        self.module = module
        self.entry = type("Entry", (), {"task": "classification"})

    def prepare(self, pixels, device=None):
        return torch.from_numpy(pixels[:, :, :1].copy()).permute(2, 0, 1)[None].float() / 255


def part(count, seed):
    random = np.random.default_rng(seed)
    return Samples(random.integers(0, 256, (count, 12, 12, 1), dtype=np.uint8), np.arange(count, dtype=np.int64) % 3)


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(1, 5, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(125, 3))
    with torch.no_grad():
        module[0].weight[4], module[0].bias[4] = 0, -1
    return module.eval().requires_grad_(False)


@pytest.fixture
def bench(context, kit, network, qtbot, monkeypatch, tmp_path):
    """The panel on a small network; studies wait until ``bench.run`` runs them."""
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))
    dataset = Dataset("tiny", "Tiny", ("a", "b", "c"), part(60, 0), part(30, 1), part(9, 2), (0.5,), (0.25,))
    opened = kit.make_opened(
        dataset, layers=tuple(layer_list(network, (1, 12, 12))), labels=dataset.classes,
        preprocessing=Preprocessing((1, 12, 12), (0.5,), (0.25,)),
    )  # fmt: skip
    context.bridge.give(phase="ready", opened=opened)
    return Bench(context, opened, network, qtbot, kit)


class Bench:
    def __init__(self, context, opened, network, qtbot, kit):
        self.context, self.opened, self.network, self.kit = context, opened, network, kit
        self.waiting, self.looked_at = [], []
        context.bridge.study = self._study
        context.bridge.look_at = lambda picture, sample=None: self.looked_at.append((picture, sample))
        context.workspace.layer, context.workspace.unit = "1", 2
        self.panel = UnitsPanel(context)
        qtbot.addWidget(self.panel)
        self.panel.resize(320, 440)
        self.panel.show()

    def _study(self, panel, work, done, title, partly=None, failed=None, *_more):
        picture = self.opened.dataset.picture("validation", 3)
        study = Study(self.opened, Model(self.network), 7, picture, self.opened.dataset)
        job = Job(work(study, lambda found: partly(found) if partly is not None else None), title)
        self.waiting.append((job, done, failed))
        return job

    def run(self):
        """Run what waits, and what that begins."""
        count = 0
        while self.waiting:
            job, done, failed = self.waiting.pop(0)
            if job.stopping:
                continue
            job.run()
            count += 1
            if job.error is not None:
                failed(str(job.error))
            elif not job.stopping:
                done(job.result)
        return count

    def look(self, values, plain=None, modified=False, unit=2, layer="1"):
        values = torch.tensor(values, dtype=torch.float32)
        peak = divmod(int(values.argmax()), values.shape[1])
        view = UnitView(
            layer, unit, 5, make_atlas(values[None]), peak, float(values.max()), bool((values == values[0, 0]).all()),
            None, 7,
        )  # fmt: skip
        picture = self.opened.dataset.picture("validation", 3)
        return self.kit.look(
            self.context, picture, self.kit.scores(1, 3, 0.6), {"units": view}, modified=modified, plain=plain,
            opened=self.opened, fed=picture.sample,
        )  # fmt: skip


# ---------------------------------------------------------------------- strength


def test_the_slider_switches_off_and_boosts_the_chosen_unit_alone(bench):
    panel, workspace = bench.panel, bench.context.workspace
    workspace.switched_off = {"0": frozenset({1})}
    panel.gain.setValue(25)
    assert workspace.boosted == {"1": {2: 2.5}} and panel.head.factor.text() == "× 2.5"
    panel.gain.setValue(0)
    assert workspace.boosted == {} and workspace.switched_off == {"0": frozenset({1}), "1": frozenset({2})}
    assert panel.head.factor.text() == "off"
    panel.unit.setValue(3)
    assert panel.gain.value() == 10 and workspace.unit == 3
    panel.gain.setValue(5)
    assert workspace.boosted == {"1": {3: 0.5}} and workspace.switched_off["1"] == frozenset({2})
    panel.unit.setValue(2)
    bench.context.commands["units.switch-off"].trigger()
    assert workspace.switched_off == {"0": frozenset({1})} and panel.gain.value() == 10
    bench.context.commands["model.restore"].trigger()
    assert workspace.boosted == {} and workspace.switched_off == {}
    assert not bench.context.commands["model.restore"].isEnabled()


def test_units_of_tokens_cannot_be_changed(bench, kit):
    tokens = kit.Layer("block", "Block", (17, 8))
    from dataclasses import replace

    opened = replace(bench.opened, layers=(*bench.opened.layers, tokens))
    bench.context.bridge.give(bench.panel, opened=opened)
    bench.context.workspace.layer = "block"
    assert not bench.panel.gain.isEnabled() and bench.panel.unit.maximum() == 7
    bench.panel.head.toggle()
    assert bench.context.workspace.switched_off == {}


def test_it_says_what_the_prediction_was_and_is(bench):
    panel = bench.panel
    panel.show_look(bench.look([[0.0, 1.0], [0.5, 0.2]]))
    assert panel.head.effect.text() == "reads 1: 60.0 %"
    panel.show_look(bench.look([[0.0, 1.0], [0.5, 0.2]], bench.kit.scores(2, 3, 0.8), True))
    assert panel.head.effect.text() == "2: 80.0 % → 20.0 % · reads 1 now, 2 before"
    bench.context.workspace.class_index = 1
    panel.show_look(bench.look([[0.0, 1.0], [0.5, 0.2]], bench.kit.scores(1, 3, 0.8), True))
    assert panel.head.effect.text() == "1: 80.0 % → 60.0 % · still reads 1"


# ---------------------------------------------------------------------- selection


def test_layer_and_unit_are_the_windows_and_units_of_the_last_layer_are_classes(bench):
    panel, workspace = bench.panel, bench.context.workspace
    assert (panel.layer.name, panel.chosen) == ("1", 2)
    assert panel.request().options.layer == "1" and panel.request().options.unit == 2
    workspace.layer = "3"
    assert panel.layer.name != "3", "a flattening has no units of its own"
    panel.head.chooser.chosen.emit("4")
    assert (workspace.layer, workspace.unit, panel.unit.maximum()) == ("4", 0, 2)
    panel.unit.setValue(2)
    assert workspace.class_index == 2
    workspace.class_index = 1
    assert workspace.unit == 1 == panel.chosen
    workspace.layer = "0"
    workspace.class_index = 0
    assert panel.chosen == 1, "classes are no channels"


def test_the_map_lies_over_the_picture_and_the_field_is_where_it_is_strongest(bench):
    panel = bench.panel
    values = np.zeros((10, 10))
    values[4, 7] = 2.0
    panel.show_look(bench.look(values))
    assert panel.picture.field == (7, 4, 3, 3), "a 3x3 kernel without padding"
    assert "strongest 2 at row 4, column 7 · sees 3 × 3" in panel.picture.words.text()
    assert len(panel.picture.image._layers) == 2
    panel.picture.overlaid.setChecked(False)
    assert len(panel.picture.image._layers) == 1
    panel.picture.pointed.emit((0, 0))
    assert bench.context.workspace.place == ("1", 0, 0) and panel.picture.field == (0, 0, 3, 3)
    panel.picture.pointed.emit(None)
    assert bench.context.workspace.place is None
    panel.show_look(bench.look(np.zeros((10, 10))))
    assert panel.picture.field is None and "everywhere" in panel.picture.words.text()
    assert panel.picture.place_at(11, 0) == (0, 9) and panel.picture.place_at(12, 0) is None


def test_a_live_map_is_never_laid_over_a_picture_that_it_does_not_belong_to(bench):
    """Between two answers looks come without one, and a panel that comes back is given the newest."""
    picture = bench.panel.picture
    answered = replace(bench.look(np.eye(10)), area=(0, 0, 12, 12))
    later = replace(answered, picture=bench.opened.dataset.picture("validation", 5), results={})
    bench.panel.show_look(answered)
    for look in (answered, later):
        bench.panel.show_look(look)
        assert picture.image.array is answered.picture.pixels and len(picture.image._layers) == 2
    moved = replace(later, results=answered.results)
    bench.panel.show_look(moved)
    assert picture.image.array is moved.picture.pixels


# ---------------------------------------------------------------------- over pictures


def best_by_hand(network, samples, unit):
    x = torch.from_numpy(samples.images).permute(0, 3, 1, 2).float() / 255
    maps = torch.relu(network[0]((x - 0.5) / 0.25))[:, unit]
    peaks = maps.flatten(1).amax(1)
    return peaks.argsort(descending=True), peaks, maps


def test_patches_are_the_best_of_the_data_and_a_click_looks_at_one(bench):
    panel = bench.panel
    assert not bench.waiting, "nothing is looked for before a page needs it"
    panel.tabs.setCurrentIndex(PATCHES)
    assert len(bench.waiting) == 1
    bench.run()
    samples = bench.opened.dataset.validation
    order, peaks, maps = best_by_hand(bench.network, samples, 2)
    found = panel.search.found
    assert [patch.sample for patch in found.patches] == order[:12].tolist()
    assert found.patches[0].value == pytest.approx(float(peaks[order[0]]), rel=1e-4)
    best = int(order[0])
    row, column = divmod(int(maps[best].argmax()), 10)
    cut = np.asarray(samples.images[best])[row : row + 3, column : column + 3]
    np.testing.assert_array_equal(found.patches[0].pixels[:, :, :1], cut)
    assert "30 pictures, Tiny, validation" in panel.search.bar.words.text()
    panel.patches.grid.clicked.emit(0)
    picture, sample = bench.looked_at[0]
    assert sample == ("validation", best) and picture.label == int(samples.labels[best])
    assert f"picture {best}" in panel.patches.grid.names[0]
    assert panel.patches.grid.csv_text().count("\n") == 13
    assert panel.patches.grid.item_at(QPointF(panel.patches.grid.cell(3).center())) == 3


def test_another_unit_needs_no_new_search_and_projections_come_beside(bench):
    panel = bench.panel
    panel.tabs.setCurrentIndex(PATCHES)
    bench.run()
    scan = panel.search.found.scan
    bench.context.workspace.unit = 0
    assert bench.run() == 1 and panel.search.found.scan is scan and panel.search.found.unit == 0
    assert panel.search.found.patches[0].projection is None
    panel.patches.traced.setChecked(True)
    bench.run()
    patch = panel.search.found.patches[0]
    assert patch.projection.shape == patch.pixels.shape and panel.search.found.scan is scan
    bench.context.workspace.layer = "0"
    assert panel.search.found is None
    bench.run()
    assert panel.search.found.scan.layer == "0"


def test_while_it_trains_nothing_is_looked_for_unless_asked(bench):
    bench.context.bridge.give(bench.panel, phase="running", step=50)
    bench.panel.tabs.setCurrentIndex(VALUES)
    assert not bench.waiting and "training" in bench.panel.search.bar.words.text()
    bench.panel.data.find.click()
    bench.run()
    assert bench.panel.search.found.step == 7
    bench.context.bridge.give(bench.panel, phase="running", step=51)
    assert not bench.waiting and "weights of step 7" in bench.panel.search.bar.words.text()
    bench.context.bridge.give(bench.panel, phase="paused", step=51)
    assert len(bench.waiting) == 1, "it stands: the weights are others now"


def test_what_was_stopped_is_not_begun_again_by_itself(bench):
    panel = bench.panel
    panel.tabs.setCurrentIndex(PATCHES)
    panel.search.run.stop()
    panel.tabs.setCurrentIndex(PICTURE)
    panel.tabs.setCurrentIndex(PATCHES)
    assert bench.run() == 0 and panel.search.found is None
    panel.data.find.click()
    bench.run()
    assert panel.search.found is not None


def test_values_of_all_units_and_the_dead_one(bench):
    panel = bench.panel
    panel.tabs.setCurrentIndex(VALUES)
    bench.run()
    assert panel.values.layer_words.text() == "1 of 5 units dead"
    table = panel.values.model
    assert [table.data(table.index(row, 4)) for row in range(5)] == ["", "", "", "", "dead"]
    table.sort(1, Qt.SortOrder.DescendingOrder)
    highs = panel.search.found.scan.high
    assert table.order == np.argsort(-highs, kind="stable").tolist()
    panel.values.table.selectRow(0)
    assert bench.context.workspace.unit == table.order[0] == panel.chosen
    counts = sum(panel.values.plot.bin(i)[2] for i in range(len(panel.values.plot._counts)))
    _, _, maps = best_by_hand(bench.network, bench.opened.dataset.validation, panel.chosen)
    assert counts == int((maps != 0).sum())
    assert "zeros" in panel.values.words.text()
    lines = table.csv_text().splitlines()
    assert len(lines) == 6 and lines[-1].endswith(",1"), "the dead one has the least largest value"
    panel.values.plot.grab()
    panel.patches.grid.grab()


def test_pictures_of_a_folder_can_be_chosen_and_are_remembered(bench, tmp_path):
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for name in "ab":
        Image.new("L", (12, 12), 90 if name == "a" else 200).save(folder / f"{name}.png")
    panel = bench.panel
    panel.tabs.setCurrentIndex(PATCHES)
    bench.run()
    panel.data.choose_path(folder)
    bench.run()
    assert panel.search.found.scan.pictures == 2 and panel.search.found.pictures.title == "photos"
    panel.data.list_for(bench.opened)
    assert panel.data.chosen.name == str(folder)
    panel.patches.grid.clicked.emit(0)
    assert bench.looked_at[-1][0].origin.path.parent == folder and bench.looked_at[-1][1] is None
    (folder / "a.png").unlink()
    (folder / "b.png").unlink()
    panel.data.most.setCurrentIndex(0)
    panel.data.changed.emit()
    bench.run()
    assert "there are no pictures in" in panel.search.bar.words.text()
    assert not bench.waiting, "what failed is not tried for ever"


def test_frames_of_a_video_can_be_chosen_and_one_opens_at_its_moment(bench, tmp_path, monkeypatch):
    import cv2
    from PySide6.QtWidgets import QFileDialog

    path, panel = tmp_path / "brighter.avi", bench.panel
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (12, 12))
    for number in range(12):
        writer.write(np.full((12, 12, 3), 20 * number, np.uint8))
    writer.release()
    panel.tabs.setCurrentIndex(PATCHES)
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    panel.data.source.activated.emit(panel.data.source.findText("Video …"))
    bench.run()
    scan = panel.search.found.scan
    assert scan.pictures == 12 and panel.search.found.pictures.title == "brighter.avi"
    conv = bench.network[0]  # on frames of one colour each
    expected = torch.relu(torch.arange(12) * 20 / 255 * conv.weight[2].sum() + conv.bias[2])
    best = panel.search.found.patches[0]
    assert best.value == pytest.approx(float(expected.max()), abs=0.02) and best.sample == int(expected.argmax())
    panel.patches.grid.clicked.emit(0)
    origin = bench.looked_at[-1][0].origin
    assert (origin.kind, origin.path, origin.index) == ("video", path, best.sample)
    assert origin.seconds == pytest.approx(best.sample / 10, abs=0.06)
    path.write_bytes(b"no video")
    panel.data.list_for(bench.opened)
    panel.data.again.emit()
    bench.run()
    assert panel.data.chosen.name == str(path) and "brighter.avi is damaged" in panel.search.bar.words.text()


# ---------------------------------------------------------------------- growing and tracing


def test_a_picture_is_grown_when_asked_and_goes_with_its_unit(bench):
    panel = bench.panel
    panel.tabs.setCurrentIndex(GROWN)
    panel.grown.form.set_options(panel.grown.form.options.__class__(steps=6, wants="unit"))
    assert not bench.waiting
    assert not panel.grown.hint.isHidden() and "Press Grow" in panel.grown.hint.text.text()
    panel.grown.grow.click()
    bench.run()
    assert panel.grown.hint.isHidden()
    assert panel.grown.image.array.shape == (12, 12, 3) and len(panel.grown.plot._trace) == 6
    assert panel.grown.words.text().startswith("response")
    assert panel.grown.plot.csv_text().count("\n") == 7
    panel.grown.plot.grab()
    panel.grown.grow.click()
    panel.put_away()
    assert not panel.growth.run.running and panel.growth.bar.words.text() == "stopped"
    bench.context.workspace.unit = 1
    assert panel.grown.image.array is None and panel.grown.words.text() == ""
    bench.context.workspace.unit = 4
    panel.grown.grow.click()
    bench.run()
    assert panel.grown.image.array is not None, "a dead unit gives a picture that excites nothing, and no error"


def test_the_response_is_traced_back_for_each_new_picture(bench):
    panel = bench.panel
    panel.show_look(bench.look(np.eye(10)))
    panel.tabs.setCurrentIndex(TRACED)
    assert bench.run() == 1
    assert panel.traced.right.array.shape == (3, 3, 3) == panel.traced.left.array.shape
    same = panel._look
    panel.show_look(same)
    assert bench.run() == 0
    panel.traced.cut.setChecked(False)
    assert panel.traced.right.array.shape == (12, 12, 3)
    assert panel.traced.words.text().startswith("response")
    panel.traced.rule.setCurrentIndex(2)
    panel.traced.rule.activated.emit(2)
    assert bench.run() == 1
    panel.show_look(bench.look(np.eye(10)))
    assert bench.run() == 1, "another picture"


def test_without_a_network_it_says_what_to_do(context, qtbot):
    context.bridge.study = None
    panel = UnitsPanel(context)
    qtbot.addWidget(panel)
    assert panel._outer.currentIndex() == 0 and panel.request() is None
    panel.show_state(EngineState())
    assert isinstance(panel.context.workspace.boosted, Mapping)
