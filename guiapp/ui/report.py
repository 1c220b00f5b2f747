"""A report of what is being looked at: picture, answer, views, settings and versions as one HTML file."""

from __future__ import annotations

import base64
import dataclasses
import datetime
import html
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from guiapp.core.files import write_atomic
from guiapp.core.notices import UserError
from guiapp.tasks.plain import as_dict
from guiapp.ui.pins import words_of
from guiapp.ui.widgets.painting import image_of

if TYPE_CHECKING:
    from guiapp.engine.job import Job
    from guiapp.engine.state import Inspected
    from guiapp.training.recipe import Recipe
    from guiapp.ui.main_window import MainWindow

_TOP = 10
_OF_THE_PANEL = ("aspect", "compare")  # how a panel wants its answer, which says nothing of what is seen


@dataclass(frozen=True)
class View:
    """One picture of the report.

    Attributes:
        title: Heading.
        text: What it shows.
        image: The picture.
        settings: What it was made with.
    """

    title: str
    text: str
    image: QImage
    settings: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What is written.

    Attributes:
        title: Of the page.
        time: When it was made.
        facts: Sections of names and values.
        answer: What the network said, a table with its heads first; or empty.
        views: Pictures: the one that was looked at first.
    """

    title: str
    time: datetime.datetime
    facts: Mapping[str, Mapping[str, Any]]
    answer: Sequence[Sequence[str]]
    views: Sequence[View]


def gather(window: MainWindow) -> Report:
    """What the window shows now: every panel in sight, and what was pinned."""
    bridge = window.bridge
    live = bridge.subject == "live"
    opened = bridge.engine.live.newest.inside if live else bridge.state.opened
    look = bridge.live_look if live else bridge.look
    facts: dict[str, dict[str, Any]] = {"Network": _network(window, opened, live)}
    if not live and bridge.state.opened is not None:
        state = bridge.state
        facts["Training"] = {
            "phase": state.phase, "step": f"{state.step:,}", "epoch": state.epoch,
            "run": state.run.name if state.run is not None else "none yet",
            **({"last epoch": _row(state.epoch_rows[-1])} if state.epoch_rows else {}),
        }  # fmt: skip
        facts["Recipe"] = _recipe(bridge.state.opened.recipe)
        if bridge.state.opened.settings:
            facts["Changed from the catalogue"] = dict(bridge.state.opened.settings)
    picture = look.picture if look is not None else window.workspace.picture
    views = []
    if picture is not None:
        origin = picture.origin
        where = {"name": origin.name, "kind": origin.kind, "size": f"{picture.size[0]} × {picture.size[1]} pixels"}
        if picture.label is not None and opened is not None and picture.label < len(opened.labels):
            where["true class"] = opened.labels[picture.label]
        views.append(View("Picture", origin.name, image_of(picture.pixels), where))
    for name, dock in window.docks.items():
        panel = window.built(name)
        if panel is not None and dock.entry.pins and not panel.visibleRegion().isEmpty():
            asked = panel.request()
            made = panel.told() or (_settings(asked.options) if asked is not None and asked.options else {})
            views.append(View(dock.entry.title, " · ".join(words_of(window)), panel.grab().toImage(), made))
    pinned = window.built("pinned")
    for pin in getattr(pinned, "pins", ()):
        views.append(View(f"{pin.title} (pinned)", f"{' · '.join(pin.lines)} · {pin.time:%H:%M:%S}", pin.image))
    answer = _answer(look.prediction) if look is not None and look.prediction is not None else []
    title = facts["Network"].get("name", "") or "Vision Explorer"
    return Report(title, datetime.datetime.now().replace(microsecond=0), facts, answer, views)


def to_html(report: Report) -> str:
    """The report as one page that needs nothing else: pictures are part of it, and it loads nothing."""
    out = [
        "<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
        f"<title>{_text(report.title)}</title>", f"<style>{_STYLE}</style></head><body>",
        f"<h1>{_text(report.title)}</h1>",
        f'<p class="faint">Vision Explorer, {report.time:%Y-%m-%d %H:%M:%S}</p>',
    ]  # fmt: skip
    if report.answer:
        heads, *rows = report.answer
        out.append("<h2>Answer</h2><table><tr>" + "".join(f"<th>{_text(head)}</th>" for head in heads) + "</tr>")
        out += ["<tr>" + "".join(f"<td>{_text(value)}</td>" for value in row) + "</tr>" for row in rows]
        out.append("</table>")
    for view in report.views:
        ratio = view.image.devicePixelRatio()
        wide = max(1, round(view.image.width() / ratio))
        small = ' class="pixels"' if wide < 100 else ""
        out.append(f"<h2>{_text(view.title)}</h2><figure>")
        out.append(
            f'<img{small} width="{max(wide, 224 if small else wide)}" alt="{_text(view.title)}" '
            f'src="data:image/png;base64,{base64.b64encode(png_of(view.image)).decode()}">'
        )
        out.append(f"<figcaption>{_text(view.text)}</figcaption></figure>")
        if view.settings:
            out.append(_table(view.settings))
    for heading, facts in report.facts.items():
        out.append(f"<h2>{_text(heading)}</h2>{_table(facts)}")
    return "\n".join([*out, "</body></html>", ""])


def ask_save(window: MainWindow) -> None:
    """Ask for a file name and write the report there."""
    name, _ = QFileDialog.getSaveFileName(window, "Save report", "report.html", "Web page (*.html)")
    if name:
        save(window, Path(name))


def save(window: MainWindow, path: Path) -> Job[Path]:
    """Write a report of what is shown now; what cannot be written is told."""
    path = path if path.suffix else path.with_suffix(".html")
    report, say = gather(window), window.context.notices.post

    def work() -> Generator[None, None, Path]:
        from guiapp.training.run_folder import versions

        yield  # what imports torch or packs pictures is no work for the window's thread
        whole = dataclasses.replace(report, facts={**report.facts, "Versions": versions()})
        try:
            write_atomic(path, to_html(whole))
        except OSError as error:
            raise UserError(f"the report cannot be written to {path}: {error.strerror or error}") from None
        return path

    job = window.engine.submit(
        work, on_error=lambda error: say("error", str(error), topic="report"), title="Saving the report"
    )
    window.bridge.call(job, lambda made: say("info", f"The report is in {made}.", topic="report"))
    return job


_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1b1e23; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.05rem; margin: 1.8rem 0 .4rem; }
.faint, figcaption { color: #5f6672; } figure { margin: 0; } img { max-width: 100%; height: auto; }
.pixels { image-rendering: pixelated; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
td, th { text-align: left; padding: .15rem 1.2rem .15rem 0; vertical-align: top; border-bottom: 1px solid #d0d5dc; }
"""


