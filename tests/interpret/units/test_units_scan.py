"""Over a set of pictures the best places, histograms, dead and saturated units are those counted by hand."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.interpret.layers import layer_list
from guiapp.interpret.units import store
from guiapp.interpret.units.histogram import BINS, Histograms
from guiapp.interpret.units.passes import LayerPass
from guiapp.interpret.units.pictures import FolderPictures, spread
from guiapp.interpret.units.scan import KEPT, Scan, next_after, scanning


@pytest.fixture(scope="module")
def model():
    torch.manual_seed(3)
    net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3), nn.Tanh(), nn.Flatten(), nn.LazyLinear(3))
    net(torch.zeros(1, 1, 8, 8))
    with torch.no_grad():
        net[0].weight[2], net[0].bias[2] = 0, -0.5  # never above zero: dead behind its ReLU
        net[2].weight[1] *= 40  # far out on the tanh
    return net.eval().requires_grad_(False)


def scanned(model, layer, x, labels=None, batch=7):
    layers = layer_list(model, (1, 8, 8))
    with LayerPass(model, layer, layers, (8, 8)) as passed:
        scan = Scan(passed, len(x), 3 if labels is not None else 0, next_after(layers, layer))
        parts = [
            (range(i, min(i + batch, len(x))), x[i : i + batch], None if labels is None else labels[i : i + batch])
            for i in range(0, len(x), batch)
        ]
        told = []
        steps = scanning(scan, parts, told.append, 1)
        shares = []
        try:
            while True:
                shares.append(next(steps)[0])
        except StopIteration as end:
            assert len(told) == len(parts) and told[0].pictures == batch and shares[-1] == 1.0
            return end.value


def test_best_places_are_those_of_all_maps_at_once(model):
    x = torch.randn(40, 1, 8, 8)
    scan = scanned(model, "1", x)
    maps = torch.relu(model[0](x))
    assert scan.pictures == scan.of == 40 and scan.units == 4
    for unit in (0, 1, 3):
        peaks = maps[:, unit].flatten(1).amax(1)
        order = peaks.argsort(descending=True)[:KEPT]
        assert scan.samples[unit].tolist() == order.tolist()
        np.testing.assert_allclose(scan.values[unit], peaks[order].numpy(), rtol=1e-5)
        for number in range(5):
            at = maps[scan.samples[unit, number], unit, scan.rows[unit, number], scan.columns[unit, number]]
            assert float(at) == pytest.approx(scan.values[unit, number], rel=1e-5)


def test_statistics_and_dead_units_are_those_of_all_outputs(model):
    x = torch.randn(30, 1, 8, 8)
    maps = torch.relu(model[0](x)).transpose(0, 1).flatten(1)
    scan = scanned(model, "1", x)
    np.testing.assert_allclose(scan.mean, maps.mean(1).numpy(), rtol=1e-4)
    np.testing.assert_allclose(scan.zeros, (maps == 0).float().mean(1).numpy(), atol=1e-6)
    np.testing.assert_allclose(scan.high, maps.amax(1).numpy(), rtol=1e-5)
    assert scan.dead.tolist() == [False, False, True, False] and scan.saturated is None
    before = scanned(model, "0", x)
    assert before.dead.tolist() == [False, False, True, False] and "ReLU" in before.dead_rule
    assert scan.samples[0].tolist() == before.samples[0].tolist()


@pytest.mark.parametrize("layer", ["2", "3"])
def test_saturated_shares_before_and_after_the_tanh(model, layer):
    x = torch.randn(30, 1, 8, 8)
    out = torch.tanh(model[2](torch.relu(model[0](x)))).transpose(0, 1).flatten(1)
    scan = scanned(model, layer, x)
    np.testing.assert_allclose(scan.saturated, (out.abs() > 0.97).float().mean(1).numpy(), atol=1e-6)
    assert scan.saturated[1] > 0.7 > scan.saturated[0]


def test_means_by_class_are_those_of_the_largest_responses(model):
    x, labels = torch.randn(21, 1, 8, 8), [i % 2 for i in range(21)]
    scan = scanned(model, "3", x, labels)
    peaks = torch.tanh(model[2](torch.relu(model[0](x)))).flatten(2).amax(2)
    np.testing.assert_allclose(scan.by_class[:, 1], peaks[1::2].mean(0).numpy(), rtol=1e-4)
    assert np.isnan(scan.by_class[:, 2]).all(), "no picture of that class"


def test_histograms_widen_and_lose_nothing():
    torch.manual_seed(0)
    parts = [torch.randn(2, 500) * scale for scale in (0.01, 1.0, 37.0)]
    parts[0][1] = 0
    parts[1][0, :50] = 0
    histograms = Histograms(2)
    for part in parts:
        histograms.add(part)
    values = torch.cat(parts, 1)
    for unit in (0, 1):
        counts, edges = histograms.of(unit)
        own = values[unit][values[unit] != 0].numpy()
        assert counts.sum() == len(own) and histograms.zeros[unit] == 1500 - len(own)
        assert counts.tolist() == np.histogram(own, edges)[0].tolist()
        assert len(counts) > BINS / 2, "fine enough to see a shape"
        assert 0.0 in edges
    assert histograms.positive.tolist() == (values > 0).sum(1).tolist()


def test_what_was_found_is_kept_by_the_weights_and_a_damaged_file_is_none(model, monkeypatch, tmp_path):
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path))
    scan = scanned(model, "1", torch.randn(9, 1, 8, 8), [0] * 9)
    digest = store.weights_digest(model)
    key = store.key_of(digest, "1", "pictures")
    assert store.kept(key) is None
    store.keep(key, scan)
    again = store.kept(key)
    assert again.pictures == 9 and again.dead_rule == scan.dead_rule and again.saturated is None
    np.testing.assert_array_equal(again.samples, scan.samples)
    np.testing.assert_array_equal(again.histogram(0)[0], scan.histogram(0)[0])
    other = nn.Sequential(*model)
    assert store.weights_digest(other) == digest
    file = next((tmp_path / "cache" / "units").glob("*.npz"))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    assert store.kept(key) is None
    file.write_bytes(b"no archive")
    assert store.kept(key) is None
    with torch.no_grad():
        model[5].bias += 1
        assert store.weights_digest(model) != digest
        model[5].bias -= 1


def test_folders_are_classes_and_empty_ones_are_refused(tmp_path):
    from PIL import Image

    for name in ("a/1.png", "a/2.png", "b/1.png", "top.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (4, 3), (10, 20, 30)).save(tmp_path / name)
    (tmp_path / "b" / "notes.txt").write_text("no picture")
    pictures = FolderPictures(tmp_path)
    assert len(pictures) == 4 and pictures.classes == ("a", "b")
    assert sorted(pictures.label(i) for i in range(4)) == [-1, 0, 0, 1]
    assert pictures.picture(0).size == (4, 3)
    before = pictures.key()
    Image.new("RGB", (9, 9)).save(tmp_path / "a" / "1.png")
    assert FolderPictures(tmp_path).key() != before
    with pytest.raises(UserError, match="no pictures"):
        (tmp_path / "empty").mkdir()
        FolderPictures(tmp_path / "empty")
    with pytest.raises(UserError, match="cannot be read"):
        FolderPictures(tmp_path / "nowhere")
    assert spread(5, 9) == [0, 1, 2, 3, 4] and spread(100, 3) == [0, 50, 99]
