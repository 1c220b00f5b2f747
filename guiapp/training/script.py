"""A run as a short PyTorch script that needs nothing of this program and ends with the same figures.

The parts that were written here (network, preparation, randomness of a step) are taken from the source
(``script_code``); the loop is written out for the one recipe, so that a person reads what the run does.
"""

from __future__ import annotations

import pprint
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import guiapp
from guiapp.core.files import write_atomic
from guiapp.core.notices import SettingError
from guiapp.datasets.base import PARTS
from guiapp.training import script_loop
from guiapp.training.recipe import Recipe, as_dict
from guiapp.training.recipe_file import flat
from guiapp.training.script_code import Bundle
from guiapp.training.script_loop import taught
from guiapp.training.script_network import brought, check_network, network_code, teachers_code, weights_code
from guiapp.training.script_run import ByHand, run_code
from guiapp.training.teachers import names_of, open_teacher

if TYPE_CHECKING:
    import torch

    from guiapp.training.run_folder import RunFolder
    from guiapp.training.setup import Setup
    from guiapp.training.teachers import Teacher

_FOLLOWED = (
    "optimiser", "schedule", "epochs", "batch", "accumulate", "seed", "augmentation", "data", "loading", "transfer",
    "observe", "preprocessing", "initialisation", "normalisation", "leave_out", "clipping", "penalty", "loss",
    "balance", "stopping", "average", "members", "distillation", "device", "threads", "precision", "keep",
    "checkpoint_seconds",
)  # fmt: skip
"""What of a recipe the script does, or need not do to give the same figures; what comes new is refused by itself."""
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


@dataclass(frozen=True)
class Past:
    """What a run did that its recipe does not say.

    Attributes:
        changes: By hand.
        threads: Of one operation when it ended; 0 for what a new run would use.
        changed: Whether their number was another one before.
    """

    changes: ByHand = field(default_factory=ByHand)
    threads: int = 0
    changed: bool = False


def past_of(folder: RunFolder) -> Past:
    """What the run in a folder did."""
    found = {
        what: [(c["step"], c["value"]) for c in folder.changes() if c["what"] == what] for what in ("lr", "temperature")
    }
    threads = int(folder.info.get("threads", 0))
    return Past(ByHand(found["lr"], found["temperature"]), threads, len(folder.info.get("threads_by_step", ())) > 1)


def write_script(path: Path, setup: Setup, past: Past | None = None) -> Script:
    """Write the script of a run to ``path``, and beside it as ``.npz`` what it cannot make by itself.

    The digits come from scikit-learn. Other data, the weights of published networks, and teachers lie in that file.

    Args:
        path: Where it goes; files that are there are replaced.
        setup: The run.
        past: What it did; None for one that is still to come.

    Raises:
        SettingError: For what the script cannot do: networks whose code is not this program's, or that keep the
            samples, and data too large for a file.
    """
    past = past or Past()
    recipe, plain = as_dict(setup.recipe), as_dict(Recipe())
    other = next((name for name, value in recipe.items() if name not in _FOLLOWED and value != plain[name]), None)
    if other is not None:
        raise SettingError(f"a script does not follow the recipe's {other}: leave it at its default")
    check_network(setup.entry)
    model = setup.build_model()
    teachers = (
        [open_teacher(name) for name in names_of(setup.recipe.distillation.teacher)] if taught(setup.recipe) else []
    )
    weights = brought(setup, model, teachers)
    embedded = setup.dataset_name == "digits" and setup.dataset is setup.whole
    data = None if embedded and not weights else path.with_suffix(".npz")
    text = _code(setup, model, teachers, past, path, embedded, bool(weights))
    if data is not None:
        _write_data(data, setup, embedded, weights)
    write_atomic(path, text.encode())
    return Script(text.count("\n"), data)


