"""The docks of the window, one panel a file."""
