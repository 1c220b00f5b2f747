"""Chapter 2: classifiers that need no hidden layer."""

from guiapp.catalogue.entry import Experiment

EXPERIMENTS = (
    Experiment(
        id="linear-classifier",
        chapter="learning-basics",
        title="Linear classifier",
        systems=("linear-classifier",),
        model="linear",
        dataset="digits",
        summary="Scores Wx + b; each row of W is an image: the algebraic, visual and geometric view of one classifier",
        recipe={"optimiser.name": "sgd", "optimiser.lr": 0.05, "schedule.name": "constant", "epochs": 15},
        by_dataset={"mnist": {"optimiser.lr": 0.01}, "fashion-mnist": {"optimiser.lr": 0.01}},
        panels=("training", "filters", "linear"),
        layer="fc",
    ),
    Experiment(
        id="softmax-classifier",
        chapter="learning-basics",
        title="Soft-max classifier",
        systems=("softmax-classifier",),
        model="linear",
        dataset="digits",
        summary="Scores become probabilities; the first loss is log C; entropy, KL and cross-entropy of a prediction",
        recipe={"optimiser.name": "momentum", "optimiser.lr": 0.02, "epochs": 20},
        by_dataset={
            "mnist": {"optimiser.lr": 0.005, "batch": 128, "augmentation": "none"},
            "fashion-mnist": {"optimiser.lr": 0.005, "batch": 128, "augmentation": "none"},
        },
        panels=("filters", "training", "linear"),
        layer="fc",
    ),
    Experiment(
        id="knn",
        chapter="learning-basics",
        title="k nearest neighbours",
        systems=("knn",),
        model="knn",
        dataset="digits",
        summary="No training: the nearest samples vote, under L1 or L2 distance of the pixels",
        recipe={"augmentation": "none"},
        panels=("samples", "training"),
    ),
    Experiment(
        id="evaluation",
        chapter="learning-basics",
        title="Performance evaluation",
        systems=("evaluation",),
        model="linear",
        dataset="digits",
        summary="Confusion matrix, precision, recall, ROC, calibration, a threshold to move; every mistake a picture",
        recipe={"optimiser.name": "momentum", "optimiser.lr": 0.02, "epochs": 20},
        by_dataset={
            "mnist": {"optimiser.lr": 0.005, "batch": 128, "augmentation": "none"},
            "fashion-mnist": {"optimiser.lr": 0.005, "batch": 128, "augmentation": "none"},
        },
        panels=("samples", "training", "embedding", "evaluation"),
        layer="fc",
    ),
)
