"""A study as one file: network, pictures, selection, pinned views and layout, to be opened as it was elsewhere.

A zip archive. ``study.json`` says what is in it; ``run/`` is a run folder, ``network/`` holds the file of a network of
the live room, ``pictures/`` and ``pins/`` hold PNG files. Nothing in it is run: weights are read as everywhere else.
"""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import zipfile
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, get_args

import numpy as np
import numpy.typing as npt

from guiapp.core import paths
from guiapp.core.files import folder_beside, open_beside
from guiapp.core.history import FIELDS
from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, OriginKind, Picture
from guiapp.engine.job import Step

FORMAT = 1
SUFFIX = ".vexstudy"
_MANIFEST = "study.json"
_PARTS = ("run", "network", "pictures", "pins")
_CHUNK = 2**22
_MOST = 32 * 2**30  # bytes unpacked
_LARGEST_MANIFEST = 2**26
_ABOUT_PICTURES = ("name", "kind", "path", "index", "part", "seconds")


@dataclass(frozen=True, eq=False)
class Pinned:
    """A pinned view.

    Attributes:
        title, lines, time: What it is called and says; the time as ISO text.
        png: Its picture as a PNG file.
        subject, network: See ``core.history.Moment``.
        values: The selection by field.
    """

    title: str
    lines: tuple[str, ...]
    time: str
    png: bytes
    subject: str
    network: str
    values: Mapping[str, Any]


@dataclass(frozen=True, eq=False)
class StudyFile:
    """What a study holds.

    Attributes:
        title: What it is called.
        subject: ``"experiment"`` or ``"live"``: what was looked into.
        experiment: Catalogue id of the open experiment, or empty.
        settings: Its dotted settings that differ from the catalogue.
        run: The folder of its run, or None where it has none.
        network: Of the live room: ``name``, ``weights``, and ``file``, a path or None; ``run`` is true where it is the
            network of ``run``. Empty without one.
        selection: The selection by field of ``core.history.FIELDS``.
        layout: Name of the layout; ``docks`` is Qt's state of the docks in base 64, which may be empty.
        pins: Pinned views.
        versions: Of what wrote it.
        dataset: Name of the data set whose samples are chosen; empty where that is not known.
        samples: Pictures of the samples that are chosen together, for where that data set is missing; the first 300.
        sample_names: Their classes by name, one for each; or none.
    """

    title: str
    subject: str
    experiment: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    run: Path | None = None
    network: Mapping[str, Any] = field(default_factory=dict)
    selection: Mapping[str, Any] = field(default_factory=dict)
    layout: str = ""
    docks: str = ""
    pins: Sequence[Pinned] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    dataset: str = ""
    samples: Sequence[Picture] = ()
    sample_names: Sequence[str] = ()


# ---------------------------------------------------------------------------------------------------------- writing


def write(path: Path, study: StudyFile) -> Generator[Step, None, Path]:
    """Write a study; a file that is there is replaced once the new one is complete.

    Yields:
        Share done and what is being written.

    Raises:
        UserError: If it cannot be written.
    """
    files = _files_of(study)
    total = max(1, sum(size for _, _, size in files))
    try:
        descriptor, name = open_beside(path)
        with os.fdopen(descriptor, "w+b") as stream:
            part = Path(name)
            try:
                done = 0
                with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                    for count in _pack(archive, study, files):
                        done += count
                        yield min(1.0, done / total), "writing the study"
                stream.flush()
                part.replace(path)
            except BaseException:
                part.unlink(missing_ok=True)
                raise
    except OSError as error:
        raise UserError(f"the study cannot be written to {path}: {error.strerror or error}") from None
    return path


def _files_of(study: StudyFile) -> list[tuple[str, Path, int]]:
    """Names in the archive, files and their sizes."""
    found = []
    if study.run is not None:
        found += [(f"run/{name.as_posix()}", study.run / name) for name in _of_run(study.run)]
    file = study.network.get("file")
    if file is not None:
        beside = Path(file).with_suffix(".json")  # what describes an ONNX file
        found += [(f"network/{one.name}", one) for one in (Path(file), beside) if one.is_file()]
    return [(name, place, place.stat().st_size) for name, place in found]


def _of_run(folder: Path) -> list[Path]:
    """Files of a run that are needed to look at it and to go on, relative to its folder."""
    steps = sorted((int(p.name) for p in (folder / "checkpoints").glob("*") if p.name.isdigit()), reverse=True)
    kept = {"checkpoints/" + str(step) for step in steps[:1]}
    if steps:
        from guiapp.training import checkpoints

        best = checkpoints.read_plain(folder / "checkpoints" / str(steps[0])).get("best")
        kept |= {f"checkpoints/{best['step']}"} if best else set()
    found = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        if not file.is_file() or any(part.startswith(".") for part in name.parts):
            continue
        if name.parts[0] != "checkpoints" or "/".join(name.parts[:2]) in kept:
            found.append(name)
    return found


