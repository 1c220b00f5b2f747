"""The excitation panel: how squeeze-and-excitation blocks weigh their channels for the picture."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QPushButton, QWidget

from guiapp.core.notices import UserError
from guiapp.engine.state import EngineState, LookResult, Request
from guiapp.interpret.excitation import ExcitationMeans, ExcitationOptions, ExcitationView, gates, means
from guiapp.ui.context import Context
from guiapp.ui.panels.paged import PagedPanel
from guiapp.ui.study_run import StudyBar, StudyRun
from guiapp.ui.widgets.channel_plots import ChannelBars, ChannelStrips
from guiapp.ui.widgets.quiet_label import QuietLabel

if TYPE_CHECKING:
    from guiapp.engine.study import Study

_NO_PICTURE = "no picture: open one to see how the channels are weighed"
_SAMPLES = 400


class ExcitationPanel(PagedPanel):
    """Every block as a strip, one block as bars; against the mean over the data set and over one class.

    Attributes:
        blocks: The blocks, ``excitation.block``.
        compare: Works out the means, ``excitation.compare``.
        strips: All blocks, ``excitation.strips``.
        bars: The chosen block, ``excitation.bars``.
        view: What is shown now, or None.
        means: Means over samples of the data set, or None.
        run: The study of the means.
    """

    id = "excitation"
    title = "Excitation"
    nothing_open = "Open the small SENet in the catalogue to see how it weighs its channels."
    nothing_here = "No block of this network weighs its channels: open the small SENet, MobileNet v3 or EfficientNet."

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        theme = context.theme
        self.view: ExcitationView | None = None
        self.means: ExcitationMeans | None = None
        self._opened: object = None
        self._read = 0
        self.blocks = QComboBox(self)
        self.blocks.setObjectName("excitation.block")
        self.blocks.setAccessibleName("Block")
        self.blocks.setToolTip("Block whose channels are shown as bars")
        self.blocks.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.blocks.setMinimumContentsLength(8)
        self.blocks.activated.connect(lambda row: self._choose(self.blocks.itemData(row)))
        self.compare = QPushButton("Mean over data", self)
        self.compare.setObjectName("excitation.compare")
        self.compare.setToolTip(f"Mean weights over up to {_SAMPLES} validation samples, of all and of the class read")
        self.compare.clicked.connect(self._compare)
        self.strips = ChannelStrips(theme, "excitation.strips", "Weights of every block", self)
        self.strips.hovered.connect(lambda _item: self._describe())
        self.strips.clicked.connect(self._strip_clicked)
        self.bars = ChannelBars(theme, "excitation.bars", "Weights of channels", self)
        self.bars.hovered.connect(lambda _item: self._describe())
        self.bars.clicked.connect(self._bar_clicked)
        self.line = QuietLabel("excitation.line", self, theme.faint)
        self.hover = QuietLabel("excitation.hover", self)
        self.run = StudyRun(self)
        self.run.done.connect(self._take_means)
        self.progress = StudyBar(self.run, "excitation", theme, self)
        self._build()
        self.follow("layer", self._follow)
        self.follow("unit", lambda _unit: self._mark())
        self.follow("class_index", lambda _index: self._draw())
        self.show_state(self.seen)

    def _build(self) -> None:
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.blocks, 1)
        top.addWidget(self.compare)
        below = (self.hover, self.progress)
        self.lay_out(top, self.line, (self.strips, 2), (self.bars, 3), *below, faint=(self.line,))

    # ------------------------------------------------------------------ which block

    @property
    def block(self) -> str | None:
        """The block that is or holds the chosen layer, else one in it, else the one shown before, else the first."""
        opened = self.seen.opened
        there = list(gates(opened.layers)) if opened is not None else []
        chosen = self.context.workspace.layer or ""
        shown = self.blocks.currentData()
        fitting = [name for name in there if chosen == name or chosen.startswith(f"{name}.")]
        fitting += [name for name in there if chosen and name.startswith(f"{chosen}.")]
        return next(iter([*fitting, *(name for name in there if name == shown), *there]), None)

    def request(self) -> Request | None:
        """The weights of all blocks."""
        return Request("excitation", ExcitationOptions()) if self.block is not None else None

    def _choose(self, name: str) -> None:
        self.context.workspace.unit = None
        self.context.workspace.layer = name

    def _follow(self, _name: str | None = None) -> None:
        self.blocks.setCurrentIndex(self.blocks.findData(self.block))
        self._draw()

    # ------------------------------------------------------------------ showing

    def show_state(self, state: EngineState) -> None:
        """List the blocks of another network."""
        self.compare.setEnabled(self._dataset() is not None)
        if state.opened is self._opened:
            return
        self._opened = state.opened
        self.run.stop()
        self.progress.say("")
        self.view = self.means = None
        self.blocks.clear()
        names = list(gates(state.opened.layers)) if state.opened is not None else []
        for index, name in enumerate(names):
            self.blocks.addItem(f"block {index + 1} · {name}", name)
        if names:
            self.show_something()
        else:
            self.show_nothing(state.opened)
        self.strips.show_weights((), ())
        self.bars.show_weights(np.zeros(0, np.float32))
        self.line.set_text(self.no_look(_NO_PICTURE))
        self.hover.set_text("")
        self._follow()
        self.request_changed.emit()

    def show_look(self, result: LookResult) -> None:
        """Show the weights for the newest picture."""
        view = result.results.get(self.id)
        if view is None:
            return
        self.view = view
        best = getattr(result.prediction, "best", None)
        self._read = int(best) if best is not None else 0
        self.strips.show_weights(view.blocks, view.weights)
        self._draw()
        self._describe()

    def _row(self) -> int | None:
        """Number of the shown block in the view."""
        view, block = self.view, self.block
        return view.blocks.index(block) if view is not None and block in view.blocks else None

    def _class(self) -> int:
        """The class whose mean is drawn: the chosen one, else the one that is read."""
        chosen = self.context.workspace.class_index
        return self._read if chosen is None else chosen

    def _draw(self) -> None:
        """The bars of the shown block with the means."""
        view, row = self.view, self._row()
        if view is None or row is None:
            return
        weights, lines = view.weights[row], []
        found = self.means
        if found is not None and view.blocks[row] in found.blocks:
            of = found.means[found.blocks.index(view.blocks[row])]
            lines.append((f"mean of {found.count} samples", np.nanmean(of, 0)))
            index = self._class()
            if index < len(of) and np.isfinite(of[index]).all():
                lines.append((f"of class {found.classes[index]}", of[index]))
        self.bars.show_weights(weights, tuple(lines))
        closed, opened = int((weights < 0.1).sum()), int((weights > 0.9).sum())
        text = f"{len(weights)} channels · mean {weights.mean():.2f} · std {weights.std():.2f}"
        ends = f"{closed} below 0.1, {opened} above 0.9"
        self.line.set_text(f"{text} · {ends}", (text, f"mean {weights.mean():.2f} · std {weights.std():.2f}"))
        self.strips.chosen = row
        self.strips.update()
        self._mark()

    def _mark(self) -> None:
        workspace = self.context.workspace
        unit = workspace.unit if workspace.layer == self.block else None
        if unit != self.bars.chosen:
            self.bars.chosen = unit
            self.bars.update()

    def _describe(self) -> None:
        view, row = self.view, self._row()
        if view is None or row is None:
            return
        channel, strip = self.bars.hover, self.strips.hover
        if channel is not None and channel < len(view.weights[row]):
            words = [f"channel {channel}: × {view.weights[row][channel]:.3f}"]
            words += [f"{name} {mean[channel]:.3f}" for name, mean in self.bars.lines]
            self.hover.set_text(" · ".join(words), (words[0],))
        elif strip is not None and strip < len(view.blocks):
            weights = view.weights[strip]
            self.hover.set_text(
                f"block {strip + 1}, {view.blocks[strip]}: mean {weights.mean():.2f}, std {weights.std():.2f}",
                (f"block {strip + 1}: mean {weights.mean():.2f}, std {weights.std():.2f}",),
            )
        else:
            self.hover.set_text("click a bar to look at its map, a strip for its block", ("click a bar or a strip",))

    def _strip_clicked(self, item: int) -> None:
        if self.view is not None:
            self._choose(self.view.blocks[item])

    def _bar_clicked(self, item: int) -> None:
        """Choose the channel, so that other panels show its map."""
        block, workspace = self.block, self.context.workspace
        workspace.layer = block
        workspace.unit = None if workspace.unit == item else item

    # ------------------------------------------------------------------ means

    def _dataset(self) -> Any:
        return getattr(self.seen.opened, "dataset", None)

    def _compare(self) -> None:
        """Work out the means over the validation part, on a network of its own."""

        def work(study: Study, _tell: Any) -> Generator[Any, None, ExcitationMeans]:
            if study.dataset is None:
                raise UserError("open an experiment: its data set gives the samples")
            part, inspected = study.dataset.validation, study.inspected
            count = min(_SAMPLES, len(part))

            def batch(first: int, last: int) -> Any:
                return inspected.preprocessing(np.asarray(part.images[first:last]), study.model.device)

            return means(study.module, inspected.layers, batch, part.labels[:count].tolist(), tuple(inspected.labels))

        self.run.start(work, "mean weights of channels")

    def _take_means(self, found: ExcitationMeans) -> None:
        self.means = found
        self.progress.say("")
        self._draw()
        self._describe()
