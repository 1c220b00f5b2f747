import numpy as np
import pytest
import torch

from guiapp.models.zoo.candidates import Candidates, rank_in_group
from guiapp.tasks.detection import COCO_KEYPOINTS, COCO_SKELETON, DetectionRun, cut_mask, own_options
from guiapp.tasks.live_options import LiveOptions, make_live_task
from tests.tasks.torchvision_nets import NETS, detector, picture

SIZES = ((123, 77), (61, 140), (200, 200))  # width, height
ALL = 10**7


@pytest.fixture(scope="module", params=NETS)
def net(request):
    return request.param, detector(request.param)


def reference(module, inputs):
    with torch.inference_mode():
        return module([inputs])[0]


def by_score(boxes, scores, classes):
    """Best first; random networks give equal scores, and torchvision leaves those in no order."""
    return np.lexsort((*np.asarray(boxes).T, np.asarray(classes), -np.asarray(scores)))


def test_equal_to_torchvision_at_its_own_thresholds(net):
    name, module = net
    task = make_live_task("detection", ["x"] * 6)
    task.keep = ALL
    options = own_options(module)
    for size in SIZES:
        inputs = picture(size)
        expected = reference(module, inputs)
        found = task.drawn(task.run(module, [inputs], size), options)
        assert len(found) == len(expected["boxes"]) > 5, (name, size)
        there = by_score(expected["boxes"], expected["scores"], expected["labels"])
        expected = {key: value.numpy()[there] for key, value in expected.items()}
        here = by_score(found.boxes, found.scores, found.classes)
        np.testing.assert_allclose(found.boxes[here], expected["boxes"], atol=1e-3)
        np.testing.assert_allclose(found.scores[here], expected["scores"], atol=1e-6)
        assert (found.classes[here] == expected["labels"]).all()
        assert (np.diff(found.scores) <= 0).all()
        assert found.size == size and found.boxes.dtype == np.float32 and found.classes.dtype == np.int64
        assert (found.boxes[:, :2] >= 0).all() and (found.boxes[:, 2:] <= np.array(size) + 1e-3).all()
        assert (found.boxes[:, 2:] >= found.boxes[:, :2]).all()
        assert (found.masks is not None) == (name == "maskrcnn")
        if found.masks is not None:
            same_masks(found, here, expected["masks"][:, 0])
        assert (found.keypoints is not None) == (name == "keypointrcnn")
        if found.keypoints is not None:
            points = found.keypoints[here]
            assert points.shape[1:] == (17, 3) and len(found.skeleton) == 19
            np.testing.assert_allclose(points[..., :2], expected["keypoints"][..., :2], atol=1e-3)
            np.testing.assert_allclose(points[..., 2], expected["keypoints_scores"], atol=1e-4)


def same_masks(found, order, pasted):
    some = 0
    for i, whole in zip(order, pasted, strict=True):
        bits, (x, y) = found.masks.bits[i], found.masks.corners[i]
        full = np.zeros(whole.shape, bool)
        full[y : y + bits.shape[0], x : x + bits.shape[1]] = bits
        assert (full == (whole > 0.5)).all()
        some += 0 < bits.mean() < 1
    assert some > 5  # masks that are neither empty nor full were compared


def test_the_best_thousand_give_the_first_of_torchvisions(net):
    _, module = net
    size = SIZES[0]
    inputs = picture(size)
    expected = reference(module, inputs)
    task = make_live_task("detection", ["x"] * 6)
    raw = task.run(module, [inputs], size)
    assert 0 < len(raw.candidates) <= 1000
    assert (raw.candidates.scores.diff() <= 0).all()
    found = task.drawn(raw, own_options(module))
    assert 5 < len(found) <= len(expected["boxes"])
    np.testing.assert_allclose(found.scores, expected["scores"][: len(found)].numpy(), atol=1e-6)
    clear = found.scores > found.scores[-1]  # of those that equal the last, others may be among the thousand
    here, there = (
        by_score(d[0], d[1], d[2])
        for d in (
            (found.boxes[clear], found.scores[clear], found.classes[clear]),
            [expected[key][: len(found)][clear] for key in ("boxes", "scores", "labels")],
        )
    )
    assert clear.sum() > 5
    np.testing.assert_allclose(found.boxes[here], expected["boxes"][there].numpy(), atol=1e-3)


