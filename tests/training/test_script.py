"""An exported script runs without this program and ends with the figures of the run."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.notices import SettingError
from guiapp.training.augmenter import augmenter_of
from guiapp.training.events import StepEnd
from guiapp.training.recipe import SCHEDULES, change
from guiapp.training.run_folder import RunFolder
from guiapp.training.runner import Runner
from guiapp.training.schedules import momentum, rate_with_changes
from guiapp.training.script import Past, write_script
from guiapp.training.script_code import Bundle
from guiapp.training.script_loop import step_code
from guiapp.training.script_run import ByHand
from guiapp.training.setup import prepare

FIXED = {"dataset": "digits", "device": "cpu", "threads": 1}


def train(setup, folder, by_hand):
    runner = Runner(setup, RunFolder.create(folder, setup, exact=True))
    heats = dict(HEAT) if setup.recipe.distillation.teacher else {}
    for event in runner.events():
        if runner.trainer.step in by_hand:
            runner.set_learning_rate(by_hand[runner.trainer.step])
        if isinstance(event, StepEnd) and runner.trainer.step in heats:
            runner.set_temperature(heats[runner.trainer.step])
    return runner.finish(test=True)


def file_of(name):
    return name.replace("/", "_") + ".py"


CASES = {
    "lenet5": {"epochs": 1},
    "mlp": {
        "epochs": 1, "schedule": "one-cycle", "optimiser": "adam", "optimiser.lr": 0.01, "clipping": "norm",
        "penalty": "elastic", "loss.smoothing": 0.1, "balance": "weights", "accumulate": 3, "keep": "last",
    },
    "simple-cnn-3": {
        "epochs": 4, "schedule": "cosine", "schedule.warmup": 1, "balance": "sampling", "precision": "mixed",
        "normalisation": "batch", "initialisation": "kaiming", "leave_out.dropout": 0.2, "stopping.patience": 1,
        "stopping.margin": 5.0, "data.folds": 4, "data.fold": 2, "data.share": 0.3, "clipping": "value",
    },
    "linear-classifier": {
        "epochs": 1, "optimiser": "newton", "optimiser.lr": 1.0, "batch": 400, "schedule": "constant",
    },
    # Of the same experiments; the name is told by the part after the stroke.
    "lenet5/gradual": {
        "epochs": 2, "transfer": "gradual", "transfer.decay": 0.5, "clipping": "norm", "augmentation": "none",
        "preprocessing": "mean-image", "average": "polyak", "average.start": 0.5, "data.share": 0.5,
    },
    "lenet5/head": {
        "epochs": 2, "transfer": "head", "augmentation": "none", "augmentation.shift": 0.1, "transfer.views": 2,
        "data.share": 0.3, "preprocessing": "whitening", "preprocessing.components": 20,
    },
    "simple-cnn-3/taught": {
        "epochs": 3, "normalisation": "batch", "average": "cycles", "average.every": 1, "members": "cycles",
        "members.every": 2, "distillation.teacher": "teacher-digits", "distillation.share": 0.7, "data.share": 0.3,
        "distillation.temperature": 3.0,
    },
}  # fmt: skip
HAND = {"lenet5": [(5, 0.01)]}
HEAT = [(7, 2.0)]
_ALL = """
import contextlib, io, json, pathlib, runpy, sys, types
import torch
# Optimisers load the compiler, without using it: seconds that a test need not wait.
torch._dynamo = sys.modules["torch._dynamo"] = types.ModuleType("torch._dynamo")
torch._dynamo.disable = lambda function, *_, **__: function
torch._dynamo.graph_break = lambda: None
found = {}
for path in pathlib.Path(".").glob("*.py"):
    with contextlib.redirect_stdout(io.StringIO()) as text:
        runpy.run_path(str(path), run_name="__main__")
    found[path.stem] = json.loads(text.getvalue().splitlines()[-1])
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def scripts(tmp_path_factory):
    """The script of each case, what was said of it, and what it printed where this program cannot be imported."""
    folder = tmp_path_factory.mktemp("scripts")
    setups = {n: prepare(EXPERIMENTS[n.partition("/")[0]], {**FIXED, **fields}) for n, fields in CASES.items()}
    past = {name: Past(ByHand(HAND.get(name, ()), HEAT if "taught" in name else ())) for name in CASES}
    written = {name: write_script(folder / file_of(name), setup, past[name]) for name, setup in setups.items()}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    words = [sys.executable, "-W", "error", "-P", "-c", _ALL]
    done = subprocess.run(words, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, setups, written, json.loads(done.stdout)


@pytest.mark.parametrize("name", CASES)
def test_the_script_ends_with_the_figures_of_the_run(name, scripts, tmp_path):
    folder, setups, written, printed = scripts
    expected = train(setups[name], tmp_path / "run", dict(HAND.get(name, [(None, 0)])))
    found = printed[file_of(name).removesuffix(".py")]
    assert found["steps"] == expected["steps"]
    for part in ("train", "validation", "test"):
        assert {figure: expected[part][figure] for figure in ("loss", "accuracy")} == found[part], part
    text = (folder / file_of(name)).read_text()
    assert "import guiapp" not in text and "from guiapp" not in text
    assert written[name].lines == len(text.splitlines())
    assert (written[name].data is None) == ("data.share" not in CASES[name])
    members = sorted(path.name for path in folder.glob("*taught-*.pt"))
    assert members == [f"simple-cnn-3_taught-{step}.pt" for step in (12, 18)]


SHAPES = [
    *({"name": name} for name in SCHEDULES),
    {"name": "step", "points": "1,3", "warmup": 1.5},
    {"name": "one-cycle", "curve": "cosine", "final": 0.1},
    {"name": "cosine", "cycles": 2, "warmup": 0.5, "warmup_from": 0.1},
    {"name": "polynomial", "warmup": 2},
    {"name": "exponential", "warmup": 1},
]


@pytest.mark.parametrize("fields", SHAPES, ids=str)
def test_the_rates_of_a_script_are_the_programs_bit_for_bit(make_setup, fields):
    recipe = change(make_setup().recipe, {"epochs": 4, "augmentation": "none"})
    recipe = change(recipe, {f"schedule.{name}": value for name, value in fields.items()})
    bundle = Bundle()
    code = step_code(bundle, make_setup().with_recipe(recipe), changed=True)
    changes = [(6, 0.3)]
    space = {"STEPS": 7, "TOTAL": 28, "CHANGES": changes}
    exec("\n".join([*bundle.imports, "import torch", code]), space)
    base = recipe.optimiser.lr
    for step in range(28):
        assert space["learning_rate"](step) == rate_with_changes(recipe.schedule, base, changes, step, 28, 7)
        if recipe.schedule.name == "one-cycle":
            assert space["momentum"](step) == momentum(recipe, step, 28)


@pytest.mark.learning  # loads torchvision, which takes longer than all the rest
def test_the_augmentation_of_a_script_is_the_programs(make_setup):
    setup = make_setup()
    fields = {"augmentation.rotation": 10, "augmentation.cutout": 0.3, "augmentation.mixup": 0.2}
    setup = setup.with_recipe(change(setup.recipe, fields))
    bundle = Bundle()
    code = step_code(bundle, setup)
    space = {"__name__": "script", "PREPARATION": setup.preprocessing, "LABELS": 3, "STEPS": 1, "TOTAL": 1}
    lines = ["from __future__ import annotations", *bundle.imports, "import torch", *bundle.code, code]
    exec("\n".join(lines), space)
    inputs, targets = torch.rand(8, 1, 6, 6), torch.arange(8) % 3
    found, expected = (
        augment(inputs, targets, torch.Generator().manual_seed(3))
        for augment in (space["augment"], augmenter_of(setup))
    )
    assert torch.equal(found[0], expected[0]) and torch.equal(found[1], expected[1])


def test_what_a_script_cannot_do_is_refused(tmp_path):
    knn = next(e for e in EXPERIMENTS.values() if e.model == "knn")
    with pytest.raises(SettingError, match="only remembers"):
        write_script(tmp_path / "x.py", prepare(knn, {"dataset": "digits"}))
    lenet = prepare(EXPERIMENTS["lenet5"], FIXED)
    elsewhere = replace(lenet, entry=replace(lenet.entry, build=lambda *_: torch.nn.Linear(1, 1)))
    with pytest.raises(SettingError, match="outside of this program"):
        write_script(tmp_path / "x.py", elsewhere)


def test_parts_with_one_name_stand_beside_each_other():
    bundle = Bundle({"mix"})
    first, again = bundle.add("guiapp.training.seeds:mix"), bundle.add("guiapp.training.seeds:mix")
    other = bundle.add("guiapp.training.augmentation_mix:mix")
    assert first == again == "seeds_mix" and other == "augmentation_mix_mix"
    space = {}
    exec("\n".join(["from __future__ import annotations", *bundle.imports, *bundle.code]), space)
    from guiapp.training import seeds

    assert space["seeds_mix"](1, 2, 3) == seeds.mix(1, 2, 3)
