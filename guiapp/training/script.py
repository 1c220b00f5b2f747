"""A run as a short PyTorch script that needs nothing of this program and ends with the same figures.

The parts that were written here (network, preparation, randomness of a step) are taken from the source
(``script_code``); the loop is written out for the one recipe, so that a person reads what the run does.
"""

from __future__ import annotations

import pprint
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import guiapp
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError
from guiapp.core.registry import Lazy
from guiapp.datasets.base import PARTS
from guiapp.training import script_loop
from guiapp.training.recipe import Recipe, as_dict
from guiapp.training.recipe_file import flat
from guiapp.training.script_code import Bundle

if TYPE_CHECKING:
    import torch

    from guiapp.training.setup import Setup

_FOLLOWED = (
    "optimiser", "schedule", "epochs", "batch", "accumulate", "seed", "augmentation", "data", "observe",
    "preprocessing", "initialisation", "normalisation", "leave_out", "clipping", "penalty", "loss", "balance",
    "stopping", "device", "threads", "precision", "keep", "checkpoint_seconds",
)  # fmt: skip
"""What of a recipe the script does, or need not do to give the same figures."""
_LARGEST = 4 << 30
_IMPORTS = {"import json", "import torch", "import numpy as np", "from torch.nn import functional"}


@dataclass(frozen=True)
class Script:
    """What was written.

    Attributes:
        lines: Lines of the script.
        data: The file beside it that it reads, or None.
    """

    lines: int
    data: Path | None


def write_script(path: Path, setup: Setup, changes: Sequence[tuple[int, float]] = (), threads: int = 0) -> Script:
    """Write the script of a run to ``path``, and its data beside it as ``.npz``; the digits come from scikit-learn.

    Args:
        path: Where it goes; files that are there are replaced.
        setup: The run.
        changes: Changes of the rate by hand, ``(steps done before, rate)``.
        threads: Threads of one operation that the run used; 0 for what a new run would use.

    Raises:
        SettingError: For what the script cannot do: networks that come with weights or keep the samples, and groups of
            the recipe that it does not follow.
    """
    _check(setup)
    model = setup.build_model()
    embedded = setup.dataset_name == "digits" and setup.dataset is setup.whole
    data = None if embedded else path.with_suffix(".npz")
    text = code_of(setup, model, changes, threads, path.name, data)
    if data is not None:
        _write_data(data, setup)
    write_atomic(path, text.encode())
    return Script(text.count("\n"), data)


def code_of(
    setup: Setup,
    model: torch.nn.Module,
    changes: Sequence[tuple[int, float]],
    threads: int,
    name: str,
    data: Path | None,
) -> str:
    """The text of the script; see ``write_script``.

    Args:
        setup: The run.
        model: Its network.
        changes: Of the rate, by hand.
        threads: 0 for what a new run would use.
        name: Of the script.
        data: The file it reads, or None for the digits.
    """
    from guiapp.training.threads import threads_of

    bundle = Bundle(script_loop.NAMES)
    bundle.imports |= _IMPORTS
    recipe = setup.recipe
    half = script_loop.may_be_half(recipe, model)
    sections = [
        ("Data", _data(bundle, setup, data)),
        ("Network", _network(bundle, setup)),
        ("One step", script_loop.step_code(bundle, setup, bool(changes), half)),
        ("The run", script_loop.run_code(bundle, setup, model, changes, half)),
    ]
    threads = threads or threads_of(recipe, model, setup.preprocessing.size)
    plain = flat(as_dict(Recipe()))
    fields = {name: value for name, value in flat(as_dict(recipe)).items() if plain[name] != value}
    needs = "torch, numpy, scikit-learn" if data is None else f"torch, numpy and {data.name} beside it"
    head = (
        f'"""{setup.experiment.title} on {setup.dataset.title}: written by Vision Explorer {guiapp.__version__}.\n\n'
        f"Run it with `python {name}`; it needs {needs}. It ends with the figures of the run as one line of JSON.\n\n"
        f"What differs from the program's default recipe:\n{pprint.pformat(fields, width=110, sort_dicts=False)}\n"
        '"""\n\nfrom __future__ import annotations\n'
    ).replace("\\", "\\\\")
    constants = (
        f"SEED, EPOCHS, BATCH, THREADS = {recipe.seed}, {recipe.epochs}, {_samples(setup)}, {threads}\n"
        f"LABELS = {len(setup.classes)}  # classes\n"
    )
    body = "\n\n".join(f"# {'-' * 20} {title}\n\n{text}" for title, text in sections)
    parts = f"# {'-' * 20} Parts of Vision Explorer, as they are there\n\n" + "\n\n\n".join(bundle.code)
    imports = "\n".join(sorted(bundle.imports, key=lambda line: (line.startswith("from"), line)))
    return re.sub(r"\n{4,}", "\n\n\n", f"{head}\n{imports}\n\n{constants}\n\n{parts}\n\n\n{body}")


