"""The networks, one family a file; importing this registers them without loading torch."""

from guiapp.core.registry import Lazy
from guiapp.models.base import MODELS, ModelEntry, Preprocessing
from guiapp.models.small import ENTRIES as _SMALL

__all__ = ["MODELS", "ModelEntry", "Preprocessing"]


_ACTIVATIONS = ("tanh", "relu", "sigmoid")  # those of models/activation.py, which loads torch


def _add(entry: ModelEntry) -> None:
    MODELS.add(entry.name, entry)


_add(
    ModelEntry(
        name="linear",
        title="Linear classifier",
        build=Lazy("guiapp.models.linear:Linear"),
        source="T1 3, T4 5.2",
        description="One dense layer: each class has one template, its score is the dot product with the picture.",
    )
)
_add(
    ModelEntry(
        name="multiperceptron",
        title="Multiperceptron",
        build=Lazy("guiapp.models.linear:Multiperceptron"),
        source="T2, Activation Functions",
        description="One dense layer whose outputs pass through tanh before the soft-max.",
    )
)
_add(
    ModelEntry(
        name="mlp",
        title="Multi-layer perceptron",
        build=Lazy("guiapp.models.mlp:MLP"),
        options={"hidden": 64, "activation": "tanh"},
        choices={"activation": _ACTIVATIONS},
        source="T2, MNIST: Multi-layer Perceptron",
        description="One hidden layer learns the features that the output layer separates.",
        counts=Lazy("guiapp.models.counting:mlp"),
    )
)
_add(
    ModelEntry(
        name="deep-mlp",
        title="Deep perceptron",
        build=Lazy("guiapp.models.deep_mlp:DeepMLP"),
        options={"depth": 30, "units": 64, "activation": "relu"},
        choices={"activation": _ACTIVATIONS},
        source="T4 8.3; He et al. 2015, arXiv 1502.01852, figure 3",
        description="Thirty dense layers of one width: first weights decide whether anything comes through.",
    )
)
_add(
    ModelEntry(
        name="plane-net",
        title="Network with a plane inside",
        build=Lazy("guiapp.models.plane_net:PlaneNet"),
        options={"hidden": 64, "activation": "tanh"},
        choices={"activation": _ACTIVATIONS},
        source="Wen et al. 2016, figure 2; T0, embeddings",
        description="Its last layer but one has two units: what it has learnt is a plane.",
    )
)
_add(
    ModelEntry(
        name="simple-cnn",
        title="Simple CNN, 9 filters",
        build=Lazy("guiapp.models.simple_cnn:SimpleCNN"),
        input_size=(28, 28),
        options={"filters": 9, "kernel": 5, "pool": 2, "pooling": "max", "activation": "tanh"},
        choices={"pooling": ("max", "average"), "activation": _ACTIVATIONS},
        source="T2, CNN and CNN with Pooling",
        description="The perceptron's first layer replaced by nine 5x5 filters, then pooling and one dense layer.",
        counts=Lazy("guiapp.models.counting:simple_cnn"),
    )
)
_add(
    ModelEntry(
        name="simple-cnn-3",
        title="Simple CNN, 3 layers",
        build=Lazy("guiapp.models.simple_cnn:SimpleCNN3"),
        input_size=(32, 32),
        options={"kernel": 5, "pool": 2, "activation": "tanh"},
        choices={"activation": _ACTIVATIONS},
        source="T0, Simple CNN",
        description="Three layers of three KxK filters, each followed by pooling by M, and one dense layer.",
        counts=Lazy("guiapp.models.counting:simple_cnn_3"),
    )
)
_add(
    ModelEntry(
        name="lenet5",
        title="LeNet-5",
        build=Lazy("guiapp.models.lenet:LeNet5"),
        input_size=(32, 32),
        source="LeCun et al. 1998; T0, LeNet-5",
        description="Three 5x5 convolutions with tanh and average pooling between them, then two dense layers.",
    )
)
_add(
    ModelEntry(
        name="cifar-cnn",
        title="CIFAR-10 network",
        build=Lazy("guiapp.models.cifar_cnn:CifarCNN"),
        input_size=(32, 32),
        options={"hidden": 128, "dropout": 0.5},
        source="T2, Anatomy of a CNN",
        description="Convolutions with pooling find features, parts and structures; dropout before the classifier.",
    )
)
_add(
    ModelEntry(
        name="knn",
        title="k nearest neighbours",
        build=Lazy("guiapp.models.knn:KNN"),
        options={"k": 5, "metric": "L2"},
        choices={"metric": ("L1", "L2")},
        trained_by="memory",
        source="T1 2.1, T4 5.1",
        description="Remembers the training part; the nearest samples vote.",
    )
)
_add(
    ModelEntry(
        name="vit",
        title="Vision transformer",
        build=Lazy("guiapp.models.vision_transformer:VisionTransformer"),
        input_size=(32, 32),
        options={"patch": 4, "size": 64, "depth": 4, "heads": 4, "hidden": 128},
        source="Dosovitskiy et al. 2020, arXiv 2010.11929",
        description="Patches of 4x4 pixels as tokens; four blocks of attention decide what looks at what.",
    )
)
_add(
    ModelEntry(
        name="senet",
        title="Small SENet",
        build=Lazy("guiapp.models.senet:SENet"),
        input_size=(32, 32),
        options={"filters": 16, "reduction": 4},
        source="Hu et al. 2017, arXiv 1709.01507; T1, SENet",
        description="Six residual units, each with a weight for every channel that depends on the picture.",
    )
)
_UNITS = (  # those of models/cifar_resnet.py, which loads torch
    "original",
    "bn-after-addition",
    "relu-before-addition",
    "relu-only-pre-activation",
    "full-pre-activation",
)
for _depth, _parameters in ((20, "0.27"), (32, "0.46"), (44, "0.66"), (56, "0.85"), (110, "1.7")):
    _add(
        ModelEntry(
            name=f"resnet{_depth}",
            title=f"ResNet-{_depth} for 32x32",
            build=Lazy(f"guiapp.models.cifar_resnet:resnet{_depth}"),
            options={"unit": "original", "residual": True},
            choices={"unit": _UNITS},
            source="He, Zhang, Ren, Sun 2015, arXiv 1512.03385, section 4.2",
            description=f"Three stages of {(_depth - 2) // 6} residual units, {_parameters} million parameters.",
        )
    )
for _entry in _SMALL:
    _add(_entry)
