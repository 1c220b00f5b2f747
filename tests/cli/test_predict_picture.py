"""``guiapp predict`` of one picture with published networks, against torchvision's own recipe."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.transforms.functional import pil_to_tensor

from guiapp.models.zoo.open import open_model

REAL = {
    "squeezenet1_1": "squeezenet1_1-caffe-fp16.pth",
    "mobilenet_v2": "mobilenet_v2-qnnpack-dequantised.pth",
}


def blobs(width, height, seed=0):
    """A smooth picture in colour, uint8 (height, width, 3)."""
    random = np.random.default_rng(seed)
    coarse = random.integers(0, 256, (height // 16 + 2, width // 16 + 2, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC))


def saved(path, pixels, **options):
    Image.fromarray(pixels).save(path, **options)
    return path


def tensor(path):
    """A picture file as torchvision's transforms take it."""
    with Image.open(path) as image:
        return pil_to_tensor(image.convert("RGB"))


def torchvision_classes(name, weight_file, picture):
    """Probabilities by torchvision's builder, transform and decoder alone."""
    from torchvision import models

    net = models.get_model(name, weights=None)
    net.load_state_dict(torch.load(weight_file, weights_only=True))
    transform = models.get_model_weights(name)["IMAGENET1K_V1"].transforms()
    with torch.inference_mode():
        return net.eval()(transform(tensor(picture))[None])[0].softmax(0).numpy()


@pytest.mark.parametrize("name", REAL)
@pytest.mark.parametrize("photo", ["dog1.jpg", "grace_hopper_517x606.jpg"])
def test_real_weights_give_what_torchvision_gives(name, photo, given_data, guiapp):
    weights = given_data / "weights" / REAL[name]
    if not weights.is_file():
        pytest.skip(f"no {weights}")
    with Image.open(given_data / "photos" / photo) as image:
        size = list(image.size)
    done = guiapp("predict", name, given_data / "photos" / photo, "--json", "--device", "cpu")
    assert done.code == 0, done.err
    assert (done.json["model"], done.json["task"], done.json["size"]) == (name, "classification", size)
    assert done.json["weights"] == str(weights)
    assert weights.name in done.err  # it is said that these are not the published ones
    classes = done.json["prediction"]["classes"]
    assert [entry["score"] for entry in classes] == sorted((entry["score"] for entry in classes), reverse=True)
    expected = torchvision_classes(name, weights, given_data / "photos" / photo)
    ours = np.zeros(1000)
    ours[[entry["index"] for entry in classes]] = [entry["score"] for entry in classes]
    np.testing.assert_allclose(ours, expected, atol=2e-6)
    if photo == "dog1.jpg":
        assert classes[0]["label"] == "Pembroke"


@pytest.fixture(scope="module")
def sure(tmp_path_factory):
    """A weight file of an SSDlite that knows nothing: its scores are spread like those of a trained one."""
    from tests.tasks.torchvision_nets import settle, spread

    module = open_model("ssdlite320", "random").module
    torch.manual_seed(3)
    settle(module)
    spread(module)
    file = tmp_path_factory.mktemp("weights") / "sure.pth"
    torch.save(module.state_dict(), file)
    return file, module


@pytest.mark.parametrize("size", [(333, 221), (97, 190)])
def test_boxes_of_a_detector_are_torchvisions(size, sure, guiapp, tmp_path):
    weights, module = sure
    picture = saved(tmp_path / "picture.png", blobs(*size))
    own = ("--score", 0.1, "--iou", 0.55, "--top", 300)
    done = guiapp("predict", "ssdlite320", picture, "--weights", weights, "--json", *own, "--device", "cpu")
    assert done.code == 0, done.err
    assert done.json["model"] == "ssdlite320_mobilenet_v3_large"
    assert (done.json["task"], done.json["weights"], done.json["size"]) == ("detection", str(weights), list(size))
    module.score_thresh, module.nms_thresh, module.detections_per_img = 0.1, 0.55, 300
    with torch.inference_mode():
        expected = module([tensor(picture).float() / 255])[0]
    boxes = done.json["prediction"]["boxes"]
    assert len(boxes) == len(expected["boxes"]) > 20
    ours = [[entry["score"], entry["index"], *entry["box"]] for entry in boxes]
    theirs = np.column_stack([expected["scores"], expected["labels"], expected["boxes"]]).tolist()
    np.testing.assert_allclose(sorted(ours), sorted(theirs), atol=1e-3)
    labels = open_model("ssdlite320", weights).labels
    assert all(entry["label"] == labels[entry["index"]] for entry in boxes)


