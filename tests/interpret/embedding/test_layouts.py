"""Maps against scikit-learn and hand values: components, t-SNE and its forces, UMAP, alignment."""

import time
import warnings

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE, trustworthiness

from guiapp.core.notices import UserError
from guiapp.interpret.embedding import align, tsne, umap_child, umap_map
from guiapp.interpret.embedding.options import PcaOptions, PlaneOptions, TsneOptions, UmapOptions
from guiapp.interpret.embedding.plane import components, pca, plane
from guiapp.interpret.embedding.repulsion import Repulsion


@pytest.fixture(scope="module")
def digits():
    return load_digits().data[:500].astype(np.float32)


def finish(work):
    steps = []
    while True:
        try:
            steps.append(next(work))
        except StopIteration as end:
            return end.value, steps


def test_components_are_those_of_scikit_learn(digits):
    theirs = PCA(5).fit(digits)
    directions, shares, mean = components(digits, 5)
    assert np.allclose(shares, theirs.explained_variance_ratio_, rtol=1e-4)
    assert np.allclose(np.abs((directions.T * theirs.components_).sum(1)), 1, atol=1e-4)
    assert np.allclose(mean, theirs.mean_, atol=1e-4)
    assert all(column[np.abs(column).argmax()] > 0 for column in directions.T)


def test_components_of_wide_vectors_are_the_same(digits):
    wide = np.hstack([digits, np.zeros((500, 1100), np.float32)])
    assert np.allclose(components(wide, 3)[1], components(digits, 3)[1], rtol=1e-3)


def test_components_of_nearly_the_same_size_are_told_apart():
    flat = np.random.default_rng(6).normal(0, 1, (150, 1200)).astype(np.float32)  # random projections mix these
    exact = np.linalg.svd((flat - flat.mean(0)).astype(np.float64), full_matrices=False)[2][:2]
    assert np.allclose(np.abs((components(flat, 2)[0].T * exact).sum(1)), 1, atol=1e-4)
    many = np.random.default_rng(6).normal(0, 1, (1100, 1030)).astype(np.float32)
    exact = np.linalg.eigh(np.cov(many.T))[1][:, ::-1][:, :2]
    assert np.allclose(np.abs((components(many, 2)[0] * exact).sum(0)), 1, atol=1e-4)


def test_the_plane_of_two_components_tells_what_it_keeps(digits):
    found = pca(digits, PcaOptions(1, 3))
    theirs = PCA(3).fit(digits).explained_variance_ratio_
    assert found.kept == pytest.approx(theirs[0] + theirs[2], rel=1e-4)
    assert found(digits).shape == (500, 2) and "component 3" in found.axes[1]
    with pytest.raises(UserError, match="64 principal components"):
        pca(digits, PcaOptions(1, 65))


def test_two_units_are_shown_as_they_are(digits):
    assert np.array_equal(plane(digits, PlaneOptions(20, 3))(digits), digits[:, [20, 3]])
    with pytest.raises(UserError, match="units 0 to 63"):
        plane(digits, PlaneOptions(0, 64))


@pytest.mark.parametrize(("extent", "close"), [(1e-3, 1e-5), (1.0, 1e-5), (15.0, 1e-3), (100.0, 0.05)])
def test_forces_on_the_grid_are_those_between_all_pairs(extent, close):
    rng = np.random.default_rng(0)
    centres = rng.uniform(-0.5, 0.5, (12, 2))
    places = (centres[rng.integers(0, 12, 600)] + rng.normal(0, 0.06, (600, 2))) * extent
    apart = places[:, None] - places[None]
    q = 1 / (1 + (apart**2).sum(2))
    forces, total = Repulsion().forces(places)
    expected = (q[..., None] ** 2 * apart).sum(1)
    assert np.linalg.norm(forces - expected) <= close * np.linalg.norm(expected)
    assert total == pytest.approx(q.sum() - 600, rel=close)


def test_gradient_and_divergence_are_those_of_opentsne(digits):
    from openTSNE.tsne import kl_divergence_bh

    affinity, _ = finish(tsne.affinities(digits, 30.0))
    places = np.random.default_rng(1).normal(0, 4, (500, 2))
    expected, gradient = kl_divergence_bh(places, affinity.P, 1, {"theta": 0.0}, should_eval_error=True)
    found, mine = Repulsion()(places, affinity.P, should_eval_error=True)
    assert np.linalg.norm(mine - gradient) < 1e-2 * np.linalg.norm(gradient)
    assert found == pytest.approx(expected, rel=1e-4)
    assert tsne.divergence(affinity.P, places) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("from_grid", [True, False])
def test_a_map_diverges_no_more_than_that_of_scikit_learn(digits, monkeypatch, from_grid):
    monkeypatch.setattr(tsne, "_GRID_FROM", 0 if from_grid else 10**9)
    monkeypatch.setattr(tsne, "_SHOW_S", 0.0)
    seen = []
    (xy, divergence), steps = finish(tsne.layout(digits, TsneOptions(iterations=300), seen.append))
    affinity, _ = finish(tsne.affinities(digits, 30.0))
    theirs = TSNE(init="pca", max_iter=300, random_state=0, n_jobs=1).fit_transform(digits)
    assert divergence == pytest.approx(tsne.divergence(affinity.P, xy), rel=0.01)
    assert divergence < 1.05 * tsne.divergence(affinity.P, theirs)
    assert len(seen) > 5 and seen[0].shape == (500, 2) and not np.array_equal(seen[0], seen[-1])
    assert [share for share, _ in steps] == sorted(share for share, _ in steps) and steps[-1][0] == pytest.approx(1)


