"""Changes of a network's layers after it is built, whatever its family: swapped, put in, replaced.

Where layers stand is found by running the network once on zeros. A layer that is put in stands beside its neighbour in
a ``nn.Sequential``; elsewhere the two take the neighbour's place together. Order of the changes: normalisation, then
what draws at random, then the input. Without changes nothing is touched and nothing is drawn.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass

from torch import nn

from guiapp.core.notices import UserError
from guiapp.models.changed_drops import drop_connections, drop_units, skip_branches
from guiapp.models.changed_input import prepare_input
from guiapp.models.changed_norms import normalise
from guiapp.models.changed_pools import pool_fractions


@dataclass(frozen=True)
class Changes:
    """What is changed; the defaults change nothing.

    Attributes:
        normalisation: ``"own"``, ``"none"``, ``"batch"``, ``"layer"``, ``"instance"``, ``"group"``.
        groups: Of group normalisation.
        dropout: Probability of a unit to be left out, or None for the network's own.
        dropconnect: Probability of a weight of a dense layer to be left out.
        depth: Probability of the last residual branch to be left out; earlier ones in proportion to their place.
        pooling: ``"own"`` or ``"fractional"``.
        pool_share: Size that fractional pooling leaves.
        input: ``""``, ``"mean-image"``, ``"pca"``, ``"whitening"``.
        components: Principal axes that are kept.
        back: Whether coordinates along them are turned back into a picture.
    """

    normalisation: str = "own"
    groups: int = 8
    dropout: float | None = None
    dropconnect: float = 0.0
    depth: float = 0.0
    pooling: str = "own"
    pool_share: float = 0.7
    input: str = ""
    components: int = 256
    back: bool = True

    @property
    def any(self) -> bool:
        """Whether it changes something of some network."""
        return (
            self.normalisation != "own"
            or self.dropout is not None
            or self.dropconnect > 0
            or self.depth > 0
            or self.pooling != "own"
            or self.input != ""
        )

    def text(self) -> str:
        """What differs from the defaults as one line of JSON."""
        plain = Changes()
        found = {f.name: getattr(self, f.name) for f in dataclasses.fields(self)}
        return json.dumps({name: value for name, value in found.items() if value != getattr(plain, name)})

    @classmethod
    def from_text(cls, text: str) -> Changes:
        """The inverse of ``text``.

        Raises:
            UserError: If it is none.
        """
        try:
            return cls(**json.loads(text))
        except (TypeError, ValueError):
            raise UserError(f"changes of a network are not readable: {text[:80]}") from None


def changed(model: nn.Module, size: tuple[int, int, int], changes: Changes) -> nn.Module:
    """Change the layers of a fresh network, in place.

    Args:
        model: On the CPU.
        size: Channels, height, width of its input.
        changes: What to change.

    Returns:
        The network to go on with; the very same where nothing changes.

    Raises:
        UserError: If the network has no place for a change; the line says why.
    """
    if not changes.any:
        return model
    mode = model.training
    if changes.normalisation != "own":
        normalise(model, size, changes.normalisation, changes.groups)
    if changes.pooling == "fractional":
        pool_fractions(model, size, changes.pool_share)
    if changes.dropconnect:
        drop_connections(model, size, changes.dropconnect)
    if changes.dropout is not None:
        drop_units(model, size, changes.dropout)
    if changes.depth:
        skip_branches(model, size, changes.depth)
    if changes.input:
        prepare_input(model, size, changes.input, changes.components, changes.back)
    return model.train(mode)
