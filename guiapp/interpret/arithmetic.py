"""The sums behind one layer with its numbers put in: output size, parameters, flops, receptive field.

Output size (W - F + 2P) / S + 1 (T0, T1 6.1; T4 divides by S + 1 in one place), parameters (W_k H_k C_in + 1) C_out and
flops 2 W_k H_k C_in for each number of the output (T1 7); a receptive field grows by (F - 1) times the stride so far.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from guiapp.models.counting import Count

if TYPE_CHECKING:
    from guiapp.interpret.cost import Cost, LayerCost
    from guiapp.interpret.cost_run import Figures, Measured, Window


def sums_of(measured: Measured, cost: Cost, name: str) -> tuple[Count, ...]:
    """The sums of a convolution, a pooling or a dense layer; of others none.

    Args:
        measured: The network, counted.
        cost: Its figures, for the batch and the convention.
        name: The layer.
    """
    figures, layer = measured.figures.get(name), cost.of(name)
    if figures is None or layer is None or layer.block:
        return ()
    if figures.window is not None and len(figures.window.kernel) == len(layer.output) - 1 == len(figures.given) - 1:
        return _of_window(figures, figures.window, layer, cost)
    if layer.type.endswith("Linear") and figures.given and layer.output and figures.parameters:
        return _of_dense(figures, layer, cost)
    return ()


def _of_window(figures: Figures, window: Window, layer: LayerCost, cost: Cost) -> tuple[Count, ...]:
    sums = []
    names = ("height", "width") if len(window.kernel) == 2 else ("length",) if len(window.kernel) == 1 else ()
    same = len({*zip(window.kernel, window.step, window.padding, window.dilation, figures.given[1:], strict=True)}) == 1
    for axis, what in enumerate(names[:1] if same else names):
        sums.append(_size(figures, window, layer, axis, "height and width" if same and len(names) > 1 else what))
    channels, outputs = figures.given[0], layer.output[0]
    area = " × ".join(map(str, window.kernel))
    if window.groups:
        inside = channels // window.groups
        bias = " + 1" if window.biases else ""
        whole = f"{outputs} × ({inside} × {area}{bias})" if bias else f"{outputs} × {inside} × {area}"
        note = f"{window.groups} groups of {inside} channels" if window.groups > 1 else ""
        sums.append(Count("parameters", whole, layer.parameters, note))
        numbers = " × ".join(map(str, layer.output))
        if not window.turned:
            times = f" × {cost.batch} pictures" if cost.batch > 1 else ""
            sums.append(Count("flops", f"({numbers}) × ({inside} × {area}) × 2{times}", layer.flops))
    elif layer.flops:
        numbers, times = " × ".join(map(str, layer.output)), f" × {cost.batch} pictures" if cost.batch > 1 else ""
        sums.append(Count("operations", f"({numbers}) × ({area}){times}", layer.flops, "as course text 1 counts"))
    field = _field(window, layer)
    return (*sums, field) if field is not None else tuple(sums)


def _size(figures: Figures, window: Window, layer: LayerCost, axis: int, what: str) -> Count:
    given, kernel, step = figures.given[1 + axis], window.kernel[axis], window.step[axis]
    padding, dilation = window.padding[axis], window.dilation[axis]
    found = layer.output[1 + axis]
    spans = f"({dilation} × ({kernel} − 1) + 1)" if dilation > 1 else f"{kernel}"
    if window.turned:
        return Count(
            f"output {what}",
            f"({given} − 1) × {step} − 2 × {padding} + {spans}",
            found,
            _rest(found, (given - 1) * step - 2 * padding + dilation * (kernel - 1) + 1, "of output padding"),
        )
    reached = given - dilation * (kernel - 1) - 1 + 2 * padding
    note = "" if reached % step == 0 else "rounded up" if window.ceil else "rounded down"
    return Count(f"output {what}", f"({given} − {spans} + 2 × {padding}) / {step} + 1", found, note)


def _rest(found: int, summed: int, what: str) -> str:
    return f"with {found - summed} {what}" if found != summed else ""


def _field(window: Window, layer: LayerCost) -> Count | None:
    """The receptive field from the one before: the stride before a window is that after it over its step."""
    if layer.receptive_field is None or layer.stride is None or window.turned or len(window.kernel) != 2:
        return None
    kernel, step, dilation = window.kernel[0], window.step[0], window.dilation[0]
    if layer.stride[0] % step or not layer.stride[0]:
        return None
    jump = layer.stride[0] // step
    before = layer.receptive_field[0] - dilation * (kernel - 1) * jump
    grown = f"{dilation} × ({kernel} − 1) × {jump}" if dilation > 1 else f"({kernel} − 1) × {jump}"
    note = f"pixels, {layer.stride[0]} from one unit to the next ({jump} × {step})"
    return Count("receptive field", f"{before} + {grown}", layer.receptive_field[0], note)


def _of_dense(figures: Figures, layer: LayerCost, cost: Cost) -> tuple[Count, ...]:
    inputs, outputs = figures.given[-1], layer.output[-1]
    biases = figures.dense is not None
    if biases and cost.convention == "text":
        parameters = Count("parameters", f"{outputs} × {inputs} + {inputs}", layer.parameters,
                           f"course text 1 has a bias for each input; {outputs} × ({inputs} + 1) = "
                           f"{outputs * (inputs + 1):,} is right")  # fmt: skip
    else:
        whole = f"{outputs} × ({inputs} + 1)" if biases else f"{outputs} × {inputs}"
        parameters = Count("parameters", whole, layer.parameters)
    places = layer.flops // (2 * inputs * outputs * cost.batch)
    at = f" × {places} places" if places > 1 else ""
    times = f" × {cost.batch} pictures" if cost.batch > 1 else ""
    return parameters, Count("flops", f"{inputs} × {outputs} × 2{at}{times}", layer.flops)