def test_a_map_that_goes_on_from_another_stays_near_it(digits):
    (first, _), _ = finish(tsne.layout(digits, TsneOptions(iterations=250), lambda xy: None))
    moved = digits + np.random.default_rng(0).normal(0, 0.3, digits.shape).astype(np.float32)
    (second, _), _ = finish(tsne.layout(moved, TsneOptions(iterations=60), lambda xy: None, begin=first))
    moves = np.linalg.norm(align.onto(second, first)(second) - first, axis=1)
    assert np.median(moves) < 0.1 * np.ptp(first)


def test_exact_neighbours_are_those_of_a_look_at_every_pair(digits):
    (indices, distances), _ = finish(tsne.nearest(digits, 7))
    away = torch.cdist(torch.from_numpy(digits).double(), torch.from_numpy(digits).double())
    away.fill_diagonal_(torch.inf)
    assert np.allclose(distances, away.sort().values[:, :7].numpy(), atol=1e-3)
    assert np.allclose(away.gather(1, torch.from_numpy(indices)).numpy(), distances, atol=1e-3)


def test_too_few_and_too_many_pictures_are_told(digits):
    with pytest.raises(UserError, match="at least four"):
        next(tsne.layout(digits[:3], TsneOptions(), lambda xy: None))
    with pytest.raises(UserError, match="at most 100,000"):
        next(tsne.layout(np.zeros((100_001, 2), np.float32), TsneOptions(), lambda xy: None))


def test_equal_pictures_are_laid_out_without_a_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (xy, divergence), _ = finish(
            tsne.layout(np.zeros((30, 4), np.float32), TsneOptions(iterations=60), lambda _: 0)
        )
    assert np.isfinite(xy).all() and np.isfinite(divergence)


def test_a_turned_and_mirrored_map_is_turned_back():
    before = np.random.default_rng(0).normal(0, 1, (40, 2))
    angle = np.array([[0, -1], [1, 0]]) @ np.diag([1, -1])
    found = align.onto(before @ angle + [5, -3], before)
    assert np.allclose(found(before @ angle + [5, -3]), before, atol=1e-6)
    assert np.allclose(found.matrix @ found.matrix.T, np.eye(2))


@pytest.mark.learning
def test_umap_keeps_neighbours_and_tells_how_far_it_is(digits):
    pytest.importorskip("umap")
    moving = []
    xy, steps = finish(umap_map.layout(digits, UmapOptions(epochs=100), moving.append))
    assert len(moving) > 1 and all(one.shape == (500, 2) for one in moving), "it is seen as it moves"
    assert xy.shape == (500, 2) and trustworthiness(digits, xy, n_neighbors=10) > 0.93
    assert any("epochs" in words for _, words in steps)


def test_the_map_is_written_as_it_moves_and_shown_once_each_time(tmp_path):
    points = np.zeros((5, 2), np.float32)
    file, shown = tmp_path / umap_map.MOVING, []

    def descend(points, epochs, verbose):
        for epoch in range(epochs):
            points += 1.0
            before = umap_map._show_newer(file, 0, None)
            while epoch < 2 and umap_map._show_newer(file, before, None) == before:
                time.sleep(0.01)
            newer = umap_map._show_newer(file, before, shown.append)
            assert umap_map._show_newer(file, newer, shown.append) == newer
        return "the map"

    assert umap_map._show_newer(file, 0, shown.append) == 0 and not shown
    assert umap_child._shown(descend, file)(points, 3, verbose=True) == "the map"
    first, second = (one[0, 0] for one in shown)
    assert first <= 1.0 <= second <= 2.0 and shown[0].shape == (5, 2)


def test_umap_that_is_stopped_leaves_no_process(digits, monkeypatch):
    monkeypatch.setattr(umap_map, "is_here", lambda: True)
    made = []
    begin = umap_map.subprocess.Popen
    monkeypatch.setattr(umap_map.subprocess, "Popen", lambda *a, **k: made.append(begin(*a, **k)) or made[-1])
    work = umap_map.layout(digits, UmapOptions())
    next(work)
    assert made[0].poll() is None
    work.close()
    assert made[0].poll() is not None


def test_without_umap_learn_a_line_says_how_to_get_it(digits, monkeypatch):
    monkeypatch.setattr(umap_map, "is_here", lambda: False)
    with pytest.raises(UserError, match="pip install umap-learn"):
        next(umap_map.layout(digits, UmapOptions()))


def test_a_process_that_fails_says_why(digits, monkeypatch):
    monkeypatch.setattr(umap_map.sys, "executable", "/bin/false")
    monkeypatch.setattr(umap_map, "is_here", lambda: True)
    with pytest.raises(UserError, match="UMAP failed: its process ended with 1"):
        finish(umap_map.layout(digits, UmapOptions()))
