"""Chapter 6: what a network has learnt, layer by layer."""

from guiapp.catalogue.entry import Experiment

EXPERIMENTS = (
    Experiment(
        id="filters",
        help="filters-of-every-layer",
        chapter="seeing-inside",
        title="Filters of every layer",
        systems=("filters",),
        model="lenet5",
        dataset="digits",
        summary="Every layer's weights as images, from first-layer edges to whole templates, live while it trains",
        recipe={"optimiser.lr": 0.06, "epochs": 40},
        by_dataset={"mnist": {"optimiser.lr": 0.05, "optimiser.weight_decay": 5e-4, "epochs": 15}},
        panels=("training", "activations", "filters"),
        layer="conv2",
    ),
    Experiment(
        id="activation-maps",
        chapter="seeing-inside",
        title="Activation maps of every layer",
        systems=("activation-maps",),
        model="lenet5",
        dataset="mnist",
        summary="What each map answers to your drawing; enlarge one, overlay it, switch it off and see what changes",
        recipe={"optimiser.lr": 0.05, "optimiser.weight_decay": 5e-4, "epochs": 15},
        by_dataset={"digits": {"optimiser.lr": 0.06, "optimiser.weight_decay": 0.0, "epochs": 40}},
        panels=("training", "filters", "activations"),
        layer="tanh1",
        weights="lenet5-mnist.safetensors",
    ),
)
