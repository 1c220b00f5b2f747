"""``guiapp screenshot``: the whole window, drawn after real training steps."""

from __future__ import annotations

import argparse
from pathlib import Path

from guiapp.cli import output
from guiapp.core.notices import SettingError, UserError


def run(options: argparse.Namespace) -> int:
    """Draw the window into a PNG."""
    from guiapp.catalogue import EXPERIMENTS

    experiment = EXPERIMENTS[options.experiment]
    check_folder(options.out)
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
            if options.set:
                driver.open(experiment.id, dict(options.set))
            driver.show_sample()
            if options.train_steps:
                progress.show(f"training {options.train_steps} steps")
                driver.train(options.train_steps)
            driver.settle()
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


def check_folder(file: Path) -> None:
    """Refuse a file whose folder is missing, before anything long is begun.

    Raises:
        SettingError: If there is no such folder, or the file is a folder.
    """
    if file.is_dir():
        raise SettingError(f"{file} is a folder: name a file in it")
    if not file.absolute().parent.is_dir():
        raise SettingError(f"there is no folder {file.absolute().parent} for {file.name}")
