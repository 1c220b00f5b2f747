"""Studies: what is being looked at saved as one file, and such a file opened as it was."""

from __future__ import annotations

import datetime
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QByteArray, QObject
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog

from guiapp.catalogue import EXPERIMENTS
from guiapp.core.history import Moment
from guiapp.core.notices import Notice, UserError
from guiapp.engine.study_file import SUFFIX, Pinned, StudyFile, read, write
from guiapp.ui import layouts, session
from guiapp.ui.commands import Command
from guiapp.ui.contact_sheet import contact_sheet
from guiapp.ui.pins import Pin
from guiapp.ui.report import png_of
from guiapp.ui.status_bar import size

if TYPE_CHECKING:
    from guiapp.engine.job import Job, Step
    from guiapp.engine.live_records import LiveState
    from guiapp.ui.main_window import MainWindow

_TOPIC = "study"
_MOST_SAMPLES = 300  # of which a study holds the pictures


class Studies(QObject):
    """Saves and opens studies on the work lane; of several that are opened, the last one counts.

    Args:
        window: The window whose study it is.
    """

    def __init__(self, window: MainWindow) -> None:
        super().__init__(window)
        self._window = window
        self._newest = 0
        self._coming: tuple[StudyFile, Moment, str] | None = None
        window.bridge.notice.connect(self._show_what_is_there)
        add = window.commands.add
        add(Command(
            "file.open-study", "Open study…", self.ask_open,
            "Open a study as it was: network, curves, pictures, selection and panels", "", "open", menu="File",
        ))  # fmt: skip
        add(Command(
            "file.save-study", "Save study…", self.ask_save,
            "Network, curves, pictures, selection, pinned views and panels as one file, to be handed out", "Ctrl+S",
            "save", menu="File",
        ))  # fmt: skip

    # ------------------------------------------------------------------ saving

    def ask_save(self) -> None:
        """Ask for a file name and save."""
        name, _ = QFileDialog.getSaveFileName(self._window, "Save study", f"study{SUFFIX}", f"Study (*{SUFFIX})")
        if name:
            self.save(Path(name))

    def save(self, path: Path) -> Job[Path]:
        """Save what is looked at now."""
        path = path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)
        engine, study, say = self._window.engine, self._gather(), self._window.context.notices.post
        opened = self._window.bridge.state.opened
        pinned = getattr(self._window.built("pinned"), "pins", ())

        def work() -> Generator[Step, None, Path]:
            from guiapp.training.run_folder import versions

            yield 0.0, "writing a checkpoint"
            run = engine.keep_run() if study.experiment and study.run is None else study.run
            pins, group, names = [_kept(pin) for pin in pinned], [], []
            for part, index in study.selection["samples"][:_MOST_SAMPLES] if opened is not None else ():
                group.append(opened.dataset.picture(part, index))
                label = group[-1].label
                names.append(opened.labels[label] if label is not None and label < len(opened.labels) else "")
                yield 0.0, "reading the chosen samples"
            whole = replace(study, run=run, versions=versions(), pins=pins, samples=group, sample_names=names)
            return (yield from write(path, whole))

        def told(made: Path) -> None:
            say("info", f"The study is in {made} ({size(made.stat().st_size)}).", topic=_TOPIC)

        job = engine.submit(work, on_error=self._failed, title="Saving the study")
        self._window.bridge.call(job, told)
        return job

    def _gather(self) -> StudyFile:
        window = self._window
        bridge, moment = window.bridge, window.looked_at.now()
        opened = bridge.state.opened
        newest = bridge.engine.live.newest
        network, run = _live_network(newest)
        if run is not None and moment.subject == "experiment" and opened is not None:
            network, run = {}, None  # one run a study: the one that is looked at
        values = dict(moment.values)
        if moment.subject == "live":
            look, feed = bridge.live_look, window.panel("live").feed
            values["picture"] = look.picture if look is not None else feed.peek()
        return StudyFile(
            opened.experiment.title if opened is not None else "study", moment.subject,
            opened.experiment.id if opened is not None else "", opened.settings if opened is not None else {}, run,
            network, values, window.layout_id, bytes(window.saveState(session.VERSION).toBase64().data()).decode(),
            dataset=moment.dataset,
        )  # fmt: skip

    # ------------------------------------------------------------------ opening

    def ask_open(self) -> None:
        """Ask for a study and open it."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open study", "", f"Studies (*{SUFFIX});;All files (*)")
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> Job[StudyFile]:
        """Unpack a study and show what it shows."""
        self._newest += 1
        mine = self._newest
        job = self._window.engine.submit(partial(_opened, path), on_error=self._failed, title=f"Opening {path.name}")
        self._window.bridge.call(job, lambda study: self._show(study, path) if mine == self._newest else None)
        return job

    def _show(self, study: StudyFile, path: Path) -> None:
        window, engine = self._window, self._window.engine
        window.context.notices.settle(_TOPIC)
        if study.experiment and study.experiment not in EXPERIMENTS:
            text = f"{path.name} is of the exhibit {study.experiment}, which this version does not know: update it."
            window.context.notices.post("error", text, topic=_TOPIC)
            return
        live = study.subject == "live" and bool(study.network)
        name = str(study.network.get("name")) if live else study.experiment
        moment = Moment(study.subject, name, study.selection, study.dataset)
        if study.layout in [layout.id for layout in layouts.LAYOUTS]:
            window.use_layout(study.layout)
        docks = QByteArray.fromBase64(study.docks.encode())
        if not docks.isEmpty():
            window.restoreState(docks, session.VERSION)
        window.looked_at.expect(moment)
        if live:
            panel, file = window.panel("live"), study.network.get("file")
            panel.models.choose(moment.network)
            panel.models.wanted.emit(moment.network, file or str(study.network.get("weights")))
            picture = study.selection.get("picture")
            if picture is not None:
                panel.show_picture(picture)
        elif study.run is not None:
            engine.open_run(study.run)
        elif study.experiment:
            engine.open_experiment(study.experiment, dict(study.settings))
        self._coming = (study, moment, path.name)
        pinned = window.panel("pinned")
        pinned.clear()
        for pin in study.pins:
            pinned.add(_pin(pin, window, study.dataset))
        window.context.notices.post("info", f"{path.name} is open.", topic=_TOPIC)

    def _show_what_is_there(self, notice: Notice) -> None:
        """Show picture and pinned views of a study whose network cannot be opened, as where its data set is missing.

        Likewise the samples that were chosen together, where another data set is open.
        """
        if notice.topic == "history" and self._coming is not None and self._coming[0].dataset in notice.text:
            self._show_group(self._coming[0], self._coming[1])
        if notice.level != "error" or notice.topic == _TOPIC or self._coming is None:
            return
        (study, moment, name), self._coming = self._coming, None
        window = self._window
        if not window.looked_at.waits_for(moment):
            return
        window.looked_at.give_up(moment)
        shown = []
        picture = study.selection.get("picture")
        if picture is not None:
            window.workspace.picture = picture
            shown.append("its picture")
        if self._show_group(study, moment):
            shown.append("its chosen samples")
        if study.pins:
            window.show_panel("pinned")
            shown.append("its pinned view" if len(study.pins) == 1 else f"its {len(study.pins)} pinned views")
        there = f" Shown without it: {', '.join(shown[:-1])}{' and ' * (len(shown) > 1)}{shown[-1]}." if shown else ""
        text = f"The network of {name} cannot be opened: {notice.text.rstrip('.')}.{there}"
        window.context.notices.post("error", text, notice.details, topic=_TOPIC)

    def _show_group(self, study: StudyFile, moment: Moment) -> bool:
        """Pin the pictures of the samples that were chosen together, once; whether there are any."""
        if not study.samples:
            return False
        count = len(study.selection["samples"])
        title = f"{count} samples chosen together" if count > 1 else "1 chosen sample"
        pinned = self._window.show_panel("pinned")
        if title in [pin.title for pin in pinned.pins]:
            return True
        words = (study.title, study.dataset)
        again = partial(self._window.looked_at.show, moment)
        now = datetime.datetime.now().replace(microsecond=0)
        pinned.add(Pin(title, words, contact_sheet(study.samples, study.sample_names), moment, again, now))
        return True

    def _failed(self, error: BaseException) -> None:
        text = str(error) if isinstance(error, UserError) else f"the study failed: {error}"
        self._window.context.notices.post("error", text, topic=_TOPIC)


def _live_network(newest: LiveState) -> tuple[dict[str, Any], Path | None]:
    """What is written of the network of the live room, and the folder of its run where it was trained here."""
    from guiapp.engine.open_trained import OPEN

    if newest.phase != "ready" or newest.model is None or newest.model.name == OPEN:
        return {}, None
    path, shipped = newest.path, newest.model.best.shipped
    if path is not None and path.is_dir():
        return {"name": newest.model.name, "weights": "best", "run": True}, path
    own = path if path is not None and path.is_file() and not shipped else None
    return {"name": newest.model.name, "weights": newest.weights, "file": own}, None


def _opened(path: Path) -> Generator[Step, None, StudyFile]:
    """A study whose network has the name that it has on this machine."""
    from guiapp.engine.open_any import find_any
    from guiapp.models.zoo import ZOO

    study = yield from read(path)
    network = dict(study.network)
    if network.get("run") and study.run is not None:
        network["name"] = str(study.run)
    elif network and network.get("file") is not None and network["name"] not in ZOO:
        network |= {"name": find_any(str(network["file"])).name, "weights": "best", "file": None}
    return replace(study, network=network)


def _kept(pin: Pin) -> Pinned:
    moment = pin.moment
    return Pinned(
        pin.title, pin.lines, pin.time.isoformat(), png_of(pin.image), moment.subject, moment.network, moment.values
    )


def _pin(kept: Pinned, window: MainWindow, dataset: str) -> Pin:
    moment = Moment(kept.subject, kept.network, kept.values, dataset)
    image = QImage.fromData(kept.png, "PNG")
    try:
        time = datetime.datetime.fromisoformat(kept.time)
    except ValueError:
        time = datetime.datetime.min
    return Pin(kept.title, kept.lines, image, moment, partial(window.looked_at.show, moment), time)
