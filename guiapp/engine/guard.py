"""Errors of looks: each reaches the person once, and none ends the lane."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from guiapp.core.notices import NoticeBoard, UserError


class Guard:
    """Runs work that may fail.

    Args:
        notices: Where errors are told.
        topic: What they are about, as in ``Notice``.
    """

    def __init__(self, notices: NoticeBoard, topic: str = "") -> None:
        self._notices, self._topic = notices, topic
        self._told: set[str] = set()

    def run(self, name: str, work: Callable[[], Any]) -> Any:
        """What the work gives; None where it fails, of which the same words are told once until ``forget``."""
        try:
            return work()
        except Exception as error:  # noqa: BLE001 - the lane must live on; the person is told
            text = str(error) if isinstance(error, UserError) else f"{name} failed: {error}"
            if text not in self._told:
                self._told.add(text)
                self._notices.post("error", text, traceback.format_exc(), self._topic)
            return None

    def forget(self) -> None:
        """Another network: tell everything again."""
        self._told.clear()
