"""What is said to have no effect has none, and what is said to have one has it."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from guiapp.training.optimisers import build
from guiapp.training.recipe import OPTIMISERS, SCHEDULES, Recipe, as_dict, change
from guiapp.training.recipe_effect import _COUNTS, idle
from guiapp.training.recipe_file import flat
from guiapp.training.schedules import curve
from guiapp.training.transfer import Transferring

OTHER = {
    "every": 2, "factor": 0.5, "points": "1,3", "final": 0.4, "power": 3.0, "gamma": 2.0, "rho": 2.0, "cycles": 3,
    "warmup": 1.5, "warmup_from": 0.5, "rise": 0.6, "start": 0.3, "momentum_low": 0.5, "curve": "cosine",
}  # fmt: skip


def drawn(recipe):
    found = curve(recipe, 7)
    return np.concatenate([found.rates, [] if found.momenta is None else found.momenta])


@pytest.mark.parametrize("name", SCHEDULES)
def test_of_schedules(name):
    recipe = change(Recipe(), {"schedule": name, "epochs": 9})
    for field in dataclasses.fields(recipe.schedule):
        if field.name == "name":
            continue
        changed = change(recipe, {f"schedule.{field.name}": OTHER[field.name]})
        differs = drawn(changed).shape != drawn(recipe).shape or not np.allclose(drawn(changed), drawn(recipe))
        assert differs == (f"schedule.{field.name}" not in idle(recipe)), field.name


@pytest.mark.parametrize("name", OPTIMISERS)
def test_of_optimisers(name):
    recipe = change(Recipe(), {"optimiser": name})
    other = {"momentum": 0.5, "beta1": 0.5, "beta2": 0.5, "damping": 3.0, "iterations": 3, "weight_decay": 0.1}
    weights = [torch.nn.Parameter(torch.zeros(2))]
    plain = build(recipe.optimiser, weights, torch.device("cpu")).defaults
    for field, value in other.items():
        made = build(dataclasses.replace(recipe.optimiser, **{field: value}), weights, torch.device("cpu")).defaults
        assert (made != plain) == (f"optimiser.{field}" not in idle(recipe)), field


def test_a_group_that_is_switched_off_has_fields_that_wait():
    assert {"penalty.strength", "clipping.limit"} <= idle(Recipe())
    assert not {"penalty.strength", "clipping.limit"} & idle(change(Recipe(), {"penalty": "l1", "clipping": "norm"}))
    assert "augmentation.flip" not in idle(change(Recipe(), {"augmentation": "none"}))


@pytest.mark.parametrize("name", ["all", "head", "gradual"])
def test_of_layers_that_learn(name):
    def rates(**changes):
        """Share of the rate of each parameter at each epoch; 0 where it does not learn."""
        model = torch.nn.Sequential(*(torch.nn.Linear(2, 2) for _ in range(6)))
        transfer = dataclasses.replace(recipe.transfer, **changes)
        callback, found = Transferring(transfer, False), []
        trainer = SimpleNamespace(
            model=model, optimiser=torch.optim.SGD(model.parameters(), 0.1), step=0, steps_per_epoch=1
        )
        for trainer.step in range(6):
            callback.before_batch() if trainer.step else callback.attach(trainer)
            scale = {
                id(p): group.get("scale", 1.0) for group in trainer.optimiser.param_groups for p in group["params"]
            }
            found.append([scale[id(p)] * p.requires_grad for p in model.parameters()])
        return found

    for decay in (1.0, 0.5):
        recipe = change(Recipe(), {"transfer": name, "transfer.decay": decay})
        for field, value in (("every", 2), ("groups", 2), ("decay", 0.3)):
            assert (rates(**{field: value}) != rates()) == (f"transfer.{field}" not in idle(recipe)), (field, decay)


def test_every_name_is_a_field():
    assert set(_COUNTS) <= set(flat(as_dict(Recipe())))
