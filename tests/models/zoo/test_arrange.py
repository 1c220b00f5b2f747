"""A network that is run another way answers the same."""

import numpy as np
import pytest
import torch

from guiapp.core.live_run import LiveRun
from guiapp.core.notices import SettingError
from guiapp.models.zoo.arrange import arrange, plainly
from guiapp.models.zoo.open import open_model


def answer(opened):
    pixels = np.random.default_rng(0).integers(0, 256, (70, 90, 3), np.uint8)
    with torch.inference_mode():
        found = opened.module(opened.prepare(pixels))
    return found if isinstance(found, torch.Tensor) else found["out"]


@pytest.mark.parametrize("name", ["squeezenet1_1", "mobilenet_v3_small"])
def test_order_in_memory_changes_nothing_and_half_precision_little(name):
    plain = answer(open_model(name, "random"))
    last = arrange(open_model(name, "random"), LiveRun())
    assert any(w.is_contiguous(memory_format=torch.channels_last) and w.shape[1] > 1 and w.shape[2] > 1
               for w in last.module.parameters() if w.dim() == 4)  # fmt: skip
    torch.testing.assert_close(answer(last), plain, rtol=1e-4, atol=1e-5)
    half = arrange(open_model(name, "random"), LiveRun("bfloat16"))
    found = answer(half)
    assert found.dtype == torch.float32
    assert not torch.equal(found, plain)
    assert (found - plain).abs().max() < 0.05 * plain.abs().max()
    assert "bfloat16" in half.note


def test_what_is_not_possible_is_said_and_left_out():
    half = arrange(open_model("squeezenet1_1", "random"), LiveRun("float16"))
    assert "CPU" in half.note
    assert {p.dtype for p in half.module.parameters()} == {torch.float32}
    boxes = arrange(open_model("ssdlite320_mobilenet_v3_large", "random"), LiveRun("bfloat16"))
    assert "classification and segmentation" in boxes.note


def test_without_a_compiler_the_plain_network_goes_on(monkeypatch):
    def compile(self):
        def broken(*_):
            raise RuntimeError("No working C++ compiler found")

        self._compiled_call_impl = broken

    monkeypatch.setattr(torch.nn.Module, "compile", compile)
    opened = arrange(open_model("squeezenet1_1", "random"), LiveRun(channels_last=False, compile=True))
    assert "C++ compiler" in opened.note
    assert torch.equal(answer(opened), answer(open_model("squeezenet1_1", "random")))


def test_layers_are_looked_into_without_compiled_code():
    module = torch.nn.Linear(2, 2)
    module._compiled_call_impl = lambda x: x * 0
    assert not module(torch.ones(1, 2)).any()
    with plainly(module, True):
        assert module(torch.ones(1, 2)).any()
    assert not module(torch.ones(1, 2)).any()


def test_settings_that_cannot_be_are_refused():
    for wrong in ({"precision": "float8"}, {"threads": 0}):
        with pytest.raises(SettingError):
            LiveRun(**wrong)
