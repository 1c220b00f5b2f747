"""Chapter 3: from one layer of neurons to a hidden layer."""

from guiapp.catalogue.entry import Experiment

EXPERIMENTS = (
    Experiment(
        id="multiperceptron",
        chapter="neurons",
        title="Multiperceptron",
        systems=("multiperceptron",),
        model="multiperceptron",
        dataset="digits",
        summary="One weight image a class forms while it trains; tanh before the soft-max caps the probability at 0.45",
        recipe={"optimiser.name": "momentum", "optimiser.lr": 0.05, "epochs": 20},
        by_dataset={
            "mnist": {"optimiser.lr": 0.02, "batch": 128},
            "fashion-mnist": {"optimiser.lr": 0.02, "batch": 128},
        },
        panels=("linear", "activations", "filters", "training"),
        layer="fc",
    ),
    Experiment(
        id="mlp",
        chapter="neurons",
        title="MLP, 64 hidden units",
        systems=("mlp",),
        model="mlp",
        dataset="digits",
        summary="Multi-layer perceptron: first-layer images and the second layer as 8x8 images, moving while it learns",
        recipe={"optimiser.name": "momentum", "optimiser.lr": 0.05, "epochs": 30},
        by_dataset={
            "mnist": {"optimiser.lr": 0.05, "optimiser.weight_decay": 1e-4, "batch": 64, "epochs": 30},
            "fashion-mnist": {"optimiser.lr": 0.05, "optimiser.weight_decay": 1e-4, "batch": 64, "epochs": 30},
        },
        panels=("activations", "model", "filters", "training"),
        layer="fc1",
    ),
    Experiment(
        id="input-optimisation",
        chapter="neurons",
        title="A 4 made a 9",
        systems=("input-optimisation",),
        model="mlp",
        dataset="mnist",
        summary="The network stands still and the picture learns: what has to change until another class wins",
        recipe={"optimiser.name": "momentum", "optimiser.lr": 0.05, "epochs": 30},
        panels=("training", "filters", "attack"),
        layer="fc1",
        weights="mlp-mnist.safetensors",
        begin={"class": 4, "attack.method": "distance", "attack.class_index": 9},
    ),
)
