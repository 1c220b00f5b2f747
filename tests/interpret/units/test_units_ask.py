"""Units are asked about from the command line as in the window."""

import numpy as np
import pytest
import torch
from torch import nn

from guiapp.core.notices import UserError
from guiapp.datasets.base import Dataset, Samples
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.layers import layer_list
from guiapp.interpret.units.options import GrowProbeOptions, PatchProbeOptions, TraceOptions, UnitOptions
from guiapp.models.base import Preprocessing
from guiapp.tasks.predictions import ClassScores


@pytest.fixture
def look():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2)).eval()
    images = np.random.default_rng(0).integers(0, 256, (12, 8, 8, 3), dtype=np.uint8)
    samples = Samples(images, np.arange(12, dtype=np.int64) % 2)
    dataset = Dataset("t", "T", ("a", "b"), samples, samples, samples, (0.5,) * 3, (0.25,) * 3)
    found = Look(
        model.requires_grad_(False), layer_list(model, (3, 8, 8)), Preprocessing((3, 8, 8), (0.5,) * 3, (0.25,) * 3),
        dataset=dataset,
    )  # fmt: skip
    found.input = found.preprocessing(images[0])
    found.activations = {"1": model[1](model[0](found.input))}
    return found


def test_the_unit_probe_gives_the_map_and_its_strongest_place(look):
    view = PROBES["unit"].run(look, UnitOptions("1", 2))
    maps = look.activations["1"][0]
    assert (view.unit, view.units) == (2, 4) and view.value == pytest.approx(float(maps[2].max()))
    np.testing.assert_array_equal(view.atlas.values[0], maps[2].numpy())
    assert float(maps[2][view.peak]) == view.value and not view.flat and view.plain is None
    assert PROBES["unit"].run(look, UnitOptions("1", 99)).unit == 3
    assert PROBES["unit"].run(look, UnitOptions("3")) is None, "a layer that did not run"
    assert PROBES["unit"].layers(look.layers, UnitOptions()) == ("0",)


def test_where_channels_are_changed_it_says_what_the_network_says_without(look):
    plain = torch.softmax(look.model(look.input)[0], 0).numpy()
    look.shown = ClassScores(np.array([0.5, 0.5], np.float32), ("a", "b"))
    view = PROBES["unit"].run(look, UnitOptions("1", 2, compare=True))
    np.testing.assert_allclose(view.plain, plain, rtol=1e-5)


def test_a_response_is_traced_from_where_it_is_asked(look):
    found = PROBES["unit-trace"].run(look, TraceOptions("0", 1, 2, 3, "gradient"))
    assert (found.row, found.column, found.area) == (2, 3, (3, 2, 3, 3))
    expected = found.value * look.model[0].weight[1]
    np.testing.assert_allclose(found.projection.values[0][:, 2:5, 3:6], expected.numpy(), rtol=1e-4, atol=1e-6)
    with pytest.raises(UserError, match="no such unit or place"):
        PROBES["unit-trace"].run(look, TraceOptions("0", 9))
    look.input = None
    with pytest.raises(UserError, match="no picture"):
        PROBES["unit-trace"].run(look, TraceOptions("0", 1))


def test_a_picture_is_grown(look):
    with torch.no_grad():  # as probes are asked
        found = PROBES["unit-grow"].run(look, GrowProbeOptions(steps=20, layer="1", unit=1))
    assert found.picture.values.shape == (1, 3, 8, 8) and found.value > found.trace[0]
    with pytest.raises(UserError, match="no unit 7"):
        PROBES["unit-grow"].run(look, GrowProbeOptions(steps=2, layer="1", unit=7))


def test_patches_come_from_the_data_set_or_a_folder(look, tmp_path):
    found = PROBES["unit-patches"].run(look, PatchProbeOptions("1", 2, count=3))
    x = look.preprocessing(look.dataset.validation.images)
    peaks = torch.relu(look.model[0](x))[:, 2].flatten(1).amax(1)
    assert [row["response"] for row in found.best] == pytest.approx(peaks.sort(descending=True).values[:3].tolist())
    assert found.patches.values.shape == (3, 3, 3, 3) and found.pictures == 12
    with pytest.raises(UserError, match="units 0 to 3, not 8"):
        PROBES["unit-patches"].run(look, PatchProbeOptions("1", 8))
    look.dataset = None
    with pytest.raises(UserError, match="--set folder=PATH"):
        PROBES["unit-patches"].run(look, PatchProbeOptions("1"))
    with pytest.raises(UserError, match="cannot be read"):
        PROBES["unit-patches"].run(look, PatchProbeOptions("1", folder=str(tmp_path / "nowhere")))
