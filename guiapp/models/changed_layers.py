"""Layers that a recipe puts into a network: of the input, of normalisation, and those that draw at random.

They import torch alone, and say nothing of the network around them.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

LOOKS = (0.1, 0.3, 0.5, 0.7, 0.9)
"""Places of the fixed regions over which fractional pooling takes the mean outside of training."""


class MeanImage(nn.Module):
    """x - m, m the mean picture of the training part (T4 8.2).

    Attributes:
        mean: m, (C, H, W).
    """

    mean: torch.Tensor

    def __init__(self, size: tuple[int, ...]) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(size))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) of pictures of that shape."""
        return pictures - self.mean


class PrincipalAxes(nn.Module):
    """Pictures in the coordinates of the principal axes of the training part (T4 8.2: PCA, whitening).

    c = s * U^T (x - m): m the mean picture, U (D, K) the directions in which the training part varies most, s = 1 for
    PCA and 1 / sqrt(variance + e) for whitening. Turned back they are the pictures U c, as ZCA whitening does it
    (Bell and Sejnowski 1997); else c fills the places of the picture from the first on, and zeros the rest.

    Args:
        size: Channels, height, width.
        components: K, axes that are kept.
        back: Whether coordinates are turned back into a picture.

    Attributes:
        mean, axes, scale: m (D,), U (D, K) and s (K,).
    """

    mean: torch.Tensor
    axes: torch.Tensor
    scale: torch.Tensor

    def __init__(self, size: tuple[int, ...], components: int, back: bool = True) -> None:
        super().__init__()
        numbers = 1
        for length in size:
            numbers *= length
        self.components, self.back = components, back
        self.register_buffer("mean", torch.zeros(numbers))
        self.register_buffer("axes", torch.zeros(numbers, components))
        self.register_buffer("scale", torch.ones(components))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """(N, C, H, W) of pictures of that shape."""
        found = (pictures.flatten(1) - self.mean) @ self.axes * self.scale
        found = found @ self.axes.T if self.back else functional.pad(found, (0, len(self.mean) - self.components))
        return found.reshape(pictures.shape)

    def extra_repr(self) -> str:
        """Numbers in and axes."""
        return f"{len(self.mean)}, {self.components}{', turned back' if self.back else ''}"


class ScaleShift(nn.Module):
    """gamma x + beta for each channel: what normalisation learns, without normalising.

    Args:
        channels: Length of gamma and beta.
        last: Whether channels are the last dimension instead of the second.
    """

    def __init__(self, channels: int, last: bool = False) -> None:
        super().__init__()
        self.last = last
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """The shape of ``values``."""
        shape = (-1,) if self.last else (-1, *(1,) * (values.ndim - 2))
        return values * self.weight.reshape(shape) + self.bias.reshape(shape)


class ChannelsLast(nn.Module):
    """A normalisation that expects the channels second, on values (N, ..., C) that have them last.

    Attributes:
        norm: That normalisation.
    """

    def __init__(self, norm: nn.Module) -> None:
        super().__init__()
        self.norm = norm

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """(N, ..., C) of the same shape."""
        found: torch.Tensor = self.norm(values.movedim(-1, 1).flatten(2))
        return found.reshape(values.shape[0], values.shape[-1], *values.shape[1:-1]).movedim(1, -1)


class DropConnectLinear(nn.Linear):
    """A dense layer of which each weight is left out with a probability while it trains (Wan et al. 2013; T4 8.7).

    One draw serves the batch. Weights that stay are divided by the share that stays, so that all of them can be used
    unchanged outside of training.

    Attributes:
        rate: Probability of a weight to be left out.
    """

    rate: float
    draws = True

    @classmethod
    def of(cls, layer: nn.Linear, rate: float) -> DropConnectLinear:
        """The same layer with the same parameters, which are shared."""
        made = cls(layer.in_features, layer.out_features, layer.bias is not None, device="meta")
        made.weight, made.bias = layer.weight, layer.bias
        made.rate = rate
        return made.train(layer.training)

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        """As ``nn.Linear``."""
        return functional.linear(input, self.drawn(self.weight), self.bias)

    def drawn(self, weight: torch.Tensor) -> torch.Tensor:
        """Weights of which some are left out, while it trains."""
        return functional.dropout(weight, self.rate, self.training)

    def extra_repr(self) -> str:
        """With the rate."""
        return f"{super().extra_repr()}, rate={self.rate:g}"


