"""Vectors of any layer over data sets, folders and videos, maps from them, and new pictures placed into maps."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.datasets.base import Dataset, Samples
from guiapp.interpret.base import Look
from guiapp.interpret.embedding import probe
from guiapp.interpret.embedding.features import collect, dimensions, pooled, truth_of
from guiapp.interpret.embedding.options import (
    INPUT,
    OUTPUT,
    EmbeddingOptions,
    PcaOptions,
    PlaneOptions,
    Source,
    TsneOptions,
    default_layer,
    embedding_layers,
)
from guiapp.interpret.embedding.pictures import DataPictures, FolderPictures, VideoPictures
from guiapp.interpret.embedding.study import Subject, Wanted, make, open_pictures
from guiapp.interpret.layers import LayerInfo, layer_list
from guiapp.models import MODELS
from guiapp.models.base import Preprocessing

RNG = np.random.default_rng(0)


def samples(count, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, count)
    images = rng.integers(0, 60, (count, 12, 12, 1)) + 60 * labels[:, None, None, None]
    return Samples(images.astype(np.uint8), labels.astype(np.int64))


@pytest.fixture(scope="module")
def dataset():
    parts = samples(90), samples(60, 1), samples(30, 2)
    return Dataset("greys", "Greys", ("dark", "middle", "light"), *parts, (0.3,), (0.2,))


class Forks(nn.Module):
    """Maps, tokens, and a layer that gives a tuple and works in place."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(1)
        self.conv = nn.Conv2d(1, 5, 3)
        self.relu = nn.ReLU(inplace=True)
        self.attention = nn.MultiheadAttention(5, 1, batch_first=True)
        self.fc = nn.Linear(5, 3)

    def forward(self, x):
        tokens = self.relu(self.conv(x)).flatten(2).transpose(1, 2)
        seen, _ = self.attention(tokens, tokens, tokens)
        return self.fc(seen.mean(1))


@pytest.fixture(scope="module")
def subject(dataset):
    module = Forks().eval().requires_grad_(False)
    model = SimpleNamespace(
        module=module, origin="trained", device=torch.device("cpu"), entry=SimpleNamespace(task="classification")
    )
    inspected = SimpleNamespace(
        preprocessing=Preprocessing((1, 12, 12), (0.3,), (0.2,)), layers=layer_list(module, (1, 12, 12)),
        labels=dataset.classes,
    )  # fmt: skip
    return Subject(SimpleNamespace(model=model, inspected=inspected, step=4, dataset=dataset))


def finish(work):
    while True:
        try:
            next(work)
        except StopIteration as end:
            return end.value


def gather(subject, pictures, layer, pool="mean"):
    return finish(
        collect(subject.model, subject.preprocessing, subject.layers, subject.labels, pictures, layer, pool, 4)
    )


def test_vectors_are_the_layers_output_over_the_samples(subject, dataset):
    pictures = DataPictures(dataset, "all", 0)
    given = subject.preprocessing(np.concatenate([dataset.part(p).images for p in ("train", "validation", "test")]))
    module = subject.model.module
    maps = torch.relu(module.conv(given))
    tokens = maps.flatten(2).transpose(1, 2)
    seen = module.attention(tokens, tokens, tokens)[0]
    for layer, pool, expected in (
        ("conv", "mean", module.conv(given).mean((2, 3))),  # the layer after it works in place
        ("relu", "max", maps.amax((2, 3))),
        ("conv", "all", module.conv(given).flatten(1)),
        ("attention", "mean", seen.mean(1)),
        ("attention", "class token", seen[:, 0]),
        ("fc", "mean", module(given)),
        (OUTPUT, "mean", module(given)),
        (INPUT, "mean", given.flatten(1)),
    ):
        found = gather(subject, pictures, layer, pool)
        assert np.allclose(found.vectors, expected.numpy(), atol=1e-5), (layer, pool)
    scores = module(given).softmax(1)
    assert np.array_equal(found.predicted, scores.argmax(1).numpy())
    assert np.allclose(found.confidence, scores.max(1).values.numpy(), atol=1e-6)
    assert np.array_equal(found.truth, pictures.labels) and found.step == 4
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in module.modules())


def test_stopping_leaves_no_hook(subject, dataset):
    work = collect(
        subject.model, subject.preprocessing, subject.layers, subject.labels, DataPictures(dataset, "train"), "conv"
    )
    next(work)
    work.close()
    assert not any(part._forward_hooks for part in subject.model.module.modules())


@pytest.mark.parametrize(
    ("shape", "count", "pool", "expected"),
    [((4, 7), 4, "mean", (4, 7)), ((4, 7, 2, 3), 4, "max", (4, 7)), ((4, 9, 7), 4, "class token", (4, 7)),
     ((4, 7, 2, 3), 4, "all", (4, 42)), ((4, 7, 2, 2, 2), 4, "mean", (4, 7)), ((50, 7), 1, "mean", (1, 7)),
     ((4,), 4, "mean", (4, 1))],
)  # fmt: skip
def test_any_output_becomes_one_vector_a_picture(shape, count, pool, expected):
    assert pooled(torch.randn(shape), count, pool).shape == expected


