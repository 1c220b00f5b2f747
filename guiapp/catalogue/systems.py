"""The rows of the systems table: every system of the course texts, by chapter, and what shows it."""

from guiapp.catalogue import EXPERIMENTS

SYSTEMS: dict[str, tuple[str, ...]] = {
    "image-structure": (
        "convolution",
        "noise-filtering",
        "pyramids",
        "edges",
        "hough",
        "corners-and-blobs",
        "texture",
        "colour-histogram",
        "hog",
        "bag-of-words",
        "vlad-and-fisher",
        "selective-search",
        "viola-jones",
        "depth-body-parts",
    ),
    "learning-basics": (
        "knn",
        "linear-classifier",
        "svm-hinge",
        "softmax-classifier",
        "evaluation",
        "model-selection",
        "adaboost",
        "random-forest",
    ),
    "neurons": (
        "feature-engineering",
        "mcculloch-pitts",
        "perceptron",
        "adaline",
        "single-neuron",
        "multiperceptron",
        "mlp",
        "input-optimisation",
        "backpropagation",
        "activation-functions",
        "neocognitron",
    ),
    "training": (
        "optimisers",
        "learning-rate-schedules",
        "weight-initialisation",
        "preprocessing",
        "normalisation",
        "regularisation",
        "augmentation",
        "ensembles",
        "distillation",
        "transfer-learning",
        "training-diagnosis",
        "hyperparameter-search",
    ),
    "architectures": (
        "convolution-arithmetic",
        "architecture-tables",
        "lenet5",
        "simple-cnn",
        "cifar-cnn",
        "alexnet",
        "zfnet",
        "vgg",
        "googlenet",
        "resnet",
        "resnext",
        "densenet",
        "senet",
        "network-in-network",
        "locally-connected",
        "grouped-convolution",
        "vision-transformer",
        "architecture-search",
    ),
    "seeing-inside": (
        "filters",
        "activation-maps",
        "deconvnet",
        "top-patches",
        "activation-maximisation",
        "saliency",
        "grad-cam",
        "embedding-view",
        "adversarial",
    ),
    "detection": (
        "localisation",
        "sliding-window",
        "rcnn",
        "fast-rcnn",
        "faster-rcnn",
        "feature-pyramid",
        "yolo",
        "yolo-v3",
        "ssd",
        "retinanet",
        "centernet",
        "detection-evaluation",
    ),
    "dense": (
        "fcn",
        "segnet",
        "unet",
        "deeplab",
        "upsampling",
        "segmentation-evaluation",
        "mask-rcnn",
        "depth",
        "stereo",
        "optical-flow",
        "surface-normals",
        "beyond-2d",
    ),
    "recognition": (
        "siamese",
        "facenet",
        "deepface",
        "arcface",
        "face-recognition",
        "metrics-of-distance",
        "hypersphere-prototypes",
        "local-retrieval",
        "global-retrieval",
        "re-identification",
        "person-search",
        "semantic-search",
    ),
    "generative": (
        "autoencoder",
        "vae",
        "image-transformer",
        "non-local-means",
    ),
    "pose": (
        "pose-regression",
        "pose-heatmaps",
        "part-models",
        "convolutional-pose-machine",
        "stacked-hourglass",
        "keypoint-rcnn",
        "part-affinity-fields",
        "pose-3d",
    ),
    "sequences": (
        "two-stream",
        "conv-3d",
        "cnn-lstm",
        "rnn",
        "lstm-gru",
        "temporal-convolution",
        "language-model",
        "captioning",
        "visual-question-answering",
        "trajectory-forecasting",
        "transformer",
        "masked-language-model",
        "music-and-speech",
        "video-bias",
    ),
    "few-shot": (
        "multi-task",
        "maml",
        "matching-networks",
        "prototypical-networks",
        "self-supervised",
        "lifelong-learning",
    ),
}
"""Row ids by chapter id, in the order of the course."""


def chapter_of(system: str) -> str:
    """The chapter of a row.

    Raises:
        KeyError: If there is no such row.
    """
    for chapter, rows in SYSTEMS.items():
        if system in rows:
            return chapter
    raise KeyError(f"no row of the systems table is called {system!r}")


def coverage() -> dict[str, tuple[str, ...]]:
    """For every row, the experiments that show it; empty where none does yet."""
    return {
        row: tuple(e.id for e in EXPERIMENTS.values() if row in e.systems) for rows in SYSTEMS.values() for row in rows
    }
