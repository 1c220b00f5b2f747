"""How a run ended: what is said of it, and the counted look at the test part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from guiapp.training.evaluation import finish
from guiapp.training.looks import add_look, counted

if TYPE_CHECKING:
    from guiapp.training.runner import Runner


def summary_of(runner: Runner) -> dict[str, Any]:
    """What was trained, how long, and the figures of training and validation that it came to."""
    last = runner.epochs[-1] if runner.epochs else {}
    kept = runner.kept
    return {
        "run": str(runner.folder.path),
        "experiment": runner.setup.experiment.id,
        "parameters": runner.parameters,
        "initial_loss": runner.initial_loss,
        "epochs": runner.trainer.epoch,
        "steps": runner.trainer.step,
        "train": last.get("train"),
        "validation": last.get("validation") if kept is None else {"loss": kept.loss, "accuracy": kept.accuracy},
        "seconds": runner.seconds,
        "device": str(runner.device),
    }


def look_at_test(runner: Runner) -> dict[str, Any]:
    """Figures of the test part with the weights chosen on validation; the look is counted in ``run.json``."""
    found = finish(runner.figures_of("test"))
    figures = {"loss": found.loss, "accuracy": found.accuracy, "interval": list(found.interval)}
    kept = runner.kept
    step = runner.trainer.step if kept is None else kept.step
    looks = add_look(runner.folder.path, "train", found.accuracy, step, runner.setup.dataset_name)
    return {"test": {**figures, "majority": found.majority}, "test_looks": counted(looks)}
