"""The estimate beside Start: about right, and without a trace in the run."""

import pytest
import torch
from torch import nn

from guiapp.core.notices import SettingError
from guiapp.models.base import ModelEntry
from guiapp.training import estimate as module
from guiapp.training.estimate import Estimate, estimate
from guiapp.training.evaluation import finish
from guiapp.training.teachers import Teacher

CPU = torch.device("cpu")


def wide(channels, height, width, classes):
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 4000), nn.ReLU(), nn.Linear(4000, 3))


def test_nothing_of_the_run_is_touched(make_setup):
    setup = make_setup()
    model = setup.build_model().eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    torch.manual_seed(5)
    state = torch.get_rng_state()
    for given in (model, None):
        finish(estimate(setup, CPU, given))
        assert torch.equal(state, torch.get_rng_state())
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
    assert not model.training and all(p.grad is None for p in model.parameters())


def test_no_random_number_is_drawn_between_two_pieces(make_setup):
    generator = estimate(make_setup(), CPU, make_setup().build_model())
    torch.manual_seed(5)
    expected = torch.get_rng_state()
    for _ in generator:
        assert torch.equal(torch.get_rng_state(), expected)


def test_memory_by_hand(make_setup):
    entry = ModelEntry("wide", "Wide", wide)
    parameters = 36 * 4000 + 4000 + 4000 * 3 + 3
    for name, copies in (("sgd", 2), ("momentum", 3), ("adam", 4)):
        found = finish(estimate(make_setup(entry, batch=8, optimiser__name=name, keep="last"), CPU))
        at_least = 4 * parameters * copies
        assert at_least < found.bytes < at_least + 4 * (71 * 36 + 8 * (3 * 4000 + 500)) + 50_000
        assert found.refused is None and found.seconds > 0 and "MB" in found.text


def test_a_teacher_and_an_average_take_memory_by_hand(make_setup, monkeypatch):
    entry = ModelEntry("wide", "Wide", wide)
    weights = 4 * (36 * 4000 + 4000 + 4000 * 3 + 3)
    plain = finish(estimate(make_setup(entry), CPU)).bytes
    averaged = finish(estimate(make_setup(entry, average__name="polyak"), CPU)).bytes
    assert averaged - plain == weights
    setup = make_setup(entry, distillation__teacher="one, two")
    teacher = Teacher("one", wide(1, 6, 6, 3).eval(), setup.preprocessing, setup.classes)
    monkeypatch.setattr(module, "open_teacher", lambda name: teacher)
    taught = finish(estimate(setup, CPU))
    assert taught.bytes - plain == 2 * (weights + 8 * 4 * 8000), "the activation keeps 4,000 numbers and gives as many"
    assert taught.seconds > 0

    def gone(name):
        raise SettingError("no such run")

    monkeypatch.setattr(module, "open_teacher", gone)
    assert finish(estimate(setup, CPU)).bytes == plain, "what is wrong with a teacher is told at the start"


def test_what_cannot_fit_is_refused(make_setup, monkeypatch):
    monkeypatch.setattr(module, "free_memory", lambda device: 10_000)
    found = finish(estimate(make_setup(), CPU))
    assert "smaller batch" in found.refused and "memory" in found.refused


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.2, "about 1 s, 20 MB"), (42.4, "about 42 s, 20 MB"), (300, "about 5 min, 20 MB"), (9000, "about 2.5 h, 20 MB")],
)
def test_text(seconds, text):
    assert Estimate(seconds, 20_000_000).text == text


def test_an_estimate_leaves_nothing_behind(make_setup):
    import gc
    import weakref

    from guiapp.training.estimate import _activations

    setup = make_setup()
    model = setup.build_model()
    alive = [weakref.ref(parameter) for parameter in model.parameters()]
    assert _activations(setup, model, torch.device("cpu")) > 0
    del model
    gc.collect()
    assert not [reference for reference in alive if reference() is not None]
