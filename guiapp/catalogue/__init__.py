"""The experiments of the course as plain data, one chapter a file."""

from guiapp.catalogue import (
    architectures,
    depth,
    families,
    learning_basics,
    neurons,
    published,
    recognition,
    seeing_inside,
    training,
    transfer,
)
from guiapp.catalogue.chapters import CHAPTERS
from guiapp.catalogue.entry import Experiment
from guiapp.core.registry import Registry

__all__ = ["CHAPTERS", "DEFAULT", "EXPERIMENTS", "Experiment"]

DEFAULT = "lenet5"
"""The experiment that the window opens with."""

EXPERIMENTS: Registry[Experiment] = Registry("experiment")

for _chapter in (
    learning_basics,
    neurons,
    training,
    architectures,
    depth,
    families,
    seeing_inside,
    recognition,
    transfer,
    published,
):
    for _experiment in _chapter.EXPERIMENTS:
        EXPERIMENTS.add(_experiment.id, _experiment)
