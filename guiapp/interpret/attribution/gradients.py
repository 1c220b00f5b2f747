"""Attributions to the numbers of the input by gradients, all of them Captum's."""

from __future__ import annotations

import functools
import itertools
import sys
import traceback
from collections.abc import Callable, Generator, Mapping
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

from guiapp.interpret.attribution.apart import each_apart
from guiapp.interpret.attribution.options import DeepLiftOptions, IntegratedOptions, SmoothGradOptions
from guiapp.interpret.attribution.work import Asked, Found, Step, baseline_of

Run = Generator[Step, None, Found]
_LOOSE: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
_NEAR = 4  # calls between a module's forward and what torch does for it


def gradient(asked: Asked) -> Run:
    """Gradient of the score by each number of the input (Simonyan et al. 2014)."""
    from captum.attr import Saliency

    yield 0.0, "forward and backward"
    return Found(_enabled(lambda: Saliency(_noting(asked)).attribute(asked.batch, abs=False)))


def gradient_x_input(asked: Asked) -> Run:
    """Gradient times input (Shrikumar et al. 2016)."""
    from captum.attr import InputXGradient

    yield 0.0, "forward and backward"
    return Found(_enabled(lambda: InputXGradient(_noting(asked)).attribute(asked.batch)), baseline="an input of zeros")


def guided(asked: Asked) -> Run:
    """Guided backpropagation (Springenberg et al. 2015)."""
    from captum.attr import GuidedBackprop

    yield 0.0, "forward and backward"
    values, loose = _with_loose(asked, lambda: GuidedBackprop(_noting(asked)).attribute(asked.batch))
    return Found(values, note=rectified(asked, loose))


def deconvolution(asked: Asked) -> Run:
    """Deconvolution as a rule for the backward pass (Zeiler, Fergus 2014)."""
    from captum.attr import Deconvolution

    yield 0.0, "forward and backward"
    values, loose = _with_loose(asked, lambda: Deconvolution(_noting(asked)).attribute(asked.batch))
    return Found(values, note=rectified(asked, loose))


def _with_loose(asked: Asked, attribute: Callable[[], torch.Tensor]) -> tuple[torch.Tensor, int]:
    """The values, and how many ReLUs are functions: counted in a network's first run, of which it costs a tenth."""
    module = asked.case.module
    if module in _LOOSE:
        return _enabled(attribute), _LOOSE[module]
    with _Relus() as relus:
        values = _enabled(attribute)
    _LOOSE[module] = relus.loose
    return values, relus.loose


def rectified(asked: Asked, loose: int) -> str:
    """What to know of rules for ReLU on a network with other units, or with ``loose`` ReLUs that are functions."""
    if not any(isinstance(module, nn.ReLU) for module in asked.case.module.modules()):
        return "the network has no ReLU modules, for which alone the rule is made: this is the plain gradient"
    if not loose:
        return ""
    some = "one ReLU is a function" if loose == 1 else f"{loose} ReLUs are functions"
    return f"{some} in the network, not modules, which the rule cannot reach: the gradient goes through as it is"


