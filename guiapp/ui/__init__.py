"""The window: the only room, with ``app``, that imports Qt."""
