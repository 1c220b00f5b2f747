"""A device that is missing is named, not replaced in silence."""

import pytest
import torch

from guiapp.core.notices import SettingError
from guiapp.training.devices import choose, describe
from guiapp.training.precision import use_mixed


def test_cpu_is_always_there():
    assert choose("cpu") == torch.device("cpu")
    assert describe(torch.device("cpu")) == "CPU"


def test_auto_takes_the_best_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose("auto").type == "mps"
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    assert choose("auto").type == "cpu"


@pytest.mark.parametrize("name", ["cuda", "cuda:3", "mps"])
def test_a_missing_device_is_a_setting_error(monkeypatch, name):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(SettingError, match="use device auto or cpu"):
        choose(name)


def test_an_unknown_device_names_the_known_ones():
    with pytest.raises(SettingError, match="auto, cpu, cuda, mps"):
        choose("gpu")


def test_mixed_precision_is_bfloat16_on_the_cpu_and_needs_a_device_that_has_it():
    net = torch.nn.Linear(2, 2)
    assert use_mixed("auto", net, torch.device("cpu")) is None
    assert use_mixed("mixed", net, torch.device("cpu")) is torch.bfloat16
    with pytest.raises(SettingError, match="CUDA"):
        use_mixed("mixed", net, torch.device("mps"))
