"""Colours, fonts and the small stylesheet of the window, in light and dark."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication

from guiapp.core.paths import resources

Mode = Literal["system", "light", "dark"]
MODES: tuple[Mode, ...] = ("system", "light", "dark")

# Okabe and Ito (2008) without black, then wine, teal and olive of Tol's muted set: safe for colour-blind eyes.
CLASS_COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#d55e00", "#cc79a7", "#56b4e9", "#f0e442", "#882255", "#44aa99", "#999933",
)  # fmt: skip
# The few of them that would vanish against the ground of one theme, in the same hue.
_ON_DARK = {"#0072b2": "#2287c9", "#882255": "#b5477f"}
_ON_LIGHT = {"#f0e442": "#d9c400"}


@dataclass(frozen=True)
class Colours:
    """Colours of one theme as ``"#rrggbb"``.

    Attributes:
        background: The frame of the window.
        panel: Ground of panels and plots.
        field: Ground of inputs.
        hover: Ground under the pointer.
        selection: Ground of chosen rows.
        border: Hairlines.
        text, faint, disabled: Inks: what is read, units and hints, what cannot be used.
        accent: Focus and marks.
        primary: Ground of the primary button, under white text.
        training, validation, test, other: Pens of curves.
        good, warning, error: Inks of states.
    """

    background: str
    panel: str
    field: str
    hover: str
    selection: str
    border: str
    text: str
    faint: str
    disabled: str
    accent: str
    primary: str
    good: str
    warning: str
    error: str
    other: str
    training: str = "#3b82f6"
    validation: str = "#f59e0b"
    test: str = "#10b981"


DARK = Colours(
    background="#16181b", panel="#1e2024", field="#282b30", hover="#2e3238", selection="#23406f", border="#34383e",
    text="#e6e8eb", faint="#9ba1aa", disabled="#656b74", accent="#3b82f6", primary="#2f6fe0",
    good="#34d399", warning="#fbbf24", error="#f87171", other="#6b7280",
)  # fmt: skip
LIGHT = Colours(
    background="#eceef1", panel="#fdfdfe", field="#ffffff", hover="#e6e9ee", selection="#d5e4ff", border="#d0d5dc",
    text="#1b1e23", faint="#5f6672", disabled="#a4aab3", accent="#3b82f6", primary="#2563eb",
    good="#047857", warning="#b45309", error="#dc2626", other="#9ca3af",
)  # fmt: skip


class Theme(QObject):
    """The look of the window; colours are ``QColor`` attributes named as in ``Colours``, such as ``theme.training``.

    Attributes:
        mode: ``"system"`` follows the system, else ``"light"`` or ``"dark"``.
        dark: Whether the dark colours are shown now.
        colours: The colours as text, for stylesheets and SVG.
        changed: Emitted after the colours have changed.
    """

    changed = Signal()

    def __init__(self, mode: Mode = "system", parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode: Mode = mode
        self.dark = self._wanted()
        self.colours = DARK if self.dark else LIGHT
        QGuiApplication.styleHints().colorSchemeChanged.connect(self._follow)

    def __getattr__(self, name: str) -> QColor:
        colours = self.__dict__.get("colours")
        if colours is None or not hasattr(colours, name):
            raise AttributeError(name)
        return QColor(getattr(colours, name))

    def set_mode(self, mode: Mode) -> None:
        """Follow the system, or stay light or dark."""
        if mode not in MODES:
            raise ValueError(f"a theme is one of {', '.join(MODES)}, not {mode!r}")
        self.mode = mode
        self._follow()

    def class_colour(self, index: int, count: int = 10) -> QColor:
        """Colour of class ``index`` of ``count``: the same wherever that class is shown."""
        if count <= len(CLASS_COLOURS):
            colour = CLASS_COLOURS[index % len(CLASS_COLOURS)]
            return QColor((_ON_DARK if self.dark else _ON_LIGHT).get(colour, colour))
        return QColor(perceptual(index))

    def apply(self) -> None:
        """Give the application this theme's palette and stylesheet; what it has already styles no widget once more."""
        application = QApplication.instance()
        if isinstance(application, QApplication) and application.styleSheet() != (wanted := stylesheet(self.colours)):
            application.setPalette(palette(self.colours))
            application.setStyleSheet(wanted)

    def _wanted(self) -> bool:
        if self.mode == "system":
            return QGuiApplication.styleHints().colorScheme() == Qt.ColorScheme.Dark
        return self.mode == "dark"

    def _follow(self) -> None:
        dark = self._wanted()
        if dark == self.dark:
            return
        self.dark = dark
        self.colours = DARK if dark else LIGHT
        self.apply()
        self.changed.emit()


