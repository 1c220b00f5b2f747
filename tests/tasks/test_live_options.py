import subprocess
import sys

import numpy as np
import pytest
import torch

from guiapp.core.notices import SettingError
from guiapp.core.registry import UnknownName
from guiapp.tasks.live_options import LIVE_TASKS, LiveOptions, SeriesTask, make_live_task, slot_of


def test_importing_it_does_not_import_torch():
    code = "import sys, guiapp.tasks.live_options; sys.exit('torch' in sys.modules or 'cv2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", list(LIVE_TASKS))
def test_every_task_can_be_made_and_reset_and_those_over_time_are_fed(name):
    task = make_live_task(name, ["a", "b"])
    assert task.labels == ("a", "b") and task.frames >= 1
    assert isinstance(task, SeriesTask) == (task.frames > 1)
    if isinstance(task, SeriesTask):
        task.feed(torch.zeros(1, 3, 8, 8), 0.0)
    task.reset()


def test_slots_of_thirty_frames_a_second_for_a_network_of_fifteen():
    stamps = [round(i / 30, 6) for i in range(8)]  # 0.066667 is past its slot's begin, 0.133333 before it
    assert [slot_of(seconds, 15) for seconds in stamps] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_unknown_tasks_name_what_is_near():
    with pytest.raises(UnknownName, match="segmentation"):
        make_live_task("segmentatoin")


@pytest.mark.parametrize("wrong", [{"score": -0.1}, {"score": 1.5}, {"iou": 2}, {"top": -1}])
def test_values_out_of_range_are_refused(wrong):
    with pytest.raises(SettingError, match=next(iter(wrong))):
        LiveOptions(**wrong)


def test_classification_is_the_soft_max_of_the_network():
    from torchvision.models import squeezenet1_1

    torch.manual_seed(0)
    module = squeezenet1_1(weights=None, num_classes=9).eval().requires_grad_(False)
    inputs = torch.randn(1, 3, 97, 120)
    task = make_live_task("classification", [str(i) for i in range(9)])
    found = task.drawn(task.run(module, inputs, (640, 480)), LiveOptions(top=1, classes=frozenset({1})))
    wanted = module(inputs).softmax(1)[0].numpy()
    assert wanted.std() > 0
    np.testing.assert_allclose(found.probabilities, wanted, atol=1e-6)
    assert found.labels[found.best] == str(wanted.argmax())