def test_what_was_looked_at_comes_along_when_asked(net):
    name, module = net
    size = SIZES[1]
    task = make_live_task("detection", ["x"] * 6)
    raw = task.run(module, [picture(size)], size)
    score = float(raw.candidates.scores[20])
    assert task.drawn(raw, LiveOptions(score)).proposals is None
    looked = task.drawn(raw, LiveOptions(score, proposals=True)).proposals
    assert looked.dtype == np.float32 and looked.shape[1] == 5
    assert (np.diff(looked[:, 4]) <= 0).all() and (looked[:, 2:4] >= looked[:, :2]).all()
    if name.endswith("rcnn"):  # the regions are those that torchvision's own proposal network gives
        with torch.inference_mode():
            images, _ = module.transform([picture(size)])
            features = module.backbone(images.tensors)
            regions, _ = module.rpn(images, features)
        height, width = images.image_sizes[0]
        scale = np.array([size[0] / width, size[1] / height] * 2)
        assert len(looked) > 20
        np.testing.assert_allclose(looked[:, :4], regions[0].numpy() * scale, atol=1e-3)
        assert (looked[:, 4] >= 0).all() and (looked[:, 4] <= 1).all()
    else:
        assert 0 < len(looked) <= 20 and (looked[:, 4] > score).all()
        assert len(np.unique(looked[:, :4], axis=0)) == len(looked)


def test_boxes_are_in_pixels_of_the_shown_picture(net):
    """A picture shown at twice the size and an uneven aspect: the same boxes on its pixels."""
    _, module = net
    size = SIZES[0]
    task = make_live_task("detection", ["x"] * 6)
    inputs = [picture(size)]
    options = LiveOptions(0.0, 0.5, 20)
    small = task.drawn(task.run(module, inputs, size), options)
    large = task.drawn(task.run(module, inputs, (size[0] * 2, size[1] * 3)), options)
    assert len(small) > 5
    np.testing.assert_allclose(large.boxes, small.boxes * np.array([2, 3, 2, 3]), rtol=1e-5)


def made(boxes, scores, classes, **more):
    return Candidates(
        torch.tensor(boxes, dtype=torch.float32),
        torch.tensor(scores, dtype=torch.float32),
        torch.tensor(classes, dtype=torch.int64),
        (100, 200),
        **more,
    )


# a and b overlap by 81/119 = 0.68, c is of another class, d is apart
A, B, C, D = (10, 10, 20, 20), (11, 11, 21, 21), (10, 10, 20, 20), (50, 50, 70, 90)


def drawn(options, previous=None, **more):
    task = make_live_task("detection", ("none", "cat", "dog"))
    raw = DetectionRun(made([A, B, C, D], [0.9, 0.8, 0.7, 0.3], [1, 1, 2, 2], **more), (200, 100))
    return task.drawn(raw, options, previous)


def test_threshold_suppression_top_and_classes():
    found = drawn(LiveOptions(0.5, 0.5))
    assert found.boxes.tolist() == [list(A), list(C)]
    assert found.classes.tolist() == [1, 2] and found.labels[2] == "dog"
    assert found.suppressed[:, :4].tolist() == [list(B)] and found.suppressed[0, 4] == pytest.approx(0.8)
    assert drawn(LiveOptions(0.2, 0.5)).boxes.tolist() == [list(A), list(C), list(D)]
    assert drawn(LiveOptions(0.5, 0.7)).boxes.tolist() == [list(A), list(B), list(C)]
    assert len(drawn(LiveOptions(0.5, 0.7)).suppressed) == 0
    only = drawn(LiveOptions(0.2, 0.5, classes=frozenset({2})))
    assert only.boxes.tolist() == [list(C), list(D)] and len(only.suppressed) == 0
    first = drawn(LiveOptions(0.2, 0.5, top=1))
    assert first.boxes.tolist() == [list(A)] and first.suppressed[:, :4].tolist() == [list(B)]
    assert len(drawn(LiveOptions(0.2, classes=frozenset()))) == 0
    nothing = drawn(LiveOptions(0.95))
    assert nothing.boxes.shape == (0, 4) and nothing.suppressed.shape == (0, 5) and nothing.proposals is None


def test_an_anchor_that_fired_for_two_classes_is_given_once():
    anchors = torch.tensor([(0, 0, 8, 8), (8, 0, 16, 8), (0, 0, 8, 8), (32, 32, 64, 64)], dtype=torch.float32)
    looked = drawn(LiveOptions(0.5, proposals=True), anchors=anchors).proposals
    np.testing.assert_allclose(looked, [[0, 0, 8, 8, 0.9], [8, 0, 16, 8, 0.8]], rtol=1e-6)


