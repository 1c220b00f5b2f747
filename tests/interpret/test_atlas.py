"""Atlases: every pixel against values computed by hand."""

import numpy as np
import pytest
import torch

from guiapp.interpret import atlas as module
from guiapp.interpret.atlas import colour_atlas, grid, make_atlas, make_atlases


@pytest.fixture(params=["shared buffer", "own device"])
def path(request, monkeypatch):
    """Both ways of computing give the same."""
    if request.param == "own device":
        monkeypatch.setattr(module, "LARGE", 0)


def test_signed_by_hand(path):
    maps = torch.tensor([[[-2.0, 0.0], [1.0, 2.0]], [[4.0, -4.0], [0.0, 0.0]]])
    atlas = make_atlas(maps)
    assert (atlas.columns, atlas.rows, atlas.tile, atlas.gap, atlas.count) == (2, 1, (2, 2), 1, 2)
    assert atlas.signed
    # index = round(value / 4 * 127) + 128, and 0 in the gap
    expected = [[128 - 64 + 1, 128, 0, 255, 1], [128 + 32, 128 + 64, 0, 128, 128]]
    expected[0][0] = int(-2 / 4 * 127 + 128.5)
    np.testing.assert_array_equal(atlas.pixels, np.array(expected, np.uint8))
    assert atlas.range_of(1) == (-4, 4)
    np.testing.assert_array_equal(atlas.values, maps)


def test_unsigned_by_hand(path):
    atlas = make_atlas(torch.tensor([[[1.0, 2.0]], [[0.0, 4.0]], [[3.0, 0.5]]]), aspect=100)
    assert not atlas.signed
    assert (atlas.low.item(), atlas.high.item()) == (0, 4)
    expected = [[int(v / 4 * 254 + 1.5) for v in pair] for pair in ((1, 2), (0, 4), (3, 0.5))]
    np.testing.assert_array_equal(atlas.pixels, [[*expected[0], 0, *expected[1], 0, *expected[2]]])


def test_least_value_at_index_one_where_asked(path):
    atlas = make_atlas(torch.tensor([[[-3.0, -1.0, 1.0]]]), signed=False)
    np.testing.assert_array_equal(atlas.pixels, [[1, 128, 255]])
    assert atlas.range_of(0) == (-3, 1)


def test_one_range_for_each_map_or_group(path):
    maps = torch.tensor([[[-1.0, 1.0]], [[-10.0, 5.0]], [[0.0, 2.0]], [[0.0, 4.0]]])
    atlas = make_atlas(maps, aspect=0.01, scale="map")
    assert atlas.signed, "maps of one layer share the kind of palette"
    np.testing.assert_array_equal(atlas.high, [1, 10, 2, 4])
    np.testing.assert_array_equal(atlas.pixels[::2], [[1, 255], [1, int(63.5 + 128.5)], [128, 255], [128, 255]])
    pairs = make_atlas(maps, aspect=0.01, scale=2)
    np.testing.assert_array_equal(pairs.high, [10, 4])
    assert pairs.range_of(1) == (-10, 10) and pairs.range_of(2) == (-4, 4)
    with pytest.raises(ValueError, match="groups of 3"):
        make_atlas(maps, scale=3)


@pytest.mark.parametrize(("value", "index"), [(0.0, 1), (2.5, 255), (-2.5, 1)])
def test_constant_maps(path, value, index):
    assert np.all(make_atlas(torch.full((1, 3, 3), value)).pixels == index)


def test_numbers_that_are_not_finite_are_holes(path):
    atlas = make_atlas(torch.tensor([[[float("nan"), -1.0, float("inf"), 2.0, float("-inf")]]]))
    np.testing.assert_array_equal(atlas.pixels, [[0, int(-63.5 + 128.5), 0, 255, 0]])
    assert np.all(make_atlas(torch.full((2, 2, 2), float("nan"))).pixels == 0)


def test_units_are_squares(path):
    atlas = make_atlas(torch.tensor([0.0, 1.0, 2.0, 3.0]))
    side = module.UNIT_PIXELS
    assert atlas.pixels.shape == (2 * side + 1, 2 * side + 1)
    assert np.all(atlas.pixels[side + 1 :, side + 1 :] == 255)
    assert np.all(atlas.pixels[side] == 0) and np.all(atlas.pixels[:, side] == 0)
    assert atlas.values.shape == (4, 1, 1)