class StochasticDepth(nn.Module):
    """Leaves out the branch of a residual unit, for each sample apart (Huang et al. 2016, arXiv 1603.09382; T4 8.7).

    Branches that stay are divided by the share that stays; outside of training all of them are used.

    Attributes:
        rate: Probability of being left out.
    """

    draws = True

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, branch: torch.Tensor) -> torch.Tensor:
        """What is added to the shortcut, (N, ...)."""
        if not self.training or self.rate == 0:
            return branch
        stays = torch.rand(len(branch), device=branch.device) >= self.rate
        factor = stays.to(branch.dtype) / (1 - self.rate)
        return branch * factor.reshape(-1, *(1,) * (branch.ndim - 1))

    def extra_repr(self) -> str:
        """The rate."""
        return f"rate={self.rate:g}"


class SkippedBranch(nn.Module):
    """A module that ends a branch and gives several things, the first of which is left out by ``StochasticDepth``.

    Attributes:
        branch: The module.
        stochastic_depth: What leaves it out.
    """

    def __init__(self, branch: nn.Module, rate: float) -> None:
        super().__init__()
        self.branch, self.stochastic_depth = branch, StochasticDepth(rate)

    def forward(self, *given: Any, **named: Any) -> Any:
        """As the module."""
        found = self.branch(*given, **named)
        if isinstance(found, tuple):
            return self.stochastic_depth(found[0]), *found[1:]
        return self.stochastic_depth(found)


class FractionalPool(nn.Module):
    """Pooling of windows whose places are drawn, to a share of the size that need not be a half (Graham 2014; T4 8.7).

    Window i of n begins at int((i + u) a) - int(u a), a = (size - k) / (n - 1), the last one at size - k; u is drawn
    for each sample, of rows and columns apart, and is the same for all maps. Windows overlap. Outside of training it
    is the mean over the regions of five fixed u. It stands for the mean over the predictions from many regions, which
    takes as many passes and has no single set of maps and gradients to look into; where the rest of the network is
    not linear, the two differ.

    Args:
        kernel: k, side of a window.
        share: Size that is left, as a share of the size before; above 0.5.

    Attributes:
        kernel, share: These.
    """

    draws = True

    def __init__(self, kernel: int, share: float) -> None:
        super().__init__()
        self.kernel, self.share = kernel, share

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(N, C, h, w) of maps (N, C, H, W)."""
        if not self.training:
            return torch.stack([self._pooled(maps, torch.full((1, 2), u)) for u in LOOKS]).mean(0)
        return self._pooled(maps, torch.rand(len(maps), 2, device=maps.device))

    def _pooled(self, maps: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
        """``places``: u of rows and columns of each sample, or of all of them."""
        for axis in (2, 3):
            first = self.starts(maps.shape[axis], places[:, axis - 2]).to(maps.device)
            parts = []
            for offset in range(min(self.kernel, maps.shape[axis])):
                if len(first) == 1:
                    parts.append(maps.index_select(axis, first[0] + offset))
                    continue
                shape = list(maps.shape)
                shape[axis] = first.shape[1]
                index = (first + offset)[:, None, :, None] if axis == 2 else (first + offset)[:, None, None, :]
                parts.append(maps.gather(axis, index.expand(shape)))
            maps = self._joined(torch.stack(parts))
        return maps

    def starts(self, size: int, places: torch.Tensor) -> torch.Tensor:
        """Where windows begin, int64 (samples, n), for u ``places`` (samples,) on an axis of ``size``."""
        count = max(int(size * self.share), 1)
        last = max(size - self.kernel, 0)
        if count == 1:
            return torch.full((len(places), 1), last // 2, dtype=torch.int64, device=places.device)
        step = last / (count - 1)
        u = places[:, None].double()
        found = ((torch.arange(count - 1, device=places.device) + u) * step).long() - (u * step).long()
        return torch.cat([found, torch.full_like(found[:, :1], last)], 1)

    def _joined(self, parts: torch.Tensor) -> torch.Tensor:
        """The places of a window, first dimension, as one."""
        raise NotImplementedError

    def extra_repr(self) -> str:
        """Window and share."""
        return f"kernel={self.kernel}, share={self.share:g}"


class FractionalMaxPool(FractionalPool):
    """The largest of each window."""

    def _joined(self, parts: torch.Tensor) -> torch.Tensor:
        return parts.amax(0)


class FractionalAvgPool(FractionalPool):
    """The mean of each window."""

    def _joined(self, parts: torch.Tensor) -> torch.Tensor:
        return parts.mean(0)
