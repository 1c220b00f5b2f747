"""A network whose layers a recipe changed leaves as a file that opens as the same network."""

import pytest
import torch

from guiapp.catalogue import EXPERIMENTS
from guiapp.engine.export import leaving_setup
from guiapp.engine.open_own import open_own
from guiapp.models.own.opened import entry_of
from guiapp.models.own.save import save_network
from guiapp.training.setup import prepare


@pytest.mark.parametrize("model", ["mlp", "resnet20"])
def test_a_changed_network_is_written_and_opens_again(tmp_path, model):
    settings = {"dataset": "digits", "model": model, "preprocessing": "whitening", "normalisation": "group"}
    setup = prepare(EXPERIMENTS["mlp"], {**settings, "preprocessing.components": 16})
    network = setup.build_model().eval()
    written = save_network(leaving_setup(setup, network), tmp_path / "net.safetensors")
    assert written.difference == 0
    opened = open_own(entry_of(tmp_path / "net.safetensors"))
    pictures = torch.rand(2, *setup.preprocessing.size)
    with torch.no_grad():
        assert torch.equal(opened.module(pictures), network(pictures))
