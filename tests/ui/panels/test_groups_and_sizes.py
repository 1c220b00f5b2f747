"""The panels on grouped convolutions and on the sizes of two networks: rows, what is marked, what clicks choose."""

import pytest
import torch
from torch import nn

from guiapp.interpret.cost import cost_of
from guiapp.interpret.cost_run import measure
from guiapp.interpret.groups import Timing, view_of
from guiapp.ui.panels.groups import GroupsPanel
from guiapp.ui.panels.sizes import SizesPanel


@pytest.fixture
def studies(context):
    """Studies are noted; none runs by itself."""
    noted = []

    class Job:
        share, message, state = 0.0, "", "running"

        def stop(self):
            self.state = "stopped"

    def study(panel, work, done, title, partly=None, failed=None, of=None):
        noted.append((title, work, done))
        return Job()

    context.bridge.study = study
    return noted


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3, groups=4), nn.Conv2d(8, 8, 3, groups=8))


@pytest.fixture
def groups(context, kit, qtbot, studies):
    layers = tuple(kit.Layer(str(index), "Conv2d", (8, 8, 8)) for index in range(3))
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
    panel = GroupsPanel(context)
    panel.resize(360, 460)
    qtbot.addWidget(panel)
    assert not studies, "nothing is counted for a panel that nobody sees"
    panel.show()
    title, _, done = studies.pop()
    assert title == "grouped convolutions" and panel.empty.text.text() == "counting …"
    model = network()
    done(view_of(model, measure(model, (3, 12, 12))))
    return panel


def test_grouped_convolutions_are_listed_with_their_cost(groups):
    cells = [[cell.text for cell in row] for row in groups.model.rows]
    flops = 2 * 9 * 2 * 8 * 64
    assert cells[0] == ["1", "4", f"{9 * 2 * 8 + 8}", f"{flops / 1e6:,.1f}", f"{4 * flops / 1e6:,.0f}"]
    assert cells[1][1] == "8 dw"
    assert groups.line.tip.startswith("2 of 3 convolutions are grouped")
    assert groups.chosen.text().startswith("4 groups of 2 → 2 channels, 3×3")
    assert groups.plot.atlas.values.shape == (1, 8, 8)


def test_a_row_shows_its_connections(groups, context, studies):
    groups._row_clicked(groups.model.index(1, 0))
    assert context.workspace.layer == "2"
    _, _, done = studies.pop()
    model = network()
    done(view_of(model, measure(model, (3, 12, 12)), "2"))
    assert groups.view.layer == "2" and groups.table.currentIndex().row() in (1, -1)
    context.workspace.layer = "0"
    assert not studies, "what is not grouped changes nothing"


def test_the_time_is_told_for_the_convolution_that_was_measured(groups, studies):
    groups.measure.click()
    _, _, done = studies.pop()
    done(Timing("1", 2.0, 5.0))
    assert groups.progress.words.text() == "2.00 ms, dense 5.00: 2.5 × time for 4 × flops"


def test_a_network_without_groups_says_so(groups, context, kit, studies):
    context.bridge.give(groups, opened=kit.make_opened())
    _, _, done = studies.pop()
    model = nn.Sequential(nn.Conv2d(3, 4, 3))
    done(view_of(model, measure(model, (3, 12, 12))))
    assert groups.empty.isVisible() and groups.empty.text.text().startswith("No convolution")


def test_two_networks_stand_side_by_side(context, kit, qtbot, studies):
    layers = (kit.Layer("0", "Conv2d", (8, 10, 10)), kit.Layer("2", "Conv2d", (4, 8, 8)))
    context.bridge.give(phase="ready", opened=kit.make_opened(layers=layers))
    panel = SizesPanel(context)
    panel.resize(360, 420)
    qtbot.addWidget(panel)
    assert not studies
    panel.show()
    _, _, done = studies.pop()
    ours = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 3))
    theirs = nn.Sequential(nn.Conv2d(3, 8, 5, 2), nn.ReLU(), nn.Conv2d(8, 4, 3), nn.MaxPool2d(2))
    done(tuple(cost_of(measure(one, (3, 12, 12))) for one in (ours, theirs)))
    shown = [[(cell.text, cell.mark) for cell in row] for row in panel.model.rows]
    assert shown[0] == [("0", False), ("3×3 / 1", True), ("5×5 / 2", True), ("0", False)]
    assert shown[1][1] == shown[1][2] == ("3×3 / 1", False) and shown[2][1][0] == ""
    panel.what.setCurrentIndex(1)
    assert [cell.text for cell in panel.model.rows[0]][1:3] == ["8×10×10", "8×4×4"]
    panel._clicked(panel.model.index(1, 0))
    assert context.workspace.layer == "2"
    assert panel.csv_text().splitlines()[1].startswith('0,0,"3×3 / 1","5×5 / 2"')
