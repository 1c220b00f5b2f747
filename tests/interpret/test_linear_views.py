"""The three views of a linear classifier agree with each other and with scikit-learn's PCA."""

import numpy as np
import pytest
import torch
from sklearn.decomposition import PCA

from guiapp.core.notices import UserError
from guiapp.datasets import open_dataset
from guiapp.interpret import PROBES
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
    q, p = np.meshgrid(np.linspace(low_q, high_q, 20), np.linspace(low_p, high_p, 20), indexing="ij")
    grid = torch.tensor(np.stack([p.ravel(), q.ravel()], 1), dtype=torch.float32)
    scores = seen.model((mean + grid @ axes).reshape(-1, 1, 8, 8)).detach()
    np.testing.assert_allclose(scores, plane.offsets + grid.numpy() @ plane.slopes.T, atol=1e-3)
    assert (scores.argmax(1).numpy() == plane.regions.ravel()).mean() > 0.99


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
