"""Findings and checks as text with links."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from guiapp.training.diagnosis.findings import Finding
    from guiapp.ui.theme import Theme

_TITLES = {
    "labels": "Labels", "first_loss": "First loss", "handful": "A handful learned by heart",
    "range_test": "Range of learning rates",
}  # fmt: skip


def findings_html(found: Sequence[Finding], chosen: int | None, theme: Theme, plain: str) -> str:
    """Each finding with a link ``finding:N``, its layers ``layer:NAME``, its samples ``samples:N``.

    Args:
        found: The findings.
        chosen: The one whose evidence is marked.
        theme: Colours.
        plain: What to say where there are none.
    """
    if not found:
        return f"<p style='color:{theme.faint.name()}'>{escape(plain)}</p>"
    parts = []
    for place, one in enumerate(found):
        colour = (theme.error if one.severity == "error" else theme.warning).name()
        mark = "▸ " if place == chosen else ""
        style = f"color:{colour};text-decoration:none"
        head = f"<a href='finding:{place}' style='{style}'><b>{mark}{escape(one.title)}</b></a>"
        where = "; ".join(dict.fromkeys(_where(piece) for piece in one.evidence))
        links = [_link(f"layer:{name}", name, theme) for name in one.layers]
        if one.samples:
            links.append(_link(f"samples:{place}", f"show {len(one.samples)} samples", theme))
        more = f"<br>{' · '.join(links)}" if links else ""
        faint = f"<span style='color:{theme.faint.name()}'>"
        parts.append(
            f"<p style='margin:0 0 10px 0'>{head}<br>{escape(one.text)}{more}<br>{escape(one.advice)}"
            f"<br>{faint}{escape(where)}</span></p>"
        )
    return "".join(parts)


def _where(piece: Any) -> str:
    steps = f"step {piece.first}" if piece.first == piece.last else f"steps {piece.first} to {piece.last}"
    return f"{piece.plot}, {steps}: {piece.text}"


def _link(target: str, text: str, theme: Theme) -> str:
    return f"<a href='{escape(target)}' style='color:{theme.accent.name()}'>{escape(text)}</a>"


def checks_html(checks: Any, theme: Theme) -> str:
    """What the checks found so far, one paragraph each."""
    if checks is None:
        return (
            f"<p style='color:{theme.faint.name()}'>Four checks on networks of their own, in a process of its own: "
            "nothing here changes. Labels; the first loss against log C; twenty samples learned by heart; one step at "
            "each of many rates.</p>"
        )
    parts = []
    colours = {"good": theme.text, "doubtful": theme.warning, "bad": theme.error}
    for field, title in _TITLES.items():
        check = getattr(checks, field)
        if check is not None:
            head = f"<b style='color:{colours[check.verdict].name()}'>{title}: {check.verdict}</b>"
            parts.append(f"<p style='margin:0 0 6px 0'>{head}<br>{escape(check.text)} {escape(check.advice)}</p>")
    return "".join(parts)