def _samples(setup: Setup) -> int:
    """Samples a step."""
    return len(setup.dataset.train) if setup.recipe.optimiser.name == "gd" else setup.recipe.batch


def _check(setup: Setup) -> None:
    recipe, plain = as_dict(setup.recipe), as_dict(Recipe())
    title = setup.entry.title
    if setup.entry.trained_by != "gradient":
        raise SettingError(f"{title} only remembers the samples: there is no training to write down")
    if not isinstance(setup.entry.build, Lazy) or setup.model_options.get("weights"):
        raise SettingError(f"{title} comes with weights: a script alone cannot bring them; export it instead")
    other = next((name for name, value in recipe.items() if name not in _FOLLOWED and value != plain[name]), None)
    if other is not None:
        raise SettingError(f"a script does not follow the recipe's {other} yet: leave it at its default")
    if setup.recipe.preprocessing.name in ("mean-image", "pca", "whitening"):
        raise SettingError("a script does not follow preprocessing by a layer yet: choose own, centre or channels")


def _write_data(path: Path, setup: Setup) -> None:
    parts = {name: setup.dataset.part(name) for name in PARTS}
    size = sum(int(np.prod(np.shape(samples.images), dtype=np.int64)) for samples in parts.values())
    if size > _LARGEST:
        raise SettingError(f"the data set takes {size / 1e9:.1f} GB, more than a file beside a script should")
    arrays = {f"{name}_images": np.asarray(samples.images) for name, samples in parts.items()}
    arrays.update({f"{name}_labels": np.asarray(samples.labels, np.int64) for name, samples in parts.items()})
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _data(bundle: Bundle, setup: Setup, data: Path | None) -> str:
    """``load()`` and ``fed(images)``."""
    prepare = bundle.add("guiapp.models.prepare:prepare")
    bundle.imports.add("import types")
    pre = setup.preprocessing
    given = f"size={pre.size!r}, mean={pre.mean!r}, std={pre.std!r}, fit={pre.fit!r}"
    if data is None:
        split = bundle.add("guiapp.datasets.splits:stratified")
        bundle.imports.add("from sklearn.datasets import load_digits")
        load = f'''def load():
    """Images (N, 8, 8, 1) and labels of training, validation and test part, the parts of the program."""
    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[..., None]
    labels = digits.target.astype(np.int64)
    held = round(0.2 * len(labels))
    parts = {split}(labels, (len(labels) - 2 * held, held, held))
    return {{name: (images[i], labels[i]) for name, i in zip(("train", "validation", "test"), parts)}}
'''
    else:
        bundle.imports.add("from pathlib import Path")
        load = f'''def load():
    """Images (N, H, W, C) and labels of training, validation and test part."""
    data = np.load(Path(__file__).with_name({data.name!r}))
    return {{name: (data[name + "_images"], data[name + "_labels"]) for name in ("train", "validation", "test")}}
'''
    return f'''{load}

PREPARATION = types.SimpleNamespace({given})


def fed(images, device):
    """Pictures as the network takes them, (N, C, H, W)."""
    return torch.cat([{prepare}(PREPARATION, images[i : i + 1000], device) for i in range(0, len(images), 1000)])
'''


def _network(bundle: Bundle, setup: Setup) -> str:
    """``build()``."""
    from guiapp.training.network_changes import layer_changes

    build: Any = setup.entry.build
    named = {**(setup.entry.options or {}), **setup.model_options}
    given = ", ".join([*map(str, setup.preprocessing.size), "LABELS", *(f"{k}={v!r}" for k, v in named.items())])
    lines = ["torch.manual_seed(SEED)", f"model = {bundle.add(build.reference)}({given})"]
    changes = layer_changes(setup.recipe)
    if changes.any:
        changed, wanted = bundle.add("guiapp.models.changes:changed"), bundle.add("guiapp.models.changes:Changes")
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(changes).items() if v != getattr(type(changes)(), k))
        lines.append(f"model = {changed}(model, {setup.preprocessing.size!r}, {wanted}({fields}))")
    first = setup.recipe.initialisation
    if first.name != "own":
        layers, put = (
            bundle.add("guiapp.models.changes:weight_layers"),
            bundle.add("guiapp.models.initial_weights:set_weights"),
        )
        bundle.imports.add("import types")
        hidden = f"[layer for _, layer in {layers}(model, {setup.preprocessing.size!r})[:-1]]"
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(first).items())
        lines.append(f"{put}({hidden}, types.SimpleNamespace({fields}))")
    body = "\n    ".join([*lines, "return model"])
    return f'def build():\n    """The network with the weights that the seed gives."""\n    {body}\n'
