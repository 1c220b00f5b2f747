"""Published weight files of other people: those of known architectures answer rightly, the others give one line."""

import numpy as np
import pytest
import torch

from guiapp.engine.open_own import examine, open_own
from guiapp.models.own.opened import entry_of
from guiapp.models.own.settings import OwnSettings

FITS = {
    "mnist_lenet_0.991.pth": "lenet5",
    "resnet20-12fca82f.th": "resnet20",
    "squeezenet1_1-caffe-fp16.pth": "squeezenet1_1",
    "mobilenet_v2-qnnpack-dequantised.pth": "mobilenet_v2",
}
pytestmark = pytest.mark.data


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))


@pytest.mark.parametrize("name", FITS)
def test_the_architecture_of_each_is_found(real_data, name):
    found = examine(real_data / "weights" / name)
    assert found.architectures[0] == FITS[name] and not found.reason, found.reason


@pytest.mark.parametrize("name", ["mnist_vae.pth", "mtcnn_rnet.pt", "yolo-fastestv2_shufflenetv2_backbone.pth"])
def test_weights_of_no_known_architecture_give_one_line(real_data, name):
    reason = examine(real_data / "weights" / name).reason
    assert "belong to no architecture that is known here" in reason and "\n" not in reason


def test_what_a_state_dict_cannot_tell_makes_it_right(real_data, monkeypatch):
    """Its name says 99.1 % on MNIST's test part: with ReLU and the maximum, not as LeNet-5 is built here."""
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    from guiapp.datasets import open_dataset

    test = open_dataset("mnist").test
    images, labels = np.asarray(test.images[:1000]), np.asarray(test.labels[:1000])
    scale = {"fit": "stretch", "mean": "0", "std": "1"}
    right = []
    for more in ({}, {"activation": "relu", "pooling": "max"}):
        entry = entry_of(real_data / "weights" / "mnist_lenet_0.991.pth")
        opened = open_own(entry, settings=OwnSettings(**scale, **more))
        with torch.no_grad():
            answers = opened.module(opened.preprocessing(images)).argmax(1).numpy()
        right.append(float((answers == labels).mean()))
    assert right[1] > 0.975 and right[0] < right[1]


@pytest.mark.parametrize(("name", "share"), [("resnet20-12fca82f.th", 0.8135), ("resnet56-4bfd9763.th", 0.8315)])
def test_published_residual_networks_answer_as_they_were_measured(real_data, monkeypatch, name, share):
    """On every fourth of the 2,000 test JPEGs about the share that they have on all, prepared as published."""
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    from guiapp.datasets import open_dataset

    test = open_dataset("cifar10").test
    images, labels = np.asarray(test.images[::4]), np.asarray(test.labels[::4])
    opened = open_own(entry_of(real_data / "weights" / name))
    assert opened.labels[:2] == ("airplane", "automobile")
    with torch.no_grad():
        answers = opened.module(opened.preprocessing(images)).argmax(1).numpy()
    assert float((answers == labels).mean()) == pytest.approx(share, abs=0.035)
