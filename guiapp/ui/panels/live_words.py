"""What the live room says of its source, and reading a picture for it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import TYPE_CHECKING

from guiapp.core.notices import UserError
from guiapp.core.picture import Picture
from guiapp.engine.samples import is_sample, read_sample

if TYPE_CHECKING:
    from guiapp.ui.bridge import EngineBridge
    from guiapp.ui.panels.live_feed import LiveFeed


def source_words(feed: LiveFeed, size: tuple[int, int]) -> tuple[str, tuple[str, ...]]:
    """Name, size, rate and place of the source or picture, and what is left of that in a narrow panel.

    Args:
        feed: The source.
        size: Width and height of the picture that is shown.
    """
    source = feed.source
    if source is None and feed.still is None:
        return "", ()
    name = source.name if source is not None else feed.still.origin.name
    width, height = size if source is not None else feed.still.size
    facts = f"{width} × {height}"
    if source is not None and feed.kind == "video" and source.fps:
        place = f"frame {max(0, source.index) + 1:,} of {source.count:,}"
        facts = f"{facts} · {source.fps:.4g} frames/s · {place}"
    if source is not None and source.state in ("paused", "ended"):
        facts = f"{facts} · {'end' if source.state == 'ended' else 'paused'}"
    return f"{name} · {facts}", (facts,)


def read(bridge: EngineBridge, text: str, show: Callable[[Picture], object], complain: Callable[[str], object]) -> None:
    """Read a picture file, or a sample, on the work lane."""

    def work() -> Generator[None, None, Picture]:
        from guiapp.sources.image_file import read_picture

        yield
        return read_sample(text) if is_sample(text) else read_picture(Path(text))

    def failed(error: BaseException) -> None:
        complain(str(error) if isinstance(error, UserError) else f"the picture cannot be read: {error}")

    bridge.call(bridge.engine.submit(work, on_error=failed, title="Reading the picture"), show)
