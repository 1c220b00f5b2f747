"""``guiapp predict``: what a network says of a picture, a folder of pictures or a video file."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.inputs import check_input, read_input
from guiapp.cli.network import Network, open_network

if TYPE_CHECKING:
    from guiapp.tasks.predictions import Drawn

_MOST = 10  # classes that a person is shown


def run(options: argparse.Namespace) -> int:
    """Predict what INPUT names; print it, best first."""
    check_input(options.input)
    options.input = options.input.expanduser()
    if options.out is not None:
        options.out = options.out.expanduser()
    from guiapp.cli import predict_folder, predict_video
    from guiapp.sources.open import VIDEO_SUFFIXES

    if options.input.is_dir():
        return predict_folder.run(options)
    if options.input.suffix.lower() in VIDEO_SUFFIXES:
        return predict_video.run(options)
    return _picture(options)


def _picture(options: argparse.Namespace) -> int:
    from guiapp.cli.overlay import Overlay, check_picture_file, save

    if options.out is not None:
        check_picture_file(options.out, options.input)
    network = open_network(options, output.Progress(), alone=True)
    picture = read_input(options.input)
    if picture.note:
        output.say(f"{options.input.name}: {picture.note}")
    drawn, read = network.ask(picture)
    if options.out is not None:
        save(options.out, Overlay(network)(picture.pixels, drawn))
    if options.json:
        from guiapp.tasks.plain import as_dict

        output.give_json(
            {
                **heading(network, options),
                "size": list(picture.size),
                **read,
                **({"note": picture.note} if picture.note else {}),
                **({"out": options.out} if options.out is not None else {}),
                "prediction": as_dict(drawn, options.top),
            }
        )
        return 0
    for line in in_words(drawn, options.top):
        output.give(line)
    return 0


def heading(network: Network, options: argparse.Namespace) -> dict[str, Any]:
    """What every answer as JSON begins with."""
    return {"model": network.name, "task": network.task, **network.about, "input": options.input}


def in_words(drawn: Drawn, top: int | None = None) -> list[str]:
    """A prediction as lines for a person."""
    from guiapp.tasks.plain import as_dict

    return words_of(as_dict(drawn, _MOST if top is None else top))


def words_of(plain: dict[str, Any]) -> list[str]:
    """Lines for a person from a prediction as plain data, of one picture or of a whole video."""
    if "classes" in plain:
        lines = [f"{entry['score']:6.1%}  {entry['label']}" for entry in plain["classes"]]
        given, wanted = plain.get("frames", 0), plain.get("wanted", 0)
        return lines or [f"no answer: {given} of the {wanted} pictures that the network takes, at its own rate"]
    if "labels" in plain:
        return [f"{share:6.1%}  {name}" for name, share in plain["labels"].items()]
    if "flow" in plain:
        (right, down), length = plain["flow"]["mean"], plain["flow"]["length"]
        return [
            f"moved by {right:.2f} pixels to the right and {down:.2f} down in the mean; "
            f"{length['mean']:.2f} pixels far in the mean, {length['longest']:.2f} at most"
        ]
    if "depth" in plain:
        depth = plain["depth"]
        unit = f" {depth['unit']}" if depth["unit"] else ""
        meaning = f"larger is {depth['larger']}" + ("" if unit else ", relative")
        return [f"depth from {depth['low']:.4g} to {depth['high']:.4g}{unit}, median {depth['median']:.4g} ({meaning})"]
    if "objects" in plain:
        lines = [
            f"{entry['label']}: in {entry['frames']} frames, at most {entry['most']} at once, best score "
            f"{entry['score']:.1%}"
            for entry in plain["objects"]
        ]
        return lines or ["no objects above the score"]
    lines = []
    for entry in plain["boxes"]:
        left, top, right, bottom = entry["box"]
        place = f"{left:.1f} {top:.1f} {right:.1f} {bottom:.1f}"
        lines.append(f"{entry['score']:6.1%}  {entry['label']}  {place}")
    return lines or ["no objects above the score"]
