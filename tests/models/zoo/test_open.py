"""Opening networks of the zoo: with weights placed by hand, fetched, random, and with files that are not right."""

import json
import pickle
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.models import get_model_weights

from guiapp.core.notices import SettingError, UserError
from guiapp.core.registry import UnknownName
from guiapp.models.zoo import ZOO
from guiapp.models.zoo.build import build_random
from guiapp.models.zoo.open import open_model
from guiapp.models.zoo.weights import folder, here

# Top-1 of ../shared/data/README.md, in percent, over the thousand pictures of which these are every fifth
REAL = [("squeezenet1_1", 60), ("mobilenet_v2", 82)]


@pytest.fixture
def one_line():
    """Opens, and gives the one line that it fails with; nothing is left half written."""

    def fails(*arguments, **options):
        with pytest.raises(UserError) as error:
            open_model(*arguments, **options)
        text = str(error.value)
        assert "\n" not in text
        assert not list(folder().glob("*.part"))
        return text

    return fails


def state(name, seed=1):
    return build_random(ZOO[name], seed).state_dict()


# With real weights


@pytest.mark.parametrize(("name", "percent"), REAL)
def test_real_weights_know_real_pictures(real_data, monkeypatch, name, percent):
    monkeypatch.setenv("GUIAPP_DATA", str(real_data))
    if not list((real_data / "weights").glob(f"{name}-*.pth")):
        pytest.skip(f"no weights of {name} in {real_data}/weights")
    opened = open_model(name, may_fetch=False)
    assert opened.origin == "file"
    assert opened.path.name in opened.note
    index = json.loads((real_data / "classes" / "imagenet_class_index.json").read_text())
    classes = {wordnet: int(number) for number, (wordnet, _) in index.items()}
    files = sorted((real_data / "imagenet_200").glob("n*/*"))[::3]
    assert len(files) > 60
    transform = get_model_weights(name)[opened.weights.name].transforms()
    right = 0
    for count, file in enumerate(files):
        pixels = np.asarray(Image.open(file).convert("RGB"))
        logits = opened.module(opened.prepare(pixels))[0]
        right += int(logits.argmax()) == classes[file.parent.name]
        if count < 5:  # the same from torchvision's own transform
            theirs = opened.module(transform(torch.from_numpy(pixels.copy()).permute(2, 0, 1))[None])[0]
            torch.testing.assert_close(logits, theirs, rtol=1e-4, atol=1e-4)
    # 67 pictures: one standard error is 6 % at 60 %
    assert percent - 15 <= 100 * right / len(files) <= percent + 17


# Files placed by hand


@pytest.mark.parametrize("where", ["weights", "."])
def test_a_published_file_placed_by_hand_works_offline(publisher, nothing_here, where):
    (nothing_here / where / publisher.file).write_bytes(publisher.content)
    opened = open_model("squeezenet1_1")
    assert publisher.requests == []
    assert (opened.origin, opened.path) == ("published", nothing_here / where / publisher.file)
    assert torch.equal(opened.module.state_dict()["features.0.bias"], state("squeezenet1_1", 7)["features.0.bias"])


def test_files_that_torchvision_fetched_are_found(publisher, tmp_path):
    hub = tmp_path / "torch" / "hub" / "checkpoints"
    hub.mkdir(parents=True)
    (hub / publisher.file).write_bytes(publisher.content)
    assert open_model("squeezenet1_1").path == hub / publisher.file


def test_a_file_by_the_networks_name_stands_in_and_says_so(nothing_here):
    torch.save(state("squeezenet1_1"), nothing_here / "weights" / "squeezenet1_1-mine.pth")
    opened = open_model("squeezenet1_1", may_fetch=False)
    assert opened.origin == "file"
    assert opened.note == "squeezenet1_1-mine.pth: fits, and is not among the published weights"
    assert here(ZOO["squeezenet1_1"]).others == (nothing_here / "weights" / "squeezenet1_1-mine.pth",)
    assert not here(ZOO["squeezenet1_0"])


