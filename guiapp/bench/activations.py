"""Cost of looking: prediction and activation maps of a picture, against the bare forward pass."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

from guiapp.bench.figures import Tell, paired, worst

WHAT = (
    "frames a second of prediction and activation atlas (every layer of LeNet-5; the largest layer of VGG-16), "
    "against the bare forward pass of the same network on the same input and threads"
)


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Time both in turn, frame by frame, for the two networks."""
    import torch

    cases = {}
    torch.manual_seed(0)
    with torch.no_grad():
        tell("LeNet-5, every layer")
        cases["lenet5"] = _lenet(quick)
        tell("VGG-16, largest layer")
        cases["vgg16"] = _vgg(quick)
    return worst(cases, WHAT)


def _lenet(quick: bool) -> dict[str, Any]:
    import torch

    from guiapp.interpret.options import ActivationOptions
    from guiapp.models import MODELS

    torch.set_num_threads(1)
    model = MODELS["lenet5"].build(1, 32, 32, 10).eval()
    what = "every layer of LeNet-5, one picture of 32x32, one thread"
    return _case(model, (1, 32, 32), 10, ActivationOptions(), 3 if quick else 41, 20 if quick else 100, what)


def _vgg(quick: bool) -> dict[str, Any]:
    import torch
    from torchvision.models import vgg16

    from guiapp.interpret.layers import layer_list
    from guiapp.interpret.options import ActivationOptions

    torch.set_num_threads(_physical_cores())
    model = vgg16(weights=None).eval()
    layers = layer_list(model, (3, 224, 224))
    leaves = [layer for layer in layers if layer.kind != "container"]
    largest = max(leaves, key=lambda layer: torch.Size(layer.output_shape).numel())
    options = ActivationOptions(layer=largest.name)
    what = f"{largest.name} of VGG-16 ({'x'.join(map(str, largest.output_shape))}), one picture of 224x224"
    return _case(model, (3, 224, 224), 1000, options, 2 if quick else 31, 1 if quick else 3, what)


def _case(
    model: Any, size: tuple[int, int, int], classes: int, options: Any, rounds: int, frames: int, what: str
) -> dict[str, Any]:
    """Rounds of frames of ours and of the peer in turn."""
    import torch

    from guiapp.interpret import PROBES, capture
    from guiapp.interpret.base import Look
    from guiapp.interpret.layers import layer_list
    from guiapp.models.base import Preprocessing
    from guiapp.tasks.base import make_task

    layers = layer_list(model, size)
    look = Look(model, layers, Preprocessing(size, (0.5,) * size[0], (0.5,) * size[0]))
    probe = PROBES["activations"]
    task = make_task("classification", tuple(map(str, range(classes))))
    image = torch.randn(1, *size)
    wanted = probe.layers(layers, options)

    def ours() -> None:
        look.input = image
        look.output, look.activations = capture.run(model, image, wanted)
        task.prediction(look.output)
        probe.run(look, options)

    def peer() -> None:
        model(image)

    for _ in range(frames):
        ours()
        peer()
    pairs = [(_rate(ours, frames), _rate(peer, frames)) for _ in range(rounds)]
    return paired(pairs, "frames/s", "higher", what, threads=torch.get_num_threads())


def _rate(frame: Callable[[], None], count: int) -> float:
    times: Sequence[float] = [_seconds(frame) for _ in range(count)]
    return 1.0 / statistics.median(times)


def _seconds(frame: Callable[[], None]) -> float:
    begin = time.perf_counter()
    frame()
    return time.perf_counter() - begin


def _physical_cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or 1
