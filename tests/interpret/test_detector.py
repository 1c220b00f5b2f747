"""Inside detectors: levels, anchors, scores, proposals and objects against torchvision's own modules and by hand."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional
from torchvision.models.detection.anchor_utils import DefaultBoxGenerator
from torchvision.models.detection.image_list import ImageList
from torchvision.models.detection.roi_heads import heatmaps_to_keypoints, paste_masks_in_image
from torchvision.ops import MultiScaleRoIAlign, box_iou
from torchvision.ops.poolers import LevelMapper

from guiapp.core.notices import UserError
from guiapp.interpret import PROBES
from guiapp.interpret.base import Look
from guiapp.interpret.detector_heads import heads_of, proposals
from guiapp.interpret.detector_object import chosen_one, exact_levels, mapped_levels
from guiapp.interpret.detector_options import DetectorOptions, detector_layers, kind_of
from guiapp.interpret.detector_pyramid import pyramid_maps
from tests.interpret.detectors import LABELS, Ran, build


@pytest.fixture(scope="module")
def faster():
    return Ran(build("FasterRCNN"), score=0.4)


@pytest.fixture(scope="module")
def mask():
    return Ran(build("MaskRCNN"), score=0.4, top=2)


@pytest.fixture(scope="module")
def retina():
    return Ran(build("RetinaNet"), score=0.012)


def every_anchor(level):
    cells = [level.anchors_at(row, column) for row in range(level.rows) for column in range(level.columns)]
    return np.concatenate(cells)


def test_ssd300_has_8732_default_boxes_and_each_is_where_torchvision_has_it():
    lite = DefaultBoxGenerator([[2, 3]] * 6, min_ratio=0.2, max_ratio=0.95)
    ssd = DefaultBoxGenerator(
        [[2], [2, 3], [2, 3], [2, 3], [2], [2]],
        scales=[0.07, 0.15, 0.33, 0.51, 0.69, 0.87, 1.05], steps=[8, 16, 32, 64, 100, 300],
    )  # fmt: skip
    assert 38**2 * 4 + 19**2 * 6 + 10**2 * 6 + 5**2 * 6 + 3**2 * 4 + 1**2 * 4 == 8732
    for made, sides, side, total in (
        (ssd, (38, 19, 10, 5, 3, 1), 300, 8732),
        (lite, (20, 10, 5, 3, 2, 1), 320, 3234),
    ):
        features = [torch.zeros(1, 2, n, n) for n in sides]
        images = ImageList(torch.zeros(1, 3, side, side), [(side, side)])
        anchors = made(images, features)[0]
        view = levels_of(features, anchors, made.num_anchors_per_location(), side)
        assert sum(level.anchors for level in view) == total == len(anchors)
        np.testing.assert_allclose(np.concatenate([every_anchor(x) for x in view]), anchors, atol=2e-3)


def levels_of(features, anchors, each, side):
    """The probe's levels of anchors alone."""
    from guiapp.interpret.detector import _levels
    from guiapp.interpret.detector_heads import Heads, _counts

    heads = Heads(
        features, [], False, anchors, _counts(features, each), torch.zeros(len(anchors), 3), anchors, None, "softmax",
        (side, side), (side, side), 0.5,
    )  # fmt: skip
    return _levels(heads, DetectorOptions("anchors"), 0.5, np.zeros(0, np.int64), None)


def test_anchors_of_two_stages_stand_where_the_generator_puts_them(faster):
    look = faster.look(DetectorOptions("anchors"))
    view = PROBES["detector"].run(look, DetectorOptions("anchors"))
    (images, features), anchors = look.calls["rpn.anchor_generator"][0][:2]
    assert [x.name for x in view.levels] == ["P2", "P3", "P4", "P5", "P6"]
    assert [(x.rows, x.columns) for x in view.levels] == [tuple(f.shape[-2:]) for f in features]
    np.testing.assert_allclose(np.concatenate([every_anchor(x) for x in view.levels]), anchors[0], atol=1e-4)
    assert view.steps[0] == ("anchors", len(anchors[0]))
    assert [x.stride for x in view.levels[:3]] == [(4, 4), (8, 8), (16, 16)]
    assert view.padded == tuple(images.tensors.shape[-2:]) and view.extent == images.image_sizes[0]
    # the widths and heights by the definition: area of 32², height / width of 1/2, 1 and 2, rounded
    sides = view.levels[0].base[:, 2:] - view.levels[0].base[:, :2]
    for side, ratio in zip(sides, (0.5, 1, 2), strict=True):
        np.testing.assert_allclose(side, (32 / math.sqrt(ratio), 32 * math.sqrt(ratio)), atol=1)


