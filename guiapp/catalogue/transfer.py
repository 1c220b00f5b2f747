"""Chapter Training practice: published networks on other pictures."""

from guiapp.catalogue.entry import Experiment

EXPERIMENTS = (
    Experiment(
        id="transfer-learning",
        chapter="training",
        title="Transfer learning: a new head",
        systems=("transfer-learning",),
        model="mobilenet_v2",
        dataset="att-faces",
        summary="MobileNet v2 stays frozen; its features tell 40 people apart after seconds of training",
        recipe={"transfer": "head", "optimiser.lr": 0.05, "epochs": 30, "batch": 32},
        panels=("samples", "training", "activations"),
    ),
    Experiment(
        id="fine-tuning",
        chapter="training",
        title="Fine-tuning layer by layer",
        systems=("transfer-learning",),
        model="mobilenet_v2",
        dataset="att-faces",
        summary="The head first, then deeper layers join one group after the other, each slower than the one above",
        recipe={
            "transfer": "gradual",
            "transfer.every": 2,
            "transfer.decay": 0.4,
            "optimiser.lr": 0.02,
            "epochs": 10,
            "batch": 32,
        },
        panels=("training", "filters", "activations"),
        help="transfer-learning",
    ),
    Experiment(
        id="teach",
        chapter="training",
        title="Teach on the spot",
        systems=("transfer-learning",),
        model="mobilenet_v2",
        dataset="digits",
        summary="Hold a button to collect pictures of a class; learned in a moment, tested live",
        recipe={"transfer": "head", "optimiser.lr": 0.05, "epochs": 5},
        panels=("training", "embedding", "teach"),
    ),
)
