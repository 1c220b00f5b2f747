"""Where a run stands, in words: one line, and the same in less room."""

from __future__ import annotations

import math

from guiapp.engine.state import EngineState, Opened


def remembers(opened: Opened) -> bool:
    """Whether the network keeps the training part, so that there is nothing to learn step by step."""
    return opened.model.trained_by == "memory"


def before_first_step(state: EngineState) -> str:
    """What a running run does before it makes steps, with the share done; empty from then on."""
    if state.phase != "running" or state.watched:
        return ""
    share = "" if state.share is None else f" {100 * state.share:.0f} %"
    if state.activity == "evaluating":
        return "" if state.step else f"measuring the initial loss{share}"
    begins = not state.step and state.initial_loss is None
    return f"preparing the samples{share}" if begins or state.activity == "preparing" else ""


def status_text(state: EngineState) -> str:
    """Where the run stands, in one line."""
    return status_texts(state)[0]


def status_texts(state: EngineState) -> tuple[str, tuple[str, ...]]:
    """Where the run stands, and the same in fewer words, longest first."""
    opened = state.opened
    if state.phase == "opening":
        return state.activity or "opening", ()
    if opened is None:
        return "", ()
    if state.phase == "ready":
        return _ready_texts(state, opened)
    if remembers(opened):
        return _memory_text(state, opened), ()
    cut = state.phase == "finished" and state.step < state.total_steps
    head = state.watched or {"finished": "finished", "paused": "paused", "failed": "failed: see the message"}.get(
        state.phase, ""
    )
    first = before_first_step(state)
    whole = [first or (f"stopped at step {state.step:,}" if cut and not state.watched else head)]
    short = list(whole)
    if state.epochs:
        current = min(state.epoch if state.phase == "finished" else state.epoch + 1, state.epochs)
        whole.append(f"epoch {current} of {state.epochs}")
        short.append(f"epoch {current}/{state.epochs}")
    if state.total_steps and not cut:
        whole.append(f"step {state.step:,} of {state.total_steps:,}")
        short.append(f"step {state.step:,}/{state.total_steps:,}")
    elif state.watched and state.step and not state.total_steps:
        whole.append(f"step {state.step:,}")
        short.append(f"step {state.step:,}")
    tail = []
    if state.phase == "running" and not first:
        if state.activity == "evaluating":
            tail.append("validating")
        if state.seconds_left is not None:
            tail.append(f"{duration(state.seconds_left)} left")
    # In little room the step goes before the epoch, which follows from it, and what a run does before its start alone.
    least = [short[0], *short[2:], *tail] if not first else [first]
    said = [" · ".join(part for part in parts if part) for parts in ([*whole, *tail], [*short, *tail], least)]
    return said[0], tuple(said[1:])


def _ready_texts(state: EngineState, opened: Opened) -> tuple[str, tuple[str, ...]]:
    estimate = state.estimate or "ready"
    if opened.pretrained:  # what is looked at is not what Start goes on with
        return f"trained weights · Start trains from fresh weights · {estimate}", (
            "trained weights · Start trains from fresh weights", "Start trains from fresh weights",
        )  # fmt: skip
    return estimate, ()


def _memory_text(state: EngineState, opened: Opened) -> str:
    """A network that keeps the training part has one step and no epochs."""
    if state.phase == "running":
        return before_first_step(state) or "reading the validation part"
    if state.phase == "failed":
        return "failed: see the message"
    count = f"remembers {len(opened.dataset.train):,} samples" if state.step else "remembers nothing yet"
    return f"{state.phase} · {count}"


def duration(seconds: float) -> str:
    """A time as a person says it: ``"48 s"``, ``"1 min 12 s"``, ``"2 h 05 min"``."""
    if not math.isfinite(seconds):
        return "–"
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"
