"""The benchmark of the architecture panel, on a smaller network."""

import pytest

from guiapp.bench import architecture


@pytest.mark.window
@pytest.mark.timeout(600)
def test_opening_is_measured_in_its_parts(monkeypatch):
    monkeypatch.setattr(architecture, "_NAME", "resnet18")
    found = architecture.measure(True, lambda _text: None)
    assert found["unit"] == "s"
    assert found["better"] == "lower"
    assert found["more"] == pytest.approx(found["ours"] - found["peer"])
    parts = [found[name] for name in ("open", "count", "lay_out", "paint")]
    assert min(parts) > 0
    assert sum(parts) == pytest.approx(found["ours"], rel=0.2)
