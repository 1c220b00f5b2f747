"""Figures of a classifier from the probabilities of each sample: numpy alone, no torch and no Qt.

``scores``: what is known of each sample. ``decision``: what is answered at a threshold, and the counts. ``numbers``:
the single numbers of course text 4, with intervals. ``ranking``: ROC, precision-recall and the areas under them.
``calibration``: whether probabilities mean what they say. ``suspects``: worst mistakes and wrong labels. ``report``:
the table of numbers. ``plain``: all of it for JSON.
"""
