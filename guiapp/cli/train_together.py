"""``torchrun … -m guiapp train``: the same training in several processes, of which the first writes and speaks."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from guiapp.cli.interrupt import PATIENCE, Interrupt

if TYPE_CHECKING:
    from guiapp.catalogue.entry import Experiment
    from guiapp.training.ranks import Place, Ranks


def run_together(options: argparse.Namespace, experiment: Experiment, settings: dict[str, Any], place: Place) -> int:
    """Train as one of the processes that torchrun has started; exit codes as for one process."""
    from guiapp.training.ranks import Ranks

    ranks = Ranks(place, str(settings.get("device", "auto")))
    try:
        return _lead(options, experiment, settings, ranks) if ranks.writes else _help(ranks)
    finally:
        ranks.leave()


def _lead(options: argparse.Namespace, experiment: Experiment, settings: dict[str, Any], ranks: Ranks) -> int:
    from guiapp.cli.train import lead

    try:
        return lead(options, experiment, settings, ranks)
    except Exception as error:
        if not ranks.joined:  # the others still wait to hear what is trained
            ranks.tell(error=str(error) or type(error).__name__)
        raise


def _help(ranks: Ranks) -> int:
    """Train beside the first process; what that one says is not said again."""
    from guiapp.training.helper import Helper
    from guiapp.training.ranks import RankLost, Told
    from guiapp.training.setup import from_info

    try:
        helper = Helper(from_info(ranks.tell()), ranks)
        with Interrupt(PATIENCE) as interrupt:
            wish = ranks.follow_wish(interrupt)
            for _ in helper.events():
                if wish.asked:
                    return 1
    except (Told, RankLost):  # the first process says it
        return 1
    return 0
