"""Vision Explorer: train vision networks and look inside them while they learn."""

__version__ = "0.1.0"
