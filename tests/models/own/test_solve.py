"""What an architecture was built with, found from shapes alone; and which architecture it is."""

import pytest
import torch
from torchvision import models as tv

from guiapp.core.notices import SettingError
from guiapp.models.own.architectures import Spec, find
from guiapp.models.own.guess import first_spec, guess
from guiapp.models.own.solve import solve


def shapes(build):
    with torch.device("meta"):
        return {name: tuple(value.shape) for name, value in build().state_dict().items()}


@pytest.mark.parametrize(
    ("name", "options", "classes"),
    [
        ("resnet18", {}, 3),
        ("squeezenet1_1", {}, 2),
        ("densenet121", {}, 7),
        ("vit_b_16", {}, 37),
        ("googlenet", {"aux_logits": True, "init_weights": False}, 5),
    ],
)
def test_the_number_of_classes_of_a_fine_tuned_network(name, options, classes):
    file = shapes(lambda: getattr(tv, name)(weights=None, num_classes=classes, **options))
    architecture = find(name)
    spec, found = solve(architecture, file, first_spec(architecture, file))
    assert spec.classes == classes and found.complete


@pytest.mark.parametrize("name", ["retinanet_resnet50_fpn", "maskrcnn_resnet50_fpn"])
def test_the_classes_of_detectors_whose_heads_have_several_numbers_a_class(name):
    file = find(name).shapes(Spec(6))
    architecture = find(name)
    spec, found = solve(architecture, file, first_spec(architecture, file))
    assert spec.classes == 6 and found.complete


def test_inner_numbers_channels_and_the_side_of_the_input():
    file = find("mlp").shapes(Spec(4, 3, 24, 24, {"hidden": 37, "activation": "tanh"}))
    best = next(one for one in guess(file) if one.architecture.name == "mlp")
    assert best.match.complete and best.spec.options["hidden"] == 37 and best.spec.classes == 4
    assert (best.spec.channels, best.spec.height, best.spec.width) == (3, 24, 24)
    file = find("simple-cnn").shapes(
        Spec(5, 3, 28, 28, {**find("simple-cnn").entry.options, "filters": 11, "kernel": 3})
    )
    spec, found = solve(find("simple-cnn"), file, first_spec(find("simple-cnn"), file))
    assert found.complete and (spec.channels, spec.options["filters"], spec.options["kernel"]) == (3, 11, 3)


def test_the_architecture_is_found_among_all_and_named_when_it_is_only_near(tmp_path):
    file = shapes(lambda: tv.squeezenet1_1(weights=None, num_classes=12))
    (best,) = guess({f"module.{name}": shape for name, shape in file.items()})
    assert best.architecture.name == "squeezenet1_1" and best.spec.classes == 12 and best.match.how == "prefix"
    lacking = {name: shape for name, shape in file.items() if not name.startswith("features.12.")}
    (near,) = guess(lacking, tmp_path / "squeezenet1_1-mine.pth")
    assert near.architecture.name == "squeezenet1_1" and not near.match.complete
    assert guess({"nothing.weight": (3, 3)}) == []


def test_weights_that_two_architectures_fit_name_both():
    found = guess(find("linear").shapes(Spec(10, 1, 28, 28)))
    assert [one.architecture.name for one in found] == ["linear", "multiperceptron"]


def test_a_search_can_be_stopped_and_names_that_cannot_be_are_told():
    class Halt(Exception):
        pass

    def stop(share, text):
        raise Halt

    with pytest.raises(Halt):
        guess({"a": (1,)}, None, stop)
    for name in ("haar-face", "knn", "no-such-network"):
        with pytest.raises(SettingError):
            find(name)
