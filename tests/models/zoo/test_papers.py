"""Networks as in their papers: layers, random weights, a person's own file with another number of classes."""

import pytest
import torch
from torch.nn import functional as F

from guiapp.core.notices import SettingError, UserError
from guiapp.models.papers import AlexNet, GoogLeNet, Inception
from guiapp.models.zoo import find_model
from guiapp.models.zoo.open import open_model


def test_an_inception_module_is_its_four_branches():
    torch.manual_seed(0)
    module, x = Inception(6, 2, (3, 4), (2, 5), 3).eval(), torch.randn(2, 6, 8, 8)
    w = dict(module.named_parameters())

    def conv(maps, name):
        kernel = w[f"{name}.weight"].shape[-1]
        return F.relu(F.conv2d(maps, w[f"{name}.weight"], w[f"{name}.bias"], padding=kernel // 2))

    three = conv(conv(x, "branch2.reduce"), "branch2.conv")
    five = conv(conv(x, "branch3.reduce"), "branch3.conv")
    pooled = conv(F.max_pool2d(x, 3, 1, 1), "branch4.project")
    torch.testing.assert_close(module(x), torch.cat([conv(x, "branch1.conv"), three, five, pooled], 1))
    assert w["branch3.conv.weight"].shape[-1] == 5


def test_alexnet_normalises_as_the_paper_does():
    """b = a / (2 + 1e-4 · sum of a² over 5 maps)^0.75 (section 3.3)."""
    a = torch.rand(1, 7, 1, 1) * 100
    squares = F.pad(a.square(), (0, 0, 0, 0, 2, 2)).unfold(1, 5, 1).sum(-1)
    with torch.device("meta"):
        norm = AlexNet().norm1
    torch.testing.assert_close(norm(a), a / (2 + 1e-4 * squares) ** 0.75)


def test_they_open_with_random_weights_always_the_same():
    first, again = (open_model("googlenet-paper") for _ in range(2))
    assert first.origin == "random"
    assert first.module(torch.zeros(1, 3, 224, 224)).shape == (1, 1000) == (1, len(first.labels))
    assert all(torch.equal(a, b) for a, b in zip(first.module.parameters(), again.module.parameters(), strict=True))
    with pytest.raises(SettingError, match="none are published"):
        open_model("googlenet-paper", "IMAGENET1K_V1")


def test_a_file_brings_its_classes(tmp_path):
    torch.manual_seed(0)
    own = GoogLeNet(7).eval()
    torch.save(own.state_dict(), tmp_path / "mine.pth")
    opened = open_model("googlenet-paper", tmp_path / "mine.pth")
    x = torch.rand(1, 3, 224, 224)
    torch.testing.assert_close(opened.module(x), own(x))
    assert opened.origin == "file"
    assert opened.labels == tuple(f"class {number}" for number in range(7))
    torch.save({"conv1.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "broken.pth")
    with pytest.raises(UserError, match="is not of GoogLeNet as in the paper"):
        open_model("googlenet-paper", tmp_path / "broken.pth")


def test_they_are_listed_with_what_they_show():
    for name in ("alexnet-paper", "googlenet-paper"):
        entry = find_model(name)
        assert "architecture-tables" in entry.systems
        assert not entry.best.url
        assert not entry.best.bytes
