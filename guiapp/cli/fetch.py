"""``guiapp fetch``: the weights of a network of the zoo brought to this machine."""

from __future__ import annotations

import argparse

from guiapp.cli import output
from guiapp.cli.exhibits import network_of
from guiapp.core.notices import UserError


def run(options: argparse.Namespace) -> int:
    """Fetch one set of weights, or say that it is here."""
    from guiapp.models.zoo import find_model
    from guiapp.models.zoo.open import published
    from guiapp.models.zoo.timm_names import TIMM, where_to_get
    from guiapp.models.zoo.weights import fetch_weights, find

    entry = find_model(network_of(options.model))
    weights = published(entry, options.weights)
    fetched = find(weights) is None
    if fetched and entry.name.startswith(TIMM):
        raise UserError(f"weights of timm are not fetched by this program: {where_to_get(entry.title)}")
    if fetched:
        about = ", ".join(filter(None, (weights.accuracy, weights.licence, f"trained on {weights.trained_on}")))
        output.say(f"{entry.title} {weights.name}: {weights.bytes / 1e6:.1f} MB, {about}")
    progress = output.Progress()
    try:
        path = fetch_weights(weights, lambda share, text: progress.show(f"{text} {share:.0%}"))
    except KeyboardInterrupt:
        progress.line(f"what came is kept; go on with: guiapp fetch {entry.name} --weights {weights.name}")
        raise
    finally:
        progress.clear()
    if options.json:
        output.give_json(
            {
                "model": entry.name,
                "weights": weights.name,
                "path": path,
                "bytes": path.stat().st_size,
                "fetched": fetched,
                "licence": weights.licence,
                "trained_on": weights.trained_on,
            }
        )
    else:
        output.give(str(path))
    return 0
