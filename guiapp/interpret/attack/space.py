"""What a picture is to an attack: pixels from 0 to 1 of the network's input, and a ball around them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from guiapp.core.notices import UserError
from guiapp.interpret.alone import answer_of


@dataclass(frozen=True, eq=False)
class Victim:
    """A network that is attacked.

    Attributes:
        module: In evaluation mode; gives logits (N, K) of inputs (N, C, H, W).
        labels: Class names.
        mean, std: Float (1, C, 1, 1) of the normalisation: inputs are (pixels - mean) / std.
        mask: Float (1, 1, H, W), 1 where the input shows the picture and 0 where it is padding, which no picture could
            change; None for all of it.
        exclusive: Whether the classes exclude each other; else each logit has a probability of its own.
        words: What of the picture is attacked, of detectors and segmentation networks.
        away: Class that is attacked there; None for the one that it says of the picture.
    """

    module: torch.nn.Module
    labels: tuple[str, ...]
    mean: torch.Tensor
    std: torch.Tensor
    mask: torch.Tensor | None = None
    exclusive: bool = True
    words: str = ""
    away: int | None = None

    def pixels(self, inputs: torch.Tensor) -> torch.Tensor:
        """Inputs as pixels from 0 to 1, in memory of their own."""
        return (inputs.detach() * self.std + self.mean).clamp_(0.0, 1.0)

    def inputs(self, pixels: torch.Tensor) -> torch.Tensor:
        """The inverse of ``pixels``; gradients flow through it."""
        return (pixels - self.mean) / self.std

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of pixels (N, C, H, W).

        Raises:
            UserError: If the network tells no classes.
        """
        output = answer_of(self.module, self.inputs(pixels))
        if not isinstance(output, torch.Tensor) or output.ndim != 2 or output.shape[1] < 2:
            raise UserError("attacks are on networks that tell classes apart: open one that gives a score for each")
        if bool(torch.isnan(output.detach()).any()):
            raise UserError("the network gives NaN here: there is no answer to be changed")
        return output.float()

    def probabilities(self, pixels: torch.Tensor) -> torch.Tensor:
        """What it says of pixels (N, C, H, W), float32 (N, K)."""
        return self.chances(self.logits(pixels))

    def chances(self, logits: torch.Tensor) -> torch.Tensor:
        """Probabilities (N, K) of logits."""
        return torch.softmax(logits, 1) if self.exclusive else torch.sigmoid(logits)

    def gradient(
        self, loss_of: Callable[[torch.Tensor], torch.Tensor], pixels: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Logits (N, K), loss (N,) and the gradient of each picture's loss, zero where nothing may change.

        Raises:
            UserError: If no gradient reaches the picture.
        """
        with torch.inference_mode(False), torch.enable_grad():
            leaf = pixels.detach().clone().requires_grad_(True)
            logits = self.logits(leaf)
            if not logits.requires_grad:
                raise UserError(
                    "this network passes no gradient back to the picture, so it can only be attacked by plain noise"
                )
            loss = loss_of(logits)
            (found,) = torch.autograd.grad(loss.sum(), leaf)
        return logits.detach(), loss.detach(), found if self.mask is None else found * self.mask


class LossOf:
    """What an attack makes small: minus log p of the class that is wanted, or log p of the class that is to go.

    Args:
        classes: int64 (N,), one for each picture.
        towards: Whether these classes are wanted; else they are to go.
        bounded: Of a class that is to go, -log(1 - p) instead of log p: it has a smallest value, 0, so that a penalty
            on the distance has something to be weighed against.
        exclusive: Whether the classes exclude each other; else p is the logistic function of the class's own logit, and
            a class is said where p is above one half.
    """

    def __init__(self, classes: torch.Tensor, towards: bool, bounded: bool = False, exclusive: bool = True) -> None:
        self.classes, self.towards, self.bounded, self.exclusive = classes, towards, bounded, exclusive

    def __call__(self, logits: torch.Tensor) -> torch.Tensor:
        """Loss (N,) of logits (N, K)."""
        own = logits.gather(1, self._column(logits))[:, 0]
        rest = torch.zeros_like(own)
        if self.exclusive:
            rest = torch.logsumexp(logits.scatter(1, self._column(logits), float("-inf")), 1)
        # log p = -softplus(rest - own): taken from the soft-max, a probability of 1 - 1e-9 would have no gradient.
        softplus = torch.nn.functional.softplus
        if self.towards:
            return softplus(rest - own)
        return softplus(own - rest) if self.bounded else -softplus(rest - own)

    def reached(self, logits: torch.Tensor) -> torch.Tensor:
        """Whether the network says what is wanted, bool (N,)."""
        best = logits.argmax(1)
        if not self.exclusive:
            said = (best == self._column(logits)[:, 0]) & (logits.amax(1) > 0)
            return said if self.towards else ~said
        return best == self._column(logits)[:, 0] if self.towards else best != self._column(logits)[:, 0]

    def chance(self, logits: torch.Tensor) -> torch.Tensor:
        """Probability of what is wanted, (N,): of the class, or of all others."""
        every = torch.softmax(logits, 1) if self.exclusive else torch.sigmoid(logits)
        own = every.gather(1, self._column(logits))[:, 0]
        return own if self.towards else 1 - own

    def _column(self, logits: torch.Tensor) -> torch.Tensor:
        classes = self.classes.to(logits.device)
        return classes.expand(len(logits))[:, None] if len(classes) != len(logits) else classes[:, None]


def project(pixels: torch.Tensor, start: torch.Tensor, norm: str, bound: float) -> torch.Tensor:
    """The nearest pixels (N, C, H, W) that lie in the ball of size ``bound`` around ``start``, then within 0 to 1.

    The second step keeps the first: each value comes nearer to the one of ``start``.
    """
    change = pixels - start
    if norm == "L-infinity":
        change = change.clamp(-bound, bound)
    else:
        length = change.flatten(1).norm(dim=1).clamp_min(1e-20)
        change = change * (bound / length).clamp_max(1.0).reshape(-1, 1, 1, 1)
    return (start + change).clamp_(0.0, 1.0)


def steepest(gradient: torch.Tensor, norm: str) -> torch.Tensor:
    """The direction of size 1 in a norm along which a linear function grows most: the signs, or the unit vector."""
    if norm == "L-infinity":
        return gradient.sign()
    largest = gradient.flatten(1).abs().amax(1).clamp_min(1e-38).reshape(-1, 1, 1, 1)
    gradient = gradient / largest  # squares of small gradients would be zero
    length: torch.Tensor = gradient.flatten(1).norm(dim=1).clamp_min(1e-20).reshape(-1, 1, 1, 1)
    return gradient / length


def random_start(
    start: torch.Tensor, norm: str, bound: float, generator: torch.Generator, mask: torch.Tensor | None
) -> torch.Tensor:
    """A point in the ball around ``start``, evenly drawn, within 0 to 1."""
    if norm == "L-infinity":
        change = (torch.rand(start.shape, generator=generator) * 2 - 1) * bound
    else:
        change = torch.randn(start.shape, generator=generator)
        if mask is not None:
            change = change * mask.cpu()
        count = change[0].numel() if mask is None else int(mask.sum()) * start.shape[1]
        share = torch.rand((len(start), 1, 1, 1), generator=generator) ** (1 / max(count, 1))
        change = steepest(change, norm) * bound * share
    change = change.to(start.device)
    if mask is not None:
        change = change * mask
    return (start + change).clamp_(0.0, 1.0)


def noise(
    start: torch.Tensor, norm: str, bound: float, generator: torch.Generator, mask: torch.Tensor | None
) -> torch.Tensor:
    """The pixels with noise of exactly that size: signs at random, or a direction at random; then within 0 to 1."""
    change = steepest(torch.randn(start.shape, generator=generator) * (1 if mask is None else mask.cpu()), norm)
    return (start + bound * change.to(start.device)).clamp_(0.0, 1.0)


def shuffled(change: torch.Tensor, generator: torch.Generator, mask: torch.Tensor | None) -> torch.Tensor:
    """A change (1, C, H, W) with its values at other pixels and other signs: noise of its size in every norm."""
    flat = change.detach().cpu().flatten()
    where = torch.arange(len(flat)) if mask is None else mask.cpu().expand_as(change).flatten().nonzero()[:, 0]
    order = where[torch.randperm(len(where), generator=generator)]
    signs = torch.randint(0, 2, (len(where),), generator=generator) * 2.0 - 1.0
    result = torch.zeros_like(flat)
    result[where] = flat[order] * signs
    return result.reshape(change.shape).to(change.device)


def padding_mask(
    size: Sequence[int], fed: tuple[int, int], fit: str, device: torch.device | str = "cpu"
) -> torch.Tensor | None:
    """Where an input of ``size`` (C, H, W) shows a picture of ``fed`` (height, width) that ``models.prepare`` padded.

    Returns:
        Float (1, 1, H, W), or None where the picture fills the input.
    """
    from guiapp.models.prepare import PAD_SHARE

    height, width = size[1:]
    down, right = height - fed[0], width - fed[1]
    if fit != "pad" or not (0 <= down <= PAD_SHARE * height and 0 <= right <= PAD_SHARE * width) or down == right == 0:
        return None
    mask = torch.zeros(1, 1, height, width, device=device)
    mask[:, :, down // 2 : down // 2 + fed[0], right // 2 : right // 2 + fed[1]] = 1.0
    return mask
