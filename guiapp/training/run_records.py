"""Every run as one row: each setting of its recipe, its network and data, and its figures; read without torch.

Columns are named as settings are (``optimiser.lr``, ``model.hidden``), figures as ``validation.accuracy``.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiapp.core import paths
from guiapp.core.notices import SettingError, UserError
from guiapp.training.search_record import REPEATS, searches

Value = str | int | float | bool | None

ABOUT = ("name", "state", "experiment", "search", "created", "folder")
FIGURES = (
    "validation.accuracy", "validation.loss", "train.accuracy", "train.loss", "gap", "test.accuracy", "first.loss",
    "best.epoch", "epochs.done", "steps", "seconds", "parameters",
)  # fmt: skip
HELP: Mapping[str, str] = {
    "validation.accuracy": "of the weights that the run keeps: the best on validation, or the last, as the recipe says",
    "validation.loss": "of the weights that the run keeps",
    "train.accuracy": "on the training part in the last epoch, while it was learned from",
    "train.loss": "on the training part in the last epoch",
    "gap": "accuracy on the training part less that on the validation part, both in the last epoch",
    "test.accuracy": "where the test part was looked at",
    "first.loss": "before the first step",
    "best.epoch": "the epoch with the best validation accuracy",
    "epochs.done": "epochs trained",
    "steps": "steps trained",
    "seconds": "time spent training",
    "parameters": "trained weights and biases",
    "search": "the search that it belongs to",
}
LARGER_IS_BETTER = frozenset(name for name in FIGURES if name.endswith("accuracy"))
_WITHOUT_MEANING = frozenset(("checkpoint_seconds", "threads"))
"""Settings that decide no figure beyond its last bits."""
_STAMPED = ("run.json", "epochs.jsonl")
_COMPARISON = re.compile(r"^([\w.]+)(<=|>=|!=|<|>|=)(.+)$")


@dataclass(frozen=True)
class RunRecord:
    """One run.

    Attributes:
        folder: Its folder.
        about: ``name``, ``state``, ``experiment``, ``search``, ``created``, ``folder``.
        settings: Every setting: ``dataset``, ``model``, options of the network, fields of the recipe.
        figures: What came of it; None where unknown.
        stamp: Changes whenever its files do.
    """

    folder: Path
    about: Mapping[str, Value]
    settings: Mapping[str, Value]
    figures: Mapping[str, Value]
    stamp: tuple[float, ...] = ()

    def value(self, column: str) -> Value:
        """What stands in a column; None where the run has no such thing."""
        for part in (self.figures, self.settings, self.about):
            if column in part:
                return part[column]
        return None

    @property
    def name(self) -> str:
        """What a person reads."""
        return str(self.about["name"])


def stamp(folder: Path) -> tuple[float, ...]:
    """Times and sizes of the files that a record is read from; 0 where one is missing."""
    found: list[float] = []
    for name in _STAMPED:
        try:
            status = (folder / name).stat()
            found += [status.st_mtime, float(status.st_size)]
        except OSError:
            found += [0.0, 0.0]
    return tuple(found)


def read(folder: Path) -> RunRecord:
    """Read one run folder.

    Raises:
        UserError: If it is none.
    """
    from guiapp.training.run_folder import RunFolder

    at = stamp(folder)
    run = RunFolder.open(folder)
    info, rows = run.info, run.epochs()
    experiment = str((info.get("experiment") or {}).get("id", ""))
    name = str(info.get("name") or folder.name)
    search = info.get("search") or {}
    about: dict[str, Value] = {
        "name": name,
        "state": run.state,
        "experiment": experiment,
        "search": Path(str(search["folder"])).name if search.get("folder") else None,
        "created": str(info.get("created", "")),
        "folder": str(folder),
    }
    return RunRecord(folder, about, _settings(info), _figures(info, rows), at)


def _settings(info: Mapping[str, Any]) -> dict[str, Value]:
    found: dict[str, Value] = {"dataset": str(info.get("dataset", "")), "model": str(info.get("model", ""))}
    options = {**_defaults(str(found["model"])), **(info.get("model_options") or {})}
    found.update({f"model.{name}": _plain(value) for name, value in options.items()})
    for name, value in (info.get("recipe") or {}).items():
        if isinstance(value, Mapping):
            found.update({f"{name}.{inner}": _plain(v) for inner, v in value.items()})
        else:
            found[name] = _plain(value)
    return found


def _defaults(model: str) -> Mapping[str, Any]:
    """Options of a network as they are where a run does not say otherwise."""
    from guiapp.models import MODELS

    return (MODELS[model].options or {}) if model in MODELS else {}


def _figures(info: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Value]:
    recipe, summary = info.get("recipe") or {}, info.get("summary") or {}
    last: Mapping[str, Any] = rows[-1] if rows else {}
    train, validation = _both(last.get("train")), _both(last.get("validation"))
    ranked = [(v[0], -v[1], row["epoch"]) for row in rows if (v := _both(row.get("validation"))) != (None, None)]
    best = max(ranked, key=lambda r: (r[0], r[1], -r[2]), default=None)
    chosen = (best[0], -best[1]) if best is not None and recipe.get("keep") == "best" else validation
    gap = train[0] - validation[0] if train[0] is not None and validation[0] is not None else None
    return {
        "validation.accuracy": chosen[0],
        "validation.loss": chosen[1],
        "train.accuracy": train[0],
        "train.loss": train[1],
        "gap": gap,
        "test.accuracy": _both(summary.get("test"))[0],
        "first.loss": _number(info.get("initial_loss")),
        "best.epoch": best[2] if best is not None else None,
        "epochs.done": int(last.get("epoch", 0)),
        "steps": int(last.get("step", 0)),
        "seconds": _number(info.get("seconds")) or float(sum(row.get("seconds", 0.0) for row in rows)),
        "parameters": info.get("parameters"),
    }


def _both(figures: Any) -> tuple[Any, Any]:
    """Accuracy and loss, or twice None."""
    if not isinstance(figures, Mapping):
        return None, None
    return _number(figures.get("accuracy")), _number(figures.get("loss"))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _plain(value: Any) -> Value:
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)


# ---------------------------------------------------------------------- many runs


def run_folders(where: Iterable[Path] | None = None) -> list[Path]:
    """Run folders of the given runs, searches or folders of either; of this program by default. Newest first."""
    given = where is not None
    found: list[Path] = []
    for place in where if where is not None else (paths.runs(), *_below(searches())):
        path = place.expanduser().absolute()
        if (path / "run.json").is_file():
            found.append(path)
            continue
        inside = [p for p in _below(path) if (p / "run.json").is_file()]
        for search in (path, *_below(path)):
            inside += [p for p in _below(search / "runs") if (p / "run.json").is_file()]
        if given and not inside:
            raise UserError(f"there is no run in {path}")
        found += inside
    return list(dict.fromkeys(found))


def _below(path: Path) -> list[Path]:
    try:
        return sorted((p for p in path.iterdir() if p.is_dir() and not p.name.startswith(".")), reverse=True)
    except OSError:
        return []


def read_all(
    folders: Iterable[Path], known: Mapping[Path, RunRecord] | None = None
) -> Generator[None, None, list[RunRecord]]:
    """Read runs; yields between them. What has not changed since ``known`` is taken from there."""
    found = []
    for folder in folders:
        old = (known or {}).get(folder)
        if old is not None and old.about["state"] != "running" and old.stamp == stamp(folder):
            found.append(old)
        else:
            try:
                found.append(read(folder))
            except UserError:
                continue  # half-written, or from a newer version
        yield
    return found


def columns_of(records: Sequence[RunRecord]) -> list[str]:
    """Every column that one of the runs has: about, figures, then settings in the order of the recipe."""
    settings = dict.fromkeys(name for record in records for name in record.settings)
    return [*ABOUT, *FIGURES, *settings]


def differing(records: Sequence[RunRecord]) -> list[str]:
    """Settings in which the runs differ, in the order of the recipe; repeats (seed, fold, draw) come last.

    An option that one network has and another has not is told by their names; it differs where those that have it do.
    """
    found_values: dict[str, set[tuple[str, Value]]] = {}
    for record in records:
        for name, value in record.settings.items():
            if name not in _WITHOUT_MEANING:
                found_values.setdefault(name, set()).add(_key(value))
    found = [name for name, values in found_values.items() if len(values) > 1]
    return [n for n in found if n not in REPEATS] + [n for n in found if n in REPEATS]


def _key(value: Value) -> tuple[str, Value]:
    """What equal values share: 1 and 1.0 are one value, 1 and True are not."""
    return ("number", float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else (
        type(value).__name__, value,
    )  # fmt: skip


def configuration(record: RunRecord) -> tuple[Any, ...]:
    """What the repetitions of one configuration share: every setting but seed, fold and draw."""
    kept = {n: v for n, v in record.settings.items() if n not in REPEATS and n not in _WITHOUT_MEANING}
    return (record.about["experiment"], *sorted((name, _key(value)) for name, value in kept.items()))


def short_name(column: str) -> str:
    """A setting in as few words as tell it: ``optimiser.lr`` is ``lr``, ``optimiser.name`` is ``optimiser``."""
    return column.replace(".", " ") if column in FIGURES else column.removesuffix(".name").rpartition(".")[2]


def matches(record: RunRecord, text: str) -> bool:
    """Whether a run passes a filter: every word is in one of its columns, every comparison holds.

    ``lenet5 optimiser.lr<0.1 validation.accuracy>=0.9``: comparisons are ``<``, ``<=``, ``>``, ``>=``, ``=``, ``!=``.
    A column may be named by its end, such as ``lr<0.1``, where one column alone ends so.
    """
    return all(_holds(record, word) for word in text.split())


def check_filter(records: Sequence[RunRecord], text: str) -> None:
    """Whether the comparisons of a filter can mean something to some run.

    Raises:
        SettingError: For a column that no run has or an end of several, or for what is larger or smaller than a word.
    """
    found = [match for word in text.split() if (match := _COMPARISON.match(word))]
    every = columns_of(records) if records else []
    for match in found:
        ending = [column for column in every if column.endswith(f".{match[1]}")]
        if every and match[1] not in every and len(ending) != 1:
            if not ending:
                raise SettingError(f"no run has a column {match[1]}; there are: {', '.join(every)}")
            raise SettingError(f"{match[1]} is the end of several columns: {', '.join(ending)}")
        if match[2][0] in "<>" and not _is_number(match[3]):
            raise SettingError(f"{match[0]}: {match[3]!r} is no number")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _holds(record: RunRecord, word: str) -> bool:
    found = _COMPARISON.match(word)
    if found is None:
        about = [value for name, value in record.about.items() if name != "folder"]
        values = (*about, record.folder.name, *record.settings.values())
        return any(word.casefold() in str(value).casefold() for value in values if value is not None)
    value, wanted = record.value(_full_name(record, found[1])), found[3]
    return _COMPARE[found[2]](value, wanted)


def _full_name(record: RunRecord, name: str) -> str:
    every = (*record.figures, *record.settings, *record.about)
    if name in every:
        return name
    ending = [column for column in every if column.endswith(f".{name}")]
    return ending[0] if len(ending) == 1 else name


def _numbers(compare: Callable[[float, float], bool]) -> Callable[[Value, str], bool]:
    def holds(value: Value, wanted: str) -> bool:
        try:
            return value is not None and compare(float(value), float(wanted))
        except ValueError:
            return False

    return holds


def _equal(value: Value, wanted: str) -> bool:
    try:
        return value is not None and math.isclose(float(value), float(wanted), rel_tol=1e-9)
    except ValueError:
        return str(value).casefold() == wanted.casefold()


_COMPARE: dict[str, Callable[[Value, str], bool]] = {
    "<": _numbers(lambda a, b: a < b),
    "<=": _numbers(lambda a, b: a <= b),
    ">": _numbers(lambda a, b: a > b),
    ">=": _numbers(lambda a, b: a >= b),
    "=": _equal,
    "!=": lambda value, wanted: not _equal(value, wanted),
}


def in_order(records: Iterable[RunRecord], column: str, descending: bool = False) -> list[RunRecord]:
    """Sorted by a column; runs without a value come last, whichever the direction."""
    there = [record for record in records if record.value(column) is not None]
    without = [record for record in records if record.value(column) is None]
    return sorted(there, key=lambda r: _sort_key(r.value(column)), reverse=descending) + without


def _sort_key(value: Value) -> tuple[bool, float, str]:
    if isinstance(value, (int, float)):
        return False, float(value), ""
    return True, 0.0, str(value).casefold()


def check_columns(records: Sequence[RunRecord], names: Iterable[str]) -> list[str]:
    """Full names of columns, which may be named by their ends.

    Raises:
        SettingError: For a column that no run has.
    """
    every = columns_of(records)
    found = []
    for name in names:
        ending = [column for column in every if column == name] or [c for c in every if c.endswith(f".{name}")]
        if not ending:
            raise SettingError(f"no run has a column {name}; there are: {', '.join(every)}")
        found.append(ending[0])
    return found


def shown_columns(records: Sequence[RunRecord]) -> list[str]:
    """Columns worth looking at first: what differs between the runs, and how good they are."""
    varied = [name for name in differing(records) if name != "seed"][:8]
    if len({record.settings.get("seed") for record in records}) > 1:
        varied.append("seed")
    return ["name", "validation.accuracy", *varied, "gap", "train.accuracy", "epochs.done", "seconds", "state"]


def csv_text(records: Sequence[RunRecord], columns: Sequence[str]) -> str:
    """The runs as comma-separated values, in full precision."""
    stream = io.StringIO()
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows([["" if (v := r.value(c)) is None else v for c in columns] for r in records])
    return stream.getvalue()
