"""Benchmarks, one a file: each figure is a ratio against a peer in the same run."""

from guiapp.core.registry import Registry

BENCHMARKS: Registry[str] = Registry("benchmark")
"""Name to ``"module:function"``; the function takes ``quick`` and a callback for progress, and gives the figures."""

for _name in (
    "startup",
    "train",
    "responsiveness",
    "activations",
    "attribution",
    "memory",
    "painting",
    "live",
    "latency",
    "endurance",
    "architecture",
    "embedding-view",
    "embedding-map",
    "ddp",
    "watch",
    "lab-train",
    "teach",
    "loading",
):
    BENCHMARKS.add(_name, f"guiapp.bench.{_name.replace('-', '_')}:measure")
