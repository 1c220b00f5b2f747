"""Every entry of the catalogue names things that exist, and its network opens and learns a step."""

import re
import tomllib
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from guiapp.catalogue import CHAPTERS, DEFAULT, EXPERIMENTS
from guiapp.catalogue.systems import SYSTEMS, chapter_of, coverage
from guiapp.core.paths import resources
from guiapp.datasets import DATASETS
from guiapp.interpret import PROBES
from guiapp.interpret.layers import layer_list
from guiapp.models import MODELS, Preprocessing
from guiapp.tasks.base import TASKS
from guiapp.training.recipe import Recipe, change

TABLE = Path(__file__).parents[3] / "shared" / "design" / "systems.toml"
PANELS = {
    *("catalogue", "source", "viewer", "samples", "training", "runs", "model", "filters", "activations", "units"),
    *("attribution", "embedding", "attack", "evaluation", "recipe", "diagnosis", "playground", "imaging"),
    "linear",
}


@pytest.fixture(params=EXPERIMENTS.values(), ids=lambda e: e.id)
def experiment(request):
    return request.param


def test_names_resolve(experiment):
    assert experiment.chapter in CHAPTERS
    assert experiment.dataset in DATASETS and experiment.fallback in DATASETS
    assert experiment.task in TASKS
    assert set(experiment.panels) <= PANELS
    assert set(experiment.model_options) <= set(MODELS[experiment.model].options or {})
    assert set(experiment.by_dataset) <= set(DATASETS)
    rows = SYSTEMS[experiment.chapter]
    assert experiment.systems and set(experiment.systems) <= set(rows)


def test_recipes_fit(experiment):
    for fields in ({}, *experiment.by_dataset.values()):
        change(change(Recipe(), experiment.recipe), fields)


def test_help_has_the_formula_and_the_source(experiment):
    text = (resources() / "help" / f"{experiment.help or experiment.id}.md").read_text(encoding="utf-8")
    assert text.startswith("# ")
    assert "course text" in text
    assert "**Try**" in text
    assert "`" in text or "|" in text, "a formula, or a table of layers"
    assert 120 <= len(re.findall(r"\S+", text)) <= 250


@pytest.mark.parametrize(
    "panel",
    ["catalogue", "source", "viewer", "samples", "training", "runs", "filters", "activations", "model"],
)
def test_panels_have_help(panel):
    text = (resources() / "help" / f"{panel}.md").read_text(encoding="utf-8")
    assert text.startswith("# ") and len(text.split()) > 50


@pytest.mark.parametrize("size", [(1, 8, 8), (1, 28, 28), (3, 32, 32)])
def test_the_network_opens_and_takes_a_step(experiment, size):
    entry = MODELS[experiment.model]
    channels, height, width = size[0], *(entry.input_size or size[1:])
    torch.manual_seed(0)
    model = entry.make(
        Preprocessing((channels, height, width), (0.5,) * channels, (0.5,) * channels), 10, **experiment.model_options
    )
    images, labels = torch.randn(4, channels, height, width), torch.arange(4)
    layers = layer_list(model, (channels, height, width))
    if experiment.layer is not None:
        assert experiment.layer in [layer.name for layer in layers]
    if entry.trained_by == "memory":
        model.fit(images, labels)
        assert model(images).argmax(1).tolist() == [0, 0, 0, 0] or model.k > 1
        return
    loss = F.cross_entropy(model(images), labels)
    loss.backward()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.sub_(0.01 * parameter.grad)
    assert F.cross_entropy(model.eval()(images), labels) < loss


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
