"""Chapter 9: vectors that tell what is alike, and distances between them."""

from guiapp.catalogue.entry import Experiment

EXPERIMENTS = (
    Experiment(
        id="metrics-of-distance",
        chapter="recognition",
        title="Three distances compared",
        systems=("metrics-of-distance",),
        model="lenet5",
        dataset="mnist",
        summary="Euclidean, cosine and Mahalanobis neighbours of your own digit, and how often each is right",
        recipe={"optimiser.lr": 0.05, "optimiser.weight_decay": 5e-4, "epochs": 15},
        by_dataset={"digits": {"optimiser.lr": 0.06, "optimiser.weight_decay": 0.0, "epochs": 40}},
        panels=("training", "activations", "embedding"),
        layer="fc1",
        weights="lenet5-mnist.safetensors",
    ),
)
