"""Targets as functions: their values are those of the network, gradients flow, and what was left open is settled."""

import dataclasses

import numpy as np
import pytest
import torch
from torchvision.ops import box_iou

from guiapp.core.notices import UserError
from guiapp.core.picture import Origin, Picture
from guiapp.interpret.score import embedding_layer, make_score, outputs_of
from guiapp.interpret.score_boxes import candidates_of
from guiapp.interpret.targets import BoxTarget, ClassTarget, PixelsTarget, SimilarityTarget, UnitTarget
from tests.interpret.attribution.networks import FAMILIES, case


def gradient(score, batch):
    batch = batch.clone().requires_grad_()
    value = score(batch)
    return value.detach(), torch.autograd.grad(value.sum(), batch)[0]


def test_a_class_is_the_networks_own_number():
    asked = case("cnn")
    two = torch.cat([asked.batch, -asked.batch])
    logits = asked.module(two)
    torch.testing.assert_close(make_score(asked, ClassTarget(3))(two), logits[:, 3])
    torch.testing.assert_close(make_score(asked, ClassTarget(3, "probability"))(two), logits.softmax(1)[:, 3])
    best = make_score(asked, ClassTarget())
    assert best.class_index == int(logits[0].argmax()) == best.target.class_index
    assert best.words == f"{'abcde'[best.class_index]}, logit"
    torch.testing.assert_close(best(-asked.batch), logits[1:, best.class_index])  # the class stays
    with pytest.raises(UserError, match="no class 5"):
        make_score(asked, ClassTarget(5))


def test_pixels_of_a_segmentation_network():
    asked = case("segmenter")
    logits = outputs_of(asked, asked.batch)[0]
    assert logits.shape == (4, 8, 8)
    winners = logits.argmax(0)
    index = int(winners.flatten().bincount(minlength=4)[1:].argmax()) + 1  # 0 is the background
    for target in (PixelsTarget(), ClassTarget()):
        score = make_score(asked, target)
        assert score.class_index == index
        torch.testing.assert_close(score(asked.batch)[0], logits[index][winners == index].mean())
    all_of_it = make_score(asked, PixelsTarget(0, where="all"))
    torch.testing.assert_close(all_of_it(asked.batch)[0], logits[0].mean())
    corner = make_score(asked, PixelsTarget(1, (0.5, 0.0, 1.0, 0.5), "all"))
    torch.testing.assert_close(corner(asked.batch)[0], logits[1, :4, 4:].mean())
    _, back = gradient(corner, asked.batch)
    assert back[..., :16, 20:].any() and not back[..., 24:, :].any()


