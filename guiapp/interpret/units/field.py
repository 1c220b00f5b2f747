"""What one unit sees of the input, measured by gradients: right for any network, also where no formula is known."""

from __future__ import annotations

import torch

from guiapp.interpret.units.passes import LayerPass

Box = tuple[int, int, int, int]


def area_of(passed: LayerPass, row: int, column: int, extent: tuple[int, int]) -> Box:
    """Left, top, width, height in pixels of the input of what a unit of the layer sees; all of it where not known.

    Args:
        passed: The layer.
        row: Of the unit in its map.
        column: Of the unit in its map.
        extent: Height and width of the input.
    """
    field = passed.noted.receptive_field if passed.noted is not None else None
    return (0, 0, extent[1], extent[0]) if field is None else field.area(row, column, extent)


def footprint(passed: LayerPass, inputs: torch.Tensor, row: int, column: int, tries: int = 4) -> Box | None:
    """The smallest rectangle around all pixels that change any unit at a place of the layer's maps.

    Gradients of random sums of the units, at the inputs and at noise around them: a ReLU that is off at one of these
    hides a pixel there alone.

    Args:
        passed: The layer, entered.
        inputs: (1, C, H, W).
        row: Of the place.
        column: Of the place.
        tries: How many inputs are taken.

    Returns:
        Left, top, width, height; None where no pixel changes anything.
    """
    generator = torch.Generator().manual_seed(0)
    seen = torch.zeros(inputs.shape[-2:], dtype=torch.bool)
    deviation = float(inputs.std()) or 1.0
    for _ in range(tries):
        noise = deviation * torch.randn(inputs.shape, generator=generator).to(inputs)
        with torch.enable_grad():
            asked = (inputs.detach() + noise).requires_grad_(True)
            units = passed(asked)[0][0, :, row, column]
            weights = torch.rand(len(units), generator=generator).to(units) + 0.5
            (gradient,) = torch.autograd.grad((units * weights).sum(), asked, allow_unused=True)
        if gradient is not None:
            seen |= (gradient[0] != 0).any(0).cpu()
    if not bool(seen.any()):
        return None
    rows, columns = (torch.nonzero(seen.any(axis)).flatten() for axis in (1, 0))
    left, top = int(columns[0]), int(rows[0])
    return left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1
