"""The accuracies of docs/results.md: long runs, for `make test-learning`."""

import json
import math
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from guiapp.cli.subject import open_subject
from guiapp.datasets import open_dataset

ROOT = Path(__file__).parents[1]
pytestmark = [pytest.mark.learning, pytest.mark.timeout(1800)]


def train(folder, experiment, *words):
    """The summary of a training with the shipped recipe."""
    command = [sys.executable, "-m", "guiapp", "train", experiment, "--run-dir", str(folder), "--json", *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def drawn_accuracy(subject, images, labels):
    """Share of MNIST digits read right that come through the way of a drawing."""
    samples = np.stack([subject.from_drawing(np.kron(image[..., 0], np.ones((10, 10), np.uint8))) for image in images])
    import torch

    with torch.no_grad():
        said = subject.model(subject.preprocessing(samples)).argmax(1).numpy()
    return float((said == labels).mean())


@pytest.mark.parametrize(("experiment", "least"), [("softmax-classifier", 0.92), ("mlp", 0.975), ("lenet5", 0.99)])
def test_recipes_on_mnist(experiment, least, real_data, monkeypatch, tmp_path):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    summary = train(tmp_path / "run", experiment, "--set", "dataset=mnist")
    assert summary["test"]["accuracy"] >= least
    assert summary["initial_loss"] == pytest.approx(math.log(10), rel=0.1)


def test_default_experiment_passes_97_percent_and_reads_other_hands(real_data, monkeypatch, tmp_path):
    summary = train(tmp_path / "run", "lenet5")
    assert summary["validation"]["accuracy"] > 0.97
    assert summary["seconds"] < 60  # 30 on two free cores
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    mnist = open_dataset("mnist").test
    subject = open_subject(str(tmp_path / "run"))
    assert drawn_accuracy(subject, mnist.images[:2000], mnist.labels[:2000]) >= 0.75


def test_shipped_weights_read_drawings(real_data, monkeypatch):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    mnist = open_dataset("mnist").test
    subject = open_subject("lenet5-mnist")
    assert drawn_accuracy(subject, mnist.images[:2000], mnist.labels[:2000]) >= 0.97
    assert subject.evaluate(open_dataset("mnist"), "test", lambda share, text: None)["accuracy"] >= 0.99
