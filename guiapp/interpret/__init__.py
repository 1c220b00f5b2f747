"""Probes: questions put to a network about a picture or a data set, one kind a file."""