def test_boxes_are_in_pixels_of_the_upright_picture(sure, guiapp, tmp_path):
    """The same picture lying on its side with an EXIF note to turn it gives the same boxes."""
    pixels = blobs(221, 333)
    upright = saved(tmp_path / "upright.png", pixels)
    exif = Image.Exif()
    exif[0x0112] = 6  # shown after a quarter turn clockwise
    turned = saved(tmp_path / "turned.png", np.ascontiguousarray(np.rot90(pixels)), exif=exif)
    options = ("--weights", sure[0], "--json", "--score", 0.3, "--device", "cpu")
    found = [guiapp("predict", "ssdlite320", file, *options) for file in (upright, turned)]
    assert found[0].json["size"] == found[1].json["size"] == [221, 333]
    assert found[0].json["prediction"] == found[1].json["prediction"]
    boxes = np.array([entry["box"] for entry in found[0].json["prediction"]["boxes"]])
    assert boxes[:, 3].max() > 221  # below what the picture lying on its side would reach


def test_masks_stand_beside_their_boxes(guiapp, tmp_path):
    from tests.tasks.test_plain import decoded

    picture = saved(tmp_path / "picture.png", blobs(75, 60))
    options = ("--weights", "random", "--json", "--score", 0, "--top", 2, "--device", "cpu")
    done = guiapp("predict", "maskrcnn", picture, *options)
    assert done.code == 0, done.err
    boxes = done.json["prediction"]["boxes"]
    assert len(boxes) == 2
    for entry in boxes:
        assert entry["mask"]["size"] == [60, 75]
        mask = decoded(entry["mask"]["counts"], 60, 75)
        left, top, right, bottom = entry["box"]
        outside = mask.copy()
        outside[int(max(0, top - 3)) : int(bottom) + 4, int(max(0, left - 3)) : int(right) + 4] = False
        assert not outside.any()


def test_skeletons_have_a_score_for_each_point(guiapp, tmp_path):
    picture = saved(tmp_path / "picture.png", blobs(64, 80))
    options = ("--weights", "random", "--json", "--score", 0, "--top", 2, "--device", "cpu")
    found = guiapp("predict", "keypointrcnn", picture, *options).json["prediction"]
    assert len(found["keypoints"]) == len(found["boxes"]) == 2
    for person, box in zip(found["keypoints"], found["boxes"], strict=True):
        assert person["score"] == box["score"] and box["label"] == "person"
        points = np.array(person["points"])
        assert points.shape == (17, 3) and np.isfinite(points).all()
        assert (points[:, 0] <= 64).all() and (points[:, 1] <= 80).all() and (points[:, :2] >= 0).all()


def test_shares_of_a_label_map_are_torchvisions(guiapp, tmp_path):
    picture = saved(tmp_path / "picture.png", blobs(211, 133))
    done = guiapp("predict", "lraspp", picture, "--weights", "random", "--json", "--device", "cpu")
    opened = open_model("lraspp", "random")
    from torchvision.models.segmentation import LRASPP_MobileNet_V3_Large_Weights as Weights

    transform = Weights.COCO_WITH_VOC_LABELS_V1.transforms()
    with torch.inference_mode():
        classes = opened.module(transform(tensor(picture))[None])["out"][0].argmax(0)
    shares = np.bincount(classes.ravel(), minlength=21) / classes.numel()
    ours = done.json["prediction"]["labels"]
    assert sum(ours.values()) == pytest.approx(1)
    for label, share in zip(opened.labels, shares, strict=True):
        assert ours.get(label, 0.0) == pytest.approx(share, abs=1e-4)


@pytest.mark.window
def test_the_picture_with_boxes_has_its_own_size_and_a_name_in_any_script(guiapp, tmp_path):
    folder = tmp_path / "Bilder für 猫"
    folder.mkdir()
    pixels = blobs(333, 221)
    picture = saved(folder / "Straße №1.png", pixels)
    out = folder / "Kästen ☑.png"
    done = guiapp("predict", "ssdlite320", picture, "--weights", "random", "--score", 0, "--out", out, "--json")
    assert done.code == 0, done.err
    assert done.json["out"] == str(out) and done.json["input"] == str(picture)
    with Image.open(out) as image:
        drawn = np.asarray(image)
    assert drawn.shape == pixels.shape
    changed = (drawn != pixels).any(2)
    assert changed.any() and not changed.all()
    left, _, right, bottom = done.json["prediction"]["boxes"][0]["box"]
    row = min(round(bottom) - 1, 220)
    assert changed[row, round(left) + 2 : round(right) - 2].mean() > 0.9  # the lower border of the best box
    assert (np.asarray(Image.open(picture)) == pixels).all()