def test_objectness_of_a_cell_is_the_sigmoid_of_the_head(faster):
    look = faster.look(DetectorOptions("scores"))
    view = PROBES["detector"].run(look, DetectorOptions("scores"))
    for level, logits in zip(view.levels, look.calls["rpn.head"][0].output[0], strict=True):
        np.testing.assert_allclose(level.scores, logits[0].sigmoid().permute(1, 2, 0), atol=1e-6)
        np.testing.assert_allclose(level.heat.values[0], logits[0].sigmoid().amax(0), atol=1e-6)
        assert level.fired == int((logits > 0).sum())


def test_proposals_are_those_of_filter_proposals(faster):
    look = faster.look(DetectorOptions("scores"))
    view = PROBES["detector"].run(look, DetectorOptions("scores"))
    heads, rpn = heads_of(look), faster.module.rpn
    with torch.inference_mode():
        kept = proposals(rpn, heads)
        moved = rpn.box_coder.decode(heads.codes, [heads.anchors]).view(1, -1, 4)
        boxes, scores = rpn.filter_proposals(moved, heads.logits[None], [heads.extent], list(heads.counts))
    order = kept.scores.masked_fill(~kept.passed, -1).argsort(descending=True, stable=True)[: len(boxes[0])]
    assert len(boxes[0]) == min(int(kept.passed.sum()), rpn.post_nms_top_n()) == len(heads.regions)
    np.testing.assert_allclose(kept.scores[order], scores[0], atol=1e-6)
    assert float((kept.boxes[order].sum(1) - boxes[0].sum(1)).abs().max()) < 1e-2
    assert float((kept.boxes[order] - heads.regions).abs().max()) < 1e-2, "what the second stage was really given"
    words = dict(view.steps)
    assert words["best of each level"] == len(kept.boxes) == sum(x.kept for x in view.levels)
    assert words["after suppression"] == int(kept.passed.sum()) == sum(x.left for x in view.levels)
    assert words["regions for the second stage"] == len(boxes[0]) and words["shown"] == len(look.shown)
    assert all(x.kept <= min(x.anchors, 1000) for x in view.levels)
    scale = np.tile(view.scale, 2)
    np.testing.assert_allclose(view.after[0, :4], boxes[0][0].numpy() * scale, atol=1e-2)
    assert len(view.before) == 100 and (np.diff(view.before[:, 4]) <= 0).all()


def test_levels_follow_the_formula_and_the_level_mapper(faster):
    mapper = LevelMapper(2, 5)
    boxes = torch.tensor([[0, 0, 224, 224], [0, 0, 223, 223], [0, 0, 112, 112], [0, 0, 5, 9], [0, 0, 900, 900.0]])
    assert mapped_levels(mapper, boxes).tolist() == mapper([boxes]).tolist() == [2, 1, 1, 0, 3]
    assert exact_levels(mapper, boxes)[[0, 2]].tolist() == [4.0, 3.0]
    torch.manual_seed(0)
    corners = torch.rand(200, 2) * 300
    boxes = torch.cat([corners, corners + torch.rand(200, 2) * 600], 1)
    assert mapped_levels(mapper, boxes).tolist() == mapper([boxes]).tolist()
    look = faster.look(DetectorOptions("object"))
    view = PROBES["detector"].run(look, DetectorOptions("object"))
    regions = look.calls["roi_heads.box_roi_pool"][0].arguments[1][0]
    placed = look.run.candidates.origins[: len(regions)]
    expected = faster.module.roi_heads.box_roi_pool.map_levels([regions[placed[:1]]])
    assert view.object.level == int(expected) and view.places[0] == int(expected)
    assert sum(x.objects for x in view.levels) == len(look.shown) > 0