def _network(window: MainWindow, opened: Inspected | None, live: bool) -> dict[str, Any]:
    if opened is None:
        return {}
    found: dict[str, Any] = {}
    if live:
        newest = window.bridge.engine.live.newest
        found["name"] = newest.model.title if newest.model is not None else ""
        found["weights"] = f"{newest.weights} ({newest.note})" if newest.note else newest.weights
    elif window.bridge.state.opened is not None:
        record = window.bridge.state.opened
        found["name"] = record.experiment.title
        found["model"], found["data set"] = record.model.title, record.dataset.title
    found["parameters"] = f"{opened.parameters:,}"
    found["classes"] = len(opened.labels)
    channels, height, width = opened.preprocessing.size
    found["input"] = f"{channels} × {height} × {width}"
    found["mean, standard deviation"] = f"{_row(opened.preprocessing.mean)}; {_row(opened.preprocessing.std)}"
    found["device"] = opened.device
    found["looked at"] = ", ".join(words_of(window))
    return found


def _answer(prediction: Any) -> list[list[str]]:
    """What the network said as a table, its heads first."""
    found = as_dict(prediction, _TOP)
    if found.get("classes"):
        rows = [[one["label"], f"{one['score']:.4f}"] for one in found["classes"]]
        return [["class", "score"], *rows]
    if found.get("boxes"):
        heads = ["class", "score", "left", "top", "right", "bottom"]
        return [heads] + [
            [one["label"], f"{one['score']:.4f}", *(f"{edge:.1f}" for edge in one["box"])] for one in found["boxes"]
        ]
    if found.get("labels"):
        return [["class", "share of the picture"]] + [
            [name, f"{100 * share:.2f} %"] for name, share in found["labels"].items()
        ]
    return [["figure", "value"], *([name, _row(value)] for name, value in _flat(found).items())] if found else []


def _settings(options: Any) -> dict[str, Any]:
    """The options of a probe that say something; what it is handed by its panel (pictures, a map) is none."""
    data = {field.name: getattr(options, field.name) for field in dataclasses.fields(options)}
    return {
        name.replace("_", " "): value
        for name, value in data.items()
        if isinstance(value, (bool, int, float, str, tuple)) and value not in ("", ()) and name not in _OF_THE_PANEL
    }


def _recipe(recipe: Recipe) -> dict[str, Any]:
    """The settings of a recipe that have an effect, in words."""
    from guiapp.training.recipe_effect import idle
    from guiapp.ui.panels.recipe_words import label_of, title_of, value_text

    without, found = idle(recipe), dict[str, Any]()
    for dotted, value in _flat(dataclasses.asdict(recipe)).items():
        if dotted not in without and value not in (None, ""):
            group, _, name = dotted.rpartition(".")
            label = title_of(group) if name == "name" else f"{title_of(group)}: {label_of(dotted)}"
            found[label if group else label_of(dotted)] = value_text(value)
    return found


def _flat(data: Mapping[str, Any], above: str = "") -> dict[str, Any]:
    """Nested settings with dotted names."""
    found: dict[str, Any] = {}
    for name, value in data.items():
        if isinstance(value, Mapping):
            found.update(_flat(value, f"{above}{name}."))
        else:
            found[f"{above}{name}"] = value
    return found


def _row(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_row(one)}" for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_row(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(facts: Mapping[str, Any]) -> str:
    rows = (f"<tr><td>{_text(name)}</td><td>{_text(_row(value))}</td></tr>" for name, value in facts.items())
    return "<table>" + "".join(rows) + "</table>"


def _text(value: Any) -> str:
    return html.escape(str(value), quote=True)


def png_of(image: QImage) -> bytes:
    """An image as a PNG file."""
    content = QByteArray()
    buffer = QBuffer(content)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    image.save(buffer, "PNG")
    buffer.close()
    return bytes(content.data())
