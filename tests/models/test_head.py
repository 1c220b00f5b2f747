"""The head of a network is found, fed by itself, and answers as the whole network does."""

import pytest
import torch
from torch import nn

from guiapp.models.backbones import find_entry, with_side
from guiapp.models.head import body_groups, feature_shape, features_of, find_head, head_parameters, take_features

SMALL = {"mobilenet_v2": (1280,), "squeezenet1_1": (512, 3, 3), "resnet18": (512,), "shufflenet_v2_x0_5": (1024,)}


@pytest.mark.parametrize("name", SMALL)
def test_published_networks_are_cut_before_their_last_layer(name):
    torch.manual_seed(0)
    model = find_entry(name).build(3, 64, 64, 7, weights="random").eval()
    head = find_head(model)
    assert feature_shape(model, head, (3, 64, 64)) == SMALL[name]
    pictures = torch.rand(2, 3, 64, 64)
    whole = model(pictures)
    features = features_of(model, head, pictures)
    take_features(model, head, SMALL[name])
    assert whole.shape == (2, 7)
    assert torch.allclose(model(features), whole, atol=1e-5)
    assert torch.equal(model(pictures), whole)
    assert set(head_parameters(model, head)) == {f"{head.layer}.weight", f"{head.layer}.bias"}


def test_every_parameter_is_in_one_group_the_deepest_last():
    model = find_entry("mobilenet_v2").build(3, 32, 32, 5, weights="random")
    head = find_head(model)
    groups = body_groups(model, head, 3)
    listed = [name for group in groups for name in group]
    assert sorted(listed + head_parameters(model, head)) == sorted(name for name, _ in model.named_parameters())
    assert len(groups) == 3
    assert "features.18.0.weight" in groups[0] and "features.0.0.weight" in groups[2]


def test_a_network_whose_output_needs_more_than_its_head_is_told():
    class Skips(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.last = nn.Linear(4, 4), nn.Linear(4, 4)

        def forward(self, inputs):
            flat = inputs.flatten(1)
            return flat + self.last(self.first(flat))

    model = Skips()
    assert feature_shape(model, find_head(model), (1, 2, 2)) is None


def test_modes_are_put_back():
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(4, 2)).train()
    head = find_head(model)
    assert head.names == ("1", "2")
    features_of(model, head, torch.rand(1, 1, 2, 2))
    assert all(module.training for module in model.modules())


def test_folders_are_opened_as_large_as_a_published_network_needs(tmp_path):
    backbone, small = find_entry("squeezenet1_1"), find_entry("lenet5")
    assert with_side(str(tmp_path), backbone) == f"{tmp_path}@224"
    assert with_side(f"folder:{tmp_path}@96", backbone) == f"folder:{tmp_path}@96"
    assert with_side("mnist", backbone, ("mnist",)) == "mnist"
    assert with_side(str(tmp_path), small) == str(tmp_path)


def test_a_name_that_is_not_there_says_what_is_near():
    with pytest.raises(LookupError, match="did you mean mobilenet_v2"):
        find_entry("mobilenet_v9")


def test_a_new_head_and_the_published_rest(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    torch.manual_seed(0)
    model = find_entry("squeezenet1_1").build(3, 224, 224, 4)
    published = torch.load(real_data / "weights" / "squeezenet1_1-caffe-fp16.pth", weights_only=True)
    own = model.state_dict()
    assert own["classifier.1.weight"].shape == (4, 512, 1, 1) and own["classifier.1.weight"].std() > 0
    assert all(torch.equal(own[name], published[name]) for name in own if not name.startswith("classifier"))
