"""The weights that ship with the program say how they are fed, and read MNIST."""

import pytest
import torch

from guiapp.core.paths import resources
from guiapp.core.registry import resolve
from guiapp.datasets import open_dataset
from guiapp.models import MODELS, Preprocessing
from guiapp.models.weights import load_into, load_weights


@pytest.fixture
def shipped():
    state, metadata = load_weights(resources() / "weights" / "lenet5-mnist.safetensors")
    preprocessing = Preprocessing.from_dict(metadata["preprocessing"])
    model = MODELS[metadata["model"]].make(preprocessing, len(metadata["classes"]), **metadata["options"])
    load_into(model, state)
    return model.eval(), preprocessing, metadata


def test_metadata_is_enough_to_use_them(shipped):
    _, preprocessing, metadata = shipped
    assert preprocessing.size == (1, 32, 32)
    assert preprocessing.mean + preprocessing.std == pytest.approx((0.1307, 0.3081), abs=1e-3)
    assert callable(resolve(metadata["from_drawing"]))
    assert metadata["classes"] == list("0123456789")


@pytest.mark.data
def test_they_read_mnist(shipped, real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    model, preprocessing, metadata = shipped
    test = open_dataset("mnist").test
    with torch.no_grad():
        right = sum(
            int((model(preprocessing(test.images[i : i + 500])).argmax(1).numpy() == test.labels[i : i + 500]).sum())
            for i in range(0, len(test), 500)
        )
    assert right / len(test) >= 0.99
    assert right / len(test) == pytest.approx(metadata["test_accuracy"], abs=1e-3)


@pytest.mark.data
@pytest.mark.parametrize(("name", "least"), [("vit-mnist", 0.94), ("senet-mnist", 0.98)])
def test_transformer_and_senet_read_mnist(name, least, real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    state, metadata = load_weights(resources() / "weights" / f"{name}.safetensors")
    preprocessing = Preprocessing.from_dict(metadata["preprocessing"])
    model = MODELS[metadata["model"]].make(preprocessing, 10, **metadata["options"]).eval()
    load_into(model, state)
    test = open_dataset("mnist").test
    with torch.no_grad():
        right = model(preprocessing(test.images[:500])).argmax(1).numpy() == test.labels[:500]
    assert right.mean() >= least
