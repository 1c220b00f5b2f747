from types import SimpleNamespace

import numpy as np
import pytest
import torch

from guiapp.tasks.live_options import LiveOptions, make_live_task

LABELS = tuple(f"class {i}" for i in range(7))


def small_mvit(side):
    """MViT at its own size takes seconds for a clip; this has its parts in two blocks."""
    from torchvision.models.video.mvit import MSBlockConfig, MViT

    blocks = [
        MSBlockConfig(1, 96, 96, [], [3, 3, 3], [], [1, 8, 8]),
        MSBlockConfig(2, 96, 192, [3, 3, 3], [3, 3, 3], [1, 2, 2], [1, 4, 4]),
    ]
    plain = dict.fromkeys(("residual_pool", "residual_with_cls_embed", "rel_pos_embed", "proj_after_attn"), False)
    return MViT((side, side), 16, blocks, **plain, num_classes=7)


@pytest.mark.parametrize("name", ["r3d_18", "mc3_18", "r2plus1d_18", "s3d", "mvit"])
def test_equal_to_the_network_on_the_last_frames(name):
    from torchvision.models import video

    torch.manual_seed(0)
    side = {"s3d": 224, "mvit": 64}.get(name, 48)
    module = small_mvit(side) if name == "mvit" else getattr(video, name)(weights=None, num_classes=7)
    module.eval().requires_grad_(False)
    frames = torch.randn(18, 3, side, side)
    task = make_live_task("clip", LABELS)
    assert task.frames == 16
    for i in range(15):
        raw = task.run(module, frames[i : i + 1], (64, 48))
    waiting = task.drawn(raw, LiveOptions())
    assert waiting.scores is None and (waiting.frames, waiting.wanted) == (15, 16)
    for i in (15, 16):
        task.feed(frames[i : i + 1])
    found = task.drawn(task.run(module, frames[17:], (64, 48)), LiveOptions())
    with torch.inference_mode():
        wanted = module(frames[2:].transpose(0, 1)[None]).softmax(1)[0].numpy()
    assert wanted.std() > 0
    np.testing.assert_allclose(found.scores.probabilities, wanted, atol=1e-5)
    assert found.frames == 16 and found.scores.labels == LABELS


class Counting(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, clip):
        self.seen.append(clip[0, 0, :, 0, 0].tolist())
        return torch.zeros(1, 7)


def frame(value, side=4):
    return torch.full((1, 3, side, side), float(value))


def test_the_entry_says_how_long_a_clip_is_and_the_network_rests_until_then():
    task, module = make_live_task("clip", LABELS, SimpleNamespace(frames=3)), Counting()
    for i in range(5):
        task.run(module, frame(i), (4, 4))
    assert module.seen == [[0, 1, 2], [1, 2, 3], [2, 3, 4]]


def test_another_source_begins_a_new_clip():
    task, module = make_live_task("clip", LABELS, SimpleNamespace(frames=2)), Counting()
    task.run(module, frame(1), (4, 4))
    task.run(module, frame(2, side=5), (5, 5))
    assert module.seen == []
    task.reset()
    assert task.run(module, frame(3), (4, 4)).frames == 1
    task.run(module, frame(4), (4, 4))
    assert module.seen == [[3, 4]]


def test_a_clip_is_never_shorter_than_the_weights_need():
    def frames(*needed):
        return make_live_task(
            "clip", LABELS, SimpleNamespace(weights=[SimpleNamespace(frames=n) for n in needed])
        ).frames

    assert (frames(), frames(1), frames(14, 32)) == (16, 16, 32)


@pytest.mark.parametrize(
    "fps, seen",
    [
        (30, [0, 2, 4, 6]),  # every second one
        (15, [0, 1, 2, 3]),
        (60, [0, 4, 8, 12]),
        (25, [0, 2, 4, 5]),  # as torchvision's VideoClips, which takes 0, 1, 3, 5, but never ahead of its time
        (5, [0, 0, 0, 1]),  # a slow source: what stood still is seen so
    ],
)
def test_frames_follow_one_another_at_the_rate_of_training(fps, seen):
    task, module = make_live_task("clip", LABELS, SimpleNamespace(frames=4)), Counting()
    for i in range(30):
        inputs = frame(i)
        task.feed(inputs, i / fps)
        task.run(module, inputs, (4, 4))
        if module.seen:
            break
    assert module.seen == [seen]


def test_between_two_frames_of_a_clip_the_network_rests_and_can_be_run_once_more():
    task, module = make_live_task("clip", LABELS, SimpleNamespace(frames=2)), Counting()
    runs = []
    for i in range(6):
        inputs = frame(i)
        task.feed(inputs, i / 30)
        runs.append(task.run(module, inputs, (4, 4)))
    assert module.seen == [[0, 2], [2, 4]]
    assert runs[2] is runs[3] and runs[4] is runs[5] and runs[3] is not runs[4]
    task.again(module, inputs, (4, 4))
    assert module.seen[2:] == [[2, 4]]


def test_mvit_sees_two_seconds_and_the_others_one():
    from guiapp.models.zoo import ZOO

    rates = {name: make_live_task("clip", LABELS, ZOO[name]).rate for name in ("r3d_18", "s3d", "mvit_v2_s")}
    assert rates == {"r3d_18": 15, "s3d": 15, "mvit_v2_s": 7.5}