def test_masks_are_computed_once_and_only_for_what_is_shown():
    asked = []

    def masks(boxes, classes):
        asked.append((boxes.tolist(), classes.tolist()))
        return torch.ones(len(boxes), 28, 28)

    task = make_live_task("instances", ("none", "cat", "dog"))
    raw = DetectionRun(made([A, B, C, D], [0.9, 0.8, 0.7, 0.3], [1, 1, 2, 2], masks=masks), (200, 100))
    before = task.drawn(raw, LiveOptions(0.75))
    assert asked == [([list(A)], [1])]
    assert before.masks.bits[0].mean() > 0.7
    task.drawn(raw, LiveOptions(0.75))
    assert len(asked) == 1
    at_once = task.drawn(raw, LiveOptions(0.2), before)  # while a slider moves nothing is computed
    assert len(asked) == 1
    assert [bits.shape for bits in at_once.masks.bits[1:]] == [(0, 0), (0, 0)]
    assert (at_once.masks.bits[0] == before.masks.bits[0]).all()
    later = task.drawn(raw, LiveOptions(0.2))
    assert asked[1:] == [([list(C), list(D)], [2, 2])]
    assert all(bits.any() for bits in later.masks.bits)


def test_key_points_that_are_not_there_yet_have_no_score():
    def points(boxes):
        return torch.stack([torch.full((17, 3), 1.0 + i) for i in range(len(boxes))])

    task = make_live_task("keypoints", ("none", "person"))
    raw = DetectionRun(made([A, D], [0.9, 0.3], [1, 1], keypoints=points), (400, 100))
    first = task.drawn(raw, LiveOptions(0.5))
    assert first.keypoints[0, 0].tolist() == [2, 1, 1]  # the picture is twice as wide as what the network saw
    assert first.skeleton == COCO_SKELETON
    both = task.drawn(raw, LiveOptions(0.2), first)
    assert both.keypoints[1, 3].tolist() == [120, 70, -np.inf]
    assert task.drawn(raw, LiveOptions(0.2)).keypoints[1, 3].tolist() == [2, 1, 1]


def test_the_skeleton_joins_neighbours_of_one_side():
    names = [(COCO_KEYPOINTS[a], COCO_KEYPOINTS[b]) for a, b in COCO_SKELETON]
    assert len(COCO_KEYPOINTS) == 17 and len(set(map(frozenset, names))) == 19
    assert {frozenset(n) for n in names} >= {
        frozenset(("left knee", "left ankle")),
        frozenset(("right elbow", "right wrist")),
        frozenset(("left hip", "right hip")),
    }
    crossing = [n for n in names if {n[0].split()[0], n[1].split()[0]} == {"left", "right"}]
    assert sorted(a.split()[1] for a, _ in crossing) == ["eye", "hip", "shoulder"]


@pytest.mark.parametrize("box", [(-5.0, -3, 12, 9), (3.2, 4.7, 3.9, 5.1), (90, 40, 130, 80), (0, 0, 100, 60)])
def test_masks_at_the_border_are_as_torchvision_pastes_them(box):
    from torchvision.models.detection.roi_heads import paste_masks_in_image

    torch.manual_seed(3)
    mask = torch.rand(28, 28)
    whole = paste_masks_in_image(mask[None, None], torch.tensor([box]), (60, 100))[0, 0].numpy() > 0.5
    bits, (x, y) = cut_mask(mask, np.array(box, np.float32), (100, 60))
    full = np.zeros((60, 100), bool)
    full[y : y + bits.shape[0], x : x + bits.shape[1]] = bits
    assert (full == whole).all()


def test_a_mask_outside_the_picture_is_empty():
    bits, _ = cut_mask(torch.ones(28, 28), np.array((200, 200, 220, 230), np.float32), (100, 60))
    assert bits.shape == (0, 0)


def test_a_module_may_give_its_candidates_itself():
    class Finder(torch.nn.Module):
        def candidates(self, inputs, keep):
            assert keep == 1000
            return made([A], [0.9], [1])

    task = make_live_task("detection", ("none", "cat"))
    assert task.drawn(task.run(Finder(), [torch.zeros(3, 100, 200)], (200, 100)), LiveOptions()).boxes.tolist() == [
        list(A)
    ]


def test_rank_in_group():
    assert rank_in_group(torch.tensor([5, 2, 5, 5, 2, 9])).tolist() == [0, 0, 1, 2, 1, 0]
    assert rank_in_group(torch.zeros(0, dtype=torch.int64)).tolist() == []