def _pack(archive: zipfile.ZipFile, study: StudyFile, files: list[tuple[str, Path, int]]) -> Generator[int, None, None]:
    pictures: dict[int, tuple[int, Picture]] = {}

    def plain(values: Mapping[str, Any]) -> dict[str, Any]:
        return {name: _plain(values.get(name), pictures) for name in FIELDS}

    pins = [
        {
            "title": pin.title, "lines": list(pin.lines), "time": pin.time, "subject": pin.subject,
            "network": pin.network, "values": plain(pin.values),
        }
        for pin in study.pins
    ]  # fmt: skip
    network = {**study.network, "file": None}
    if study.network.get("file") is not None:
        network["file"] = Path(study.network["file"]).name
    about = {
        "format": FORMAT, "title": study.title, "subject": study.subject, "experiment": study.experiment,
        "settings": dict(study.settings), "run": study.run.name if study.run is not None else None,
        "network": network, "selection": plain(study.selection), "layout": study.layout, "docks": study.docks,
        "pins": pins, "versions": dict(study.versions), "dataset": study.dataset,
    }  # fmt: skip
    about["samples"] = [_plain(picture, pictures)["picture"] for picture in study.samples]
    about["sample_names"] = list(study.sample_names)
    about["pictures"] = [_about(picture) for _, picture in pictures.values()]
    archive.writestr(_MANIFEST, json.dumps(about, indent=1, default=str))
    for number, picture in pictures.values():
        archive.writestr(f"pictures/{number}.png", _png(picture.pixels))
        if picture.sample is not None:
            archive.writestr(f"pictures/{number}-sample.png", _png(picture.sample))
        yield 0
    for number, pin in enumerate(study.pins):
        archive.writestr(f"pins/{number}.png", pin.png)
    for name, place, _ in files:
        if name == "run/run.json":
            info = json.loads(place.read_text())
            state = "stopped" if info.get("state") == "running" else info.get("state")
            archive.writestr(name, json.dumps({**info, "state": state}, indent=1))
            continue
        try:
            source = place.open("rb")
        except FileNotFoundError:  # a run that goes on thins its snapshots
            continue
        with source, archive.open(name, "w", force_zip64=True) as target:
            while chunk := source.read(_CHUNK):
                target.write(chunk)
                yield len(chunk)


def _plain(value: Any, pictures: dict[int, tuple[int, Picture]]) -> Any:
    """A value of the selection as JSON holds it; pictures become their number."""
    if isinstance(value, Picture):
        return {"picture": pictures.setdefault(id(value), (len(pictures), value))[0]}
    if isinstance(value, Mapping):  # channels by layer
        return {name: dict(one) if isinstance(one, Mapping) else sorted(one) for name, one in value.items()}
    return value


def _about(picture: Picture) -> dict[str, Any]:
    found = {name: getattr(picture.origin, name) for name in _ABOUT_PICTURES}
    found["path"] = str(found["path"]) if found["path"] is not None else None
    channels = picture.sample.shape[2] if picture.sample is not None else 0
    return {**found, "label": picture.label, "note": picture.note, "sample": channels}


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    from PIL import Image

    out = io.BytesIO()
    grey = pixels.ndim == 3 and pixels.shape[2] == 1
    Image.fromarray(pixels[:, :, 0] if grey else pixels).save(out, "PNG")
    return out.getvalue()


# ---------------------------------------------------------------------------------------------------------- reading


def read(path: Path) -> Generator[Step, None, StudyFile]:
    """Read a study and unpack its files: a run among the runs, a network among the studies of the user's data.

    What was unpacked before is used again.

    Yields:
        Share done and what is being read.

    Raises:
        UserError: If it is no study, is damaged, was written by a newer version, or cannot be unpacked.
    """
    yield 0.0, f"reading {path.name}"
    try:
        with zipfile.ZipFile(path) as archive:
            about = _manifest(archive, path)
            place = paths.user_data() / "studies" / f"{_safe(path.stem)}-{_digest(archive)}"
            yield from _unpack(archive, place)
            pictures = [_picture(archive, number, one) for number, one in enumerate(about.get("pictures", []))]
            return _study(archive, about, place, pictures)
    except zipfile.BadZipFile:
        raise UserError(f"{path.name} is no study, or it is damaged: copy it again") from None
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        raise UserError(f"{path.name} is damaged: {error}") from None
    except OSError as error:
        raise UserError(f"{path.name} cannot be opened: {error.strerror or error}") from None