class _Relus(TorchFunctionMode):
    """While it is entered, counts the ReLUs that no module carries out: Captum's rules hang on modules alone.

    Attributes:
        loose: How many.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loose = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Any, args: tuple[Any, ...] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        """Do what torch was called for."""
        if getattr(func, "__name__", "").partition(".")[0] in ("relu", "relu_"):
            callers = (frame.f_code for frame, _ in itertools.islice(traceback.walk_stack(sys._getframe(1)), _NEAR))
            self.loose += nn.ReLU.forward.__code__ not in callers
        return func(*args, **(kwargs or {}))


def deep_lift(asked: Asked) -> Run:
    """DeepLIFT with the rescale rule (Shrikumar et al. 2017)."""
    from captum.attr import DeepLift

    options: DeepLiftOptions = asked.options
    yield 0.0, "forward and backward"
    base = baseline_of(asked, options.baseline)
    score = _noting(asked)

    def lift() -> torch.Tensor:
        found: torch.Tensor = DeepLift(score).attribute(asked.batch, base)
        return found

    try:
        values = _enabled(lift)
    except RuntimeError as error:
        if "used more than once" not in str(error):
            raise
        with _Cleaned(asked.case.module), each_apart(score, torch.cat([asked.batch.detach(), base])):
            values = _enabled(lift)
    finally:
        _clean(asked.case.module)
    # Picture and plain picture go through together, so that both scores are known.
    gap = float(values.sum()) - (float(score.first[0]) - float(score.first[-1]))
    return Found(values, baseline=f"a {options.baseline} picture", gap=gap)


def smooth_grad(asked: Asked) -> Run:
    """Mean of the gradients at noisy copies of the picture (Smilkov et al. 2017), or of their squares, or variance."""
    from captum.attr import Saliency

    options: SmoothGradOptions = asked.options
    batch = asked.batch.detach()
    spread = options.noise * float(batch.max() - batch.min())
    # A generator of its own: torch's global one belongs to whatever trains. Its numbers are those that Captum's
    # NoiseTunnel draws after torch.manual_seed(seed).
    random = torch.Generator(batch.device).manual_seed(options.seed)
    saliency = Saliency(asked.score)
    total, squares = torch.zeros_like(batch[0]), torch.zeros_like(batch[0])
    found, done = Found(), 0
    while done < options.samples:
        yield done / options.samples, f"{done} of {options.samples} noisy copies"
        count = min(asked.chunk, options.samples - done)
        noise = torch.normal(0.0, torch.full((count, *batch.shape[1:]), spread, device=batch.device), generator=random)
        noisy = (batch + noise).requires_grad_()
        gradients = _enabled(functools.partial(saliency.attribute, noisy, abs=False))
        total += gradients.sum(0)
        squares += (gradients**2).sum(0)
        done += count
        mean, square = total / done, squares / done
        smooth = {"mean": mean, "mean of squares": square, "variance": square - mean**2}[options.kind]
        found = Found(smooth[None])
        if done < options.samples:
            asked.show(found, done / options.samples)
    return found


def integrated(asked: Asked) -> Run:
    """Integrated gradients (Sundararajan et al. 2017): they sum to the difference of the two scores."""
    from captum.attr import IntegratedGradients
    from captum.attr._utils.approximation_methods import approximation_parameters

    options: IntegratedOptions = asked.options
    base = baseline_of(asked, options.baseline)
    sizes, alphas = (make(options.steps) for make in approximation_parameters(options.rule))
    method = IntegratedGradients(asked.score)
    total = torch.zeros_like(base)
    if asked.chunk > 1:
        ends = asked.time(torch.cat([asked.batch.detach(), base]))
    else:
        with torch.no_grad():
            ends = torch.cat([asked.time(asked.batch.detach()), asked.score(base)])
    done = 0
    while done < options.steps:
        yield done / options.steps, f"{done} of {options.steps} steps"
        part = slice(done, min(done + asked.chunk, options.steps))
        steps = sizes[part], alphas[part]

        def some(steps: tuple[list[float], list[float]] = steps) -> torch.Tensor:
            found: torch.Tensor = method._attribute(
                (asked.batch.detach(),), (base,), n_steps=len(steps[0]), step_sizes_and_alphas=steps
            )[0]
            return found.detach()

        total = total + _enabled(some)
        done = part.stop
        if done < options.steps:
            asked.show(Found(total, baseline=f"a {options.baseline} picture"), done / options.steps)
    found = Found(total, baseline=f"a {options.baseline} picture")
    found.gap = float(total.sum() - (ends[0] - ends[-1]))  # they hand out the difference of the scores
    return found


def _enabled(work: Callable[[], Any]) -> torch.Tensor:
    """Work with gradients, whatever the lane has switched off; nothing of that lasts over a ``yield``."""
    with torch.inference_mode(False), torch.enable_grad():
        found: torch.Tensor = work()
    return found.detach()


class _Noting(nn.Module):
    """The score, which keeps its first values: that of the picture, and of what went through with it.

    Attributes:
        first: float (N,).
    """

    def __init__(self, asked: Asked) -> None:
        super().__init__()
        self.first = torch.zeros(1)
        self.score = asked.score
        self.training = asked.score.training
        self._asked = asked

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        found: torch.Tensor = self.score(batch)
        if self._asked.value is None:
            self.first = found.detach().clone()
            self._asked.value = float(self.first[0])
        return found


def _noting(asked: Asked) -> _Noting:
    return _Noting(asked)


def _clean(module: nn.Module) -> None:
    """Take away what Captum's DeepLift leaves on modules where it was stopped half-way."""
    for part in module.modules():
        for name in ("input", "output", "input_ref", "output_ref"):
            part.__dict__.pop(name, None)


class _Cleaned:
    def __init__(self, module: nn.Module) -> None:
        self._module = module

    def __enter__(self) -> None:
        _clean(self._module)

    def __exit__(self, *_: object) -> None:
        _clean(self._module)
