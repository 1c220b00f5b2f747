"""Labelled data in, with fixed training, validation and test parts."""