@pytest.mark.parametrize("family", ["faster-rcnn", "retinanet", "fcos", "ssd"])
def test_a_box_has_the_score_that_the_detector_gives_it(family):
    asked = case(family)
    found = candidates_of(asked.module, asked.inputs[0])
    height, width = found.extent
    for place in (0, len(found) // 2):
        kind = int(found.classes[place])
        share = (found.boxes[place] / torch.tensor([width, height, width, height])).tolist()
        score = make_score(asked, BoxTarget(tuple(share), kind, "probability"))
        value = float(score(asked.batch)[0])
        if family == "fcos":  # its score is the root of the product with the centre-ness
            assert value >= float(found.scores[place]) ** 2 - 1e-6
            continue
        same = (found.classes == kind) & (box_iou(found.boxes[place][None], found.boxes)[0] > 0.999)
        assert min(abs(value - other) for other in found.scores[same].tolist()) < 1e-5
    best = make_score(asked, ClassTarget())
    assert best.class_index == int(found.classes[0])
    moved, back = gradient(best, torch.cat([asked.batch, asked.batch.flip(-1)]))
    assert moved.shape == (2,) and back[0].any() and back[1].any()
    for numbers, one in zip(moved, (asked.batch, asked.batch.flip(-1)), strict=True):
        torch.testing.assert_close(best(one)[0], numbers)
    if float(found.boxes.max()) < width:
        with pytest.raises(UserError, match="no box there"):
            make_score(asked, BoxTarget((0.99, 0.99, 1.0, 1.0), 1))


def test_a_class_that_a_detector_does_not_find_is_asked_of_its_best_anchor():
    asked = case("ssd")
    module = asked.module
    hooks = [module.head.classification_head.register_forward_hook(lambda m, a, out: out + lifted)]
    lifted = torch.tensor([50.0, 0, 0, 0, 0])
    score = make_score(asked, ClassTarget(2))
    assert "best anchor" in score.words
    assert score(asked.batch).shape == (1,)
    with pytest.raises(UserError, match="no box"):
        make_score(asked, ClassTarget())
    hooks[0].remove()


@pytest.mark.parametrize("family", FAMILIES)
def test_units(family):
    asked = case(family)
    layer = {
        "vit": "encoder.layers.encoder_layer_0",
        "swin": "features.1",
        "cnn": "features.0",
        "resnet": "conv1",
    }.get(family, "backbone.0")
    kept = []
    module = asked.module.get_submodule(layer)
    handle = module.register_forward_hook(lambda m, a, output: kept.append(output.clone()))
    whole = make_score(asked, UnitTarget(layer, 2))
    handle.remove()
    output = kept[0]
    if family == "vit":
        output = output[:, 1:].transpose(1, 2).reshape(1, 16, 4, 4)  # without the class token
    if family == "swin":
        output = output.permute(0, 3, 1, 2)
    torch.testing.assert_close(whole(asked.batch)[0], output[0, 2].mean())
    single = make_score(asked, UnitTarget(layer, 2, (1, 3)))
    torch.testing.assert_close(single(asked.batch)[0], output[0, 2, 1, 3])
    assert "row 1, column 3" in single.words
    _, back = gradient(single, asked.batch)
    assert back.any()
    with pytest.raises(UserError, match="units 0 to"):
        make_score(asked, UnitTarget(layer, 1000))
    with pytest.raises(UserError, match="no layer"):
        make_score(asked, UnitTarget("nowhere", 0))


def test_a_network_is_run_no_farther_than_the_unit():
    asked = case("cnn")
    after = []
    asked.module.fc.register_forward_hook(lambda *_: after.append(1))
    score = make_score(asked, UnitTarget("features.3", 0))
    after.clear()
    score(asked.batch)
    assert not after
    assert make_score(asked, UnitTarget("fc.3", 2))(asked.batch)[0] == asked.module(asked.batch)[0, 2]


def test_likeness_of_embeddings():
    asked = case("cnn")
    other = Picture(np.full((32, 32, 3), 30, np.uint8), Origin("file", "dark"))
    fed = []
    handle = asked.module.fc[3].register_forward_pre_hook(lambda m, a: fed.append(a[0]))
    asked.module(asked.batch), asked.module(asked.prepare(other))
    handle.remove()
    a, b = (values[0] for values in fed)
    assert embedding_layer(asked.layers) == ("fc.3", True)
    for likeness, expected in (
        ("cosine", a @ b / a.norm() / b.norm()), ("dot product", a @ b), ("minus distance", -(a - b).norm())
    ):  # fmt: skip
        score = make_score(asked, SimilarityTarget(other, likeness=likeness))
        value, back = gradient(score, asked.batch)
        torch.testing.assert_close(value[0], expected)
        assert back.any()
    same = make_score(asked, SimilarityTarget(asked.picture))
    assert float(same(asked.batch)[0]) == pytest.approx(1, abs=1e-6)
    mean = make_score(asked, SimilarityTarget(other, "features", "dot product"))
    maps = [asked.module.features(x).mean((2, 3))[0] for x in (asked.batch, asked.prepare(other))]
    torch.testing.assert_close(mean(asked.batch)[0], maps[0] @ maps[1])


def test_targets_that_do_not_fit_say_so():
    with pytest.raises(UserError, match="for detectors"):
        make_score(case("cnn"), BoxTarget())
    with pytest.raises(UserError, match="for segmentation"):
        make_score(case("cnn"), PixelsTarget(0))
    with pytest.raises(UserError, match="no classes"):
        make_score(dataclasses.replace(case("cnn"), task="depth"), ClassTarget(0))


def test_a_score_moves_to_another_network():
    asked, other = case("ssd", seed=0), case("ssd", seed=1)
    score = make_score(asked, ClassTarget(2))
    moved = score.moved(other)
    assert float(moved(asked.batch)) != float(score(asked.batch))
    torch.testing.assert_close(moved._logits(asked.batch), make_score(other, ClassTarget(2))._logits(asked.batch))
    assert moved._place == score._place


@pytest.mark.parametrize("kind", ["exported", "first alone"])
def test_networks_that_take_one_picture_at_a_time(kind):
    asked = case("cnn")
    module = asked.module
    if kind == "exported":
        single = torch.export.export(module, (asked.batch,)).module()
    else:  # as files that onnxruntime runs: no parameters, the rest of a batch is not looked at
        single = Alone()
        single.network = [module]
    two = torch.cat([asked.batch, -asked.batch])
    score = make_score(dataclasses.replace(asked, module=single), ClassTarget(3))
    torch.testing.assert_close(score(two), module(two)[:, 3])


class Alone(torch.nn.Module):
    def forward(self, x):
        return self.network[0](x[:1])
