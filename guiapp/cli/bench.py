"""``guiapp bench``: runs benchmarks and prints their figures."""

from __future__ import annotations

import argparse
from typing import Any

from guiapp.bench import BENCHMARKS
from guiapp.cli import output
from guiapp.core.registry import resolve


def run(options: argparse.Namespace) -> int:
    """Run the named benchmarks, or all of them; a failed one says why and makes the exit code 1."""
    names = list(dict.fromkeys(options.names)) or list(BENCHMARKS)
    measures = {name: resolve(BENCHMARKS[name]) for name in names}
    progress = output.Progress()
    results: dict[str, dict[str, Any]] = {}
    failed = False
    for name, measure in measures.items():
        progress.line(f"{name} …")
        try:
            more = {} if options.minutes is None or name != "latency" else {"minutes": options.minutes}
            results[name] = measure(options.quick, lambda text, name=name: progress.show(f"{name}: {text}"), **more)
        except Exception as error:  # noqa: BLE001 - the other benchmarks still run; this one says what happened
            failed = True
            results[name] = {"error": f"{type(error).__name__}: {' '.join(str(error).split())}"}
        progress.clear()
        if not options.json:
            _tell(name, results[name])
    if options.json:
        output.give_json(results)
    return 1 if failed else 0


def _tell(name: str, result: dict[str, Any]) -> None:
    if "error" in result:
        output.give(f"{name:<15} failed: {result['error']}")
        return
    output.give(
        f"{name:<15} {result['ratio']:.3f}  ({result['low']:.3f} to {result['high']:.3f}, "
        f"{result['better']} is better)  {result['ours']:.4g} against {result['peer']:.4g} {result['unit']}"
    )
    output.give(f"{'':<15} {result['what']}")
    for case, figures in result.get("cases", {}).items():
        output.give(f"{'':<15} {case}: {figures['ratio']:.3f} ({figures['low']:.3f} to {figures['high']:.3f})")
