"""What gives pictures: one protocol for files, folders, drawings, videos, cameras and streams."""

from typing import Protocol, runtime_checkable

from guiapp.core.picture import Picture


@runtime_checkable
class Source(Protocol):
    """Gives pictures, one at a time.

    A still source waits for the person: ``next`` goes on to the following picture. A live one runs by itself: it keeps
    the newest picture only, ``latest`` hands it out without waiting, and nothing queues. So the look lane may call
    ``latest`` at its own rate for every kind of source and run the network when the picture is another one than before.

    Attributes:
        name: What a person calls it, such as a file name.
        live: Whether pictures come by themselves.
    """

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    @property
    def live(self) -> bool:
        """Whether pictures come by themselves."""
        ...

    def latest(self) -> Picture | None:
        """The newest picture, at once: the same object until there is a newer one; None before the first.

        Raises:
            UserError: If the picture cannot be read, or a live source has failed.
        """
        ...

    def next(self) -> Picture | None:
        """Go on to the next picture and return it; a live source waits for one. None at the end.

        Raises:
            UserError: As ``latest``. A later call goes on behind the unreadable picture.
        """
        ...

    def close(self) -> None:
        """Release what is held; further calls give None. May be called again."""
        ...


class StillSource:
    """A source of one picture: an image file, a drawing, a pasted picture."""

    live = False

    def __init__(self, picture: Picture) -> None:
        self.name = picture.origin.name
        self._picture: Picture | None = picture
        self._given = False

    def latest(self) -> Picture | None:
        """The picture."""
        return self._picture

    def next(self) -> Picture | None:
        """The picture once, then None."""
        if self._given:
            return None
        self._given = True
        return self._picture

    def close(self) -> None:
        """Let go of the picture."""
        self._picture = None
