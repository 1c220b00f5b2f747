"""Help texts: one Markdown file for each panel and experiment, shown on a card beside what it explains."""

from __future__ import annotations

from PySide6.QtCore import QPoint
from PySide6.QtGui import QTextCursor, QTextDocument
from PySide6.QtWidgets import QTextBrowser, QWidget

from guiapp.core.paths import resources
from guiapp.ui.card import Card


def text(name: str) -> str | None:
    """Markdown of help text ``name``, or None where there is none."""
    path = resources() / "help" / f"{name}.md"
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


class HelpCard(Card):
    """One help text.

    Attributes:
        topic: Name of the help text.
    """

    def __init__(self, window: QWidget, topic: str, title: str, markdown: str) -> None:
        super().__init__(window, title, "help")
        self.topic = topic
        self.view = QTextBrowser(self)
        self.view.setObjectName("help.text")
        self.view.setOpenExternalLinks(True)
        self.view.viewport().setAutoFillBackground(False)
        document = QTextDocument(self.view)
        document.setDefaultFont(self.font())
        document.setMarkdown(_without_title(markdown), QTextDocument.MarkdownFeature.MarkdownDialectGitHub)
        document.setDocumentMargin(2)
        _shrink_headings(document, self.font().pointSizeF())
        self.view.setDocument(document)
        self.body.addWidget(self.view, 1)
        self.setFocusProxy(None)

    def show_beside(self, widget: QWidget) -> None:
        """Show beside ``widget``, on the side of the window that has more room."""
        window = self.parentWidget()
        width = 420
        document = self.view.document()
        document.setTextWidth(width - 44)
        height = min(round(document.size().height()) + 60, round(window.height() * 0.7))
        corner = widget.mapTo(window, QPoint(0, 0)) if window.isAncestorOf(widget) else QPoint(window.width() // 2, 80)
        right = corner.x() + widget.width() + 8
        left = right if right + width < window.width() else corner.x() - width - 8
        if left < 8:
            left = corner.x() + widget.width() - width - 8
        self.place(left, corner.y() + 4, width, height)


def _without_title(markdown: str) -> str:
    """The text without its first heading, which the card shows as its own."""
    first, _, rest = markdown.lstrip().partition("\n")
    return rest if first.startswith("# ") else markdown


def _shrink_headings(document: QTextDocument, size: float) -> None:
    """Headings are weight, not size."""
    block = document.begin()
    while block.isValid():
        if block.blockFormat().headingLevel():
            cursor = QTextCursor(block)
            cursor.select(QTextCursor.SelectionType.BlockUnderCursor)
            style = block.charFormat()
            style.setFontPointSize(size)
            style.setFontWeight(600)
            style.clearProperty(style.Property.FontSizeAdjustment)
            cursor.setCharFormat(style)
        block = block.next()
