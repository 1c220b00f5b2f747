"""The table of the zoo against the metadata of the installed torchvision, field by field."""

import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from torchvision.models import get_model_builder, get_model_weights

from guiapp.catalogue.systems import SYSTEMS
from guiapp.core.registry import UnknownName, resolve
from guiapp.models.zoo import ZOO, find_model
from guiapp.models.zoo.labels import keypoint_names, labels

ROOT = Path(__file__).parents[3]
WEIGHTS = [
    pytest.param(entry, weights, id=f"{entry.name}-{weights.name}")
    for entry in ZOO.values()
    for weights in entry.weights
    if not (weights.shipped or entry.opener)
]
# What issue 3 asks for, by torchvision's names.
ASKED = """
alexnet vgg16 vgg19 googlenet inception_v3 resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d
resnext101_32x8d wide_resnet50_2 densenet121 densenet169 squeezenet1_1 mobilenet_v2 mobilenet_v3_large
mobilenet_v3_small shufflenet_v2_x1_0 efficientnet_b0 regnet_y_400mf convnext_tiny vit_b_16 swin_t
fasterrcnn_resnet50_fpn fasterrcnn_resnet50_fpn_v2 fasterrcnn_mobilenet_v3_large_320_fpn
fasterrcnn_mobilenet_v3_large_fpn retinanet_resnet50_fpn fcos_resnet50_fpn ssd300_vgg16 ssdlite320_mobilenet_v3_large
maskrcnn_resnet50_fpn keypointrcnn_resnet50_fpn fcn_resnet50 deeplabv3_resnet50 deeplabv3_mobilenet_v3_large
lraspp_mobilenet_v3_large r3d_18 mc3_18 r2plus1d_18 s3d mvit_v1_b mvit_v2_s raft_small raft_large
"""


@pytest.mark.parametrize(("entry", "weights"), WEIGHTS)
def test_every_field_is_torchvisions(entry, weights):
    members = get_model_weights(entry.name)
    member = members[weights.name]
    meta, transform, preset = member.meta, member.transforms(), weights.preset
    assert resolve(entry.build) is get_model_builder(entry.name)
    assert weights.enum == type(member).__name__
    assert weights.url == member.url
    assert weights.bytes / 2**20 == pytest.approx(meta["_file_size"], abs=0.0005)
    assert weights.parameters == meta["num_params"]
    assert weights.gflops == meta["_ops"]
    assert weights.smallest == tuple(meta["min_size"])
    assert weights.frames == meta.get("min_temporal_size", 1)
    assert labels(weights.labels) == tuple(name.strip("_") for name in meta.get("categories", ()))
    assert ("NC" in weights.licence) == ("SWAG" in meta.get("license", ""))
    if weights.measured_on:
        assert meta["_metrics"] == {weights.measured_on: dict(weights.metrics)}
    else:
        assert weights.metrics == {f"{on} {key}": v for on, own in meta["_metrics"].items() for key, v in own.items()}
    assert weights.trained_on
    assert weights.accuracy
    words = vars(transform)
    assert preset.resize == (tuple(words["resize_size"]) if "resize_size" in words else None)
    crop = tuple(words.get("crop_size", ()))
    assert preset.crop == ((crop * 2)[:2] if crop else None)
    if "mean" in words:
        assert (list(preset.mean), list(preset.std)) == (words["mean"], words["std"])
        assert preset.interpolation == words["interpolation"].value
        assert preset.antialias == words.get("antialias", False)


@pytest.mark.parametrize(
    "entry", [entry for entry in ZOO.values() if not (entry.best.shipped or entry.opener)], ids=lambda entry: entry.name
)
def test_the_recommended_weights_come_first_and_none_is_missing(entry):
    members = get_model_weights(entry.name)
    assert entry.best.name == members.DEFAULT.name
    names = {member.name for member in members} - {"IMAGENET1K_FEATURES"}  # has no classifier
    assert {weights.name for weights in entry.weights} == names
    assert entry.title
    assert entry.source
    assert set(entry.systems) <= {system for chapter in SYSTEMS.values() for system in chapter}


def test_all_that_is_asked_for_is_there():
    assert set(ASKED.split()) <= set(ZOO)
    tasks = {"classification", "detection", "instances", "keypoints", "segmentation", "clip", "flow"}
    assert {entry.task for entry in ZOO.values()} == tasks


def test_the_generator_prints_the_table():
    text = runpy.run_path(str(ROOT / "tools" / "zoo_table.py"))["text"]()
    assert text == (ROOT / "guiapp" / "models" / "zoo" / "table.json").read_text(encoding="utf-8")


def test_figures_a_person_reads():
    resnet = ZOO["resnet50"]
    assert resnet.best.accuracy == "80.9 % top-1"
    assert resnet.best.file == "resnet50-11ad3fa6.pth"
    assert resnet.best.sha256 == "11ad3fa6"
    assert resnet.best.input_size == (224, 224)
    assert resnet.parameters == 25_557_032
    assert ZOO["shufflenet_v2_x0_5"].best.sha256 == "f707e7126e"  # a longer one, and a dot in the name
    assert ZOO["raft_large"].best.accuracy == "1.82 px Sintel-Test-Cleanpass"
    assert ZOO["fcn_resnet50"].best.input_size is None


def test_labels():
    assert [len(labels(key)) for key in ("imagenet", "coco", "coco-person", "voc", "kinetics", "")] == [
        1000,
        91,
        2,
        21,
        400,
        0,
    ]
    assert labels("imagenet")[388] == "giant panda"
    assert labels("coco")[18] == "dog"
    assert labels("voc")[15] == "person"
    assert keypoint_names()[0] == "nose"
    assert len(keypoint_names()) == 17


def test_short_names():
    assert find_model("resnet50").name == "resnet50"
    assert find_model("ssdlite320").name == "ssdlite320_mobilenet_v3_large"
    assert find_model("maskrcnn").name == "maskrcnn_resnet50_fpn"  # of the two, what the other is a version of
    assert find_model("ViT-B-16").name == "vit_b_16"
    with pytest.raises(UnknownName, match="raft_small, raft_large"):
        find_model("raft")
    with pytest.raises(UnknownName, match="did you mean resnet50"):
        find_model("resnet5")
    with pytest.raises(UnknownName):
        find_model("")


def test_the_table_loads_without_torch():
    code = "import sys, guiapp.models.zoo.open, guiapp.models.zoo.weights; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT, timeout=60)
