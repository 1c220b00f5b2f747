"""What a recipe changes at random in the batch of a step: a named augmentation, then single operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from guiapp.core.notices import SettingError
from guiapp.training.augmentation import make_augmentation
from guiapp.training.augmentation_colour import jitter, pca_colour, principal_components
from guiapp.training.augmentation_geometry import geometry
from guiapp.training.augmentation_mix import cutout, mix
from guiapp.training.recipe import Augmentation

if TYPE_CHECKING:
    from guiapp.datasets.base import Samples
    from guiapp.models.base import Preprocessing
    from guiapp.training.setup import Setup

GEOMETRY = ("flip", "flip_vertical", "shift", "crop", "rotation", "scale", "shear")
COLOUR = ("brightness", "contrast", "saturation", "hue", "pca")
MIX = ("mixup", "cutmix")
OPERATIONS = (*GEOMETRY, *COLOUR, "cutout", *MIX)
"""Fields of the recipe's augmentation that are operations, in the order in which they are applied."""
_NEEDS_COLOUR = ("saturation", "hue", "pca")
_GEOMETRY_ROWS, _JITTER_ROWS, _ROWS = slice(0, 11), slice(11, 15), 18


class Augmenter:
    """Changes prepared batches on their device; everything drawn follows from the generator that a call is given.

    Attributes:
        options: Name and strengths.
    """

    def __init__(
        self,
        options: Augmentation,
        preprocessing: Preprocessing,
        classes: int = 0,
        samples: Samples | None = None,
    ) -> None:
        """Make it.

        Args:
            options: Name of the first augmentation (not ``"default"``), and strengths of the operations.
            preprocessing: How the batches were prepared.
            classes: Number of classes, for mixed targets.
            samples: The training part, whose colours PCA colour follows.
        """
        self.options = options
        self._named = make_augmentation(options.name, preprocessing)
        self._classes = classes
        self._geometry = any(getattr(options, name) for name in GEOMETRY)
        self._jitter = any(getattr(options, name) for name in COLOUR if name != "pca")
        self._mean = torch.tensor(preprocessing.mean).reshape(1, -1, 1, 1)
        self._std = torch.tensor(preprocessing.std).clamp_min(1e-8).reshape(1, -1, 1, 1)
        self._fill = (border(preprocessing) - self._mean) / self._std
        self._components: torch.Tensor | None = None
        if options.mixup or options.cutmix:
            import torchvision  # noqa: F401 - takes seconds the first time: now, not within a step
        if options.pca and samples is not None:
            self._components = torch.from_numpy(principal_components(samples.images))

    @property
    def does_nothing(self) -> bool:
        """Whether batches stay as they are."""
        return self._named is None and not any(getattr(self.options, name) for name in OPERATIONS)

    def __call__(
        self, inputs: torch.Tensor, targets: torch.Tensor, draw: torch.Generator
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Change a batch.

        Args:
            inputs: Prepared samples, (N, C, H, W).
            targets: Class indices (N,).
            draw: Generator on the device of the inputs, seeded for this step.

        Returns:
            Changed inputs, and the targets, which are shares of the classes (N, K) where samples are mixed.
        """
        options = self.options
        if self._named is not None:
            inputs = self._named(inputs, draw)
        if any(getattr(options, name) for name in OPERATIONS):
            inputs = self._each(inputs, draw)
        if options.mixup or options.cutmix:
            seed = draw.initial_seed()
            inputs, targets = mix(inputs, targets, self._classes, options.mixup, options.cutmix, seed)
        return inputs, targets

    def _each(self, inputs: torch.Tensor, draw: torch.Generator) -> torch.Tensor:
        """The operations that change each sample by itself."""
        options, device = self.options, inputs.device
        if self._mean.device != device:
            self._mean, self._std, self._fill = (t.to(device) for t in (self._mean, self._std, self._fill))
        drawn = torch.rand(_ROWS, len(inputs), generator=draw, device=device)
        if self._geometry:
            inputs = geometry(inputs, drawn[_GEOMETRY_ROWS], options, self._fill)
        if self._jitter or options.pca:
            pictures = inputs * self._std + self._mean
            if self._jitter:
                pictures = jitter(pictures, drawn[_JITTER_ROWS], options)
            if self._components is not None:
                self._components = self._components.to(device)
                strengths = torch.randn(len(inputs), 3, generator=draw, device=device) * options.pca
                pictures = pca_colour(pictures, strengths, self._components)
            inputs = (pictures - self._mean) / self._std
        if options.cutout:
            side = max(round(options.cutout * min(inputs.shape[2:])), 1)
            inputs = cutout(inputs, drawn[15] < options.cutout_chance, drawn[16], drawn[17], side)
        return inputs


def border(preprocessing: Preprocessing) -> torch.Tensor:
    """What lies beyond the border of a picture, on the scale 0 to 1, (1, C, 1, 1).

    The mean for colour pictures (He et al. 2016, zero after preparation); the paper of grey ones, black or white.
    """
    mean = np.array(preprocessing.mean)
    value = mean if len(mean) > 1 else np.round(mean)
    return torch.tensor(value, dtype=torch.float32).reshape(1, -1, 1, 1)


def augmenter_of(setup: Setup) -> Augmenter | None:
    """What the recipe of a run asks for, or None where samples stay as they are."""
    options = setup.recipe.augmentation
    samples = setup.dataset.train if options.pca else None
    made = Augmenter(options, setup.preprocessing, len(setup.classes), samples)
    return None if made.does_nothing else made


def check_augmentation(options: Augmentation, channels: int, task: str = "classification") -> None:
    """Refuse what has no effect or makes no sense.

    Args:
        options: Name and strengths.
        channels: Of the network's input.
        task: Name of the task.

    Raises:
        SettingError: For colours of grey pictures, and for mixed targets of a task that takes none.
    """
    for name in _NEEDS_COLOUR:
        if getattr(options, name) and channels != 3:
            raise SettingError(f"augmentation.{name} changes colours, and these samples are grey: leave it at 0")
    for name in MIX:
        if getattr(options, name) and task != "classification":
            raise SettingError(
                f"augmentation.{name} needs a loss that takes shares of classes: leave it at 0 for {task}"
            )
