"""The process that runs umap-learn: reads vectors and options from a folder, writes the map into it."""

from __future__ import annotations

import json
import os
import sys
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

MOVING = "moving.npy"
"""Where the map lies as it moves; replaced as a whole, so that a reader never sees half of it."""
_EVERY_S = 0.25


def main(folder: Path) -> None:
    """Lay out ``vectors.npy`` as ``options.json`` says, from ``begin.npy`` where there is one; write ``map.npy``."""
    warnings.simplefilter("ignore")  # of numba and of the seed's cost in threads: nobody reads them here
    import umap.umap_
    from umap import UMAP

    umap.umap_.optimize_layout_euclidean = _shown(umap.umap_.optimize_layout_euclidean, folder / MOVING)
    options = json.loads((folder / "options.json").read_text())
    vectors = np.load(folder / "vectors.npy")
    begin = folder / "begin.npy"
    made = UMAP(
        n_neighbors=min(options["neighbours"], len(vectors) - 1),
        min_dist=options["min_dist"],
        n_epochs=options["epochs"],
        random_state=options["seed"],
        init=np.load(begin) if begin.is_file() else "pca",
        n_jobs=1,
        verbose=True,
        tqdm_kwds={"desc": "Epochs completed", "mininterval": 0.2, "disable": False},
    )
    np.save(folder / "map.npy", np.asarray(made.fit_transform(vectors), np.float32))


def _shown(optimise: Callable[..., Any], file: Path) -> Callable[..., Any]:
    """umap-learn's descent, with the points that it moves in place written into a file as they go.

    The compiled code keeps Python's lock during an epoch, so the thread that writes has its turn between two of them.
    """

    def run(points: Any, *rest: Any, **more: Any) -> Any:
        ended = threading.Event()

        def write() -> None:
            part = file.with_suffix(".part")
            while True:
                with part.open("wb") as stream:
                    np.save(stream, np.asarray(points, np.float32))
                os.replace(part, file)
                if ended.wait(_EVERY_S):
                    return

        writer = threading.Thread(target=write)
        writer.start()
        try:
            return optimise(points, *rest, **more)
        finally:
            ended.set()
            writer.join()

    return run


if __name__ == "__main__":
    main(Path(sys.argv[1]))
