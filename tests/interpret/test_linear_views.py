"""The three views of a linear classifier agree with each other and with scikit-learn's PCA."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from guiapp.core.notices import UserError
from guiapp.datasets import open_dataset
from guiapp.interpret import PROBES, capture
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.options import LinearOptions
from guiapp.models import MODELS


def look(name, index=3):
    dataset = open_dataset("digits")
    entry = MODELS[name]
    preprocessing = entry.preprocessing(dataset)
    torch.manual_seed(0)
    model = entry.make(preprocessing, 10).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.1)
    input = preprocessing(dataset.test.images[index])
    return Look(model, layer_list(model, preprocessing.size), preprocessing, input=input, dataset=dataset)


def show(look, **options):
    with torch.no_grad():
        return PROBES["linear-views"].run(look, LinearOptions(**options))


def test_algebra_adds_up_to_the_scores_of_the_network():
    seen = look("linear")
    algebra = show(seen).algebra
    np.testing.assert_allclose(algebra.scores, seen.model(seen.input)[0].detach(), atol=1e-5)
    np.testing.assert_allclose(algebra.scores, algebra.products + algebra.bias, atol=1e-6)
    np.testing.assert_allclose(algebra.contributions.values.sum((1, 2)), algebra.products, atol=1e-4)


def test_templates_are_the_rows_of_the_weights():
    seen = look("linear")
    np.testing.assert_array_equal(show(seen).templates.values, seen.model.fc.weight.detach().reshape(10, 8, 8))


@pytest.mark.parametrize("limit", [50, 1000])
def test_plane_is_that_of_the_main_components(limit):
    seen = look("linear")
    plane = show(seen, sample_limit=limit).plane
    samples = seen.preprocessing(seen.dataset.train.images[plane.indices]).flatten(1).numpy()
    reference = PCA(2, svd_solver="full").fit(samples)
    projected = reference.transform(samples)
    signs = np.sign((projected * plane.points).sum(0))
    np.testing.assert_allclose(plane.points * signs, projected, atol=1e-2)
    np.testing.assert_allclose(plane.explained, reference.explained_variance_ratio_, atol=1e-4)
    np.testing.assert_array_equal(plane.labels, seen.dataset.train.labels[plane.indices])


def test_the_classifier_in_the_plane_is_the_network_on_inputs_of_the_plane():
    seen = look("linear")
    plane = show(seen, resolution=20).plane
    samples = seen.preprocessing(seen.dataset.train.images[plane.indices]).flatten(1)
    mean = samples.mean(0)
    axes = torch.linalg.lstsq(torch.tensor(plane.points), samples - mean).solution  # the axes, from the points
    low_p, high_p, low_q, high_q = plane.extent
    rows, columns = plane.regions.shape
    p, q = low_p + (np.arange(columns) + 0.5) / columns * (high_p - low_p), np.arange(rows) + 0.5
    q, p = np.meshgrid(low_q + q / rows * (high_q - low_q), p, indexing="ij")
    grid = torch.tensor(np.stack([p.ravel(), q.ravel()], 1), dtype=torch.float32)
    scores = seen.model((mean + grid @ axes).reshape(-1, 1, 8, 8)).detach()
    np.testing.assert_allclose(scores, plane.offsets + grid.numpy() @ plane.slopes.T, atol=1e-3)
    assert (scores.argmax(1).numpy() == plane.regions.ravel()).mean() > 0.99


@pytest.mark.parametrize("aspect", [0.5, 1.0, 2.5])
def test_the_map_has_the_shape_that_is_asked_for_and_holds_every_sample(aspect):
    plane = show(look("linear"), aspect=aspect, resolution=60).plane
    left, right, bottom, top = plane.extent
    assert (right - left) / (top - bottom) == pytest.approx(aspect)
    assert plane.regions.shape == ((60, round(60 * aspect)) if aspect <= 1 else (round(60 / aspect), 60))
    for values, low, high in ((plane.points[:, 0], left, right), (plane.points[:, 1], bottom, top)):
        assert low < values.min() and values.max() < high


def test_on_a_border_the_two_best_classes_are_equal():
    plane = show(look("linear"), resolution=200).plane
    assert len(plane.borders) >= len(np.unique(plane.regions)) - 1
    starts, ends = plane.borders[:, :2], plane.borders[:, 2:]
    for share in (0.01, 0.5, 0.99):
        scores = plane.offsets + (starts + share * (ends - starts)) @ plane.slopes.T
        best = np.sort(scores, axis=1)
        np.testing.assert_allclose(best[:, -1], best[:, -2], atol=1e-4)
    left, right, bottom, top = plane.extent
    for p, q in (starts.T, ends.T):
        assert (
            (p > left - 1e-3).all()
            and (p < right + 1e-3).all()
            and (q > bottom - 1e-3).all()
            and (q < top + 1e-3).all()
        )


def test_borders_lie_wherever_the_map_changes():
    plane = show(look("linear"), resolution=80).plane
    left, right, bottom, _ = plane.extent
    cell = (right - left) / 80
    rows, columns = np.nonzero(plane.regions[:, 1:] != plane.regions[:, :-1])
    places = np.stack([left + (columns + 1) * cell, bottom + (rows + 0.5) * cell], 1)
    starts, along = plane.borders[:, :2], plane.borders[:, 2:] - plane.borders[:, :2]
    share = ((places[:, None] - starts) * along).sum(2) / (along**2).sum(1)
    nearest = starts + np.clip(share, 0, 1)[..., None] * along
    away = np.linalg.norm(places[:, None] - nearest, axis=2).min(1)
    assert away.max() < 1.5 * cell


def test_one_class_everywhere_has_no_border():
    seen = look("linear")
    with torch.no_grad():
        seen.model.fc.weight.zero_()
    assert show(seen).plane.borders.shape == (0, 4)


def test_picture_in_the_plane():
    seen = look("linear")
    plane = show(seen).plane
    train = seen.preprocessing(seen.dataset.train.images[plane.indices]).flatten(1)
    away = seen.input.flatten() - train.mean(0)
    assert plane.distance**2 + np.square(plane.picture).sum() == pytest.approx(float(away.square().sum()), rel=1e-4)
    seen.input = None
    without = show(seen)
    assert without.algebra is None and without.plane.picture is None


def test_tanh_after_the_layer_is_allowed_and_other_networks_are_refused():
    assert show(look("multiperceptron")).plane is not None
    with pytest.raises(UserError, match="one dense layer"):
        show(look("mlp"))


@pytest.mark.parametrize(("name", "activation"), [("linear", ""), ("multiperceptron", "tanh")])
def test_what_goes_into_the_softmax_is_the_output_of_the_network(name, activation):
    seen = look(name)
    algebra = show(seen).algebra
    assert algebra.activation == activation
    np.testing.assert_allclose(algebra.outputs, seen.model(seen.input)[0].detach(), atol=1e-5)
    if activation:
        np.testing.assert_allclose(algebra.outputs, np.tanh(algebra.scores), atol=1e-6)


@pytest.mark.parametrize(
    ("name", "layer"),
    [(name, layer) for name in ("linear", "multiperceptron") for layer in ("flatten", "fc", "tanh")
     if (name, layer) != ("linear", "tanh")],
)  # fmt: skip
def test_with_channels_switched_off_it_is_the_network_as_modified(name, layer):
    seen = look(name)
    off = {layer: frozenset({2, 5, 20, 43} if layer == "flatten" else {2, 5})}
    shown, plain = show(seen, switched_off=off, resolution=20), show(seen, resolution=20)
    modified = capture.run(seen.model, seen.input, switched_off=off)[0][0].detach()
    np.testing.assert_allclose(shown.algebra.outputs, modified, atol=1e-5)
    assert not np.allclose(shown.algebra.outputs, plain.algebra.outputs)
    gone = (slice(None), [0, 0, 2, 5], [2, 5, 4, 3]) if layer == "flatten" else [2, 5]
    assert (shown.templates.values[gone] == 0).all() and (plain.templates.values[gone] != 0).all()
    kept = np.delete(shown.templates.values, [2, 5], 0) != 0
    assert kept.mean() > 0.9
    centre = seen.preprocessing(seen.dataset.train.images[shown.plane.indices]).flatten(1).mean(0)
    at_mean = capture.run(seen.model, centre.reshape(1, 1, 8, 8), switched_off=off)[0][0].detach().numpy()
    offsets = np.tanh(shown.plane.offsets) if name == "multiperceptron" else shown.plane.offsets
    np.testing.assert_allclose(offsets, at_mean, atol=1e-4)
