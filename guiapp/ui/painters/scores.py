"""Class scores over a picture as a short list of bars, and scores of clips over time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import QRect

from guiapp.ui.painters.cards import Row, ground, paint_card
from guiapp.ui.painters.layer import DrawnLayer
from guiapp.ui.painters.text import face, ink, name_of

if TYPE_CHECKING:
    from guiapp.tasks.predictions import ClassScores, ClipScores
    from guiapp.ui.painters.canvas import Canvas
    from guiapp.ui.theme import Theme

REMEMBERED = 240
"""So many predictions of clips are kept for the strip."""


def score_rows(scores: ClassScores, theme: Theme, top: int) -> list[Row]:
    """The best classes as rows of a card; one line where they are no numbers."""
    values = scores.probabilities
    count = min(top, len(values))
    if not count:
        return []
    if not scores.known:
        return [Row("no answer: NaN", "", theme.error)]
    best = np.argpartition(-values, count - 1)[:count]  # a tenth of the time of sorting a thousand
    best = best[np.lexsort((best, -values[best]))]
    return [
        Row(
            name_of(scores.labels, int(i)),
            f"{float(values[i]):.1%}",
            theme.class_colour(int(i), len(values)),
            float(values[i]),
        )
        for i in best
    ]


class ClassScoresLayer(DrawnLayer):
    """Paints ``ClassScores``: the best few with their bars."""

    drawn: ClassScores
    prepared_by = frozenset({"top"})

    def _prepare(self) -> None:
        self._rows = score_rows(self.drawn, self.theme, self.look.top)

    def _paint(self, canvas: Canvas) -> None:
        if self.look.legend and self._rows:
            paint_card(canvas, self.theme, self._rows)


class ClipScoresLayer(DrawnLayer):
    """Paints ``ClipScores``: what the clip shows now, and below it what it showed before.

    Attributes:
        history: Class and its probability for each prediction so far, the newest last; at most ``REMEMBERED``.
    """

    drawn: ClipScores
    prepared_by = frozenset({"top"})
    history: tuple[tuple[int, float], ...] = ()

    def _follow(self, previous: DrawnLayer | None) -> None:
        scores = self.drawn.scores
        if isinstance(previous, ClipScoresLayer):
            known = previous.drawn.scores
            # other labels are another network: its classes mean something else
            if known is None or scores is None or known.labels == scores.labels:
                self.history = previous.history
        if scores is not None and len(scores.probabilities):
            newest = (scores.best, float(scores.probabilities[scores.best]))
            self.history = (*self.history, newest)[-REMEMBERED:]

    def _prepare(self) -> None:
        scores = self.drawn.scores
        self._rows = [] if scores is None else score_rows(scores, self.theme, self.look.top)

    def _paint(self, canvas: Canvas) -> None:
        if not self.look.legend:
            return
        left, top, right, bottom = canvas.area
        font = face(canvas.ratio)
        strip = font.height + canvas.length(6)
        if right - left < 6 * font.height or bottom - top < 3 * strip:
            return
        bar = QRect(left, bottom - strip, right - left, strip)
        canvas.painter.setFont(font.font)
        if self.drawn.scores is None:
            self._paint_waiting(canvas, bar)
            return
        self._paint_history(canvas, bar)
        canvas.area = (left, top, right, bottom - strip)
        paint_card(canvas, self.theme, self._rows)

    def _paint_waiting(self, canvas: Canvas, bar: QRect) -> None:
        """How much of a clip is there."""
        drawn, font, painter = self.drawn, face(canvas.ratio), canvas.painter
        painter.fillRect(bar, ground(self.theme))
        thick = canvas.length(3)
        share = min(1.0, drawn.frames / max(1, drawn.wanted))
        painter.fillRect(bar.left(), bar.bottom() + 1 - thick, round(bar.width() * share), thick, self.theme.accent)
        painter.setPen(self.theme.text)
        text = font.elided(
            f"picture {drawn.frames} of the {drawn.wanted} that the network needs", bar.width() - 2 * font.pad
        )
        painter.drawText(bar.left() + font.pad, bar.top() + font.baseline, text)

    def _paint_history(self, canvas: Canvas, bar: QRect) -> None:
        """A column for each prediction, newest at the right: its class's colour, as high as its probability."""
        assert self.drawn.scores is not None
        labels, font, painter = self.drawn.scores.labels, face(canvas.ratio), canvas.painter
        count = len(self.drawn.scores.probabilities)
        painter.fillRect(bar, ground(self.theme))
        edges = [bar.right() + 1 - round(bar.width() * k / REMEMBERED) for k in range(len(self.history), -1, -1)]
        place = 0
        for index, group in groupby(self.history, key=lambda entry: entry[0]):
            run = list(group)
            colour = self.theme.class_colour(index, count)
            for number, (_, probability) in enumerate(run, place):
                high = max(1, round(bar.height() * min(1.0, probability)))
                x = edges[number]
                painter.fillRect(x, bar.bottom() + 1 - high, edges[number + 1] - x, high, colour)
            x, room = edges[place], edges[place + len(run)] - edges[place]
            text = font.elided(name_of(labels, index), room - 2 * font.pad)
            if len(text) > 2:
                width = font.width(text) + 2 * font.pad
                painter.fillRect(x, bar.top() + canvas.length(3), width, font.height, colour)
                painter.setPen(ink(colour))
                painter.drawText(x + font.pad, bar.top() + canvas.length(3) + font.baseline, text)
            place += len(run)
