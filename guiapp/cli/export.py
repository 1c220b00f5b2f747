"""``guiapp export``: a network as safetensors, ONNX or torch.export program, checked to give the same answers."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.cli import output
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.models.own.save import Leaving


def run(options: argparse.Namespace) -> int:
    """Write TARGET to the file that ``--out`` names."""
    from guiapp.models.own.save import ENDINGS, save_network

    out = options.out.expanduser()
    if out.suffix.lower() not in ENDINGS:
        raise SettingError(f"--out ends in one of {', '.join(ENDINGS)}, not {out.name!r}")
    if not out.parent.is_dir():
        raise SettingError(f"there is no folder {out.parent}")
    progress = output.Progress()
    leaving = _leaving(options, progress)
    written = save_network(leaving, out, progress.share)
    progress.clear()
    if options.json:
        output.give_json(
            {
                "model": options.target,
                "task": leaving.task,
                "out": written.path,
                "beside": written.beside,
                "bytes": written.bytes,
                "largest_difference": written.difference,
                "largest_output": written.scale,
            }
        )
    else:
        output.give(f"{leaving.title}: {written.words}")
    return 0


def _leaving(options: argparse.Namespace, progress: output.Progress) -> Leaving:
    from guiapp.cli.exhibits import network_of
    from guiapp.cli.subject import is_trained, open_subject
    from guiapp.engine import export
    from guiapp.engine.open_trained import run_folder

    folder = run_folder(options.target)
    if is_trained(options.target):
        if options.weights is not None:
            raise SettingError(f"--weights is for published networks: {options.target} has its own")
        if folder is not None:
            from guiapp.training.load import load_run

            return export.leaving_setup(*load_run(folder))
        subject = open_subject(options.target)
        if subject.built_as is None:
            raise UserError(f"{options.target} does not say which network it is")
        name, built = subject.built_as
        return export.leaving_trained(
            name, built, subject.name, subject.preprocessing, tuple(subject.task.labels), subject.task_name,
            subject.model, subject.dataset_name,
        )  # fmt: skip
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.open import open_model

    weights: str | Path = options.weights or "best"
    if Path(weights).expanduser().is_file():
        weights = Path(weights).expanduser()
    entry = find_model(network_of(options.target))
    return export.leaving_opened(open_model(entry.name, weights, "cpu", progress.share))
