"""A class for every place: the mean over places is the network's own answer."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.places import head_of, run
from guiapp.interpret.places_options import PlacesOptions
from guiapp.models import MODELS, Preprocessing

PREPROCESSING = Preprocessing((3, 32, 32), (0.5,) * 3, (0.5,) * 3)


def look_at(name, side=32, patient=False, **options):
    torch.manual_seed(0)
    model = MODELS[name].make(PREPROCESSING, 4, **options).eval()
    pixels = np.random.default_rng(0).integers(0, 255, (side, side, 3), np.uint8)
    with torch.no_grad():
        return Look(
            model,
            layer_list(model, PREPROCESSING.size),
            PREPROCESSING,
            picture=Picture(pixels, Origin("file", "x.png")),
            input=PREPROCESSING(pixels),
            labels=("a", "b", "c", "d"),
            patient=patient,
        )


def ask(look, enlarge):
    with torch.no_grad():
        return run(look, PlacesOptions(enlarge))


@pytest.mark.parametrize(
    ("name", "places"), [("nin", 8), ("resnet20", 8), ("small-googlenet", 8), ("small-densenet", 8)]
)
def test_places_of_networks_that_end_in_a_mean(name, places):
    look = look_at(name)
    found = ask(look, 1)
    assert found.reason == "" and found.classes.shape == (places, places)
    with torch.no_grad():
        expected = torch.softmax(look.model(look.input), 1)[0].numpy()
    np.testing.assert_allclose(found.whole, expected, atol=1e-6)
    larger = ask(look, 4)
    assert larger.classes.shape == (4 * places, 4 * places) and larger.fed == (128, 128)


def test_scores_of_a_place_are_the_class_maps_of_network_in_network():
    look = look_at("nin")
    with torch.no_grad():
        maps = look.model[:-2](look.input)[0]
    found = ask(look, 1)
    np.testing.assert_array_equal(found.classes, maps.argmax(0).numpy())
    np.testing.assert_allclose(found.confidence, torch.softmax(maps, 0).amax(0).numpy(), atol=1e-6)


def test_a_large_picture_is_fed_with_its_own_detail():
    found = ask(look_at("nin", side=128), 4)
    with torch.no_grad():
        look = look_at("nin", side=128)
        larger = Preprocessing((3, 128, 128), (0.5,) * 3, (0.5,) * 3)(look.picture.pixels)
        expected = look.model[:-2](larger)[0].argmax(0).numpy()
    np.testing.assert_array_equal(found.classes, expected)


def test_networks_with_dense_layers_on_their_maps_say_why_not():
    look = look_at("small-vgg")
    assert head_of(look.model, look.layers) is None
    assert "does not end in the mean" in ask(look, 1).reason
    with pytest.raises(UserError, match="does not end in the mean"):
        ask(look_at("small-vgg", patient=True), 1)