def test_large_numbers_near_each_other(path):
    atlas = make_atlas(torch.tensor([[[-1e6, -1e6 + 1, -1e6 + 2]]]), signed=False)
    assert atlas.pixels[0, 0] < atlas.pixels[0, 1] < atlas.pixels[0, 2] or np.all(atlas.pixels > 0)


@pytest.mark.parametrize("shape", [(6, 28, 28), (16, 5, 5), (120,), (7, 3, 4), (1, 1, 1)])
@pytest.mark.parametrize("scale", ["layer", "map"])
def test_both_ways_agree(shape, scale, monkeypatch):
    maps = torch.randn(shape, generator=torch.Generator().manual_seed(1))
    shared = make_atlas(maps, aspect=1.7, scale=scale, gap=2, tile_scale=3)
    monkeypatch.setattr(module, "LARGE", 0)
    alone = make_atlas(maps, aspect=1.7, scale=scale, gap=2, tile_scale=3)
    assert np.abs(shared.pixels.astype(int) - alone.pixels).max() <= 1
    np.testing.assert_array_equal(shared.low, alone.low)
    np.testing.assert_array_equal(shared.values, alone.values)


def test_many_layers_equal_each_alone():
    layers = {"a": torch.randn(1, 6, 4, 4), "b": torch.rand(1, 10), "c": torch.randn(1, 3, 1, 1) - 5}
    together = make_atlases(layers)
    for name, maps in layers.items():
        np.testing.assert_array_equal(together[name].pixels, make_atlas(maps[0]).pixels)
        np.testing.assert_array_equal(together[name].values.ravel(), maps.ravel())


def test_pointing(path):
    atlas = make_atlas(torch.arange(5 * 2 * 3.0).reshape(5, 2, 3), gap=1, tile_scale=2)
    assert (atlas.columns, atlas.rows) == grid(5, 5, 7)
    for channel in range(5):
        left, top, width, height = atlas.tile_rect(channel)
        assert (width, height) == (6, 4)
        assert atlas.tile_at(left, top) == channel == atlas.tile_at(left + 5.9, top + 3.9)
        assert atlas.value_at(left + 4.5, top + 2.5) == (channel, 1, 2, float(atlas.values[channel, 1, 2]))
        assert atlas.tile_at(left + 6, top) is None and atlas.tile_at(left, top + 4) is None
    assert atlas.tile_at(-1, 0) is None and atlas.tile_at(0, -1) is None and atlas.tile_at(1000, 0) is None
    if atlas.columns * atlas.rows > 5:
        left, top, *_ = atlas.tile_rect(5)
        assert atlas.tile_at(left, top) is None, "an empty cell is no tile"


def test_grid_is_full_and_near_the_aspect():
    assert grid(120, 5, 5) == (12, 10)
    assert grid(64, 9, 9) == (8, 8)
    assert grid(6, 10, 10, aspect=6.0) == (6, 1)
    assert grid(10, 8, 8, aspect=2.5) == (5, 2)


def test_colours():
    filters = torch.zeros(2, 3, 1, 1)
    filters[0, :, 0, 0] = torch.tensor([1.0, -2.0, 0.0])
    atlas = colour_atlas(filters)
    assert atlas.pixels.shape == (1, 3, 4)
    np.testing.assert_array_equal(atlas.pixels[0], [[192, 1, 128, 255], [0, 0, 0, 0], [128, 128, 128, 255]])
    assert (atlas.low.item(), atlas.high.item()) == (-2, 2)
    assert atlas.tile_at(2, 0) == 1
    own = colour_atlas(filters, scale="map")
    assert own.high.tolist() == [2, 0]
    with pytest.raises(ValueError, match="three"):
        colour_atlas(torch.zeros(2, 4, 1, 1))


def test_tokens_and_clips():
    tokens, clip = torch.randn(1, 5, 7), torch.randn(1, 2, 3, 4, 5)
    found = make_atlases({"tokens": tokens, "clip": clip})
    np.testing.assert_array_equal(found["tokens"].values, tokens)
    np.testing.assert_array_equal(found["clip"].values, clip.reshape(6, 4, 5))