def test_files_of_longer_names_are_of_other_networks(nothing_here):
    torch.save({}, nothing_here / "weights" / "vgg11_bn-mine.pth")
    assert not here(ZOO["vgg11"])
    assert here(ZOO["vgg11_bn"])


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s, "epoch": 3}, lambda s: {"model": s}])
def test_a_file_that_is_named(tmp_path, wrap, legacy):
    path = tmp_path / "anything.th"
    weights = state("squeezenet1_1")
    renamed = {f"module.{key}": value for key, value in weights.items()}
    torch.save(wrap(renamed), path, _use_new_zipfile_serialization=not legacy)
    opened = open_model("squeezenet1_1", path)
    assert opened.path == path
    assert torch.equal(opened.module.state_dict()["features.0.weight"], weights["features.0.weight"])


def test_safetensors(tmp_path):
    from safetensors.torch import save_file

    save_file(state("squeezenet1_1"), tmp_path / "mine.safetensors")
    assert open_model("squeezenet1_1", tmp_path / "mine.safetensors").origin == "file"


# Files that are not right


def test_a_damaged_published_file_is_told(publisher, nothing_here, one_line):
    file = nothing_here / "weights" / publisher.file
    file.write_bytes(publisher.content[:-100_000])
    text = one_line("squeezenet1_1")
    assert str(file) in text
    assert f"{(len(publisher.content) - 100_000) / 1e6:.1f} of {len(publisher.content) / 1e6:.1f} MB" in text
    file.write_bytes(publisher.content[:-1] + b"x")
    assert "its digest does not begin with" in one_line("squeezenet1_1")
    file.write_bytes(publisher.content)
    assert open_model("squeezenet1_1").origin == "published"


@pytest.mark.parametrize("legacy", [True, False])
@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_truncated_file_is_told(tmp_path, one_line, share, legacy):
    path = tmp_path / "mine.pth"
    torch.save(state("squeezenet1_1"), path, _use_new_zipfile_serialization=not legacy)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    text = one_line("squeezenet1_1", path)
    assert text.startswith(f"{path} is damaged")


@pytest.mark.parametrize(
    "content", [b"<html>not found</html>", b"\x80\x02}q\x00.", bytes(5000), b"PK\x03\x04" + bytes(99)]
)
def test_what_is_no_weight_file_is_told(tmp_path, one_line, content):
    path = tmp_path / "mine.pth"
    path.write_bytes(content)
    assert str(path) in one_line("squeezenet1_1", path)


