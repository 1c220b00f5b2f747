"""The samples panel: browse the open data set, and check it."""

from __future__ import annotations

import html
from collections.abc import Generator
from typing import TYPE_CHECKING

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QStackedWidget, QTextBrowser, QVBoxLayout, QWidget

from guiapp.engine.state import EngineState
from guiapp.ui.commands import Command
from guiapp.ui.context import Context
from guiapp.ui.panel import Panel
from guiapp.ui.widgets.buttons import declare, text_button
from guiapp.ui.widgets.sample_browser import SampleBrowser

if TYPE_CHECKING:
    from guiapp.datasets.base import Dataset
    from guiapp.datasets.check import DatasetReport


class SamplesPanel(Panel):
    """The browser, and the report of the data-set check as a second page.

    Attributes:
        browser: The thumbnails.
        report: The report, ``samples.report``.
    """

    id = "samples"
    title = "Samples"

    def __init__(self, context: Context, parent: QWidget | None = None) -> None:
        super().__init__(context, parent)
        self._dataset: Dataset | None = None
        self._checked: Dataset | None = None
        self.browser = SampleBrowser(context, "samples", self)
        self.report = QTextBrowser(self)
        self.report.setObjectName("samples.report")
        self.report.viewport().setAutoFillBackground(False)
        self._check = declare(context.commands, Command(
            "samples.check", "Check data set", self.check,
            "Count classes, find duplicates across parts and unreadable files, measure mean and deviation", "", "check",
            menu="Source",
        ))  # fmt: skip
        self._back = declare(context.commands, Command(
            "samples.browse", "Browse samples", self.browse, "Back from the report to the thumbnails", "", "samples",
            menu="Source",
        ))  # fmt: skip
        self.title_label = QLabel(self)
        self.title_label.setObjectName("samples.title")
        self.title_label.setProperty("heading", True)
        self._check_button = text_button(self, self._check, "samples.check")
        self._back_button = text_button(self, self._back, "samples.browse")
        self.progress = QProgressBar(self)
        self.progress.setObjectName("samples.progress")
        self.progress.setTextVisible(False)
        self.progress.setFixedHeight(4)
        self.progress.hide()
        top = QHBoxLayout()
        top.setSpacing(4)
        top.addWidget(self.title_label, 1)
        top.addWidget(self._check_button)
        top.addWidget(self._back_button)
        self._pages = QStackedWidget(self)
        self._pages.addWidget(self.browser)
        self._pages.addWidget(self.report)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 4, 8, 4)
        column.setSpacing(4)
        column.addLayout(top)
        column.addWidget(self.progress)
        column.addWidget(self._pages, 1)
        self.browse()
        context.bridge.state_changed.connect(self.show_state)  # the command holds while the panel is hidden, too
        self.show_state(context.bridge.state)

    def show_state(self, state: EngineState) -> None:
        """Follow the open data set."""
        dataset = state.opened.dataset if state.opened is not None else None
        if dataset is not self._dataset or dataset is None:
            self._dataset = dataset
            self.title_label.setText(dataset.title if dataset is not None else "")
            self._check.setEnabled(dataset is not None)
            self.browse()

    def minimumSizeHint(self) -> QSize:
        return QSize(180, 150)

    def browse(self) -> None:
        """Show the thumbnails."""
        self.progress.hide()
        self._pages.setCurrentWidget(self.browser)
        self._back_button.hide()
        self._check_button.show()

    def check(self) -> None:
        """Check the open data set and show the report; samples are read once, beside other work."""
        dataset = self._dataset
        if dataset is None:
            return
        self._pages.setCurrentWidget(self.report)
        self._check_button.hide()
        self._back_button.show()
        if self._checked is dataset:
            return
        self.report.setPlainText("Reading every sample …")
        self.progress.setRange(0, 0)
        self.progress.show()
        # The bridge tells of a failure; without a handler here the engine would tell of it too.
        job = self.context.bridge.engine.submit(
            lambda: _check(dataset), on_error=lambda _error: None, title="data-set check"
        )
        self.context.bridge.call(job, lambda report: self._arrived(dataset, report))

    def _arrived(self, dataset: Dataset, report: DatasetReport) -> None:
        self.progress.hide()
        if dataset is self._dataset:
            self._checked = dataset
            self.report.setHtml(report_html(report))


def _check(dataset: Dataset) -> Generator[tuple[float, str], None, DatasetReport]:
    from guiapp.datasets.check import check

    yield 0.0, "reading samples"
    return check(dataset)


def report_html(report: DatasetReport) -> str:
    """The report as a page: what to know first, then counts by class and part, then pixels."""
    parts = [part for part in ("train", "validation", "test") if part in report.counts]
    lines = [f"<p><b>{html.escape(text)}</b></p>" for text in report.warnings] or ["<p>Nothing to worry about.</p>"]
    lines.append("<table cellspacing=0 cellpadding=3><tr><td>class</td>")
    lines += [f"<td align=right>{part}</td>" for part in parts]
    lines.append("</tr>")
    for index, name in enumerate(report.classes):
        cells = "".join(f"<td align=right>{report.counts[part][index]:,}</td>" for part in parts)
        lines.append(f"<tr><td>{html.escape(name)}</td>{cells}</tr>")
    totals = "".join(f"<td align=right><b>{report.total(part):,}</b></td>" for part in parts)
    lines.append(f"<tr><td><b>all</b></td>{totals}</tr></table>")
    channels, height, width = report.shape
    mean, std = (", ".join(f"{v:.4f}" for v in values) for values in (report.mean, report.std))
    lines.append(f"<p>{width} × {height} pixels, {channels} channel{'s' if channels > 1 else ''}. ")
    lines.append(f"Training part on the scale 0 to 1: mean {mean}, standard deviation {std}.</p>")
    repeats = ", ".join(f"{part} {count:,}" for part, count in report.repeats.items() if count) or "none"
    lines.append(f"<p>Repeated within a part: {repeats}. In two parts: {len(report.duplicates):,}.</p>")
    for duplicate in report.duplicates[:20]:
        (first, i), (second, j) = duplicate.first, duplicate.second
        other = "" if duplicate.same_label else ", with another class"
        lines.append(f"<p>{first} {i} = {second} {j}{other}</p>")
    for text in report.unreadable[:50]:
        lines.append(f"<p>left out: {html.escape(text)}</p>")
    return "".join(lines)