def _manifest(archive: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    if _MANIFEST not in archive.namelist():
        raise UserError(f"{path.name} is no study of this program")
    if archive.getinfo(_MANIFEST).file_size > _LARGEST_MANIFEST:
        raise UserError(f"{path.name} is damaged: its table of contents is too large")
    about = json.loads(archive.read(_MANIFEST))
    if not isinstance(about, dict) or not isinstance(about.get("format"), int):
        raise UserError(f"{path.name} is no study of this program")
    if about["format"] > FORMAT:
        raise UserError(f"{path.name} was written by a newer version of this program: update it to open it")
    for info in archive.infolist():
        name = PurePosixPath(info.filename)
        inside = info.filename == _MANIFEST or (len(name.parts) > 1 and name.parts[0] in _PARTS)
        if not inside or ".." in name.parts or "\\" in info.filename or ":" in info.filename or info.is_dir():
            raise UserError(f"{path.name} holds {info.filename!r}, which no study has: it is not opened")
    if sum(info.file_size for info in archive.infolist()) > _MOST:
        raise UserError(f"{path.name} would take more than {_MOST // 2**30} GB: it is not opened")
    return about


def _unpack(archive: zipfile.ZipFile, place: Path) -> Generator[Step, None, None]:
    """Unpack ``run/`` and ``network/`` into a folder that is there only when it is complete."""
    wanted = [info for info in archive.infolist() if info.filename.partition("/")[0] in ("run", "network")]
    if place.is_dir() or not wanted:
        return
    place.parent.mkdir(parents=True, exist_ok=True)
    total = max(1, sum(info.file_size for info in wanted))
    if shutil.disk_usage(place.parent).free < total:
        raise UserError(f"the study takes {total / 1e6:.0f} MB: make room in {place.parent}")
    working = folder_beside(place)
    done = 0
    try:
        for info in wanted:
            target = working / info.filename
            target.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as source, target.open("wb") as out:
                while chunk := source.read(_CHUNK):
                    done += len(chunk)
                    if done > total:
                        raise UserError("the study is larger than it says: it is not opened")
                    out.write(chunk)
                    yield done / total, "unpacking the study"
        working.replace(place)
    except BaseException:
        shutil.rmtree(working, ignore_errors=True)
        raise


def _study(archive: zipfile.ZipFile, about: dict[str, Any], place: Path, pictures: list[Picture]) -> StudyFile:
    network = dict(about.get("network") or {})
    if network.get("file"):
        network["file"] = place / "network" / PurePosixPath(network["file"]).name
    pins = [
        Pinned(
            str(pin["title"]), tuple(map(str, pin["lines"])), str(pin["time"]), archive.read(f"pins/{number}.png"),
            str(pin["subject"]), str(pin["network"]), _selection(pin["values"], pictures),
        )
        for number, pin in enumerate(about.get("pins", []))
    ]  # fmt: skip
    return StudyFile(
        str(about["title"]), "live" if about["subject"] == "live" else "experiment", str(about.get("experiment", "")),
        dict(about.get("settings") or {}), _run(place, about.get("run")), network,
        _selection(about["selection"], pictures), str(about.get("layout", "")), str(about.get("docks", "")), pins,
        dict(about.get("versions") or {}), str(about.get("dataset") or ""),
        [pictures[int(number)] for number in about.get("samples") or ()],
        [str(name) for name in about.get("sample_names") or ()],
    )  # fmt: skip


def _run(place: Path, name: Any) -> Path | None:
    """The run among the others, under a name of its own; what goes on there does not change the study."""
    source = place / "run"
    if name is None or not source.is_dir():
        return None
    target = paths.runs() / f"{_safe(str(name))}-{place.name[-8:]}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        working = folder_beside(target)
        shutil.copytree(source, working, dirs_exist_ok=True)
        working.replace(target)
    return target


def _selection(values: Mapping[str, Any], pictures: Sequence[Picture]) -> dict[str, Any]:
    """The inverse of ``_plain`` for every field; what is missing is as in an empty selection."""
    found: dict[str, Any] = dict.fromkeys(FIELDS)
    found.update({name: values.get(name) for name in FIELDS})
    picture = found["picture"]
    found["picture"] = pictures[int(picture["picture"])] if picture else None
    for name in ("sample", "overlay", "region"):
        found[name] = tuple(found[name]) if found[name] is not None else None
    found["samples"] = tuple((str(part), int(index)) for part, index in found["samples"] or ())
    found["switched_off"] = {
        layer: frozenset(map(int, channels)) for layer, channels in (found["switched_off"] or {}).items()
    }
    found["boosted"] = {
        layer: {int(channel): float(gain) for channel, gain in gains.items()}
        for layer, gains in (found["boosted"] or {}).items()
    }
    return found


def _picture(archive: zipfile.ZipFile, number: int, about: Mapping[str, Any]) -> Picture:
    kind: OriginKind = about["kind"] if about["kind"] in get_args(OriginKind) else "file"
    path = Path(about["path"]) if about.get("path") else None
    origin = Origin(kind, str(about["name"]), path, about.get("index"), about.get("part"), about.get("seconds"))
    sample = None
    if about.get("sample"):
        sample = _pixels(archive, f"pictures/{number}-sample.png")[:, :, : int(about["sample"])]
    pixels = _pixels(archive, f"pictures/{number}.png")
    return Picture(pixels, origin, about.get("label"), sample=sample, note=str(about.get("note", "")))


def _pixels(archive: zipfile.ZipFile, name: str) -> npt.NDArray[np.uint8]:
    from guiapp.core.decode import decode

    return decode(archive.read(name), name).pixels


def _digest(archive: zipfile.ZipFile) -> str:
    """Eight digits that tell one content from another."""
    import hashlib

    told = [(info.filename, info.CRC, info.file_size) for info in archive.infolist()]
    return hashlib.sha256(repr(sorted(told)).encode()).hexdigest()[:8]


def _safe(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name).strip(".-")[:80] or "study"
