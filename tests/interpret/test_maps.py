"""Clips as films, tokens and channels-last outputs as maps, against layouts made by hand."""

import numpy as np
import pytest
import torch
import torchvision
from torch import nn

from guiapp.interpret import activations, filters
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.maps import as_maps, film_of, is_channels_last
from guiapp.interpret.options import ActivationOptions, FilterOptions
from guiapp.models import Preprocessing


@pytest.mark.parametrize(("pictures", "columns", "shape"), [(4, None, (5, 7)), (3, 3, (2, 11)), (5, 2, (8, 7))])
def test_a_film_has_every_number_at_its_place(pictures, columns, shape):
    clips = torch.arange(2 * pictures * 2 * 3, dtype=torch.float32).reshape(2, pictures, 2, 3)
    maps, film = film_of(clips, columns)
    assert maps.shape == (2, *shape)
    seen = []
    for row in range(shape[0]):
        for column in range(shape[1]):
            place, value = film.place(row, column), maps[1, row, column]
            if place is None or place[0] >= pictures:
                assert torch.isnan(value)
            else:
                assert value == clips[1][place]
                seen.append(place)
    assert len(set(seen)) == pictures * 6
    down, right = film.corner(pictures - 1)
    assert torch.equal(maps[0, down : down + 2, right : right + 3], clips[0, -1])


@pytest.mark.parametrize(
    ("shape", "extent", "last"),
    [
        ((56, 56, 96), (224, 224), True),
        ((96, 56, 56), (224, 224), False),
        ((120, 160, 96), (480, 640), True),
        ((64, 120, 160), (480, 640), False),
        ((64, 64, 64), (256, 256), False),
        ((64, 1, 1), (64, 64), False),
        ((7, 7, 768), (224, 224), True),
        ((768,), (224, 224), False),
        ((56, 56, 96), None, False),
    ],
)
def test_channels_last_is_told_by_the_shape_of_the_picture(shape, extent, last):
    assert is_channels_last(shape, extent) is last


def test_swin_and_convnext_have_their_channels_first_in_the_list():
    with torch.device("meta"):
        swin, convnext = (torchvision.models.get_model(name, weights=None) for name in ("swin_t", "convnext_tiny"))
    shapes = {layer.name: layer.output_shape for layer in layer_list(swin, (3, 224, 224))}
    assert shapes["features.0.0"] == shapes["features.1.0.attn"] == shapes["features.1.0.mlp.3"] == (96, 56, 56)
    assert shapes["features.1.0.mlp.0"] == (384, 56, 56) and shapes["features.7"] == (768, 7, 7)
    shapes = {layer.name: layer.output_shape for layer in layer_list(convnext, (3, 224, 224))}
    assert shapes["features.1.0.block.0"] == (96, 56, 56) and shapes["features.1.0.block.3"] == (384, 56, 56)


def test_tokens_become_maps_of_patches():
    tokens = torch.arange(1 * 17 * 2, dtype=torch.float32).reshape(1, 17, 2)
    maps, words = as_maps(tokens, None, (), (64, 64))
    assert maps.shape == (1, 2, 4, 4) and "class token left out" in words
    assert maps[0, 1, 2, 3] == tokens[0, 1 + 2 * 4 + 3, 1]
    maps, words = as_maps(tokens[:, 1:], None, (), (64, 64))
    assert maps[0, 0, 0, 0] == tokens[0, 1, 0] and words == "tokens as maps of 4 × 4"
    assert as_maps(tokens[:, :7], None, (), (64, 64))[0].shape == (1, 7, 2)  # no grid
    clip = layer_list(nn.Conv3d(3, 2, 1), (3, 2, 8, 8))
    assert clip == []
    inner = layer_list(nn.Sequential(nn.Conv3d(3, 2, 1)), (3, 2, 8, 8))
    tokens = torch.arange(1 * 9 * 2, dtype=torch.float32).reshape(1, 9, 2)
    maps, _ = as_maps(tokens, None, inner, (8, 8))
    assert maps.shape == (1, 2, 2, 2, 2) and maps[0, 1, 1, 0, 1] == tokens[0, 1 + 4 + 1, 1]


class Clips(nn.Module):
    """A stem over time, then units."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv3d(3, 4, (3, 5, 5), bias=False)
        self.last = nn.Conv3d(4, 2, (3, 1, 1))

    def forward(self, x):
        return self.last(self.stem(x))


@pytest.fixture
def look():
    torch.manual_seed(0)
    model = Clips().eval().requires_grad_(False)
    return Look(model, layer_list(model, (3, 8, 12, 12)), Preprocessing((3, 12, 12), (0.0,), (1.0,)))


def test_filters_over_time_are_strips_in_colour(look):
    view = filters.run(look, FilterOptions("stem"))
    weight = look.model.stem.weight.numpy()
    assert (view.view, view.filters, view.inputs, view.size) == ("colour", 4, 3, (5, 5))
    assert view.film.pictures == 3 and view.atlas.tile == (5, 3 * 6 - 1) and "3 moments side by side" in view.tile
    left, top, _, _ = view.atlas.tile_rect(2)
    largest = np.abs(weight).max()
    for moment in range(3):
        down, right = view.film.corner(moment)
        shown = view.atlas.pixels[top + down : top + down + 5, left + right : left + right + 5]
        wanted = np.floor(weight[2, :, moment] / largest * 127 + 128.5).transpose(1, 2, 0)
        np.testing.assert_array_equal(shown[..., :3], wanted)
        assert (shown[..., 3] == 255).all()
    assert (view.atlas.pixels[top : top + 5, left + 5, 3] == 0).all()  # between two moments
    np.testing.assert_allclose(view.norm, np.sqrt((weight**2).sum((1, 2, 3, 4))), rtol=1e-6)


def test_filters_over_time_alone_are_not_taken_for_1x1(look):
    view = filters.run(look, FilterOptions("last"))
    weight = look.model.last.weight.numpy()
    assert (view.view, view.filters, view.inputs, view.film.pictures) == ("inputs", 2, 4, 3)
    np.testing.assert_array_equal(view.atlas.values[5][:, ::2], weight[1, 1, :, :, 0].reshape(1, 3))
    assert np.isnan(view.atlas.values[5][0, 1])


def test_maps_of_clips_are_films_and_their_statistics_leave_the_gaps_out(look):
    output = torch.randn(1, 4, 6, 3, 3).relu()
    look.activations = {"stem": output}
    view = activations.run(look, ActivationOptions("stem"))
    assert view.atlases["stem"].count == 4
    film = view.films["stem"]
    assert (film.pictures, film.columns) == (6, 3)
    down, right = film.corner(4)
    np.testing.assert_array_equal(
        view.atlases["stem"].values[1][down : down + 3, right : right + 3], output[0, 1, 4].numpy()
    )
    numbers = view.statistics["stem"]
    assert numbers.mean == pytest.approx(float(output.mean()), rel=1e-5)
    assert numbers.zeros == pytest.approx(float((output == 0).float().mean()))


def test_tokens_are_shown_as_maps_with_a_note(look):
    look.activations = {"stem": torch.randn(1, 10, 5)}
    look.preprocessing = Preprocessing((3, 9, 9), (0.0,), (1.0,))
    look.layers = ()
    view = activations.run(look, ActivationOptions("stem"))
    assert view.atlases["stem"].count == 5 and view.atlases["stem"].tile == (3, 3)
    assert "3 × 3" in view.notes["stem"]