def _code(
    setup: Setup, model: torch.nn.Module, teachers: list[Teacher], past: Past, path: Path, embedded: bool, weights: bool
) -> str:
    """The text of the script; see ``write_script``."""
    from guiapp.training.threads import threads_of

    bundle = Bundle(script_loop.NAMES)
    bundle.imports |= _IMPORTS
    recipe, name, data = setup.recipe, path.name, path.with_suffix(".npz").name
    half = script_loop.may_be_half(recipe, model)
    networks = [weights_code(bundle, data)] if weights else []
    networks += [network_code(bundle, setup)]
    networks += [teachers_code(bundle, setup, teachers)] if teachers else []
    sections = [
        ("Data", _data(bundle, setup, None if embedded else data)),
        ("Networks" if teachers else "Network", "\n\n".join(networks)),
        ("One step", script_loop.step_code(bundle, setup, bool(past.changes.rates), half)),
        ("The run", run_code(bundle, setup, model, past.changes, half, path.stem)),
    ]
    threads = past.threads or threads_of(recipe, model, setup.preprocessing.size)
    plain = flat(as_dict(Recipe()))
    fields = {name: value for name, value in flat(as_dict(recipe)).items() if plain[name] != value}
    libraries = ["torch", "numpy", *(["scikit-learn"] if embedded else [])]
    libraries += ["torchvision"] if any("torchvision" in line for line in bundle.imports) else []
    needs = ", ".join(libraries) + ("" if embedded and not weights else f", and {data} beside it")
    note = ""
    if past.changed:
        note = "Other programs took processor cores from the run, whose threads changed: last digits may be others.\n\n"
    head = (
        f'"""{setup.experiment.title} on {setup.dataset.title}: written by Vision Explorer {guiapp.__version__}.\n\n'
        f"Run it with `python {name}`; it needs {needs}. It ends with the figures of the run as one line of JSON.\n\n"
        f"{note}What differs from the program's default recipe:\n"
        f"{pprint.pformat(fields, width=110, sort_dicts=False)}\n"
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


def _write_data(path: Path, setup: Setup, embedded: bool, weights: dict[str, dict[str, torch.Tensor]]) -> None:
    """Samples, unless the script has them from elsewhere, and weights by network and name."""
    parts = {} if embedded else {name: setup.dataset.part(name) for name in PARTS}
    size = sum(int(np.prod(np.shape(samples.images), dtype=np.int64)) for samples in parts.values())
    if size > _LARGEST:
        raise SettingError(f"the data set takes {size / 1e9:.1f} GB, more than a file beside a script should")
    arrays = {f"{name}_images": np.asarray(samples.images) for name, samples in parts.items()}
    arrays.update({f"{name}_labels": np.asarray(samples.labels, np.int64) for name, samples in parts.items()})
    for network, state in weights.items():
        arrays.update({f"{network}/{name}": tensor.detach().cpu().numpy() for name, tensor in state.items()})
    with path.open("wb") as file:
        np.savez_compressed(file, **arrays)  # type: ignore[arg-type]


def _data(bundle: Bundle, setup: Setup, data: str | None) -> str:
    """``load()`` and ``fed(images)``."""
    prepare = bundle.add("guiapp.models.prepare:prepare")
    bundle.imports.add("import types")
    pre = setup.preprocessing
    given = f"size={pre.size!r}, mean={pre.mean!r}, std={pre.std!r}, fit={pre.fit!r}"
    kind = f"PREPARATION = types.SimpleNamespace({given})"
    if setup.recipe.preprocessing.name in ("mean-image", "pca", "whitening"):
        kind = f'''
class Preparation(types.SimpleNamespace):
    """How pictures become the input of the network."""

    def __call__(self, images, device="cpu"):
        return {prepare}(self, images, device)


PREPARATION = Preparation({given})'''
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
    data = np.load(Path(__file__).with_name({data!r}))
    return {{name: (data[name + "_images"], data[name + "_labels"]) for name in ("train", "validation", "test")}}
'''
    return f'''{load}

{kind}


def fed(images, device):
    """Pictures as the network takes them, (N, C, H, W)."""
    return torch.cat([{prepare}(PREPARATION, images[i : i + 1000], device) for i in range(0, len(images), 1000)])
'''
