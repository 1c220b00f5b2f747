"""Every entry of the catalogue names things that exist, and its network opens and learns a step."""

import re
import tomllib
from pathlib import Path

import pytest
import torch
import torchvision
from torch.nn import functional as F

import guiapp
from guiapp.catalogue import CHAPTERS, DEFAULT, EXPERIMENTS
from guiapp.catalogue.systems import SYSTEMS, chapter_of, coverage
from guiapp.core.notices import SettingError
from guiapp.core.paths import resources
from guiapp.core.registry import resolve
from guiapp.datasets import DATASETS
from guiapp.interpret import PROBES
from guiapp.interpret.layers import layer_list
from guiapp.models import Preprocessing
from guiapp.models.backbones import Backbone, find_entry
from guiapp.models.zoo import ZOO
from guiapp.tasks.base import TASKS
from guiapp.tasks.live_options import LIVE_TASKS
from guiapp.training.recipe import Recipe, change
from guiapp.training.setup import prepare

PANEL_TABLE = Path(guiapp.__file__).parent / "ui" / "panel_table.py"  # read as text: Qt may not be there
TABLE = Path(__file__).parents[3] / "shared" / "design" / "systems.toml"
TRAINED = [entry for entry in EXPERIMENTS.values() if not entry.live]
EXHIBITS = [entry for entry in EXPERIMENTS.values() if entry.live]
SHAPES = {"classification": (3, 224, 224), "segmentation": (3, 64, 64), "clip": (3, 8, 112, 112)}
"""Inputs with which networks that are run by one call are listed on the meta device, where nothing is computed."""


@pytest.fixture(params=EXPERIMENTS.values(), ids=lambda e: e.id)
def entry(request):
    return request.param


@pytest.fixture(params=TRAINED, ids=lambda e: e.id)
def experiment(request):
    return request.param


@pytest.fixture(params=EXHIBITS, ids=lambda e: e.id)
def exhibit(request):
    return request.param


def test_rows_and_panels_exist(entry):
    assert entry.chapter in CHAPTERS
    assert set(entry.panels) <= set(re.findall(r'PanelEntry\("([a-z-]+)"', PANEL_TABLE.read_text(encoding="utf-8")))
    assert entry.systems and set(entry.systems) <= set(SYSTEMS[entry.chapter])
    assert entry.title and entry.summary and not entry.summary.endswith(".")


def test_names_resolve(experiment):
    assert experiment.dataset in DATASETS and experiment.fallback in DATASETS
    assert experiment.task in TASKS
    assert set(experiment.model_options) <= set(find_entry(experiment.model).options or {})
    assert set(experiment.by_dataset) <= set(DATASETS)


def test_exhibits_name_published_networks(exhibit):
    shown = ZOO[exhibit.model]
    assert (exhibit.task, exhibit.dataset) == (shown.task, "") and exhibit.task in LIVE_TASKS
    # any classifier can be looked into: those of that chapter show a way of looking, not the network
    assert set(exhibit.systems) <= set(shown.systems) or exhibit.chapter == "seeing-inside"
    assert exhibit.panels[0] == "live" and not exhibit.recipe


def test_the_first_layer_of_an_exhibit_is_there(exhibit):
    if exhibit.layer is None:
        assert ZOO[exhibit.model].best.shipped, "what OpenCV brings has no layers"
        return
    backbone = {"weights_backbone": None} if exhibit.task not in ("classification", "clip", "flow") else {}
    with torch.device("meta"):
        if exhibit.model == "googlenet":
            backbone = {"init_weights": False}
        if ZOO[exhibit.model].opener:  # as its paper describes it
            model = resolve(ZOO[exhibit.model].build)()
        else:
            model = torchvision.models.get_model(exhibit.model, weights=None, **backbone)
    if exhibit.task in SHAPES:
        assert exhibit.layer in [layer.name for layer in layer_list(model, SHAPES[exhibit.task])]
    else:
        model.get_submodule(exhibit.layer)


def test_an_exhibit_is_not_trained(exhibit):
    with pytest.raises(SettingError, match="published network that is not trained here"):
        prepare(exhibit)


