"""Vision Explorer: train vision networks and look inside them while they learn."""

from __future__ import annotations

from typing import Any

__version__ = "0.1.0"


def watch(model: Any, run_dir: Any = None, **about: Any) -> Any:
    """Let the window watch a training loop of one's own: gives a ``Watch``, whose ``step`` is called after each step.

    Three lines, without Qt: ``import guiapp``, ``watch = guiapp.watch(model, run_dir)``, and in the loop
    ``watch.step(loss=loss, accuracy=accuracy, lr=lr)``. See ``guiapp.training.watch``.

    Args:
        model: The ``torch.nn.Module`` that is trained.
        run_dir: New folder of the run; by default one among this program's runs.
        about: What else is known of it, such as ``optimizer``, ``classes`` and ``dataset``.
    """
    import importlib

    return importlib.import_module("guiapp.training.watch").watch(model, run_dir, **about)
