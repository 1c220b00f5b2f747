"""How predictions are painted: what is on, what is marked, and what is said about the thing under the pointer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PaintOptions:
    """What a person switched on and off. Changing it needs no new run of the network.

    Attributes:
        boxes: Borders of objects.
        labels: Class and score beside each object.
        masks: Masks of objects.
        keypoints: Key points and what joins them.
        suppressed: Boxes that suppression took away, dashed.
        proposals: What the detector looked at closer, dashed.
        legend: Names of a label map's classes, wheel of a flow, scale of depth, bars of class scores.
        opacity: Of masks, label maps, flow and depth, 0 to 1.
        by_confidence: Pixels of a label map fade where the network is unsure.
        colours: Flow as colours.
        arrows: Flow as arrows.
        longest: Flow of this length in pixels has the full colour; 0 takes the length that 99 % of the pixels stay
            below.
        weakest: Key points whose score, as a probability, is below this are left out; 0 to 1.
        most_dashed: At most so many dashed boxes, those of the best score.
        top: At most so many classes in bars and legends.
        marked: Index of the object that is chosen or under the pointer, or None.
    """

    boxes: bool = True
    labels: bool = True
    masks: bool = True
    keypoints: bool = True
    suppressed: bool = False
    proposals: bool = False
    legend: bool = True
    opacity: float = 0.45
    by_confidence: bool = False
    colours: bool = True
    arrows: bool = False
    longest: float = 0.0
    weakest: float = 0.5
    most_dashed: int = 300
    top: int = 5
    marked: int | None = None


@dataclass(frozen=True)
class Hit:
    """What is at a point of the picture.

    Attributes:
        index: Of the object, or of the class of a label map.
        text: One line for the pointer's tip.
        area: Left, top, width, height in pixels of the picture: what a click zooms to; None where there is no box.
    """

    index: int
    text: str
    area: tuple[float, float, float, float] | None = None
