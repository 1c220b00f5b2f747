"""A picture grown from noise that excites a unit: gradient ascent with the usual regularisers."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional

from guiapp.core.notices import UserError
from guiapp.interpret.units.options import GrowOptions
from guiapp.interpret.units.passes import LayerPass

COLOURS = ((0.2389, 0.0852, 0.0236), (0.2471, 0.0008, -0.0471), (0.2505, -0.0821, 0.0240))
"""Rows red, green, blue; columns the axes along which colours of photographs vary, as long as they vary there:
brightness, red against blue, green against both. Measured by this project on 819,200 pixels of 200 photographs."""

_CALM = 0.25  # steps in frequencies add up over the picture: at their full length its colours are soon at their ends


@dataclass(frozen=True, eq=False)
class Grown:
    """A picture on its way.

    Attributes:
        pixels: uint8 (H, W, 3), as the network would be fed it, without movement.
        trace: The response after each step, that of the picture as it was moved then.
        value: The response to ``pixels`` as they stand, without movement; NaN while it grows.
        seconds: Time so far.
    """

    pixels: npt.NDArray[np.uint8]
    trace: npt.NDArray[np.float32]
    value: float = math.nan


class Canvas:
    """The numbers that are changed, and the picture that they make.

    In frequencies, each is divided by its distance from zero, so that a step changes fine and coarse detail as it
    stands in photographs, whose spectra fall as 1/f (Olah, Mordvintsev, Schubert 2017). A logistic function keeps
    pixels between black and white.

    Args:
        size: Channels (1 or 3), height, width.
        options: Which of this is done.
        generator: For the noise.
        device: Where it lies.
    """

    def __init__(
        self, size: Sequence[int], options: GrowOptions, generator: torch.Generator, device: torch.device | str
    ) -> None:
        channels, height, width = self._size = tuple(int(n) for n in size)
        if options.fourier:
            down, across = torch.fft.fftfreq(height)[:, None], torch.fft.rfftfreq(width)[None]
            frequencies = torch.hypot(down, across).clamp_min(1 / max(height, width))
            scale = _CALM * math.sqrt(height * width) / (frequencies * max(height, width))
            self._scale: torch.Tensor | None = scale.to(device)
            noise = torch.randn(2, channels, *frequencies.shape, generator=generator)
            self.numbers = (0.02 * noise).to(device).requires_grad_(True)
        else:
            self._scale = None
            self.numbers = (0.05 * torch.randn(channels, height, width, generator=generator)).to(device)
            self.numbers.requires_grad_(True)
        self._axes = None
        if options.decorrelated and channels == 3:
            axes = torch.tensor(COLOURS)
            self._axes = (axes / axes.norm(dim=0).max()).to(device)

    def picture(self) -> torch.Tensor:
        """(1, C, H, W), values 0 to 1."""
        values = self.numbers
        if self._scale is not None:
            spectrum = torch.complex(values[0], values[1]) * self._scale
            values = torch.fft.irfft2(spectrum, s=self._size[1:], norm="ortho")
        if self._axes is not None:
            values = torch.einsum("ij,jhw->ihw", self._axes, values)
        return torch.sigmoid(values)[None]


def moved(picture: torch.Tensor, options: GrowOptions, generator: torch.Generator) -> torch.Tensor:
    """A picture shifted, turned and scaled at random; what comes in at the edges repeats the border.

    Args:
        picture: (1, C, H, W).
        options: By how much at most.
        generator: For the movement.
    """
    if not (options.jitter or options.turn or options.size):
        return picture
    shift = (2 * torch.rand(2, generator=generator) - 1) * 2 * options.jitter
    angle = (2 * torch.rand(1, generator=generator).item() - 1) * math.radians(options.turn)
    factor = 1 + (2 * torch.rand(1, generator=generator).item() - 1) * options.size
    cosine, sine = math.cos(angle) * factor, math.sin(angle) * factor
    proportion = picture.shape[-2] / picture.shape[-1]
    theta = torch.tensor([[cosine, -sine * proportion, shift[0].item()], [sine / proportion, cosine, shift[1].item()]])
    grid = functional.affine_grid(theta[None].to(picture), list(picture.shape), align_corners=False)
    return functional.grid_sample(picture, grid, padding_mode="border", align_corners=False)


def _response(maps: torch.Tensor, unit: int, wants: str) -> torch.Tensor:
    own = maps[0, unit]
    return own[own.shape[0] // 2, own.shape[1] // 2] if wants == "unit" else own.mean()


def growing(
    passed: LayerPass,
    unit: int,
    size: Sequence[int],
    scale: tuple[Sequence[float], Sequence[float]],
    options: GrowOptions,
    tell: Callable[[Grown], None] | None = None,
    device: torch.device | str = "cpu",
    as_inputs: Callable[[torch.Tensor], torch.Tensor | list[torch.Tensor]] | None = None,
) -> Generator[tuple[float, str], None, Grown]:
    """Grow a picture that excites a unit (Erhan et al. 2009; Simonyan et al. 2013), one step at a time.

    Maximises the response a(x) - w TV(x) of pictures x by Adam; before each step x is moved at random, so that what
    grows does not hang on single pixels.

    Args:
        passed: The layer, entered.
        unit: Channel, or unit of a dense layer; of the last layer, a class.
        size: Channels, height, width of the input.
        scale: Mean and deviation of the preprocessing, per channel on the scale 0 to 1.
        options: Steps, step length, regularisers.
        tell: Called with what there is after each step but the last.
        device: Where the network lies.
        as_inputs: Makes what the network takes of a normalised (1, C, H, W); for detectors, which normalise themselves,
            a list.

    Returns:
        The grown picture. The same options give the same picture.

    Raises:
        UserError: If the unit's response does not depend on the picture.
    """
    generator = torch.Generator().manual_seed(options.seed)
    canvas = Canvas(size, options, generator, device)
    mean, std = (
        torch.tensor([float(x) for x in values] * (size[0] if len(values) == 1 else 1)).reshape(1, -1, 1, 1).to(device)
        for values in scale
    )
    optimiser = torch.optim.Adam([canvas.numbers], lr=options.rate)
    sign = 1.0 if options.sign == "most" else -1.0
    trace: list[float] = []

    def feed(picture: torch.Tensor) -> torch.Tensor | list[torch.Tensor]:
        normalised = (picture - mean) / std
        return normalised if as_inputs is None else as_inputs(normalised)

    for step in range(options.steps):
        with torch.enable_grad():
            picture = canvas.picture()
            response = _response(passed(feed(moved(picture, options, generator)))[0], unit, options.wants)
            loss = -sign * response
            if options.smoothness:
                loss = loss + options.smoothness * variation(picture)
            follows = response.requires_grad  # not where the network cuts gradients off, or never looks
            gradient = torch.autograd.grad(loss, canvas.numbers, allow_unused=True)[0] if follows else None
        if gradient is None or not bool(torch.isfinite(gradient).all()):
            raise UserError("the response of this unit does not follow the picture: choose another unit")
        canvas.numbers.grad = gradient
        optimiser.step()
        trace.append(float(response.detach()))
        if tell is not None and step + 1 < options.steps:
            tell(Grown(_levels(canvas.picture()), np.array(trace, np.float32)))
        yield (step + 1) / options.steps, f"step {step + 1} of {options.steps}, response {trace[-1]:.3g}"
    with torch.no_grad():
        final = canvas.picture()
        value = float(_response(passed(feed(final))[0], unit, options.wants))
    return Grown(_levels(final), np.array(trace, np.float32), value)


def variation(picture: torch.Tensor) -> torch.Tensor:
    """Mean size of the differences between neighbours of (1, C, H, W), down and across."""
    return picture.diff(dim=2).abs().mean() + picture.diff(dim=3).abs().mean()


def _levels(picture: torch.Tensor) -> npt.NDArray[np.uint8]:
    array = (picture[0].detach() * 255).round().to(torch.uint8).permute(1, 2, 0).cpu().numpy()
    return np.ascontiguousarray(np.repeat(array, 3, axis=2) if array.shape[2] == 1 else array)
