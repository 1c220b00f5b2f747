"""What the attribution panel says of its maps."""

from __future__ import annotations

from guiapp.interpret.attribution import Attribution


def number(value: float) -> str:
    """Three significant figures with a true minus sign."""
    return f"{value:.3g}".replace("-", "−")


def caption(method: str, label: str, figure: str, answer: object) -> tuple[str, tuple[str, ...]]:
    """The head of a map, and wordings for less room."""
    if isinstance(answer, str):
        return f"{method}: {answer}", (method,)
    what = f"{label} {figure}".strip()
    if not what:
        return method, ()
    return f"{method} · {what}", (f"{method} · {label}", f"{label} · {method}", method)


def plain(value: object) -> str:
    """A setting's value in words."""
    return str(value) if not isinstance(value, bool) else "yes" if value else "no"


def told(answer: object, step: int = 0) -> str:
    """One line on a map: the number that is explained, the layer, what does not add up, how long it took."""
    if isinstance(answer, str):
        return answer
    if not isinstance(answer, Attribution):
        return ""
    parts = [f"{answer.target} = {number(answer.score)}"]
    if answer.layer:
        parts.append(f"layer {answer.layer}")
    if answer.gap is not None:
        parts.append(f"sum off by {number(answer.gap)}")
    if step:
        parts.append(f"step {step:,}")
    if answer.seconds:
        parts.append(duration(answer.seconds))
    if answer.note:
        parts.append(answer.note)
    return " · ".join(parts)


def tip(answer: object) -> str:
    """All of it, for the tip."""
    if not isinstance(answer, Attribution):
        return ""
    against = f" against {answer.baseline}" if answer.baseline else ""
    gap = ""
    if answer.gap is not None:
        gap = f"\nthe values should sum to the difference of the scores; they miss it by {number(answer.gap)}"
    return f"{answer.method} of {answer.target}{against}{gap}" + (f"\n{answer.note}" if answer.note else "")


def duration(seconds: float) -> str:
    """Milliseconds or seconds."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
