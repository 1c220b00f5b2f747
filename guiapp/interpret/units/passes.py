"""Runs a network as far as one layer and no farther, again and again, and gives what that layer says as maps."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any

import torch

from guiapp.core.notices import UserError
from guiapp.interpret.capture import module_of
from guiapp.interpret.layers import first_tensor
from guiapp.interpret.maps import as_maps

if TYPE_CHECKING:
    from guiapp.interpret.layers import LayerInfo

Inputs = torch.Tensor | list[torch.Tensor]
Run = Callable[[Any], object]


class _Reached(Exception):
    """Ends a run at the layer; it never leaves this file."""


class LayerPass:
    """Inputs to what one layer gives for them. To be used as a context: its hooks go when it is left.

    The first run goes through to the end, to see how often the layer is called; later runs end at its last call. A
    layer that is called more than once thus gives what activation maps show.

    Args:
        module: The network in evaluation mode.
        layer: Name of the layer.
        layers: The network's layers.
        extent: Height and width of the network's input.
        run: Runs the network on inputs, whatever parts of it are called for that; the module itself by default.

    Attributes:
        extent: As given.
        noted: The layer, as it is listed; None where it is not.
    """

    def __init__(
        self,
        module: torch.nn.Module,
        layer: str,
        layers: Sequence[LayerInfo] = (),
        extent: Sequence[int] = (0, 0),
        run: Run | None = None,
    ) -> None:
        self.extent = int(extent[0]), int(extent[1])
        self.noted = next((found for found in layers if found.name == layer), None)
        self._module, self._layer, self._layers = module, layer, layers
        self._run: Run = module if run is None else run
        self._handles: list[Any] = []
        self._calls = 0
        self._last: int | None = None
        self._output: torch.Tensor | None = None
        self._seen: torch.Tensor | None = None

    def __enter__(self) -> LayerPass:
        self._handles.append(module_of(self._module, self._layer).register_forward_hook(self._heard))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles.clear()

    def __call__(self, inputs: Inputs) -> tuple[torch.Tensor, torch.Tensor]:
        """Run the network on prepared pictures, with gradients where they are enabled.

        Args:
            inputs: (N, C, H, W), or a list of one (3, H, W) for detectors.

        Returns:
            (N, units, h, w), what the layer gives; a dense layer's have h = w = 1. Of clips the largest of all moments.
            And (N, C, H, W), the input that receptive fields refer to: of detectors the picture that their backbone
            sees, already normalised.

        Raises:
            UserError: If the layer does not run, or gives no maps.
        """
        if not self._handles:
            raise RuntimeError("a LayerPass is used inside of a with statement")
        if self._last is None:
            self._count(inputs)
        self._calls, self._output = 0, None
        self._seen = inputs if isinstance(inputs, torch.Tensor) else None
        watch = self._watch() if self._seen is None else []
        try:
            self._run(inputs)
        except _Reached:
            pass
        finally:
            for handle in watch:
                handle.remove()
        output, seen = self._taken()
        if output is None or seen is None:
            raise UserError(f"layer {self._layer!r} gives nothing for this input: choose another one")
        return self._maps(output, len(seen)), seen

    def _taken(self) -> tuple[torch.Tensor | None, torch.Tensor | None]:
        found = self._output, self._seen
        self._output = self._seen = None
        return found

    def _count(self, inputs: Inputs) -> None:
        self._calls = 0
        with torch.no_grad():
            self._run(inputs)
        self._last, self._output = max(self._calls, 1), None

    def _watch(self) -> list[Any]:
        """Hooks that keep the first picture of three channels that a module is called with."""
        handles: list[Any] = []

        def enter(module: torch.nn.Module, arguments: Any) -> None:
            first = arguments[0] if arguments else None
            if self._seen is None and isinstance(first, torch.Tensor) and first.ndim == 4 and first.shape[1] == 3:
                self._seen = first

        for module in self._module.modules():
            if module is not self._module:
                handles.append(module.register_forward_pre_hook(enter))
        return handles

    def _heard(self, module: torch.nn.Module, arguments: Any, output: Any) -> None:
        self._calls += 1
        if self._last is not None and self._calls == self._last:
            self._output = first_tensor(output)
            raise _Reached

    def _maps(self, output: torch.Tensor, count: int) -> torch.Tensor:
        output = output.float()
        if len(output) != count:  # many regions of one picture: the first is the best one's
            output = output[:1]
        if output.ndim == 3 or (self.noted is not None and self.noted.channels_last):
            parts = [as_maps(one[None], self.noted, self._layers, self.extent)[0] for one in output]
            output = torch.cat(parts)
        if output.ndim == 3:  # tokens that are no grid: one below the other
            output = output.transpose(1, 2)[..., None]
        if output.ndim == 2:
            output = output[..., None, None]
        if output.ndim == 5:
            output = output.amax(2)
        if output.ndim != 4:
            raise UserError(f"layer {self._layer!r} gives {output.ndim} dimensions, which are no maps: choose another")
        return output
