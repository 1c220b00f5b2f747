"""Named collections that raise on duplicates, and lazy ``"module:name"`` references."""

import difflib
import importlib
from collections.abc import Iterator, Mapping
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class UnknownName(KeyError):
    """A name that a registry does not hold; the message names what is near it.

    A ``KeyError``, so that ``registry.get(name)`` gives None.
    """

    def __str__(self) -> str:
        return str(self.args[0])


class Registry(Mapping[str, T], Generic[T]):
    """Items by name, in the order of their registration.

    Attributes:
        kind: What one item is called in messages, such as ``"model"``.
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._items: dict[str, T] = {}

    def add(self, name: str, item: T) -> T:
        """Register ``item`` under ``name`` and return it.

        Raises:
            ValueError: If the name is taken.
        """
        if name in self._items:
            raise ValueError(f"two entries of kind {self.kind} are named {name!r}")
        self._items[name] = item
        return item

    def __getitem__(self, name: str) -> T:
        try:
            return self._items[name]
        except KeyError:
            near = difflib.get_close_matches(name, self._items, n=3)
            hint = f"; did you mean {', '.join(near)}?" if near else f"; there are: {', '.join(self._items)}"
            raise UnknownName(f"no {self.kind} is named {name!r}{hint}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._items

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)


def resolve(reference: str) -> Any:
    """Import what ``"package.module:name"`` refers to, the package before its module.

    Another thread may be in the middle of the package: this one waits until it is whole (``core/compiler.py``).

    Raises:
        ValueError: If the reference has no colon.
        ImportError: If the module is missing.
        AttributeError: If the module has no such name.
    """
    module, colon, name = reference.partition(":")
    if not colon:
        raise ValueError(f"{reference!r} is not of the form 'package.module:name'")
    importlib.import_module(module.partition(".")[0])
    return getattr(importlib.import_module(module), name)


class Lazy:
    """A callable that imports what it refers to when it is first called, so that registering it costs nothing.

    Attributes:
        reference: ``"package.module:name"``.
    """

    def __init__(self, reference: str) -> None:
        self.reference = reference

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it."""
        return resolve(self.reference)(*args, **kwargs)

    def __repr__(self) -> str:
        return f"Lazy({self.reference!r})"
