"""Entries of the zoo that need no download: detectors and dense flow that come with OpenCV, as plain data."""

from __future__ import annotations

from guiapp.models.zoo.base import Preset, ZooModel, ZooWeights

_LICENCE = "Apache 2.0 (OpenCV)"


def _weights(
    shipped: str, preset: Preset, *, name: str = "OPENCV", parameters: int = 0, size: int = 0,
    licence: str = _LICENCE, trained_on: str = "nothing", labels: str = "",
) -> ZooWeights:  # fmt: skip
    """What OpenCV brings, in the place of published weights: no address, no published figures."""
    return ZooWeights(
        name, "", "", size, parameters, 0.0, licence, trained_on, labels, {}, "", (1, 1), 1, preset, shipped
    )


_FLOW = Preset("flow", mean=(0.5, 0.5, 0.5), std=(0.5, 0.5, 0.5))

SHIPPED: tuple[ZooModel, ...] = (
    ZooModel(
        "haar-face",
        "Faces, Haar cascade",
        "Haar cascade",
        "detection",
        "guiapp.models.zoo.opencv:HaarFaces",
        (
            _weights(
                "cv2/data/haarcascade_frontalface_alt.xml",
                Preset("detection"),
                name="FRONTALFACE_ALT",
                parameters=6427,  # thresholds and two votes of 2135 stumps, thresholds of 22 stages
                size=676709,
                licence="Intel licence for OpenCV (BSD, three clauses)",
                trained_on="frontal faces of 20 x 20 pixels, collected by R. Lienhart",
                labels="face",
            ),
        ),
        "Viola, Jones 2001; Lienhart, Maydt 2002; coefficients: OpenCV",
        ("viola-jones",),
        draws=False,
    ),
    ZooModel(
        "hog-person",
        "People, HOG + SVM",
        "HOG",
        "detection",
        "guiapp.models.zoo.opencv:HogPeople",
        (
            _weights(
                "cv2",
                Preset("detection"),
                name="INRIA_PEOPLE",
                parameters=3781,
                size=4 * 3781,
                trained_on="INRIA person data set",
                labels="person",
            ),
        ),
        "Dalal, Triggs 2005; coefficients: OpenCV",
        ("hog",),
        draws=False,
    ),
    ZooModel(
        "farneback-flow",
        "Dense flow, Farnebäck",
        "Dense flow",
        "flow",
        "guiapp.models.zoo.dense_flow:farneback",
        (_weights("cv2", _FLOW),),
        "Farnebäck 2003",
        ("optical-flow",),
        draws=False,
    ),
    ZooModel(
        "dis-flow",
        "Dense flow, inverse search",
        "Dense flow",
        "flow",
        "guiapp.models.zoo.dense_flow:dis",
        (_weights("cv2", _FLOW),),
        "Kroeger, Timofte, Dai, Van Gool 2016, arXiv 1603.03590",
        ("optical-flow",),
        draws=False,
    ),
)
