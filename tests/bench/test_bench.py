"""Every benchmark runs and gives the shape that docs/command-line.md promises; their figures are not judged here."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def bench(*names):
    """The figures of short runs."""
    command = [sys.executable, "-m", "guiapp", "bench", *names, "--quick", "--json"]
    env = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env, check=False)
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert done.returncode == 0, found
    assert list(found) == list(names)
    return found


def check(figures):
    assert {"ratio", "low", "high", "ours", "peer", "unit", "better", "what"} <= set(figures)
    assert figures["better"] in ("higher", "lower")
    assert figures["low"] <= figures["ratio"] <= figures["high"]
    for case in figures.get("cases", {}).values():
        check(case)


def test_looking_is_measured_without_a_window():
    figures = bench("activations")["activations"]
    check(figures)
    assert set(figures["cases"]) == {"lenet5", "vgg16"}
    assert figures["ratio"] == min(case["ratio"] for case in figures["cases"].values())


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_window_is_measured():
    found = bench("startup", "train", "responsiveness", "memory")
    for figures in found.values():
        check(figures)
    assert found["startup"]["start_enabled"] > found["startup"]["ours"]
    assert found["train"]["threads"] >= 1
    assert found["responsiveness"]["longest_on_opening"] > 0
    assert found["memory"]["more"]["hooks"] == 0
    assert found["memory"]["more"]["widgets"] <= 0
    assert found["memory"]["more"]["threads"] <= 0


@pytest.mark.window
@pytest.mark.timeout(600)
def test_the_live_room_is_measured():
    found = bench("live", "latency", "endurance")
    for figures in found.values():
        check(figures)
    assert found["endurance"]["frames"] == 160
    assert found["endurance"]["more"]["threads"] <= 0
    assert found["latency"]["growth"] > 0
    assert set(found["latency"]["cases"]) == {"ssdlite keeps up", "ssdlite too fast", "growth"}
    figures = found["live"]
    assert set(figures["cases"]) == {"resnet18"}
    assert figures["ratio"] == min(case["ratio"] for case in figures["cases"].values())
    assert all(case["ours"] > 0 for case in figures["cases"].values())


@pytest.mark.window
@pytest.mark.timeout(600)
def test_maps_are_measured():
    found = bench("embedding-view", "embedding-map")
    for figures in found.values():
        check(figures)
    assert found["embedding-view"]["points"] == 1_000_000
    assert 0 < found["embedding-view"]["hover_ms"] <= found["embedding-view"]["hover_p99_ms"]
    assert 0 < found["embedding-map"]["divergence_ratio"] < 1.05
    assert found["embedding-map"]["window_worst_ms"] > 0
