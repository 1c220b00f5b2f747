"""Work on units runs on networks of every family, can be stopped at any moment, and leaves nothing behind."""

import numpy as np
import pytest
import torch

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.engine import units
from guiapp.engine.live_inside import inspected_of
from guiapp.engine.study import Study
from guiapp.interpret.layers import layers_of_run
from guiapp.interpret.units.options import GrowOptions
from guiapp.interpret.units.pictures import Source
from guiapp.models.zoo.open import open_model
from guiapp.tasks.live_options import make_live_task

FAMILIES = {
    "squeezenet1_1": "features.4.expand3x3",
    "ssdlite320_mobilenet_v3_large": "backbone.features.0.3",
    "lraspp_mobilenet_v3_large": "backbone.3",
}


def photo(seed=0, size=(90, 120)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    return Picture(pixels, Origin("file", f"noise {seed}"))


@pytest.fixture(scope="module", params=FAMILIES)
def study(request):
    model = open_model(request.param, "random")
    picture = photo()
    task = make_live_task(model.entry.task, model.labels, model.entry)
    inputs = model.prepare(picture.pixels)
    layers, extent = layers_of_run(model.module, lambda: task.run(model.module, inputs, picture.size))
    return Study(inspected_of(model, layers, extent), model, 0, picture)


@pytest.fixture
def layer(study):
    return FAMILIES[study.inspected.model.name]


@pytest.fixture(autouse=True)
def untouched(study, monkeypatch, tmp_path):
    """Weights, flags and hooks are afterwards what they were."""
    monkeypatch.setenv("GUIAPP_HOME", str(tmp_path / "home"))
    before = {name: value.clone() for name, value in study.module.state_dict().items()}
    yield
    assert all(torch.equal(value, before[name]) for name, value in study.module.state_dict().items())
    assert not [m for m in study.module.modules() if m._forward_hooks or m._forward_pre_hooks or m.training]
    assert not any(p.requires_grad or p.grad is not None for p in study.module.parameters())


def folder_of(tmp_path, count=2):
    from PIL import Image

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(count):
        Image.fromarray(photo(number).pixels).save(folder / f"{number}.png")
    return Source("folder", str(folder))


def drained(steps):
    shares = []
    try:
        while True:
            step = next(steps)
            if step is not None:
                shares.append(step[0])
    except StopIteration as end:
        assert all(0 <= share <= 1 for share in shares)
        return end.value


def test_patches_of_a_folder_are_where_the_maps_are_strongest(study, layer, tmp_path):
    source = folder_of(tmp_path)
    told = []
    found = drained(units.find_patches(study, told.append, layer, lambda: 3, source, 10, 4, "deconvnet"))
    assert found.scan.pictures == 2 and len(found.patches) == 2 and told
    values = [patch.value for patch in found.patches]
    assert values == sorted(values, reverse=True)
    with units.layer_pass(study, layer) as passed, torch.no_grad():
        best = found.patches[0]
        maps, seen = passed(study.inputs(found.pictures.picture(best.sample)))
    assert float(maps[0, 3].max()) == pytest.approx(best.value, rel=1e-3)
    area = passed.noted.receptive_field.area(best.row, best.column, tuple(seen.shape[-2:]))
    assert best.pixels.shape == (area[3], area[2], 3) == best.projection.shape


def test_a_second_time_nothing_is_run(study, layer, tmp_path, monkeypatch):
    source = folder_of(tmp_path)
    first = drained(units.scan_layer(study, lambda _scan: None, layer, source.open(None), 10))
    monkeypatch.setattr(units, "_batches", None)
    again = drained(units.scan_layer(study, lambda _scan: None, layer, source.open(None), 10))
    np.testing.assert_array_equal(first.values, again.values)


def test_a_picture_grows_and_a_response_is_traced(study, layer):
    grown = drained(units.grow_unit(study, lambda _grown: None, layer, 2, GrowOptions(steps=2)))
    assert grown.pixels.shape[:2] == tuple(study.inspected.preprocessing.size[1:]) and len(grown.trace) == 2
    traced = drained(units.trace_unit(study, lambda _traced: None, layer, 2, None, "guided"))
    assert traced.projection.values.shape[1:] == traced.pixels.shape[:2]
    with pytest.raises(UserError, match="no picture"):
        drained(units.trace_unit(Study(study.inspected, study.model), print, layer, 2, None, "guided"))


def test_it_can_be_stopped_in_the_middle(study, layer, tmp_path):
    growth = units.grow_unit(study, lambda _grown: None, layer, 2, GrowOptions(steps=50))
    next(growth)
    growth.close()
    search = units.find_patches(study, lambda _found: None, layer, lambda: 0, folder_of(tmp_path), 10, 4, None)
    while "pictures" not in (next(search) or (0, ""))[1].split(" ")[-1]:
        pass
    search.close()


def test_failures_leave_nothing_either(study, layer, tmp_path, monkeypatch):
    def fails(*_values):
        raise RuntimeError("in the middle")

    monkeypatch.setattr("guiapp.interpret.units.patches.project", fails)
    with pytest.raises(RuntimeError, match="in the middle"):
        drained(units.find_patches(study, print, layer, lambda: 0, folder_of(tmp_path), 10, 2, "gradient"))
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "a.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match="none of the pictures"):
        drained(units.find_patches(study, print, layer, lambda: 0, Source("folder", str(folder)), 10, 2, None))
