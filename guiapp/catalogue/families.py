"""The families of the course as small networks on pictures of 32x32 pixels, under one recipe."""

from collections.abc import Mapping
from typing import Any

from guiapp.catalogue.entry import Experiment

_RECIPE: Mapping[str, Any] = {
    "optimiser.name": "momentum",
    "optimiser.lr": 0.05,
    "optimiser.weight_decay": 5e-4,
    "schedule.name": "cosine",
    "batch": 64,
    "epochs": 30,
}
_LOWER: Mapping[str, Any] = {**_RECIPE, "optimiser.lr": 0.01}
"""Networks without batch normalisation take a smaller rate."""
_LAYERS = "conv1,conv3,conv5,separable3,max3,mean3,skip"


def _entry(
    id: str,
    row: str,
    title: str,
    summary: str,
    layer: str,
    model: str = "",
    recipe: Mapping[str, Any] = _RECIPE,
    panels: tuple[str, ...] = ("model", "activations", "training"),
    **options: Any,
) -> Experiment:
    return Experiment(
        id=id,
        chapter="architectures",
        title=title,
        systems=(row,),
        model=model or id,
        dataset="cifar10",
        summary=summary,
        recipe=recipe,
        model_options=options,
        panels=panels,
        layer=layer,
    )


EXPERIMENTS = (
    _entry(
        "nin",
        "network-in-network",
        "Network in network",
        "1x1 convolutions and the mean of a map a class; the same weights then give a class for every place",
        "classes",
        recipe=_LOWER,
        panels=("model", "places", "training"),
    ),
    _entry(
        "small-alexnet",
        "alexnet",
        "Small AlexNet",
        "Large kernel, large step, overlapping pooling, dropout: AlexNet's order of layers on 32x32 pixels",
        "conv1",
        recipe=_LOWER,
        panels=("model", "filters", "training"),
    ),
    _entry(
        "small-zfnet",
        "zfnet",
        "Small ZFNet",
        "The small AlexNet with a closer first look, 3x3 and step 1 instead of 7x7 and 2: compare filters and runs",
        "conv1",
        model="small-alexnet",
        recipe=_LOWER,
        panels=("model", "filters", "training"),
        look="zfnet",
    ),
    _entry(
        "small-vgg",
        "vgg",
        "Small VGG",
        "Nothing but 3x3 convolutions: two of them see 5x5 pixels with fewer weights",
        "conv1_1",
        recipe=_LOWER,
    ),
    _entry(
        "small-googlenet",
        "googlenet",
        "Small GoogLeNet",
        "Inception modules: four branches, 1x1 before what is dear, joined channel by channel",
        "inception_a",
    ),
    _entry(
        "small-resnext",
        "resnext",
        "Small ResNeXt",
        "Cardinality: eight small bottlenecks beside each other for the price of a wide one",
        "layer1",
        panels=("groups", "model", "training"),
    ),
    _entry(
        "small-densenet",
        "densenet",
        "Small DenseNet",
        "Every layer of a block is given the maps of all layers before it",
        "features.block1",
        panels=("connections", "model", "training"),
    ),
    Experiment(
        id="locally-connected",
        chapter="architectures",
        title="Full, local, shared connections",
        systems=("locally-connected",),
        model="connections",
        dataset="digits",
        summary="The same hidden units on the same task: parameters and gap of three ways to connect them",
        recipe={"optimiser.lr": 0.02, "augmentation": "none", "epochs": 30, "keep": "last"},
        by_dataset={"mnist": {"epochs": 5}, "fashion-mnist": {"epochs": 40}, "cifar10": {"optimiser.lr": 0.005}},
        panels=("model", "filters", "runs", "training"),
        layer="hidden",
    ),
    Experiment(
        id="architecture-search",
        chapter="architectures",
        title="Search over layers",
        systems=("architecture-search",),
        model="layer-choices",
        dataset="digits",
        summary="Seven kinds of layer in four places: a search with successive halving finds what reads best",
        recipe={"optimiser.name": "adam", "optimiser.lr": 0.01, "augmentation": "none", "epochs": 12},
        by_dataset={"mnist": {"epochs": 4}, "cifar10": {"augmentation": "flip-crop", "epochs": 20}},
        panels=("model", "compare", "search"),
        layer="first",
        begin={
            "search.random": {f"model.{place}": _LAYERS for place in ("first", "second", "third", "fourth")},
            "search.trials": 9,
            "search.halving": 3,
        },
    ),
)