def test_an_object_is_its_region_moved_by_its_codes(faster):
    look = faster.look(DetectorOptions("object"))
    view = PROBES["detector"].run(look, DetectorOptions("object"))
    found = view.object
    assert found.shown and not found.chosen
    np.testing.assert_allclose(found.box, look.shown.boxes[0], rtol=1e-6)
    x0, y0, x1, y1 = found.start / np.tile(view.scale, 2)
    width, height = x1 - x0, y1 - y0
    x, y = x0 + width / 2 + found.codes[0] * width, y0 + height / 2 + found.codes[1] * height
    w, h = width * math.exp(found.codes[2]), height * math.exp(found.codes[3])
    by_hand = np.clip([x - w / 2, y - h / 2, x + w / 2, y + h / 2], 0, np.tile(view.extent[::-1], 2))
    np.testing.assert_allclose(found.seen, by_hand, atol=1e-2)
    logits, _ = look.calls["roi_heads.box_predictor"][0].output
    row = int(look.run.candidates.origins[0])
    expected = logits[row].softmax(-1)
    assert dict(found.classes)[found.label] == pytest.approx(found.score, abs=1e-6)
    assert {name for name, _ in found.classes} == set(LABELS)
    np.testing.assert_allclose([p for _, p in found.classes], expected.sort(descending=True).values, atol=1e-6)
    assert found.start_score == pytest.approx(float(look.run.candidates.proposals[row, 4]))


def test_roi_align_cuts_the_region_out_of_its_level(faster):
    look = faster.look(DetectorOptions("object"))
    found = PROBES["detector"].run(look, DetectorOptions("object")).object
    (features, regions, sizes), _ = look.calls["roi_heads.box_roi_pool"][0][:2]
    row = int(look.run.candidates.origins[0])
    pool = MultiScaleRoIAlign(["0", "1", "2", "3"], 7, 2)
    with torch.inference_mode():
        expected = pool(features, [regions[0][row : row + 1]], sizes)[0].abs().mean(0)
    np.testing.assert_allclose(found.pooled.values[0], expected, rtol=1e-4, atol=1e-5)


def test_anchors_that_would_be_positive_are_those_of_the_matcher(faster):
    look = faster.look(DetectorOptions("anchors"))
    view = PROBES["detector"].run(look, DetectorOptions("anchors"))
    anchors = look.calls["rpn.anchor_generator"][0].output[0]
    overlaps = box_iou(torch.from_numpy(view.object.seen[None]), anchors)
    matched = faster.module.rpn.proposal_matcher(overlaps.clone())
    assert view.positive == 0.7
    assert sum(x.matching for x in view.levels) == int((matched >= 0).sum()) > 0


def test_the_pyramid_is_merged_as_torchvision_merges_it(faster):
    look = faster.look(DetectorOptions("pyramid"))
    view = PROBES["detector"].run(look, DetectorOptions("pyramid"))
    fpn = faster.module.backbone.fpn
    with torch.inference_mode():
        stages = list(faster.module.backbone.body(faster.module.transform(faster.inputs)[0].tensors).values())
        laterals = [fpn.inner_blocks[i](x) for i, x in enumerate(stages)]
        merged = [laterals[3]]
        for lateral in reversed(laterals[:3]):
            merged.insert(0, lateral + functional.interpolate(merged[0], scale_factor=2.0, mode="nearest"))
        results = [fpn.layer_blocks[i](x) for i, x in enumerate(merged)]
    for i, level in enumerate(view.levels[:4]):
        np.testing.assert_allclose(level.maps["lateral"].values[0], laterals[i][0].abs().mean(0), rtol=1e-3, atol=1e-4)
        np.testing.assert_allclose(level.maps["result"].values[0], results[i][0].abs().mean(0), rtol=1e-3, atol=1e-4)
        if i < 3:
            coarser = merged[i + 1][0].abs().mean(0).numpy()
            repeated = coarser.repeat(2, 0).repeat(2, 1)
            np.testing.assert_allclose(level.maps["above"].values[0], repeated, rtol=1e-3, atol=1e-4)
    assert set(view.levels[3].maps) == {"lateral", "result"} and set(view.levels[4].maps) == {"result"}
    np.testing.assert_array_equal(
        view.levels[4].maps["result"].values, view.levels[3].maps["result"].values[:, ::2, ::2]
    )


