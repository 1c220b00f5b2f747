"""``guiapp screenshot``: the whole window, drawn after real training steps, or with a published network at work."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.cli import output
from guiapp.core.notices import SettingError, UserError

if TYPE_CHECKING:
    from guiapp.catalogue.entry import Experiment
    from guiapp.drive import Driver


_PATIENCE_S = 60.0


def run(options: argparse.Namespace) -> int:
    """Draw the window into a PNG."""
    from guiapp.catalogue import EXPERIMENTS

    experiment = EXPERIMENTS[options.experiment]
    check_folder(options.out)
    source = _source(experiment, options) if experiment.live else None
    from guiapp import drive
    from guiapp.ui.layouts import LAYOUTS

    names = [layout.id for layout in LAYOUTS]
    if options.layout is not None and options.layout not in names:
        raise SettingError(f"--layout is one of {', '.join(names)}, not {options.layout!r}")
    drive.without_display()
    progress = output.Progress()
    with drive.apart():
        progress.show("opening the window")
        driver = drive.Driver(experiment.id, options.size, options.theme, options.layout)
        try:
            driver.window.raise_panels(experiment.panels)  # the first one of a session leaves what is in front
            if experiment.live:
                driver.look_at(source)
            else:
                _train(driver, experiment.id, options, progress)
            _await_panels(driver)
            picture = driver.picture()
            steps = driver.state.step
        finally:
            driver.close()
    progress.clear()
    if not picture.save(str(options.out)):
        raise UserError(f"{options.out} could not be written")
    if options.json:
        size = [picture.width(), picture.height()]
        output.give_json({"experiment": experiment.id, "steps": steps, "size": size, "out": options.out})
    else:
        output.give(str(options.out))
    return 0


def _await_panels(driver: Driver) -> None:
    """Let what the panels compute beside come to its end, within a minute."""
    until = time.monotonic() + _PATIENCE_S
    driver.rest(0.3)  # panels ask when they have been shown
    while driver.window.engine.jobs and time.monotonic() < until:
        driver.rest(0.1)
    driver.rest(0.3)


def _train(driver: Driver, experiment: str, options: argparse.Namespace, progress: output.Progress) -> None:
    """Open it with its settings, look at a sample, train the steps that are asked for."""
    if options.set:
        driver.open(experiment, dict(options.set))
    driver.show_sample()
    if options.train_steps:
        progress.show(f"training {options.train_steps} steps")
        driver.train(options.train_steps)
    driver.settle()


def _source(experiment: Experiment, options: argparse.Namespace) -> str | None:
    """What a published network is shown: ``--set source=…``, or None for the street that the program draws.

    Raises:
        SettingError: If something else is set, the source is no file that is there, or it is to be trained.
    """
    settings = dict(options.set)
    source: str | None = settings.pop("source", None)
    if settings:
        raise SettingError(
            f"{next(iter(settings))} is no setting of {experiment.id}: a published network takes source=PATH alone"
        )
    if options.train_steps:
        raise SettingError(f"{experiment.id} is a published network and is not trained here: leave --train-steps out")
    if source is not None and "://" not in source:
        path = Path(source).expanduser()
        if not path.is_file():
            raise SettingError(f"source={source}: there is no such picture or video")
        return str(path)
    return source


def check_folder(file: Path) -> None:
    """Refuse a file whose folder is missing, before anything long is begun.

    Raises:
        SettingError: If there is no such folder, or the file is a folder.
    """
    if file.is_dir():
        raise SettingError(f"{file} is a folder: name a file in it")
    if not file.absolute().parent.is_dir():
        raise SettingError(f"there is no folder {file.absolute().parent} for {file.name}")
