"""The benchmark of painting runs where its peer is installed, and says how to install it where it is not."""

import sys

import pytest

from guiapp.bench import painting
from guiapp.core.notices import UserError
from tests.bench.test_bench import bench, check


@pytest.mark.window
def test_painting_is_measured():
    pytest.importorskip("supervision", reason="the dependency group bench is not installed")
    figures = bench("painting")["painting"]
    check(figures)
    assert set(figures["cases"]) == {"masks", "boxes", "skeletons"}
    assert figures["ratio"] == figures["cases"]["masks"]["ratio"]
    assert figures["prepare"] + figures["paint"] > 0


def test_without_the_peer_it_says_how_to_install_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "supervision", None)
    with pytest.raises(UserError, match="pip install supervision"):
        painting.measure(True, print)
