"""UMAP by umap-learn, in a process of its own: its compiled code would hold up the window and cannot be stopped."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import numpy.typing as npt

from guiapp.core.notices import UserError
from guiapp.interpret.embedding.options import PcaOptions, UmapOptions
from guiapp.interpret.embedding.plane import pca
from guiapp.interpret.embedding.umap_child import MOVING

Floats = npt.NDArray[np.float32]

_POLL_S = 0.1
_BEGIN_SHARE = 0.4
_END_S = 5.0


def is_here() -> bool:
    """Whether umap-learn is installed."""
    return importlib.util.find_spec("umap") is not None


def layout(
    vectors: Floats,
    options: UmapOptions,
    show: Callable[[Floats], None] | None = None,
    begin: Floats | None = None,
    threads: int = 1,
) -> Generator[tuple[float, str], None, Floats]:
    """Lay vectors (N, D) out by UMAP; yields share and words while the other process works, and ends it when closed.

    Args:
        vectors: float32 (N, D).
        options: Neighbours and the rest.
        show: Called with the map as it moves, a few times a second.
        begin: Where each point begins, float32 (N, 2), or None.
        threads: Threads that it may use.

    Returns:
        The map, float32 (N, 2).

    Raises:
        UserError: If umap-learn is not installed, there are too few points, or it fails.
    """
    if not is_here():
        raise UserError("UMAP needs the package umap-learn: install it with `pip install umap-learn`, or use t-SNE")
    if len(vectors) < 5:
        raise UserError("UMAP needs at least five pictures: choose more")
    if show is not None and (begin is not None or vectors.shape[1] > 1):
        show(begin if begin is not None else pca(vectors, PcaOptions())(vectors))  # where it begins, while it loads
    with TemporaryDirectory(prefix="guiapp-umap-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        np.save(folder / "vectors.npy", vectors)
        if begin is not None:
            np.save(folder / "begin.npy", begin)
        (folder / "options.json").write_text(json.dumps(asdict(options)))
        environment = {**os.environ, "OMP_NUM_THREADS": str(threads), "NUMBA_NUM_THREADS": str(threads)}
        with (folder / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", "guiapp.interpret.embedding.umap_child", str(folder)],
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment,
            )  # fmt: skip
        try:
            seen = 0
            while process.poll() is None:
                yield _how_far((folder / "said.txt").read_text(errors="replace"))
                seen = _show_newer(folder / MOVING, seen, show)
                time.sleep(_POLL_S)
        finally:
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(_END_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
        if process.returncode or not (folder / "map.npy").is_file():
            words = (folder / "said.txt").read_text(errors="replace").strip().splitlines()
            raise UserError(f"UMAP failed: {words[-1] if words else f'its process ended with {process.returncode}'}")
        found: Floats = np.load(folder / "map.npy")
        return found


def _show_newer(file: Path, seen: int, show: Callable[[Floats], None] | None) -> int:
    """Show the map that the other process has written since the time ``seen``; when that was, in nanoseconds."""
    try:
        written = file.stat().st_mtime_ns
        if show is not None and written != seen:
            show(np.load(file))
    except (FileNotFoundError, PermissionError):  # none yet; on Windows, or just being replaced
        return seen
    return written


def _how_far(said: str) -> tuple[float, str]:
    """Share and words from what the other process has written: umap-learn counts its epochs in per cent."""
    found = re.findall(r"Epochs completed:\s+(\d+)%", said)
    if not found:
        return 0.02, "UMAP is loading and finding neighbours"  # nothing tells how long that takes
    return _BEGIN_SHARE + (1 - _BEGIN_SHARE) * int(found[-1]) / 100, f"UMAP, {found[-1]} % of the epochs"
