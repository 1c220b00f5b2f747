"""The families of the course as networks for pictures of 32x32 pixels, small enough to be trained on a laptop."""

from __future__ import annotations

from guiapp.core.registry import Lazy
from guiapp.models.base import ModelEntry

_HERE = "guiapp.models"

_LAYERS = ("conv1", "conv3", "conv5", "separable3", "max3", "mean3", "skip")  # models/layer_choices.py loads torch

ENTRIES: tuple[ModelEntry, ...] = (
    ModelEntry(
        "nin",
        "Network in network",
        Lazy(f"{_HERE}.nin:NiN"),
        input_size=(32, 32),
        options={"filters": 48, "dropout": 0.2},
        source="Lin, Chen, Yan 2013, arXiv 1312.4400; T2",
        description="1x1 convolutions mix the maps at every place; the mean of a class's map is its score.",
    ),
    ModelEntry(
        "small-alexnet",
        "Small AlexNet",
        Lazy(f"{_HERE}.small_alexnet:SmallAlexNet"),
        input_size=(32, 32),
        options={"look": "alexnet", "dropout": 0.5},
        choices={"look": ("alexnet", "zfnet")},
        source="Krizhevsky et al. 2012; Zeiler, Fergus 2013; T0, T1",
        description="Five convolutions, overlapping pooling, dense layers with dropout; a first look of 7x7 or 3x3.",
    ),
    ModelEntry(
        "small-vgg",
        "Small VGG",
        Lazy(f"{_HERE}.small_vgg:SmallVGG"),
        input_size=(32, 32),
        options={"filters": 24, "layers": 2, "dropout": 0.3},
        source="Simonyan, Zisserman 2014, arXiv 1409.1556; T0, T1",
        description="Nothing but 3x3 convolutions in three blocks; twice as many maps after each pooling.",
    ),
    ModelEntry(
        "small-googlenet",
        "Small GoogLeNet",
        Lazy(f"{_HERE}.small_googlenet:SmallGoogLeNet"),
        input_size=(32, 32),
        options={"filters": 64},
        source="Szegedy et al. 2014, arXiv 1409.4842; T0, T1",
        description="Four Inception modules: 1x1, 3x3, 5x5 and pooling beside each other, joined channel by channel.",
    ),
    ModelEntry(
        "small-resnext",
        "Small ResNeXt",
        Lazy(f"{_HERE}.small_resnext:SmallResNeXt"),
        input_size=(32, 32),
        options={"groups": 8, "size": 4, "filters": 64},
        source="Xie et al. 2016, arXiv 1611.05431; T1, T3",
        description="Residual bottlenecks whose 3x3 works on eight groups of channels apart.",
    ),
    ModelEntry(
        "small-densenet",
        "Small DenseNet",
        Lazy(f"{_HERE}.small_densenet:SmallDenseNet"),
        input_size=(32, 32),
        options={"growth": 12, "layers": 5},
        source="Huang et al. 2016, arXiv 1608.06993; T3",
        description="Every layer of a block sees the maps of all before it and adds twelve.",
    ),
    ModelEntry(
        "connections",
        "Full, local and shared connections",
        Lazy(f"{_HERE}.connections:Connections"),
        options={"connection": "local", "filters": 8, "kernel": 5},
        choices={"connection": ("full", "local", "shared")},
        source="T4 7, convolutional neural networks",
        description="The same hidden units see the whole picture, a patch each, or a patch with shared weights.",
    ),
    ModelEntry(
        "layer-choices",
        "Four layers of your choice",
        Lazy(f"{_HERE}.layer_choices:LayerChoices"),
        options={"first": "conv3", "second": "conv3", "third": "conv3", "fourth": "conv3", "filters": 16},
        choices=dict.fromkeys(("first", "second", "third", "fourth"), _LAYERS),
        source="Zoph et al. 2018, arXiv 1707.07012; T0, T4",
        description="Each of four layers is a convolution of some size, a pooling or nothing: a small space to search.",
    ),
)
