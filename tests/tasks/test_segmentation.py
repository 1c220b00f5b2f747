import numpy as np
import pytest
import torch
from torch.nn import functional

from guiapp.tasks.live_options import LiveOptions, make_live_task
from guiapp.tasks.segmentation import _able, enlarged
from tests.tasks.torchvision_nets import settle

LABELS = tuple(f"class {i}" for i in range(21))


@pytest.fixture(scope="module", params=["fcn", "fcn with auxiliary", "deeplab", "lraspp"])
def net(request):
    from torchvision.models import segmentation

    bare = {"weights": None, "weights_backbone": None, "num_classes": 21}
    torch.manual_seed(0)
    module = {
        "fcn": lambda: segmentation.fcn_resnet50(**bare, aux_loss=False),
        "fcn with auxiliary": lambda: segmentation.fcn_resnet50(**bare, aux_loss=True),
        "deeplab": lambda: segmentation.deeplabv3_mobilenet_v3_large(**bare),
        "lraspp": lambda: segmentation.lraspp_mobilenet_v3_large(**bare),
    }[request.param]()
    module.eval().requires_grad_(False)
    settle(module, 128)
    return module


@pytest.mark.parametrize("shape", [(97, 131), (64, 64), (150, 70)])
def test_equal_to_torchvision_at_the_networks_resolution(net, shape):
    torch.manual_seed(1)
    inputs = torch.randn(1, 3, *shape)
    with torch.inference_mode():
        output = net(inputs)["out"][0]
    task = make_live_task("segmentation", LABELS)
    found = task.drawn(task.run(net, inputs, (320, 200)), LiveOptions())
    assert found.classes.dtype == np.uint8 and found.classes.shape == shape and found.size == (320, 200)
    top = output.topk(2, 0).values
    sure = (top[0] - top[1] > 1e-5).numpy()
    assert sure.mean() > 0.99 and len(np.unique(found.classes)) >= 3
    assert (found.classes == output.argmax(0).numpy())[sure].all()
    np.testing.assert_allclose(found.confidence, output.softmax(0).amax(0).numpy(), atol=2e-3)  # see `enlarged`


def test_at_the_pictures_resolution(net):
    torch.manual_seed(1)
    inputs = torch.randn(1, 3, 64, 96)
    task = make_live_task("segmentation", LABELS)
    raw = task.run(net, inputs, (301, 203))
    found = task.drawn(raw, LiveOptions(resolution="picture"))
    assert found.classes.shape == found.confidence.shape == (203, 301)
    wanted = functional.interpolate(raw.logits[None], (203, 301), mode="bilinear", align_corners=False)[0]
    assert (found.classes == wanted.argmax(0).numpy()).mean() > 0.999
    assert task.drawn(raw, LiveOptions(resolution="picture")) is found  # a slider costs nothing


def test_classes_that_cannot_win_change_nothing():
    """A real kind of answer: few classes have regions, the others are low everywhere."""
    torch.manual_seed(2)
    logits = 0.5 * torch.randn(21, 20, 30)
    logits[0] += 9
    logits[7, 4:12, 5:20] += 18
    logits[15, 10:18, 15:28] += 16
    assert _able(logits).nonzero().flatten().tolist() == [0, 7, 15]
    whole = functional.interpolate(logits[None], (163, 241), mode="bilinear", align_corners=False)[0]
    classes, confidence = enlarged(logits, (163, 241))
    assert set(np.unique(classes.numpy())) == {0, 7, 15}
    assert (classes == whole.argmax(0)).all()
    assert (confidence - whole.softmax(0).amax(0)).abs().max() < 0.01


@pytest.mark.parametrize("seed", range(5))
def test_a_class_that_wins_between_two_others_is_found(seed):
    """One that is second at every given pixel can be first between them."""
    torch.manual_seed(seed)
    logits = torch.zeros(5, 6, 8)
    logits[0, :, ::2], logits[1, :, 1::2], logits[2] = 4, 4, 3
    logits[3:] = torch.randn(2, 6, 8) - 6
    logits += torch.randn(5, 6, 8) * 0.1
    whole = functional.interpolate(logits[None], (61, 83), mode="bilinear", align_corners=False)[0]
    classes, _ = enlarged(logits, (61, 83))
    assert (classes == 2).any() and (classes == whole.argmax(0)).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 5), (4, 1)])
def test_answers_of_one_row(shape):
    torch.manual_seed(0)
    logits = torch.randn(4, *shape)
    whole = functional.interpolate(logits[None], (9, 11), mode="bilinear", align_corners=False)[0]
    assert (enlarged(logits, (9, 11))[0] == whole.argmax(0)).all()


def test_same_shape_leaves_the_scores_alone():
    logits = torch.randn(4, 6, 7)
    before = logits.clone()
    classes, confidence = enlarged(logits, (6, 7))
    assert (logits == before).all() and (classes == before.argmax(0)).all()
    torch.testing.assert_close(confidence, before.softmax(0).amax(0))


def test_where_scores_are_nan_there_is_no_answer():
    logits = torch.zeros(4, 6, 6)
    logits[2] = 5
    logits[:, :, 4:] = torch.nan
    classes, confidence = enlarged(logits, (6, 6))
    assert (classes[:, :4] == 2).all() and (classes[:, 4:] == 0).all()
    assert (confidence[:, :4] > 0.9).all() and (confidence[:, 4:] == 0).all()
    classes, confidence = enlarged(torch.full((4, 6, 6), torch.nan), (9, 11))
    assert classes.shape == (9, 11) and not classes.any() and not confidence.any()


def test_more_classes_than_a_byte_holds():
    logits = torch.zeros(300, 3, 3)
    logits[280] = 5
    assert enlarged(logits, (4, 4))[0].unique().tolist() == [280]


def test_class_filter():
    class Fixed(torch.nn.Module):
        def forward(self, x):
            scores = torch.zeros(1, 3, 2, 2)
            scores[0, 1, :, 0] = scores[0, 2, :, 1] = 9
            return scores

    task = make_live_task("segmentation", ("background", "cat", "dog"))
    raw = task.run(Fixed(), torch.zeros(1, 3, 2, 2), (4, 4))
    assert task.drawn(raw, LiveOptions()).classes.tolist() == [[1, 2], [1, 2]]
    cats = task.drawn(raw, LiveOptions(classes=frozenset({1, 99})))
    assert cats.classes.tolist() == [[1, 0], [1, 0]] and cats.classes.dtype == np.uint8
    assert (cats.confidence[:, 0] > 0.99).all() and (cats.confidence[:, 1] == 0).all()
    assert task.drawn(raw, LiveOptions()).shares() == {"cat": 0.5, "dog": 0.5}
