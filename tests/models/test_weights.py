"""Weight files come back with their metadata; what does not fit is named."""

import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.models import Preprocessing
from guiapp.models.lenet import LeNet5
from guiapp.models.weights import load_into, load_weights, save_weights


def test_round_trip(tmp_path):
    model = LeNet5(1, 32, 32, 10)
    preprocessing = Preprocessing((1, 32, 32), (0.1307,), (0.3081,))
    metadata = {"model": "lenet5", "preprocessing": preprocessing.as_dict(), "classes": list("0123456789")}
    save_weights(tmp_path / "w.safetensors", model, metadata)
    state, found = load_weights(tmp_path / "w.safetensors")
    assert Preprocessing.from_dict(found["preprocessing"]) == preprocessing
    other = LeNet5(1, 32, 32, 10)
    load_into(other, state)
    x = torch.randn(2, 1, 32, 32)
    assert torch.equal(other(x), model(x))


def test_what_does_not_fit_is_named_and_changes_nothing():
    model = nn.Sequential(nn.Linear(4, 3), nn.Linear(3, 2))
    before = {k: v.clone() for k, v in model.state_dict().items()}
    with pytest.raises(UserError, match=r"digits.safetensors .* missing: 1.bias; not in the network: 2.bias"):
        load_into(model, {"0.weight": 0, "0.bias": 0, "1.weight": 0, "2.bias": 0}, "digits.safetensors")
    wrong = {k: torch.zeros_like(v) for k, v in before.items()} | {"1.weight": torch.zeros(5, 3)}
    with pytest.raises(UserError, match=r"1\.weight is 5x3, the network's 2x3"):
        load_into(model, wrong)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())


def test_missing_and_broken_files(tmp_path):
    with pytest.raises(UserError, match="cannot be read: it is not there"):
        load_weights(tmp_path / "none.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(b"not a weight file at all")
    with pytest.raises(UserError, match="cannot be read as safetensors"):
        load_weights(tmp_path / "broken.safetensors")