def test_trained_networks_are_asked_as_before(guiapp, tmp_path):
    picture = saved(tmp_path / "one.png", np.zeros((40, 40, 3), np.uint8))
    done = guiapp("predict", "lenet5-mnist", picture, "--out", tmp_path / "out.png", "--json", "--top", 3)
    assert done.code == 0, done.err
    assert done.json["model"] == "lenet5-mnist" and len(done.json["prediction"]["classes"]) == 3
    assert (tmp_path / "out.png").is_file()


def test_missing_weights_name_file_address_and_place(guiapp, tmp_path, home, monkeypatch, no_network):
    monkeypatch.delenv("GUIAPP_DATA", raising=False)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    picture = saved(tmp_path / "picture.png", blobs(40, 30))
    done = guiapp("predict", "resnet18", picture, "--json")
    assert (done.code, done.out) == (1, "")
    last = done.err.strip().splitlines()[-1]
    assert "resnet18-f37072fd.pth" in last
    assert "https://download.pytorch.org/models/resnet18-f37072fd.pth" in last
    assert str(home / "data" / "weights") in last
    # put there by hand under the published name, a wrong file is refused and the right one would do
    (home / "data" / "weights").mkdir(parents=True, exist_ok=True)
    (home / "data" / "weights" / "resnet18-f37072fd.pth").write_bytes(b"half a file")
    done = guiapp("predict", "resnet18", picture)
    assert done.code == 1 and "damaged" in done.err


def test_a_weight_file_of_ones_own(guiapp, tmp_path):
    picture = saved(tmp_path / "picture.png", blobs(64, 64))
    torch.save(open_model("squeezenet1_1", "random").module.state_dict(), tmp_path / "mine.pth")
    words = ("predict", "squeezenet1_1", picture, "--json", "--device", "cpu", "--weights")
    named, random = guiapp(*words, tmp_path / "mine.pth"), guiapp(*words, "random")
    assert named.json["weights"] == str(tmp_path / "mine.pth")
    assert named.json["prediction"] == random.json["prediction"]
    other = guiapp("predict", "alexnet", picture, "--weights", tmp_path / "mine.pth")
    assert other.code == 1 and "mine.pth" in other.err and len(other.err.splitlines()) == 1


BAD = {
    "no such network": (["predict", "resnet19", "PICTURE"], "resnet18"),
    "several are meant": (["predict", "squeezenet1", "PICTURE"], "squeezenet1_0, squeezenet1_1"),
    "no such file of weights": (["predict", "resnet18", "PICTURE", "--weights", "no.pth"], "no.pth"),
    "no such published weights": (["predict", "resnet18", "PICTURE", "--weights", "V9"], "IMAGENET1K_V1"),
    "a score above one": (["predict", "ssdlite320", "PICTURE", "--score", "2"], "between 0 and 1"),
    "an overlap below zero": (["predict", "ssdlite320", "PICTURE", "--iou", "-1"], "between 0 and 1"),
    "a score in words": (["predict", "ssdlite320", "PICTURE", "--score", "high"], "--score"),
    "no objects at all": (["predict", "ssdlite320", "PICTURE", "--top", "0"], "less than 1"),
    "no picture format": (["predict", "ssdlite320", "PICTURE", "--out", "boxes.txt"], ".png"),
    "the picture itself": (["predict", "ssdlite320", "PICTURE", "--out", "PICTURE"], "itself"),
    "no folder for the result": (["predict", "ssdlite320", "PICTURE", "--out", "no/where.png"], "no folder"),
    "flow of one picture": (["predict", "raft_small", "PICTURE"], "two pictures"),
    "a clip of one picture": (["predict", "r3d_18", "PICTURE"], "pictures in a row"),
    "weights for a trained network": (["predict", "lenet5-mnist", "PICTURE", "--weights", "random"], "--weights"),
    "a drawing for a published one": (["predict", "resnet18", "PICTURE", "--drawing"], "drawing"),
    "no such input": (["predict", "resnet18", "nowhere.png"], "nowhere.png"),
}


@pytest.mark.parametrize(("words", "said"), BAD.values(), ids=BAD)
def test_bad_arguments(words, said, guiapp, tmp_path, no_network):
    picture = saved(tmp_path / "picture.png", blobs(40, 30))
    before = picture.read_bytes()
    done = guiapp(*[str(picture) if word == "PICTURE" else word for word in words])
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert picture.read_bytes() == before


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\nbroken", b"some text"])
def test_a_broken_picture_is_failed_work(content, guiapp, tmp_path):
    (tmp_path / "broken.png").write_bytes(content)
    done = guiapp("predict", "squeezenet1_1", tmp_path / "broken.png", "--weights", "random", "--json")
    assert (done.code, done.out) == (1, "")
    assert "broken.png" in done.err.splitlines()[-1]
    assert "Traceback" not in done.err
