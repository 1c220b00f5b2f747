"""``guiapp predict``: what a network says of one picture."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from guiapp.cli import output
from guiapp.cli.inputs import check_input
from guiapp.cli.subject import open_subject
from guiapp.core.notices import UserError

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.tasks.predictions import Prediction


def run(options: argparse.Namespace) -> int:
    """Read the picture, predict, print every class best first."""
    from guiapp.cli.screenshot import check_folder

    if options.out is not None:
        check_folder(options.out)
    check_input(options.input)
    subject = open_subject(options.target)
    from guiapp.sources.image_file import read_picture

    picture = read_picture(options.input)
    image, how = subject.input_of(picture, options.drawing)
    prediction = subject.predict(image)
    if options.out is not None:
        _save(options.out, picture, prediction)
    if options.json:
        output.give_json(
            {
                "model": subject.name,
                "task": subject.task_name,
                "input": options.input,
                "size": list(picture.size),
                "read_as": how,
                "prediction": as_dict(prediction),
            }
        )
        return 0
    for _, label, score in prediction.ranked()[:10]:
        output.give(f"{score:6.1%}  {label}")
    return 0


def as_dict(prediction: Prediction) -> dict[str, Any]:
    """A prediction as plain data."""
    classes = [{"label": label, "index": index, "score": score} for index, label, score in prediction.ranked()]
    return {"classes": classes}


def _save(path: Any, picture: Picture, prediction: Prediction) -> None:
    """The picture with the best classes beside it, each with a bar as long as its probability."""
    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    image = Image.fromarray(np.asarray(picture.pixels))
    factor = max(1, round(320 / max(image.size)))
    image = image.resize((image.width * factor, image.height * factor), Image.Resampling.NEAREST)
    best = prediction.ranked()[:5]
    width, line = 260, 34
    canvas = Image.new("RGB", (image.width + width, max(image.height, line * len(best) + 16)), "#1b1d21")
    canvas.paste(image)
    draw = ImageDraw.Draw(canvas)
    font = ImageFont.load_default(14)
    left = image.width + 12
    for row, (_, label, score) in enumerate(best):
        top = 8 + row * line
        draw.text((left, top), label[:24], fill="#e8eaed", font=font)
        draw.text((image.width + width - 12, top), f"{score:.1%}", fill="#a6adb8", font=font, anchor="ra")
        draw.rectangle((left, top + 20, left + round((width - 24) * score), top + 25), fill="#3b82f6")
    try:
        canvas.save(path)
    except (OSError, ValueError) as error:
        raise UserError(f"{path} could not be written: {error}") from None