def test_recipes_fit(experiment):
    for fields in ({}, *experiment.by_dataset.values()):
        change(change(Recipe(), experiment.recipe), fields)


def test_help_has_the_formula_and_the_source(entry):
    text = (resources() / "help" / f"{entry.help or entry.id}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "course text" in text
    assert "**Try**" in text
    assert "`" in text or "|" in text, "a formula, or a table of layers"
    assert 120 <= len(re.findall(r"\S+", text)) <= 250
    if entry.live:
        assert re.search(r"^Source: .*\d{4}", text, re.MULTILINE), "the paper with its year"


@pytest.mark.parametrize(
    "panel",
    ["catalogue", "source", "viewer", "samples", "training", "runs", "filters", "activations", "model"],
)
def test_panels_have_help(panel):
    text = (resources() / "help" / f"{panel}.md").read_text(encoding="utf-8")
    assert text.startswith("# ") and len(text.split()) > 50


@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_the_network_opens_and_takes_a_step(experiment, size):
    entry = find_entry(experiment.model)
    channels, height, width = size[0], *(entry.input_size or size[1:])
    options = dict(experiment.model_options)
    if isinstance(entry, Backbone):  # the weights may not be there, and it takes three channels of any size
        if channels != 3:
            return
        height, width, options["weights"] = 32, 32, "random"
    torch.manual_seed(0)
    model = entry.make(Preprocessing((channels, height, width), (0.5,) * channels, (0.5,) * channels), 10, **options)
    images, labels = torch.randn(8, channels, height, width), torch.arange(8)
    layers = layer_list(model, (channels, height, width))
    if experiment.layer is not None:
        assert experiment.layer in [layer.name for layer in layers]
    if entry.trained_by == "memory":
        model.fit(images, labels)
        assert model.k > 1 or model(images).argmax(1).tolist() == labels.tolist()
        return
    for module in model.train().modules():  # in the same mode twice: eight pictures are no basis for running statistics
        if isinstance(module, torch.nn.Dropout):
            module.eval()
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    # Gradients explode in deep plain networks (the exhibit shows it): a step along them must be short enough.
    weights = [parameter.detach().clone() for parameter in model.parameters()]

    def after(length: float) -> torch.Tensor:
        with torch.no_grad():
            for parameter, weight in zip(model.parameters(), weights, strict=True):
                parameter.copy_(weight - length * parameter.grad)
            return F.cross_entropy(model(images), labels)

    assert any(after(length) < loss for length in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10))


def test_the_default_is_lenet5_on_digits_that_are_always_there():
    assert (EXPERIMENTS[DEFAULT].model, EXPERIMENTS[DEFAULT].dataset) == ("lenet5", "digits")
    assert DATASETS["digits"].available()


def test_rows_of_the_issue_are_covered():
    rows = (
        "linear-classifier softmax-classifier multiperceptron mlp simple-cnn lenet5 cifar-cnn filters activation-maps"
    )
    covered = coverage()
    assert all(covered[row] for row in [*rows.split(), "knn"])
    assert covered["simple-cnn"] == ("simple-cnn", "simple-cnn-3")
    assert covered["adaboost"] == ()


def test_own_table_has_all_rows_once():
    rows = [row for chapter in SYSTEMS.values() for row in chapter]
    assert len(rows) == len(set(rows)) == 140
    assert list(SYSTEMS) == list(CHAPTERS)
    assert chapter_of("mlp") == "neurons"
    with pytest.raises(KeyError, match="no row"):
        chapter_of("none")


def test_own_table_is_the_shared_one():
    if not TABLE.is_file():
        pytest.skip(f"{TABLE} is not on this machine")
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    assert {row: entry["chapter"] for row, entry in table.items()} == {
        row: chapter for chapter, rows in SYSTEMS.items() for row in rows
    }


def test_probes_have_options_with_defaults():
    for probe in PROBES.values():
        probe.options()
    assert {"filters", "activations", "linear-views", "information"} <= set(PROBES)
