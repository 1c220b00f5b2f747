"""``--views`` of ``predict`` and ``evaluate``: a network that was trained here sees several views and they vote."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from guiapp.core.notices import SettingError

if TYPE_CHECKING:
    from guiapp.cli.subject import Subject

VIEWS = ("flip", "crops", "ten", "draws")
RULES = ("majority", "mean")


def add_votes(parser: argparse.ArgumentParser) -> None:
    """Add the options to a command."""
    help = (
        "let views of each picture vote: flip (it and its mirror image), crops (middle and corners), ten (both), "
        "draws (of the run's own augmentation)"
    )
    parser.add_argument("--views", choices=VIEWS, help=help)
    help = "how views are put together: most votes, or the mean of the probabilities (majority)"
    parser.add_argument("--rule", choices=RULES, help=help)
    parser.add_argument("--draws", type=int, metavar="N", help="number of random views, for --views draws (8)")


def let_vote(subject: Subject, options: argparse.Namespace) -> dict[str, Any]:
    """Put the network behind a vote where the arguments ask for one; returns what ``--json`` says of it.

    Raises:
        SettingError: If the options do not fit one another or the network.
    """
    if options.views is None:
        for name in ("rule", "draws"):
            if getattr(options, name) is not None:
                raise SettingError(f"--{name} is about views that vote: add --views")
        return {}
    if options.draws is not None and (options.views != "draws" or not 1 <= options.draws <= 1000):
        raise SettingError("--draws is a number of 1 to 1000, and goes with --views draws")
    if subject.task_name != "classification":
        raise SettingError(
            f"--views needs a network that tells classes apart: {subject.name} is for {subject.task_name}"
        )
    from guiapp.training.voting import Rule, Voting, views_of

    rule: Rule = options.rule or "majority"
    augmentation = subject.recipe.augmentation if subject.recipe is not None else None
    views = views_of(options.views, subject.preprocessing, augmentation, options.draws or 8)
    subject.model = Voting(subject.model, views, rule).eval()
    return {"voting": {"views": options.views, "count": len(views), "rule": rule}}