def test_a_file_with_code_is_not_run(tmp_path, one_line):
    class Bomb:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    torch.save({"state_dict": Bomb()}, tmp_path / "mine.pth")
    assert "could run code" in one_line("squeezenet1_1", tmp_path / "mine.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"state_dict": Bomb()}))  # not by torch at all
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, of the protocol
        assert "is a plain pickle" in one_line("squeezenet1_1", tmp_path / "plain.pth")
    assert not (tmp_path / "ran").exists()


def test_a_whole_network_in_a_file_is_not_opened(tmp_path, one_line):
    torch.save(torch.nn.Linear(2, 2), tmp_path / "mine.pth")
    assert "could run code" in one_line("squeezenet1_1", tmp_path / "mine.pth")


def test_a_missing_file_and_a_folder(tmp_path, one_line):
    assert "is not there" in one_line("squeezenet1_1", tmp_path / "none.pth")
    assert "is not there" in one_line("squeezenet1_1", tmp_path)


def test_weights_of_another_network(tmp_path, one_line):
    torch.save(state("shufflenet_v2_x0_5"), tmp_path / "other.pth")
    text = one_line("squeezenet1_1", tmp_path / "other.pth")
    assert text.startswith(f"{tmp_path / 'other.pth'} is not of SqueezeNet 1.1: missing: ")


@pytest.mark.parametrize("held", [{}, [1, 2], {"a": 1}, {"epoch": 3, "optimiser": {"lr": 1.0}}, torch.ones(3)])
def test_a_file_without_weights(tmp_path, one_line, held):
    torch.save(held, tmp_path / "mine.pth")
    assert "holds no weights" in one_line("squeezenet1_1", tmp_path / "mine.pth")


def test_a_stand_in_that_does_not_fit_is_told_when_nothing_else_is_there(nothing_here, one_line, publisher):
    torch.save(state("shufflenet_v2_x0_5"), nothing_here / "weights" / "squeezenet1_1-mine.pth")
    text = one_line("squeezenet1_1", may_fetch=False)
    assert "is not on this machine" in text
    assert "squeezenet1_1-mine.pth is not of SqueezeNet 1.1" in text
    assert open_model("squeezenet1_1").origin == "published"  # fetched


# Fetched


def test_weights_are_fetched_and_kept(publisher):
    seen = []
    opened = open_model("squeezenet1_1", progress=lambda share, text: seen.append((share, text)))
    assert opened.path == folder() / publisher.file
    assert seen[-1][0] == 1.0
    assert any("MB" in text for _, text in seen)
    count = len(publisher.requests)
    open_model("squeezenet1_1")
    assert len(publisher.requests) == count


def test_a_broken_connection_is_resumed(publisher):
    publisher.hang_ups = 2
    assert open_model("squeezenet1_1").origin == "published"
    assert publisher.requests[0] is None
    assert all(wanted.startswith("bytes=") for wanted in publisher.requests[1:])


def test_a_stopped_download_goes_on_later(publisher):
    class Stopped(Exception):
        pass

    def stop(share, text):
        if share > 0.3:
            raise Stopped

    with pytest.raises(Stopped):
        open_model("squeezenet1_1", progress=stop)
    part = folder() / f"{publisher.file}.part"
    size = part.stat().st_size
    assert 0 < size < len(publisher.content)
    assert not here(publisher.entry).published
    open_model("squeezenet1_1")
    assert publisher.requests[-1] == f"bytes={size}-"
    assert not part.exists()


def test_a_wrong_hash_is_refused(publisher, one_line):
    publisher.content = publisher.content[:-1] + b"x"
    assert "digest differs" in one_line("squeezenet1_1")
    assert not (folder() / publisher.file).exists()


def test_offline_the_message_names_file_address_and_place(publisher, one_line, monkeypatch):
    text = one_line("squeezenet1_1", may_fetch=False)
    for part in (publisher.file, publisher.entry.best.url, str(folder()), "guiapp fetch squeezenet1_1"):
        assert part in text
    publisher.shutdown()
    publisher.server_close()
    text = one_line("squeezenet1_1")
    for part in (publisher.file, publisher.entry.best.url, str(folder()), "no connection"):
        assert part in text


# Names, random weights


def test_names():
    with pytest.raises(UnknownName, match="did you mean"):
        open_model("resnet5")
    with pytest.raises(SettingError, match="there are IMAGENET1K_V2, IMAGENET1K_V1"):
        open_model("resnet50", "IMAGENET21K")


@pytest.mark.parametrize(
    ("name", "size", "out"),
    [
        ("squeezenet1_1", (60, 90), (1, 1000)),
        ("lraspp_mobilenet_v3_large", (64, 96), (1, 21, 520, 780)),
        ("raft_small", (128, 136), (1, 2, 128, 136)),
        ("r3d_18", (60, 90), (1, 400)),
    ],
)
def test_random_weights_run_the_whole_way(name, size, out):
    opened = open_model(name, "random")
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8)
    inputs = opened.prepare(pixels)
    with torch.no_grad():
        if opened.entry.task == "flow":
            found = opened.module(inputs, inputs, num_flow_updates=1)[-1]
        elif opened.entry.task == "clip":
            found = opened.module(torch.stack([inputs] * 4, 2))
        else:
            found = opened.module(inputs)
    found = found["out"] if isinstance(found, dict) else found
    assert tuple(found.shape) == out
    assert torch.isfinite(found).all()
    assert opened.note == "random weights: the network runs and knows nothing"
    assert opened.path is None


def test_random_detectors_take_what_is_prepared():
    opened = open_model("ssdlite320", "random")
    with torch.no_grad():
        (found,) = opened.module(opened.prepare(np.zeros((40, 60, 3), np.uint8)))
    assert set(found) == {"boxes", "scores", "labels"}
    assert len(opened.labels) == 91
    assert open_model("raft_small", "random").labels == ()


def test_key_points_have_names():
    assert open_model("keypointrcnn", "random").keypoints[:2] == ("nose", "left_eye")


def test_the_second_output_that_only_training_uses_is_left_out(tmp_path):
    from torchvision.models.segmentation import fcn_resnet50

    weights = fcn_resnet50(weights=None, weights_backbone=None, aux_loss=True).state_dict()
    torch.save(weights, tmp_path / "fcn.pth")
    opened = open_model("fcn_resnet50", tmp_path / "fcn.pth")
    assert opened.module.aux_classifier is None
    with torch.no_grad():
        assert set(opened.module(torch.zeros(1, 3, 64, 64))) == {"out"}
