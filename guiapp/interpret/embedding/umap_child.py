"""The process that runs umap-learn: reads vectors and options from a folder, writes the map into it."""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np


def main(folder: Path) -> None:
    """Lay out ``vectors.npy`` as ``options.json`` says, from ``begin.npy`` where there is one; write ``map.npy``."""
    warnings.simplefilter("ignore")  # of numba and of the seed's cost in threads: nobody reads them here
    from umap import UMAP

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


if __name__ == "__main__":
    main(Path(sys.argv[1]))
