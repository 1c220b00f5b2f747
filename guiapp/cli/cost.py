"""``guiapp probe cost``: what a network costs, layer by layer; its architecture is enough, weights need not be here."""

from __future__ import annotations

import argparse
import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.exhibits import network_of
from guiapp.cli.inputs import read_input
from guiapp.cli.output import plain
from guiapp.cli.subject import is_trained, open_subject
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.interpret.cost import Cost, LayerCost
    from guiapp.interpret.cost_options import CostOptions
    from guiapp.interpret.cost_run import Measured

_COLUMNS = ("layer", "type", "output", "parameters", "flops", "activations", "weights", "field", "stride")
_ENDINGS = (".csv", ".json")


def run(options: argparse.Namespace, asked: CostOptions) -> int:
    """Count the network, print the table, and save it where a file is named.

    Raises:
        SettingError: For a file that is neither .csv nor .json.
        UserError: If it is no network of layers.
    """
    from guiapp.interpret.cost import cost_of

    if options.out is not None and options.out.suffix.lower() not in _ENDINGS:
        raise SettingError(f"cost gives a table: --out ends in .csv or .json, not {options.out.name!r}")
    name, measured = _measured(options)
    if not measured.layers and not any(figures.flops for figures in measured.figures.values()):
        raise UserError(f"{name} has no layers to count: what runs it is not torch")
    cost = cost_of(measured, asked.batch, asked.convention)
    found = {"model": name, **cost.as_dict()}
    if options.out is not None:
        _save(cost, found, options.out)
    if options.json:
        output.give_json({"probe": "cost", **found, "out": options.out})
        return 0
    rows = [_row(layer) for layer in cost.layers]
    total = cost.total
    output.give_table([*rows, {**_row(total), "layer": "total", "type": "", "output": ""}], _COLUMNS)
    pictures = f"{cost.batch} picture{'s' if cost.batch > 1 else ''} of {_shape(cost.input)}"
    how = "as torch.utils.flop_counter counts" if cost.convention == "torch" else "as course text 1 counts"
    output.say(f"{pictures}, {how}; flops are multiply-adds times two, memory is in bytes")
    return 0


def _measured(options: argparse.Namespace) -> tuple[str, Measured]:
    """Open what is named, without weights where they are not needed, and count it."""
    from guiapp.interpret.cost import measure_published
    from guiapp.interpret.cost_run import measure

    target = options.target
    if is_trained(target):
        built = None if _has_weights(target) else _built(target)
        if built is not None:
            return target, measure(*built)
        subject = open_subject(target)
        return subject.name, measure(subject.model, subject.preprocessing.size)
    picture = None
    if options.input is not None:
        picture = read_input(options.input)
    opened = _published(network_of(target), options.weights)
    return opened.entry.name, measure_published(opened, picture)


def _has_weights(target: str) -> bool:
    """Whether it is a file, a run, or a network with weights that ship with the program."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.core import paths

    if Path(target).expanduser().exists() or (paths.runs() / target / "run.json").is_file():
        return True
    shipped = {file.stem for file in (paths.resources() / "weights").glob("*.safetensors")}
    return target in shipped or (target in EXPERIMENTS and bool(EXPERIMENTS[target].weights))


def _built(target: str) -> tuple[Any, tuple[int, int, int]] | None:
    """A network to train, as an experiment or by its own name, for the data set that it is shown with."""
    from guiapp.catalogue import EXPERIMENTS
    from guiapp.models import MODELS
    from guiapp.training.setup import prepare

    shown = [entry for entry in EXPERIMENTS.values() if not entry.live and target in (entry.id, entry.model)]
    if shown:
        setup = prepare(shown[0])
    elif target in MODELS:
        setup = prepare(EXPERIMENTS["lenet5"], {"model": target})
    else:
        return None
    return setup.build_model(), setup.preprocessing.size


def _published(name: str, weights: str | None) -> Any:
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.open import open_model

    if weights is not None:
        file = Path(weights).expanduser()
        return open_model(name, file if file.is_file() else weights)
    entry = find_model(name)
    if not entry.draws:
        return open_model(name)
    from guiapp.models.zoo.bare import open_shape

    return open_shape(entry)


def _row(layer: LayerCost) -> dict[str, Any]:
    from guiapp.interpret.cost import one_of

    def told(pair: tuple[int, int] | None) -> str:
        one = one_of(pair)
        return "" if one is None else _shape(one) if isinstance(one, list) else str(one)

    return {
        "layer": layer.name or "(the network)",
        "type": layer.type,
        "output": _shape(layer.output),
        "parameters": layer.parameters,
        "flops": layer.flops,
        "activations": layer.activation_memory,
        "weights": layer.parameter_memory,
        "field": told(layer.receptive_field),
        "stride": told(layer.stride),
    }


def _shape(shape: Any) -> str:
    return "x".join(map(str, shape))


def _save(cost: Cost, found: dict[str, Any], path: Path) -> None:
    import json

    try:
        if path.suffix.lower() == ".json":
            path.write_text(json.dumps(plain(found), ensure_ascii=False) + "\n", encoding="utf-8")
            return
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(cost.total.as_dict())
            for layer in (*cost.layers, cost.total):
                values = layer.as_dict().values()
                writer.writerow([_shape(value) if isinstance(value, list) else value for value in values])
    except OSError as error:
        raise UserError(f"{path} could not be written: {error.strerror or error}") from None