def test_the_strongest_channel_keeps_its_sign():
    coarse = torch.zeros(1, 3, 1, 1)
    coarse[0, 1] = -6.0
    fine = torch.zeros(1, 3, 2, 2)
    fine[0, 1, 0, 0], fine[0, 2] = 2.0, 3.0
    result = torch.zeros(1, 3, 2, 2)
    result[0, 0] = -1.0
    first, second = pyramid_maps([fine, coarse], [result, coarse], "strongest")
    assert [first[part][1] for part in ("lateral", "above", "result")] == [1, 1, 0] and second["lateral"][1] == 1
    assert first["lateral"][0].values.tolist() == [[[2, 0], [0, 0]]]
    assert first["above"][0].values.tolist() == [[[-6, -6], [-6, -6]]] and first["above"][0].signed
    mean = pyramid_maps([fine, coarse], [result, coarse])
    assert mean[0]["above"][0].values[0] == pytest.approx(np.full((2, 2), 2.0))


def test_mask_r_cnn_gives_the_mask_that_it_pastes(mask):
    look = mask.look(DetectorOptions("object"))
    found = PROBES["detector"].run(look, DetectorOptions("object")).object
    candidates = look.run.candidates
    place = int(np.abs(candidates.boxes.numpy() - found.seen).sum(1).argmin())
    with torch.inference_mode():
        expected = candidates.masks(candidates.boxes[place : place + 1], candidates.classes[place : place + 1])
        mask.module.roi_heads.score_thresh = 0.05
        own = mask.module(mask.inputs)[0]
    assert found.mask.values.shape == (1, 28, 28) and found.points is None
    np.testing.assert_allclose(found.mask.values, expected, atol=1e-6)
    assert float(own["scores"][0]) == pytest.approx(found.score, abs=1e-5)
    with torch.inference_mode():  # the network's own way: enlarged to the box and pasted into the picture
        pasted = paste_masks_in_image(expected[:, None], torch.from_numpy(found.box[None]), own["masks"].shape[-2:])
    np.testing.assert_allclose(own["masks"][0], pasted[0], atol=2e-2)


def test_keypoint_r_cnn_gives_17_maps_whose_peaks_are_the_points():
    ran = Ran(build("KeypointRCNN"), score=0.3, top=1)
    look = ran.look(DetectorOptions("object"))
    found = PROBES["detector"].run(look, DetectorOptions("object")).object
    assert found.points.values.shape == (17, 56, 56) and len(found.names) == 17 and found.mask is None
    points, _ = heatmaps_to_keypoints(torch.from_numpy(found.points.values)[None], torch.from_numpy(found.seen)[None])
    np.testing.assert_allclose(
        look.shown.keypoints[0, :, :2], points[0, :, :2].numpy() * ran.view(DetectorOptions("object")).scale, atol=1e-2
    )
    for values, peak in zip(found.points.values, found.peaks, strict=True):
        shares = np.exp(values.astype(np.float64) - values.max())
        assert peak == pytest.approx(1 / shares.sum(), rel=1e-4)


