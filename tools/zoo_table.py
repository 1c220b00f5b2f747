"""Print the table of the model zoo, ``guiapp/models/zoo/table.json``, from the installed torchvision's own metadata.

    python tools/zoo_table.py > guiapp/models/zoo/table.json

Run it from the root of the repository after torchvision has published other weights; a test says when that is so.
"""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any

from torchvision.models import get_model_builder, get_model_weights

# By its path: importing the package reads the table, which is empty while this fills it.
FAMILIES = runpy.run_path(str(Path(__file__).parents[1] / "guiapp/models/zoo/families.py"))["FAMILIES"]

KINDS = {
    "ImageClassification": "classification",
    "ObjectDetection": "detection",
    "SemanticSegmentation": "segmentation",
    "VideoClassification": "clip",
    "OpticalFlow": "flow",
}
# By the beginning of the weights' name, longest first. Terms are those of the data sets' own pages.
TRAINED_ON = {
    "IMAGENET1K_SWAG": "Instagram pictures by hashtag, then ImageNet-1K (non-commercial research)",
    "IMAGENET1K": "ImageNet-1K (non-commercial research)",
    "COCO_WITH_VOC_LABELS": "COCO 2017, the 20 classes of VOC (annotations CC BY 4.0, pictures under Flickr's terms)",
    "COCO": "COCO 2017 (annotations CC BY 4.0, pictures under Flickr's terms)",
    "KINETICS400": "Kinetics-400 (annotations CC BY 4.0, videos under YouTube's terms)",
    "C_T_SKHT_K": "FlyingChairs, FlyingThings3D, Sintel, KITTI, HD1K, then KITTI (non-commercial research)",
    "C_T_SKHT": "FlyingChairs, FlyingThings3D, Sintel, KITTI, HD1K (non-commercial research)",
    "C_T": "FlyingChairs, FlyingThings3D (non-commercial research)",
}
LICENCES = {
    None: "BSD-3-Clause",  # torchvision's own
    "https://github.com/facebookresearch/SWAG/blob/main/LICENSE": "CC BY-NC 4.0",
}
LABELS = {1000: "imagenet", 400: "kinetics", 91: "coco", 21: "voc", 2: "coco-person", 0: ""}
# Weights without a classifier: they start the training of SSD300 and cannot tell classes apart.
LEFT_OUT = {"VGG16_Weights.IMAGENET1K_FEATURES"}


def pair(value: Any) -> list[int] | None:
    """One or two numbers as two."""
    if value is None:
        return None
    numbers = [value] if isinstance(value, int) else list(value)
    return numbers * 2 if len(numbers) == 1 else numbers


def preset(weights: Any) -> dict[str, Any]:
    """The figures of a transform."""
    transform = weights.transforms()
    kind = KINDS[type(transform).__name__]
    given: dict[str, Any] = {"kind": kind}
    if kind == "flow":
        return given | {"mean": [0.5] * 3, "std": [0.5] * 3}  # written out in torchvision's forward pass
    if kind == "detection":
        return given  # the network resizes and normalises itself
    given["resize"] = list(transform.resize_size)
    given["crop"] = pair(getattr(transform, "crop_size", None))
    given["mean"], given["std"] = list(transform.mean), list(transform.std)
    given["interpolation"] = transform.interpolation.value
    given["antialias"] = bool(getattr(transform, "antialias", False))  # clips: written out as False there
    return given


def row(weights: Any) -> dict[str, Any]:
    """One set of weights."""
    meta = weights.meta
    metrics = meta["_metrics"]
    if len(metrics) == 1:
        measured_on, figures = next(iter(metrics.items()))
    else:
        measured_on, figures = "", {f"{on} {name}": value for on, own in metrics.items() for name, value in own.items()}
    trained_on = next(text for start, text in TRAINED_ON.items() if weights.name.startswith(start))
    return {
        "name": weights.name,
        "enum": type(weights).__name__,
        "url": weights.url,
        "bytes": round(meta["_file_size"] * 2**20),
        "parameters": meta["num_params"],
        "gflops": meta["_ops"],
        "licence": LICENCES[meta.get("license")],
        "trained_on": trained_on,
        "labels": LABELS[len(meta.get("categories", ()))],
        "metrics": figures,
        "measured_on": measured_on,
        "smallest": list(meta["min_size"]),
        "frames": meta.get("min_temporal_size", 1),
        "preset": preset(weights),
    }


def table() -> dict[str, Any]:
    """Every network of the families: its builder, and its weights with torchvision's choice first."""
    found = {}
    for family in FAMILIES:
        for name in family.members:
            members = get_model_weights(name)
            choice = members.DEFAULT
            ordered = [choice, *(one for one in reversed(list(members)) if one is not choice)]
            builder = get_model_builder(name)
            module = builder.__module__.rsplit(".", 1)[0]  # the package that exports it
            found[name] = {
                "build": f"{module}:{name}",
                "weights": [row(one) for one in ordered if str(one) not in LEFT_OUT],
            }
    return found


def text() -> str:
    """The table with a line for each set of weights."""
    models = []
    for name, model in table().items():
        lines = ",\n   ".join(json.dumps(one, ensure_ascii=False) for one in model["weights"])
        models.append(f' "{name}": {{"build": "{model["build"]}", "weights": [\n   {lines}]}}')
    return "{\n" + ",\n".join(models) + "\n}\n"


if __name__ == "__main__":
    sys.stdout.write(text())
