"""What the person is looking at now. Every panel reads it and changes it, so panels follow one another."""

from collections.abc import Callable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from guiapp.core.picture import Picture


@dataclass
class Workspace:
    """Shared selection, changed and observed on one thread (the window's).

    Assigning a field calls the listeners of that field when the value differs; a listener that assigns the same
    field again is not called a second time for the same value.

    Attributes:
        experiment: Id of the open catalogue entry.
        picture: The picture in the viewer.
        layer: Qualified name of the chosen layer, such as ``"features.0"``.
        unit: Index of the chosen channel or unit in that layer.
        class_index: Index of the chosen class.
        sample: Chosen sample as ``(part, index)`` in the open data set.
        samples: Samples chosen together, such as those inside a lasso, as ``sample`` names them.
        step: Training step looked at; None follows the live weights.
        switched_off: Channels set to zero, ``{layer: frozenset of channel indices}``; empty for the network as it is.
        boosted: Factors of channels that are made stronger or weaker, ``{layer: {channel: factor}}``.
        overlay: ``(layer, channel)`` of the map painted over the picture, or None.
        place: ``(layer, row, column)`` of the unit under the pointer, whose receptive field is drawn, or None.
        region: ``(left, top, right, bottom)`` of the chosen object as shares of the live picture; maps are cut to it,
            or None.
        compared: Run folders whose curves are drawn faint beside those of the open run.
        evidence: Marked pieces of the curves of the open run, as ``(plot, first step, last step, what is seen)``
            with ``"loss"``, ``"accuracy"`` or ``"rate"`` for the plot.
        search: Folder of the search whose runs are looked at, or None.
    """

    experiment: str | None = None
    picture: Picture | None = None
    layer: str | None = None
    unit: int | None = None
    class_index: int | None = None
    sample: tuple[str, int] | None = None
    samples: tuple[tuple[str, int], ...] = ()
    step: int | None = None
    switched_off: dict[str, frozenset[int]] = field(default_factory=dict)
    boosted: dict[str, dict[int, float]] = field(default_factory=dict)
    overlay: tuple[str, int] | None = None
    place: tuple[str, int, int] | None = None
    region: tuple[float, float, float, float] | None = None
    compared: tuple[Path, ...] = ()
    evidence: tuple[tuple[str, int, int, str], ...] = ()
    search: Path | None = None

    def __post_init__(self) -> None:
        self._listeners: dict[str, list[Callable[[Any], None]]] = {f.name: [] for f in fields(self)}

    def subscribe(self, name: str, listener: Callable[[Any], None]) -> Callable[[], None]:
        """Call ``listener(value)`` whenever field ``name`` changes; return what unsubscribes it.

        Raises:
            KeyError: If there is no such field.
        """
        listeners = self._listeners[name]
        listeners.append(listener)
        return lambda: listeners.remove(listener) if listener in listeners else None

    def __setattr__(self, name: str, value: Any) -> None:
        listeners = self.__dict__.get("_listeners")
        if listeners is None or name not in listeners:
            object.__setattr__(self, name, value)
            return
        old = getattr(self, name)
        object.__setattr__(self, name, value)
        if old is value or (not isinstance(value, Picture) and old == value):
            return
        for listener in list(listeners[name]):
            listener(value)