@cache
def perceptual(index: int) -> str:
    """Colour ``index`` of an endless fixed set: golden-angle hues at three lightnesses of OKLCH."""
    hue = math.radians((29.0 + 137.50776 * index) % 360)
    lightness, chroma = ((0.66, 0.15), (0.56, 0.13), (0.75, 0.11))[index // 5 % 3]
    from guiapp.ui.colour_maps import rgb_from_oklab

    red, green, blue = rgb_from_oklab([lightness, chroma * math.cos(hue), chroma * math.sin(hue)])
    return "#{:02x}{:02x}{:02x}".format(*(round(255 * float(v)) for v in (red, green, blue)))


def palette(c: Colours) -> QPalette:
    """Qt's palette in the colours ``c``."""
    result, role = QPalette(), QPalette.ColorRole
    for which, colour in {
        role.Window: c.panel, role.WindowText: c.text, role.Base: c.field, role.AlternateBase: c.panel,
        role.Text: c.text, role.Button: c.field, role.ButtonText: c.text, role.BrightText: "#ffffff",
        role.Highlight: c.primary, role.HighlightedText: "#ffffff", role.Accent: c.primary, role.Link: c.accent,
        role.ToolTipBase: c.field, role.ToolTipText: c.text, role.PlaceholderText: c.faint, role.Light: c.hover,
        role.Midlight: c.hover, role.Mid: c.border, role.Dark: c.border, role.Shadow: c.background,
    }.items():  # fmt: skip
        result.setColor(which, QColor(colour))
    for which in (role.WindowText, role.Text, role.ButtonText, role.PlaceholderText):
        result.setColor(QPalette.ColorGroup.Disabled, which, QColor(c.disabled))
    return result


def stylesheet(c: Colours) -> str:
    """The few rules that Fusion and the palette do not cover."""
    style = (resources() / "style").as_posix()
    return f"""
    QMainWindow, QMenuBar, QToolBar, QStatusBar {{ background: {c.background}; border: none; }}
    QMainWindow::separator {{ background: {c.background}; width: 4px; height: 4px; }}
    QMainWindow::separator:hover {{ background: {c.accent}; }}
    QDockWidget, QDockWidget > QWidget {{ background: {c.panel}; }}
    QToolBar {{ spacing: 0; }}
    QMenuBar::item {{ padding: 4px 8px; background: transparent; }}
    QMenuBar::item:selected {{ background: {c.hover}; border-radius: 3px; }}
    QMenu {{ background: {c.field}; border: 1px solid {c.border}; padding: 4px; }}
    QMenu::item {{ padding: 4px 24px 4px 8px; border-radius: 3px; }}
    QMenu::icon {{ padding-left: 6px; }}
    QMenu::item:selected {{ background: {c.selection}; }}
    QMenu::item:disabled {{ color: {c.disabled}; }}
    QMenu::separator {{ height: 1px; background: {c.border}; margin: 4px; }}
    QToolTip {{ background: {c.field}; color: {c.text}; border: 1px solid {c.border}; padding: 4px; }}
    QStatusBar::item {{ border: none; }}
    QPushButton, QToolButton[text-button="true"] {{
        background: {c.field}; border: 1px solid {c.border}; border-radius: 4px; padding: 3px 10px; min-height: 18px; }}
    QPushButton:hover, QToolButton[text-button="true"]:hover {{ background: {c.hover}; }}
    QPushButton:pressed {{ background: {c.border}; }}
    QPushButton:focus {{ border-color: {c.accent}; }}
    QPushButton:disabled {{ color: {c.disabled}; background: {c.panel}; }}
    QPushButton[primary="true"], QPushButton:checked, QToolButton[text-button="true"]:checked {{
        background: {c.primary}; border-color: {c.primary}; color: #ffffff; }}
    QPushButton[primary="true"]:hover {{ background: {c.accent}; }}
    QPushButton[primary="true"]:disabled {{ background: {c.panel}; border-color: {c.border}; color: {c.disabled}; }}
    QPushButton[search="true"] {{ text-align: left; color: {c.faint}; padding: 3px 8px; }}
    QCheckBox {{ spacing: 6px; }}
    QToolButton {{ border: none; border-radius: 4px; padding: 3px; }}
    QToolButton:hover {{ background: {c.hover}; }}
    QToolButton:checked {{ background: {c.selection}; }}
    QToolButton:focus {{ border: 1px solid {c.accent}; padding: 2px; }}
    QToolButton::menu-indicator {{ image: none; }}
    QLineEdit, QPlainTextEdit, QTextEdit {{
        background: {c.field}; border: 1px solid {c.border}; border-radius: 4px; padding: 2px 6px; min-height: 18px;
        selection-background-color: {c.primary}; selection-color: #ffffff; }}
    QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus {{ border-color: {c.accent}; }}
    QComboBox {{
        background: {c.field}; border: 1px solid {c.border}; border-radius: 4px; padding: 2px 2px 2px 6px;
        min-height: 18px; }}
    QComboBox:hover {{ background: {c.hover}; }}
    QComboBox:disabled {{ color: {c.disabled}; background: {c.panel}; }}
    QComboBox::drop-down {{ border: none; width: 16px; }}
    QComboBox::down-arrow {{ image: url("{style}/arrow.svg"); width: 10px; height: 10px; }}
    QComboBox QAbstractItemView {{
        background: {c.field}; border: 1px solid {c.border}; padding: 2px; selection-background-color: {c.selection}; }}
    QTextBrowser {{ border: none; background: transparent; }}
    QAbstractItemView {{ background: {c.panel}; border: none; outline: none; }}
    QTreeView::item, QListView::item, QTableView::item {{ padding: 2px 4px; border: none; }}
    QAbstractItemView::item:hover {{ background: {c.hover}; }}
    QAbstractItemView::item:selected {{ background: {c.selection}; color: {c.text}; }}
    QHeaderView {{ background: {c.panel}; border: none; }}
    QHeaderView::section {{
        background: {c.panel}; color: {c.faint}; border: none; border-bottom: 1px solid {c.border}; padding: 3px 4px;
        font-weight: normal; }}
    QHeaderView::up-arrow, QHeaderView::down-arrow {{ width: 8px; height: 8px; subcontrol-position: top center; }}
    QHeaderView::up-arrow {{ image: url("{style}/arrow-up.svg"); }}
    QHeaderView::down-arrow {{ image: url("{style}/arrow.svg"); }}
    QTableView {{ gridline-color: {c.border}; }}
    QTabBar {{ background: {c.panel}; border: none; }}
    QTabBar::tab {{
        background: {c.panel}; color: {c.faint}; padding: 6px 10px; border: none; border-top: 2px solid transparent; }}
    QTabBar::tab:selected {{ color: {c.text}; border-top: 2px solid {c.accent}; }}
    QTabBar::tab:hover {{ color: {c.text}; }}
    QTabBar::tab:disabled {{ color: {c.disabled}; }}
    QScrollBar {{ background: transparent; border: none; }}
    QScrollBar:vertical {{ width: 10px; }}
    QScrollBar:horizontal {{ height: 10px; }}
    QScrollBar::handle {{ background: {c.border}; border-radius: 3px; margin: 2px; min-height: 24px; min-width: 24px; }}
    QScrollBar::handle:hover {{ background: {c.disabled}; }}
    QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
    QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
    QProgressBar {{ background: {c.hover}; border: none; border-radius: 2px; max-height: 4px; text-align: right; }}
    QProgressBar::chunk {{ background: {c.accent}; border-radius: 2px; }}
    QLabel[faint="true"] {{ color: {c.faint}; }}
    QLabel[heading="true"] {{ font-weight: 600; }}
    QLabel[warning="true"] {{ color: {c.warning}; }}
    QLabel[error="true"] {{ color: {c.error}; }}
    #card {{ background: {c.field}; border: 1px solid {c.border}; border-radius: 6px; }}
    """


def tabular(font: QFont | None = None) -> QFont:
    """The given font, or the application's, with figures of equal width so that changing numbers do not jump."""
    result = QFont(font) if font is not None else QFont(QApplication.font())
    result.setFeature(QFont.Tag("tnum"), 1)
    return result
