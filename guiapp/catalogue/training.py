"""Chapter 4: training practice, one knob of the course an exhibit."""

from guiapp.catalogue.entry import Experiment

_GREY = {"augmentation.flip": 0.0, "augmentation.saturation": 0.0, "augmentation.hue": 0.0, "augmentation.pca": 0.0}

EXPERIMENTS = (
    Experiment(
        id="training-diagnosis",
        chapter="training",
        title="A run with faults",
        systems=("training-diagnosis",),
        model="mlp",
        dataset="digits",
        summary="Checks before a run, and what is wrong with it in words: a hundred digits, and units that saturate",
        recipe={
            "observe": "on",
            "observe.every": 10,
            "data.share": 0.1,
            "optimiser.lr": 0.3,
            "schedule.name": "constant",
            "augmentation": "none",
            "batch": 16,
            "epochs": 40,
        },
        panels=("training", "diagnosis"),
    ),
    Experiment(
        id="augmentation",
        chapter="training",
        title="Data augmentation",
        systems=("augmentation",),
        model="cifar-cnn",
        dataset="cifar10",
        summary="Flips, crops, colours, cutout and mixup on a small set of photographs; then let several views vote",
        recipe={
            "optimiser.lr": 0.02,
            "optimiser.weight_decay": 5e-4,
            "epochs": 40,
            "augmentation": "flip-crop",
            "augmentation.rotation": 10,
            "augmentation.scale": 0.1,
            "augmentation.brightness": 0.3,
            "augmentation.saturation": 0.3,
            "augmentation.cutout": 0.4,
            "augmentation.mixup": 0.2,
        },
        by_dataset={name: {"augmentation": "handwriting", **_GREY} for name in ("digits", "mnist")}
        | {"fashion-mnist": _GREY},
        panels=("training", "augmentation"),
    ),
)
