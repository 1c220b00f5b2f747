"""The depth experiment: plain against residual networks of 20 and 56 layers on pictures of 32x32 pixels."""

from guiapp.catalogue.entry import Experiment

_RECIPE = {
    "optimiser.name": "momentum",
    "optimiser.lr": 0.1,
    "optimiser.weight_decay": 1e-4,
    "schedule.name": "step",
    "schedule.every": 20,
    "batch": 128,
    "epochs": 50,
}
"""As section 4.2 of the paper: momentum 0.9, a rate of 0.1 divided by ten twice, weight decay of 1e-4, batches of 128.
5,000 pictures are a tenth of the paper's, and so are the epochs."""


def _entry(layers: int, residual: bool) -> Experiment:
    kind = "ResNet" if residual else "Plain network"
    other = "plain" if residual else "residual"
    return Experiment(
        id=f"{'resnet' if residual else 'plain'}{layers}",
        chapter="architectures",
        title=f"{kind}, {layers} layers",
        systems=("resnet",),
        model=f"resnet{layers}",
        dataset="cifar10",
        summary=f"The depth experiment: train it and its {other} twin, compare their training errors in Runs",
        recipe=_RECIPE,
        model_options={} if residual else {"residual": False},
        panels=("model", "diagnosis", "runs", "training"),
        layer="conv1",
        help="depth-experiment",
    )


EXPERIMENTS = tuple(_entry(layers, residual) for layers in (20, 56) for residual in (True, False))
