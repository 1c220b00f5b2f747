"""How the attack panel shows what came of an attack: pictures, words, scores, and the way there step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from PySide6.QtWidgets import QWidget

from guiapp.tasks.predictions import ClassScores
from guiapp.ui.panels import attack_words as words
from guiapp.ui.widgets.attack_pictures import AttackPictures
from guiapp.ui.widgets.class_bars import ClassBars
from guiapp.ui.widgets.curve_data import Marker
from guiapp.ui.widgets.curve_plot import CurvePlot
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.interpret.attack.patch import PatchView
    from guiapp.interpret.attack.run import AttackResult
    from guiapp.ui.theme import Theme

_CURVES = 4  # classes whose probability is drawn over the steps


class AttackShown:
    """The widgets that show an attack; the panel lays them out.

    Attributes:
        labels: Class names of the network.
        pictures: Original, change and result.
        slider: Step that is shown, ``attack.step``; ``step_text`` says it.
        plot: Probabilities over the steps, ``attack.steps``.
        bars: Every class, ``attack.scores``.
    """

    def __init__(self, theme: Theme, parent: QWidget) -> None:
        self.labels: tuple[str, ...] = ()
        self._theme = theme
        self.pictures = AttackPictures(theme, "attack", parent)
        self.slider = JumpSlider(theme, "attack.step", "Step of the attack that is shown", parent)
        self.slider.setToolTip("Step of the attack that is shown")
        self.step_text = QuietLabel("attack.step-text", parent, theme.faint)
        self.step_text.set_room("step 0000 of 0000")
        self.plot = CurvePlot(theme, "probability", "step", "%", parent)
        self.plot.setObjectName("attack.steps")
        self.plot.set_limits(0.0, 100.0)
        self.bars = ClassBars(theme, parent)
        self.bars.setObjectName("attack.scores")
        self.bars.set_sorted(True)

    def show_base(self, found: AttackResult, truth: int | None, press: str) -> None:
        """The picture before it is attacked; ``press`` says what to do."""
        self.pictures.show_pictures(found.original, np.zeros_like(found.change), found.original)
        self.pictures.show_words(words.says(found.scores[0], self.labels), ("none yet",), press)
        self.bars.set_prediction(self._scores(found.scores[0]), truth)
        self.show_slider(0)

    def show_pictures(self, found: AttackResult, step: int, truth: int | None) -> None:
        """Original, change and result after a step, with what the network says."""
        frame = found.frames.get(step)
        if frame is None or step == found.steps:
            change, pixels = found.change, found.result
        else:
            pixels = frame
            change = frame.astype(np.float32) - found.original.astype(np.float32)
        place = min(step, len(found.scores) - 1)
        scores = found.scores[place]
        best, wanted = int(scores.argmax()), found.wanted_index
        good = None if found.method == "noise" else best == wanted if wanted is not None else best != found.away_index
        self.pictures.show_pictures(found.original, change, pixels, found.box)
        self.pictures.show_words(
            words.says(found.scores[0], self.labels), words.size_of(change), words.says(scores, self.labels), good
        )
        self.bars.set_prediction(self._scores(scores), truth, self._scores(found.scores[0]))

    def show_slider(self, steps: int) -> None:
        """As many places as steps, the last one chosen."""
        self.slider.blockSignals(True)
        self.slider.setRange(0, max(steps, 0))
        self.slider.setValue(steps)
        self.slider.blockSignals(False)
        self.slider.setEnabled(steps > 0)
        self.step_text.set_text(f"step {steps} of {steps}" if steps else "")
        self.plot.set_markers(())

    def show_step(self, found: AttackResult, step: int, truth: int | None) -> None:
        """Show the attack after a step; of many, those in between are shown as the last one kept before."""
        kept = max(number for number in found.frames if number <= step)
        self.show_pictures(found, kept, truth)
        self.step_text.set_text(f"step {kept} of {found.steps}")
        self.plot.set_markers((Marker(float(kept), "", True),) if kept != found.steps else ())

    def show_curves(self, found: AttackResult | None) -> None:
        """Probabilities of the classes that matter, in the colours of their classes."""
        if found is None or not len(found.scores):
            if self.plot.series:
                self.plot.series.clear()
                self.plot.clear()
            return
        order = np.argsort(-found.scores.max(0), kind="stable").tolist()
        first = [found.away_index] + ([found.wanted_index] if found.wanted_index is not None else [])
        chosen = [*first, *(i for i in order if i not in first)][:_CURVES]
        if list(self.plot.series) != [str(i) for i in chosen]:
            self.plot.series.clear()
            self.plot.clear()
            for index in chosen:
                colour = self._theme.class_colour(index, found.scores.shape[1])
                self.plot.add_series(str(index), words.name_of(self.labels, index), colour)
        steps = np.arange(len(found.scores), dtype=np.float64)
        for index in chosen:
            self.plot.set_data(str(index), steps, 100.0 * found.scores[:, index].astype(np.float64))

    def move_patch(self, patch: npt.NDArray[np.uint8], x: float, y: float) -> None:
        """Put a patch elsewhere on the picture, to the eye alone; its middle as shares of width and height."""
        from guiapp.ui.panels.attack_paste import pasted

        shown = self.pictures.original.array
        if shown is not None:
            original = shown if shown.ndim == 3 else shown[:, :, None]
            pixels, box = pasted(original, patch, x, y)
            self.pictures.show_pictures(original, pixels.astype(np.float32) - original.astype(np.float32), pixels, box)

    def show_patch(self, view: PatchView, here: bool, wanted: int | None) -> None:
        """The picture with the patch on it.

        Args:
            view: What the network says of it.
            here: Whether the patch is still where that answer has it; else it stays under the hand.
            wanted: Class that the attack is to reach, or None for any other.
        """
        if here:
            change = view.pixels.astype(np.float32) - view.original.astype(np.float32)
            self.pictures.show_pictures(view.original, change, view.pixels, view.box)
        best = int(view.probabilities.argmax())
        good = best == wanted if wanted is not None else best != int(view.before.argmax())
        share = 100 * view.box[2] * view.box[3] / (view.pixels.shape[0] * view.pixels.shape[1])
        side = (f"patch {view.box[2]} × {view.box[3]} pixels, {share:.1f} %", f"{share:.1f} % of the pixels")
        self.pictures.show_words(
            words.says(view.before, self.labels), side, words.says(view.probabilities, self.labels), good
        )
        self.bars.set_prediction(self._scores(view.probabilities), None, self._scores(view.before))

    def restyle(self, found: AttackResult | None) -> None:
        """The theme has changed; ``found`` is the finished attack that is shown."""
        self.step_text.ink = self._theme.faint
        self.step_text.update()
        self.plot.series.clear()
        self.show_curves(found)

    def _scores(self, probabilities: npt.NDArray[np.float32]) -> ClassScores:
        labels = self.labels
        if len(labels) != len(probabilities):
            labels = tuple(words.name_of(labels, i) for i in range(len(probabilities)))
        return ClassScores(probabilities, labels)
