"""Published networks of every task with their weights: found on this machine, or fetched. No torch until one opens."""

from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights
from guiapp.models.zoo.table import ZOO, find_model, listed

__all__ = ["ZOO", "Preset", "ZooModel", "ZooWeights", "find_model", "listed"]
