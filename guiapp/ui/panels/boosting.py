"""The boosting panel: AdaBoost chooses Haar features for a face detector, round by round, on real patches."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QTimer
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState, LookResult
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.boosting_plots import ChosenFeature, WeightedPatches
from guiapp.ui.widgets.jump_slider import JumpSlider
from guiapp.ui.widgets.profile_plot import Profile, ProfilePlot
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.core.picture import Picture
    from guiapp.engine.boosting import Boosted

_LINGER_MS = 200


class BoostingPanel(Panel):
    """A slider over the rounds; the feature of one and the errors so far; the samples as large as their weights.

    Attributes:
        run: The work.
        again: Begins anew, ``boosting.again``: with faces of the picture where there are no portraits.
        round: The round that is shown, ``boosting.round``; 0 is before the first.
        feature: Its feature, ``boosting.feature``.
        errors: Errors by round, ``boosting.errors``.
        patches: Samples by weight, ``boosting.patches``.
        found: What is known so far, or None.
    """

    id = "boosting"
    title = "Boosting"
    follows_live = True

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.found: Boosted | None = None
        self._picture: Picture | None = None
        self._begun = False
        self._first = QTimer(self, singleShot=True, interval=_LINGER_MS)  # tabs come and go while a layout is made
        self._first.timeout.connect(self._begin_first)
        self.run = StudyRun(self)
        self.run.partly.connect(self._take)
        self.run.done.connect(self._take)
        self.progress = StudyBar(self.run, "boosting", theme, self)
        self.again = QPushButton("Boost again", self)
        self.again.setObjectName("boosting.again")
        self.again.setToolTip("Choose the features anew, one round after another")
        self.again.clicked.connect(self.begin)
        self.round = JumpSlider(theme, "boosting.round", "Round", self)
        self.round.setToolTip("Round that is shown; the arrow keys go one on")
        self.round.setRange(0, 0)
        self.round.valueChanged.connect(lambda _value: self._show())
        self.head = QuietLabel("boosting.head", self)
        self.vote = QuietLabel("boosting.vote", self)
        self.feature = ChosenFeature(theme, "boosting.feature")
        self.errors = ProfilePlot(theme, "boosting.errors", "Errors by round", ("round", "share wrong"), self)
        self.errors.clicked.connect(lambda item: self.round.setValue(item + 1))
        self.says = QuietLabel("boosting.told", self)
        self.patches = WeightedPatches(theme, "boosting.patches")
        self.patches.hovered.connect(lambda _item: self._tell())
        self.about = QuietLabel("boosting.about", self, theme.faint)
        theme.changed.connect(self._restyle)
        self._build()

    def _build(self) -> None:
        tools = QHBoxLayout()
        tools.setSpacing(8)
        tools.addWidget(self.round, 1)
        tools.addWidget(self.again)
        upper = QHBoxLayout()
        upper.setSpacing(8)
        upper.addWidget(self.feature)
        upper.addWidget(self.errors, 1)
        self.errors.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(8, 4, 8, 6)
        whole.setSpacing(4)
        whole.addLayout(tools)
        whole.addWidget(self.head)
        whole.addWidget(self.vote)
        whole.addLayout(upper, 3)
        whole.addWidget(self.says)
        whole.addWidget(self.patches, 4)
        whole.addWidget(self.about)
        whole.addWidget(self.progress)

    def resizeEvent(self, event: object) -> None:
        self.feature.setFixedWidth(min(240, max(80, self.width() // 3), max(80, self.height() * 2 // 5)))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._first.start()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._first.stop()

    def _begin_first(self) -> None:
        if not self._begun:
            self.begin()

    def show_state(self, state: EngineState) -> None:
        """Nothing here depends on the network that is open."""

    def show_look(self, result: LookResult) -> None:
        """Keep the picture: its faces serve where there are no portraits."""
        self._picture = result.picture

    # ------------------------------------------------------------------ work

    def begin(self) -> None:
        """Boost from the first round on."""
        self._begun = True
        picture = self._picture

        def work(tell: Any) -> Any:
            from guiapp.engine.boosting import boosting

            return boosting(picture, tell)

        self.run.start(work, "boosting", "nothing")

    def _take(self, found: Boosted) -> None:
        newest = self.round.value() == self.round.maximum()
        self.found = found
        self.about.set_text(found.patches.about)
        self.round.blockSignals(True)
        self.round.setRange(0, len(found.rounds))
        if newest:
            self.round.setValue(len(found.rounds))
        self.round.blockSignals(False)
        self._show()

    # ------------------------------------------------------------------ showing

    def _show(self) -> None:
        """Show the round of the slider."""
        found = self.found
        if found is None:
            return
        from guiapp.imaging.boosting import haar_features

        at, theme = self.round.value(), self.context.theme
        patches = found.patches
        taught = patches.learned
        mean = patches.pixels[taught & patches.faces].mean(0).round().astype(np.uint8)
        one = found.rounds[at - 1] if at else None
        self.feature.show_feature(mean, haar_features()[one.feature] if one is not None else None)
        learned, tested = found.errors(True), found.errors(False)
        self.errors.chosen = at - 1 if at else None
        self.errors.show_lines(
            (
                Profile("learned from", learned, theme.training, strong=True),
                Profile("test", tested, theme.validation, strong=True),
                Profile("one feature, weighted", np.array([r.error for r in found.rounds]), theme.faint),
            ),
            [str(number + 1) for number in range(len(found.rounds))],
        )
        truth = patches.faces[taught]
        right = np.ones(len(truth), bool) if one is None else (one.sums[taught] >= 0) == truth
        self.patches.show_patches(patches.pixels[taught], found.weights[at], right)
        if one is None:
            self.head.set_text("Before the first round: all samples weigh the same")
            self.vote.set_text("")
        else:
            over = "≥" if one.sign > 0 else "<"
            limit = f"{one.threshold:.3f}".replace("-", "−")
            of, rule = f"{at} of {len(found.rounds)}", f"white − black {over} {limit}"
            self.head.set_text(f"Round {of}: face where {rule}", (f"{of}: face where {rule}", f"{of}: {rule}"))
            error, vote = f"error ε = {one.error:.3f}", f"{one.alpha:.2f}"
            self.vote.set_text(
                f"weighted {error} · vote α = ln((1 − ε) / ε) = {vote}",
                (f"weighted {error} · vote α = {vote}", f"{error} · vote α = {vote}"),
            )
        self._tell()

    def _tell(self) -> None:
        """The errors of all votes, or the sample under the pointer."""
        found, at = self.found, self.round.value()
        if found is None:
            return
        taught, row = found.patches.learned, self.patches.hover
        if row is not None:
            kind = "a face" if found.patches.faces[taught][row] else "no face"
            votes = f" · votes {found.rounds[at - 1].sums[taught][row]:+.2f}" if at else ""
            weight = f"{kind} · weight {found.weights[at][row]:.2f}"
            self.says.set_text(f"{weight} of a mean one{votes}", (weight + votes,))
        elif at:
            learned, tested = found.errors(True)[at - 1], found.errors(False)[at - 1]
            counts = int(taught.sum()), int((~taught).sum())
            self.says.set_text(
                f"votes together wrong: {learned:.1%} of {counts[0]} samples, {tested:.1%} of {counts[1]} to test",
                (
                    f"votes wrong: {learned:.1%} of {counts[0]}, {tested:.1%} of {counts[1]} to test",
                    f"wrong: {learned:.1%}, to test {tested:.1%}",
                ),
            )
        else:
            self.says.set_text(f"{int(taught.sum())} samples, half of them faces")

    def _restyle(self) -> None:
        self.about.ink = self.context.theme.faint
        self.about.update()
        self._show()
