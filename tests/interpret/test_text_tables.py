"""The tables of course text 1 come out of the live networks; rows that differ do so for the reason that is given."""

import pytest

from guiapp.interpret.cost import cost_of, measure_published
from guiapp.interpret.text_tables import BATCH, FIGURES, TABLES, compare
from guiapp.models.zoo import find_model
from guiapp.models.zoo.bare import open_shape


@pytest.fixture(scope="module")
def measured():
    return {name: measure_published(open_shape(find_model(name))) for name in TABLES}


@pytest.mark.parametrize("name", ["alexnet-paper", "vgg16"])
def test_alexnet_and_vgg_are_equal_in_every_figure(measured, name):
    rows = compare(cost_of(measured[name], BATCH, "text"), TABLES[name])
    assert len(rows) == len(TABLES[name].rows) in (12, 22)
    for row in rows:
        assert not row.differs, row
        for key, digits in zip(FIGURES, row.printed.digits, strict=True):
            assert abs(row.ours[key] - getattr(row.printed, key)) <= 0.51 * 10**-digits


def test_inception_differs_in_its_modules_alone_and_each_difference_is_explained(measured):
    rows = compare(cost_of(measured["googlenet-paper"], BATCH, "text"), TABLES["googlenet-paper"])
    assert len(rows) == 18
    for row in rows:
        inside = row.printed.name.startswith("incep") or row.printed.name == "total"
        assert set(row.differs) <= ({"parameters", "flops"} if inside else set()), row
        assert bool(row.why) == bool(row.differs)
    slips = [row.printed.name for row in rows if "slip" in row.why]
    assert slips == ["incep6"]
    assert all("next layer's channels" in row.why for row in rows if row.printed.name.startswith("incep"))


def test_the_text_counts_the_narrowing_layers_with_the_wrong_channels(measured):
    """Its total, which holds a ninth module that is not printed, follows from the same two rules."""
    cost = cost_of(measured["googlenet-paper"], BATCH, "text")
    flops, parameters = 0, 0
    for block in (block for block in cost.blocks if "." not in block.name):
        size = 2 * BATCH * block.output[1] * block.output[2]
        for branch in ("branch2", "branch3"):
            narrow, wide = cost.of(f"{block.name}.{branch}.reduce"), cost.of(f"{block.name}.{branch}.conv")
            flops += size * narrow.output[0] * wide.output[0] - narrow.flops
        flops += cost.of(f"{block.name}.branch4.pool").flops
        parts = [layer for layer in cost.layers if layer.name.startswith(f"{block.name}.") and layer.parameters]
        parameters -= sum(layer.output[0] for layer in parts)
    assert round((cost.total.flops + flops) / 1e6) == 389996
    assert round((cost.total.parameters + parameters) / 1e3) == 6992


def test_networks_of_the_papers_have_their_parameters():
    for name, parameters in (("alexnet-paper", 62378344), ("googlenet-paper", 6998552)):
        entry = find_model(name)
        opened = open_shape(entry)
        assert sum(p.numel() for p in opened.module.parameters()) == parameters == entry.parameters
        assert cost_of(measure_published(opened)).total.flops / 2e9 == pytest.approx(entry.best.gflops, abs=1e-6)


def test_a_table_is_for_its_batch_and_convention(measured):
    with pytest.raises(ValueError, match="128"):
        compare(cost_of(measured["alexnet-paper"], 1, "text"), TABLES["alexnet-paper"])