def test_one_stage_scores_and_the_anchor_of_an_object(retina):
    look = retina.look(DetectorOptions("scores"))
    view = PROBES["detector"].run(look, DetectorOptions("scores"))
    best = look.calls["head"][0].output["cls_logits"][0].sigmoid().amax(-1)
    np.testing.assert_allclose(np.concatenate([x.scores.ravel() for x in view.levels]), best, atol=1e-6)
    assert view.kind == "one-stage" and view.scoring == "sigmoid" and view.positive == 0.5
    assert [x.name for x in view.levels] == ["P3", "P4", "P5", "P6", "P7"]
    assert view.steps[1][1] == int((best > 0.012).sum()) == sum(x.fired for x in view.levels)
    found = view.object
    anchors = look.calls["anchor_generator"][0].output[0]
    origin = int(look.run.candidates.origins[0])
    np.testing.assert_allclose(found.start, anchors[origin].numpy() * np.tile(view.scale, 2), rtol=1e-5)
    starts = np.cumsum([0] + [x.anchors for x in view.levels])
    assert starts[found.level] <= origin < starts[found.level + 1] and found.pooled is None
    assert found.classes[0][1] == pytest.approx(found.score, abs=1e-6)


def test_fcos_scores_are_roots_of_products_and_it_has_no_anchors_to_match():
    ran = Ran(build("FCOS"), score=0.05)
    look = ran.look(DetectorOptions("anchors"))
    view = PROBES["detector"].run(look, DetectorOptions("anchors"))
    outputs = look.calls["head"][0].output
    expected = (outputs["cls_logits"][0].sigmoid().amax(-1) * outputs["bbox_ctrness"][0, :, 0].sigmoid()).sqrt()
    np.testing.assert_allclose(np.concatenate([x.scores.ravel() for x in view.levels]), expected, atol=1e-6)
    assert view.positive is None and view.levels[0].matching is None and len(view.levels[0].base) == 1
    assert view.object.centre is not None and view.scoring == "centred"


def test_ssd_scores_leave_the_background_out_of_the_soft_max():
    ran = Ran(build("SSDlite"), score=0.24)
    look = ran.look(DetectorOptions("scores"))
    view = PROBES["detector"].run(look, DetectorOptions("scores"))
    expected = look.calls["head"][0].output["cls_logits"][0].softmax(-1)[:, 1:].amax(-1)
    np.testing.assert_allclose(np.concatenate([x.scores.ravel() for x in view.levels]), expected, atol=1e-6)
    assert [x.name for x in view.levels] == [f"map {n}" for n in range(1, 7)] and view.scoring == "softmax"
    assert view.object.label != "background" and "background" in dict(view.object.classes)
    pyramid = ran.view(DetectorOptions("pyramid"))
    assert all(set(x.maps) == {"result"} for x in pyramid.levels)


def test_the_chosen_object_is_the_one_the_region_is_about(faster):
    plain = faster.look(DetectorOptions("object"))
    boxes, (width, height) = plain.shown.boxes, plain.shown.size
    x0, y0, x1, y1 = boxes[3].tolist()
    margin = (x1 - x0) * 0.1, (y1 - y0) * 0.1
    region = ((x0 - margin[0]) / width, (y0 - margin[1]) / height, (x1 + margin[0]) / width, (y1 + margin[1]) / height)
    region = tuple(round(min(max(v, 0), 1) * 64) / 64 for v in region)
    assert chosen_one(boxes, (width, height), region) == 3
    assert chosen_one(boxes, (width, height), None) is None
    found = faster.view(DetectorOptions("object", region=region)).object
    assert found.chosen
    np.testing.assert_allclose(found.box, boxes[3], rtol=1e-5)


def test_other_networks_are_told_what_it_needs(faster):
    from types import SimpleNamespace

    plain = [SimpleNamespace(name="conv1")]
    assert kind_of(plain) == "" and detector_layers(plain, DetectorOptions()) == ()
    assert kind_of(faster.layers) == "two-stage"
    with pytest.raises(UserError, match="detector of torchvision"):
        PROBES["detector"].run(Look(torch.nn.Identity(), plain, None, picture=faster.picture), DetectorOptions())


def test_nothing_stays_behind_on_the_network(faster):
    faster.view(DetectorOptions())
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in faster.module.modules())