def test_channels_last_maps_are_averaged_over_their_places():
    layer = LayerInfo("x", "X", 0, "", (7, 2, 3), 0, False, "other", channels_last=True)
    output = torch.randn(4, 2, 3, 7)
    assert torch.allclose(pooled(output, 4, "mean", layer), output.mean((1, 2)))
    assert dimensions((7, 2, 3), "mean") == 7 and dimensions((9, 7), "mean") == 7 and dimensions((7, 2, 3), "all") == 42


def test_an_output_that_belongs_to_no_picture_is_refused():
    with pytest.raises(UserError, match="choose another"):
        pooled(torch.randn(3, 7), 4, "mean")


def test_classes_of_folders_are_known_by_their_names():
    pictures = SimpleNamespace(classes=("Stone_Wall", "zebra", "unheard"), labels=np.array([1, 0, 2, -1]))
    assert truth_of(pictures, ("stone wall", "Zebra")).tolist() == [1, 0, -1, -1]


def test_samples_are_drawn_the_same_each_time_and_found_again(dataset):
    few = DataPictures(dataset, "all", 25)
    assert np.array_equal(few.indices, DataPictures(dataset, "all", 25).indices) and len(few) == 25
    for index in range(25):
        part, at = few.sample(index)
        assert few.find((part, at)) == index
        assert np.array_equal(few.arrays(index, index + 1)[0], dataset.part(part).images[at])
        assert few.labels[index] == dataset.part(part).labels[at]
    assert DataPictures(dataset, "test").find(("train", 0)) is None
    assert few.thumbnail(0).shape == (12, 12, 3)


def test_a_map_of_samples_places_each_of_them_and_tells_how_well_neighbours_agree(subject):
    told = []
    found = finish(make(subject, Wanted("fc", "mean", Source(part="train"), "PCA", PcaOptions()), told.append))
    assert len(found.features) == 90 and found.asked == 90 and told[-1].xy.shape == (90, 2)
    assert all(0.8 < share <= 1 for share in found.agreement.values())  # the greys are easily told apart
    for index in (0, 40, 89):
        assert np.allclose(found.place(found.features.vectors[index]), found.xy[index], atol=1e-4)


def test_into_a_map_by_tsne_new_pictures_are_placed_among_their_like(subject):
    found = finish(
        make(subject, Wanted("fc", "mean", Source(part="train"), "t-SNE", TsneOptions(iterations=150)), lambda m: None)
    )
    labels = found.features.truth
    assert np.allclose(found.place(found.features.vectors[7]), found.xy[7])
    other = gather(subject, DataPictures(subject.dataset, "validation"), "fc")
    right = 0
    for vector, label in zip(other.vectors, other.truth, strict=True):
        nearest = np.argsort(np.linalg.norm(found.xy - found.place(vector), axis=1))[:5]
        right += np.bincount(labels[nearest], minlength=3).argmax() == label
    assert right > 0.9 * len(other)


def test_a_map_of_other_weights_is_turned_to_lie_as_the_one_before(subject):
    wanted = Wanted("fc", "mean", Source(part="train"), "PCA", PcaOptions())
    first = finish(make(subject, wanted, lambda m: None))
    weight = subject.model.module.fc.weight
    kept = weight.data.clone()
    weight.data = -kept[[1, 0, 2]]
    try:
        again = Wanted(
            "fc", "mean", Source(part="train"), "PCA", PcaOptions(), pictures=first.features.pictures, before=first
        )
        second = finish(make(subject, again, lambda m: None))
    finally:
        weight.data = kept
    # the bias is constant and goes with the mean, so the map is the same but for a turn, up to the shift of the mean
    assert np.abs((second.xy - second.xy.mean(0)) - (first.xy - first.xy.mean(0))).max() < 0.02 * np.ptp(first.xy)
    vector = second.features.vectors[3]
    assert np.allclose(second.place(vector), second.xy[3], atol=1e-4)


def test_units_stay_on_their_axes_whatever_was_before(subject):
    first = finish(make(subject, Wanted("fc", "mean", Source(), "PCA", PcaOptions()), lambda m: None))
    wanted = Wanted("fc", "mean", Source(), "plane", PlaneOptions(2, 0), features=first.features, before=first)
    assert np.allclose(finish(make(subject, wanted, lambda m: None)).xy, first.features.vectors[:, [2, 0]])


def test_what_cannot_be_laid_out_is_told(subject, tmp_path):
    def refused(**changes):
        fields = {"layer": "fc", "pool": "mean", "source": Source(), "method": "PCA", "options": PcaOptions()}
        with pytest.raises(UserError) as error:
            finish(make(subject, Wanted(**{**fields, **changes}), lambda m: None))
        assert "\n" not in str(error.value)
        return str(error.value)

    assert "no layer 'nowhere'" in refused(layer="nowhere")
    assert "not there" in refused(source=Source("folder", path=tmp_path / "none"))
    assert "no pictures" in refused(source=Source("folder", path=tmp_path))
    (tmp_path / "bad.mp4").write_bytes(b"nothing")
    assert "bad.mp4" in refused(source=Source("video", path=tmp_path / "bad.mp4"))


