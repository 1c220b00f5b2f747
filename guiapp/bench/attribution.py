"""Cost of attribution: each method against a direct call of Captum, and Grad-CAM live against forward and backward."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from typing import Any

from guiapp.bench.figures import Tell, paired, worst

WHAT = "each method of attribution on SqueezeNet 1.1 (random weights), one class, against a direct call of Captum"
LIVE = (
    "frames a second of the live lane's run of ResNet-18 with prediction and Grad-CAM, "
    "against a bare forward and backward pass on the same input and threads"
)
CLASS = 207
SAMPLES, STEPS = 24, 32  # the program's own numbers
_WINDOW, _STRIDE = 56, 28


def measure(quick: bool, tell: Tell) -> dict[str, Any]:
    """Time both in turn, method by method; ``live`` has the figures of Grad-CAM on a camera."""
    import torch

    torch.set_num_threads(_physical_cores())
    cases = {}
    pictures = _case("squeezenet1_1")
    for name, (options, peer) in _methods(pictures).items():
        tell(name)
        cases[name] = _against(pictures, name, options, peer, quick)
    tell("Grad-CAM live")
    return {**worst(cases, WHAT), "live": _live(quick)}


def _case(name: str) -> Any:
    """A published network with random weights on a picture of noise."""
    import numpy as np
    import torch

    from guiapp.core.picture import Origin, Picture
    from guiapp.engine import ask_published
    from guiapp.interpret.case import Case
    from guiapp.models.zoo.open import open_model

    opened = open_model(name, "random")
    pixels = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)
    picture = Picture(pixels, Origin("file", "noise"))
    inputs = opened.prepare(pixels)
    assert isinstance(inputs, torch.Tensor)
    layers = ask_published.inspect(opened, picture).layers
    return Case(
        opened.module, "classification", inputs, tuple(opened.labels), layers, picture, None,
        lambda other: opened.prepare(other.pixels),
    )  # fmt: skip


def _methods(case: Any) -> dict[str, tuple[Any, Callable[[Any], Any]]]:
    """By name: our options, and what calls Captum with an input that asks for gradients."""
    from captum import attr

    from guiapp.interpret.attribution import options as o

    net, layer = case.module, case.module.get_submodule("features")
    grey = {"baselines": 0.0, "target": CLASS}
    spread = 0.15 * float(case.batch.max() - case.batch.min())
    tunnel = attr.NoiseTunnel(attr.Saliency(net))
    window = {"sliding_window_shapes": (3, _WINDOW, _WINDOW), "strides": (3, _STRIDE, _STRIDE)}
    return {
        "gradient": (None, lambda x: attr.Saliency(net).attribute(x, CLASS, abs=False)),
        "gradient-x-input": (None, lambda x: attr.InputXGradient(net).attribute(x, CLASS)),
        "smooth-grad": (
            o.SmoothGradOptions(samples=SAMPLES),
            lambda x: tunnel.attribute(x, nt_samples=SAMPLES, stdevs=spread, target=CLASS, abs=False),
        ),
        "integrated-gradients": (
            o.IntegratedOptions(steps=STEPS),
            lambda x: attr.IntegratedGradients(net).attribute(x, n_steps=STEPS, **grey),
        ),
        "deep-lift": (None, lambda x: attr.DeepLift(net).attribute(x, **grey)),
        "guided-backpropagation": (None, lambda x: attr.GuidedBackprop(net).attribute(x, CLASS)),
        "deconvolution": (None, lambda x: attr.Deconvolution(net).attribute(x, CLASS)),
        "occlusion": (
            o.OcclusionOptions(_WINDOW, _STRIDE),
            lambda x: attr.Occlusion(net).attribute(x.detach(), **window, **grey),
        ),
        "grad-cam": (
            o.CamOptions("features"),
            lambda x: attr.LayerGradCam(net, layer).attribute(x, CLASS, relu_attributions=True),
        ),
        "guided-grad-cam": (
            o.GuidedCamOptions("features"),
            lambda x: attr.GuidedGradCam(net, layer).attribute(x, CLASS),
        ),
    }


def _against(case: Any, method: str, options: Any, peer: Callable[[Any], Any], quick: bool) -> dict[str, Any]:
    import torch

    from guiapp.interpret.attribution.work import attribute, run_through
    from guiapp.interpret.targets import ClassTarget

    def ours() -> None:
        run_through(attribute(case, ClassTarget(CLASS), method, options, None))

    def theirs() -> None:
        peer(case.batch.clone().requires_grad_())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ours()
        theirs()
        pairs = [(_seconds(ours), _seconds(theirs)) for _ in range(2 if quick else 21)]
    return paired(pairs, "s", "lower", f"{method} of a picture of 224x224", threads=torch.get_num_threads())


def _live(quick: bool) -> dict[str, Any]:
    """Runs of the live lane's network on a picture after another, each with a map of its own."""
    import numpy as np
    import torch

    from guiapp.core.picture import Origin, Picture
    from guiapp.engine import ask_published
    from guiapp.engine.live_network import LiveNetwork
    from guiapp.interpret.attribution.options import AttributionOptions
    from guiapp.models.zoo.open import open_model
    from guiapp.tasks.live_options import LiveOptions

    opened = open_model("resnet18", "random")
    opened.module.requires_grad_(False)
    pixels = np.random.default_rng(0).integers(0, 256, (360, 480, 3), np.uint8)
    picture = Picture(pixels, Origin("file", "noise"))
    layers = ask_published.inspect(opened, picture).layers
    network = LiveNetwork(opened)
    asked = (AttributionOptions("grad-cam", CLASS),)
    network.begin(picture, None, {})
    inputs = network.inputs

    def ours() -> None:
        network.run((), {}, False, {}, asked, layers)
        network.draw(LiveOptions(), True, {})
        if asked[0] not in network.explained:
            raise RuntimeError("the run gave no map")

    def theirs() -> None:
        x = inputs.clone().requires_grad_()
        opened.module(x)[0, CLASS].backward()

    ours()
    theirs()
    frames = 2 if quick else 10
    pairs = [(_rate(ours, frames), _rate(theirs, frames)) for _ in range(2 if quick else 21)]
    return paired(pairs, "frames/s", "higher", LIVE, threads=torch.get_num_threads())


def _seconds(work: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def _rate(frame: Callable[[], Any], count: int) -> float:
    begin = time.perf_counter()
    for _ in range(count):
        frame()
    return count / (time.perf_counter() - begin)


def _physical_cores() -> int:
    import psutil

    return psutil.cpu_count(logical=False) or 1
