"""Attacks as jobs: a picture for any network, another network, many pictures."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.datasets.base import Dataset, Samples
from guiapp.engine.attacks import (
    Pictures,
    as_picture,
    attack_picture,
    inputs_of,
    pictures_of,
    robustness,
    transfer,
    victim_of,
)
from guiapp.engine.open_trained import OpenedTrained
from guiapp.engine.study import Study
from guiapp.interpret.attack.options import AttackOptions
from guiapp.interpret.attack.run import finish
from guiapp.models.base import Preprocessing
from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.open import OpenedModel

LABELS = ("dark", "middle", "light")


class Brightness(torch.nn.Module):
    """Scores by how near the mean is to 0.2, 0.5 and 0.8 of the range."""

    def __init__(self, mean, std):
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, inputs):
        inner = inputs[..., 1:7, 1:7]  # within any padding
        level = inner.flatten(1).mean(1, keepdim=True) * self.std + self.mean
        return -60 * (level - torch.tensor([[0.2, 0.5, 0.8]])).square()


def zoo(preset, name="brightness"):
    weights = ZooWeights(
        name="ONE", enum="", url="", bytes=0, parameters=0, gflops=0.0, licence="", trained_on="", labels="",
        metrics={}, measured_on="", smallest=(1, 1), frames=1, preset=preset,
    )  # fmt: skip
    entry = ZooModel(name, name.title(), "Tests", "classification", "", (weights,), "")
    return entry, weights


def published(preset=None, task="classification"):
    preset = preset or Preset("classification", (12,), (8, 8), (0.4, 0.4, 0.4), (0.2, 0.2, 0.2))
    entry, weights = zoo(preset)
    entry = dataclasses.replace(entry, task=task)
    module = Brightness(0.4, 0.2).eval()
    return OpenedModel(entry, weights, module, LABELS, "published", None, "", torch.device("cpu"))


def study_of(model, dataset=None, size=(3, 8, 8)):
    preprocessing = getattr(model, "preprocessing", None) or Preprocessing(size, (0.4,) * 3, (0.2,) * 3, "crop")
    return Study(SimpleNamespace(preprocessing=preprocessing, labels=LABELS), model, 0, None, dataset)


def photo(value=128, size=(16, 24)):
    pixels = np.random.default_rng(1).integers(value - 20, value + 20, (*size, 3)).astype(np.uint8)
    return Picture(pixels, Origin("file", "a.png"))


def trained():
    entry, weights = zoo(Preset("classification"))
    return OpenedTrained(
        entry, weights, Brightness(0.5, 0.25).eval(), LABELS, "trained", None, "", torch.device("cpu"),
        preprocessing=Preprocessing((1, 8, 8), (0.5,), (0.25,)),
    )  # fmt: skip


def test_the_result_as_a_picture_is_fed_as_exactly_the_attacked_input():
    study, picture = study_of(published()), photo()
    result = finish(attack_picture(study, picture, AttackOptions("pgd", 2, epsilon=40.0, steps=5), lambda _: None))
    found = pictures_of(study, picture, result)
    assert found["result"].shape == (12, 18, 3), "the shrunken picture with its middle replaced"
    fed = study.model.prepare(found["result"])
    wanted = (torch.from_numpy(result.result.copy()).permute(2, 0, 1)[None] / 255 - 0.4) / 0.2
    assert torch.allclose(fed, wanted, atol=1e-6)
    assert torch.allclose(study.model.prepare(found["original"]), study.model.prepare(picture.pixels), atol=1e-6)
    assert result.says == "light" and result.away == "middle"


def test_a_sample_comes_back_without_its_padding():
    sample = np.full((6, 6, 1), 100, np.uint8)
    picture = Picture(np.repeat(sample, 3, 2), Origin("sample", "s"), 0, sample=sample)
    study = study_of(trained(), SimpleNamespace(from_picture=None))
    _, inputs = victim_of(study, picture)
    assert inputs.shape == (1, 1, 8, 8)
    result = finish(attack_picture(study, picture, AttackOptions("fgsm", epsilon=30.0), lambda _: None))
    again = as_picture(study, picture, result.area, result.result)
    assert again.shape == (6, 6, 1) and np.unique(again).tolist() == [70], "the nearest border"
    fed = study.model.preprocessing(again)[0, 0, 1:7, 1:7]
    assert torch.allclose(fed, torch.tensor((70 / 255 - 0.5) / 0.25))


def test_another_network_is_asked_about_all_three():
    whole = Preset("classification", (8, 8), (8, 8), (0.4, 0.4, 0.4), (0.2, 0.2, 0.2))
    study, picture = study_of(published(whole)), photo()
    result = finish(attack_picture(study, picture, AttackOptions("fgsm", 2, epsilon=60.0), lambda _: None))
    other = trained()
    found = finish(transfer(pictures_of(study, picture, result), lambda _progress: other))
    pictures = pictures_of(study, picture, result)
    for name in ("original", "result", "shuffled"):
        wanted = torch.softmax(other.module(inputs_of(other, pictures[name])), 1)[0].numpy()
        assert np.allclose(getattr(found, name), wanted)
    assert LABELS[found.result.argmax()] == "light" and LABELS[found.shuffled.argmax()] == "middle"
    with pytest.raises(UserError, match="tells no classes"):
        finish(transfer(pictures, lambda _progress: published(task="detection")))


def test_what_tells_no_classes_is_refused():
    with pytest.raises(UserError, match="networks that tell classes"):
        finish(attack_picture(study_of(published(task="depth")), photo(), AttackOptions(), lambda _: None))


def test_stopping_in_the_middle_ends_the_attack():
    told = []
    walk = attack_picture(study_of(published()), photo(), AttackOptions("pgd", steps=50), told.append)
    for _ in range(3):
        share, words = next(walk)
    assert share == 3 / 50 and words == "PGD, step 3 of 50"
    walk.close()
    assert torch.is_grad_enabled()


def test_robust_accuracy_over_a_data_set_and_over_a_folder(tmp_path):
    images = np.repeat(np.array([40, 60, 120, 135, 190, 215], np.uint8), 36).reshape(6, 6, 6, 1)
    part = Samples(images, np.array([0, 0, 1, 1, 2, 2]))
    dataset = Dataset("levels", "Levels", LABELS, part, part, part, (0.5,), (0.25,))
    study = study_of(trained(), dataset)
    parts = []
    sizes = np.array([0.0, 35.0])
    found = finish(robustness(study, Pictures("test", count=6), AttackOptions(steps=4), sizes, parts.append))
    assert found.labelled and found.total == 6 and found.name == "6 of Levels, test part"
    assert found.right["fgsm"].tolist() == found.right["pgd"].tolist()
    assert found.right["noise"].tolist() == [found.right["noise"][0]] * 2, "noise does not move the mean"
    assert found.right["fgsm"].tolist() == [6, 2] and np.isnan(parts[0].right["pgd"][1])

    for name, level in (("dark", 60), ("light", 200), ("light", 210)):
        (tmp_path / name).mkdir(exist_ok=True)
        Image.new("RGB", (16, 12), (level,) * 3).save(tmp_path / name / f"{level}.png")
    (tmp_path / "dark" / "broken.png").write_bytes(b"no picture")
    of_folder = finish(robustness(
        study_of(published()), Pictures(folder=tmp_path), AttackOptions(steps=2), sizes, parts.append, ("fgsm",),
    ))  # fmt: skip
    assert of_folder.labelled and of_folder.total == 3 and of_folder.right["fgsm"][0] == 3
    (tmp_path / "light").rename(tmp_path / "somewhere")
    unlabelled = finish(robustness(
        study_of(published()), Pictures(folder=tmp_path), AttackOptions(), sizes, parts.append, ("noise",),
    ))  # fmt: skip
    assert not unlabelled.labelled and unlabelled.right["noise"].tolist() == [3, 3]
    with pytest.raises(UserError, match="no pictures"):
        (tmp_path / "none").mkdir()
        finish(robustness(study_of(published()), Pictures(folder=tmp_path / "none"), AttackOptions(), sizes, print))


@dataclasses.dataclass(frozen=True, eq=False)
class Own(OpenedModel):
    """A person's own network of one channel, whose preset says three, as ``models.own`` opens it."""

    preprocessing: Preprocessing | None = None

    def prepare(self, pixels, device=None, exact=True):
        return self.preprocessing(pixels)


def test_a_persons_own_network_of_one_channel_is_attacked_as_it_is_fed():
    entry, weights = zoo(Preset("classification", (8, 8), (8, 8), (0.5,) * 3, (0.25,) * 3))
    feed = Preprocessing((1, 8, 8), (0.5,), (0.25,))
    own = Own(
        entry, weights, Brightness(0.5, 0.25).eval(), LABELS, "file", None, "", torch.device("cpu"), preprocessing=feed
    )
    study, picture = study_of(own), photo(size=(16, 16))
    result = finish(attack_picture(study, picture, AttackOptions("pgd", 2, epsilon=60.0), lambda _: None))
    assert result.original.shape == (8, 8, 1) and result.says == "light"
    fed = inputs_of(own, pictures_of(study, picture, result)["result"])
    assert torch.allclose(
        fed * 0.25 + 0.5, torch.from_numpy(result.result[None, ..., 0]).float()[None] / 255, atol=1e-6
    )