def test_folders_bring_their_classes_and_leave_out_what_cannot_be_read(tmp_path):
    for name in ("b2", "b10"):
        (tmp_path / name).mkdir()
        Image.fromarray(RNG.integers(0, 255, (20, 30, 3)).astype(np.uint8)).save(tmp_path / name / "x.png")
    Image.fromarray(np.zeros((100, 50), np.uint8)).save(tmp_path / "top.png")
    (tmp_path / "b2" / "broken.jpg").write_bytes(b"no picture")
    pictures = FolderPictures(tmp_path)
    assert pictures.classes == ("b2", "b10") and sorted(pictures.labels.tolist()) == [-1, 0, 0, 1]
    read = list(pictures.each())
    assert sum(picture is None for picture in read) == 1 and pictures.sample(0) is None
    shapes = {pictures.caption(i): t.shape for i in range(4) if (t := pictures.thumbnail(i)) is not None}
    assert shapes["top.png"] == (64, 32, 3) and "b10/x.png" in shapes


def test_frames_of_a_video_are_spread_over_it(tmp_path):
    import cv2

    path = str(tmp_path / "grey.avi")
    writer = cv2.VideoWriter(path, cv2.VideoWriter_fourcc(*"MJPG"), 10, (32, 24))
    for number in range(40):
        writer.write(np.full((24, 32, 3), 6 * number, np.uint8))
    writer.release()
    pictures = open_pictures(Source("video", path=tmp_path / "grey.avi", most=5), None)
    assert isinstance(pictures, VideoPictures) and pictures.frames.tolist() == [0, 10, 20, 29, 39]
    assert np.allclose(pictures.moments, [0, 1, 2, 2.9, 3.9], atol=0.06)
    means = [picture.pixels.mean() for picture in pictures.each()]
    assert np.allclose(means, pictures.frames * 6, atol=3) and pictures.thumbnail(2) is not None
    assert abs(pictures.picture(3).pixels.mean() - 29 * 6) < 3 and "29" in pictures.caption(3)


@pytest.mark.parametrize(("name", "expected"), [("lenet5", "tanh4"), ("mlp", "tanh1"), ("plane-net", "plane")])
def test_what_the_classifier_is_given_is_the_usual_layer(name, expected):
    layers = layer_list(MODELS[name].build(1, 32, 32, 10).eval(), (1, 32, 32))
    assert default_layer(layers) == expected


def test_of_a_network_that_ends_in_a_convolution_it_is_the_block_before():
    body = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    network = nn.Sequential()
    network.add_module("features", body)
    network.add_module("classifier", nn.Sequential(nn.Dropout(), nn.Conv2d(4, 9, 1), nn.AdaptiveAvgPool2d(1)))
    assert default_layer(layer_list(network.eval(), (3, 8, 8))) == "features"
    assert default_layer(()) == OUTPUT


def test_the_probe_gives_the_vector_of_a_picture(subject):
    picture = Picture(np.zeros((12, 12, 3), np.uint8), Origin("file", "x"))
    look = Look(subject.model.module, subject.layers, subject.preprocessing, picture=picture)
    look.input = subject.preprocessing(np.zeros((12, 12, 1), np.uint8))
    look.output = subject.model.module(look.input)
    maps = subject.model.module.conv(look.input)
    look.activations = {"conv": maps}
    options = EmbeddingOptions("conv", "max")
    assert embedding_layers(subject.layers, options) == ("conv",)
    assert np.allclose(probe.run(look, options).vector, maps.amax((2, 3))[0].numpy())
    assert np.allclose(probe.run(look, EmbeddingOptions(INPUT)).vector, look.input.flatten().numpy())
    assert embedding_layers(subject.layers, EmbeddingOptions(OUTPUT)) == ()
    with pytest.raises(UserError, match="gives nothing"):
        probe.run(look, EmbeddingOptions("relu"))


def test_the_probe_places_a_picture_in_a_map(subject, dataset):
    found = finish(make(subject, Wanted("fc", "mean", Source(part="train"), "PCA", PcaOptions()), lambda m: None))
    look = Look(subject.model.module, subject.layers, subject.preprocessing)
    look.input = subject.preprocessing(dataset.train.images[5])
    look.output = subject.model.module(look.input)
    look.activations = {"fc": look.output}
    options = EmbeddingOptions(count=4, placed_in=found)
    assert embedding_layers(subject.layers, options) == ("fc",)
    where = probe.run(look, options)
    assert np.allclose(where.place, found.xy[5], atol=1e-4)
    assert {metric: near.indices[0] for metric, near in where.neighbours.items()} == {
        "euclidean": 5, "cosine": 5, "mahalanobis": 5,
    }  # fmt: skip
    assert all(len(near.indices) == 4 for near in where.neighbours.values())
