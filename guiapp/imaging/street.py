"""A street with people, drawn by the program: something to look at where there is no camera, no picture and no network.

It is a drawing and shows nobody. The detectors that OpenCV ships find its faces and its people, as a test holds. Its
people also walk (``walk``): something that moves, for networks that look at several pictures in a row.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from guiapp.core.picture import Origin, Picture

WIDTH, HEIGHT = 960, 640
NAME = "Street (drawn)"
FRAMES, RATE = 200, 25.0
"""Pictures until the walk begins again, and how many of them pass in a second."""

Colour = tuple[int, int, int]
_Canvas = npt.NDArray[np.uint8]
_SHIFT = 4  # bits behind the point in OpenCV's coordinates
_GROUND = 470  # where the pavement begins


@dataclass(frozen=True)
class _Person:
    """Someone on foot: height in pixels, place of the feet, colours, and how far a step reaches (0 to 1)."""

    x: float
    y: float
    height: float
    jacket: Colour
    trousers: Colour
    hair: Colour
    skin: Colour
    step: float


_PEOPLE = (
    _Person(150, 560, 262, (52, 66, 92), (36, 38, 46), (40, 30, 24), (214, 172, 146), 0.45),
    _Person(340, 545, 236, (134, 48, 44), (44, 50, 66), (92, 62, 36), (232, 190, 164), 0.25),
    _Person(520, 572, 286, (44, 74, 58), (58, 52, 48), (24, 22, 22), (164, 116, 86), 0.6),
)
_NEAR: tuple[Colour, Colour, Colour] = (226, 182, 152), (60, 42, 30), (70, 84, 112)
"""Skin, hair and coat of who stands near."""
_AHEAD = (0, 0, 170)  # pixels: of the two who go to the right one is always to be seen beside who stands near
_BEYOND = 60  # pixels beyond the edge where people turn up


@cache
def street() -> Picture:
    """The picture, 960 x 640; always the same."""
    canvas = _houses()
    for person in _PEOPLE:
        _walker(canvas, person)
    _portrait(canvas, (775, 330), 74, *_NEAR)
    return Picture(_filmed(canvas), Origin("file", NAME), note="drawn by the program")


def walk(frame: int) -> _Canvas:
    """A moment of the walk, (640, 960, 3), which goes on without a jump from ``FRAMES - 1`` to 0.

    Two people cross the street to the right and one to the left, 5.4 pixels from picture to picture; who stands near
    sways a little. The camera is still: what is seen to move, moves.
    """
    import cv2

    frame %= FRAMES
    turn = 2 * math.pi * frame / FRAMES
    canvas = _ground().copy()
    way = WIDTH + 2 * _BEYOND
    for number, person in enumerate(_PEOPLE):
        forward = -1 if number == 1 else 1
        x = (person.x + _AHEAD[number] + _BEYOND + forward * way * frame / FRAMES) % way - _BEYOND
        stride = math.sin(7 * turn + number)
        _walker(canvas, replace(person, x=x, y=person.y + 3 * stride * stride, step=0.2 + 0.8 * abs(stride)))
    _portrait(canvas, (775 + 14 * math.sin(turn), 330 + 5 * math.sin(2 * turn)), 74, *_NEAR)
    brighter, darker = _grain()
    return np.asarray(cv2.subtract(cv2.add(cv2.GaussianBlur(canvas, (0, 0), 0.9), brighter), darker), np.uint8)


@cache
def _ground() -> _Canvas:
    return _houses()


@cache
def _grain() -> _Canvas:
    """What noise adds and takes away, the same for each picture: on plain walls, new noise would seem to move."""
    noise = np.random.default_rng(5).normal(0, 2.0, (HEIGHT, WIDTH, 3))
    both: _Canvas = np.rint(np.stack([np.maximum(noise, 0), np.maximum(-noise, 0)])).astype(np.uint8)
    return both


def _houses() -> _Canvas:
    """Sky, a row of houses with windows, pavement and road."""
    canvas = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    canvas[:] = np.rint((1 - down) * [150, 186, 222] + down * [226, 232, 236])
    left = 0
    fronts: Sequence[tuple[int, int, Colour]] = (
        (230, 60, (222, 208, 184)), (210, 110, (204, 196, 190)), (250, 30, (228, 216, 202)), (280, 90, (208, 214, 216)),
    )  # fmt: skip
    for width, top, colour in fronts:
        right = left + width
        _polygon(canvas, [(left, top), (right, top), (right, _GROUND), (left, _GROUND)], colour)
        _polygon(canvas, [(left, top), (right, top), (right, top + 8), (left, top + 8)], _darker(colour, 0.8))
        for row in range(top + 26, _GROUND - 190, 78):
            for column in range(left + 22, right - 40, 56):
                _window(canvas, column, row, colour)
        left = right
    _polygon(canvas, [(0, _GROUND), (WIDTH, _GROUND), (WIDTH, 590), (0, 590)], (190, 188, 184))
    _polygon(canvas, [(0, 590), (WIDTH, 590), (WIDTH, HEIGHT), (0, HEIGHT)], (104, 106, 110))
    _polygon(canvas, [(0, 586), (WIDTH, 586), (WIDTH, 594), (0, 594)], (160, 158, 154))
    for start in range(30, WIDTH, 170):
        _polygon(canvas, [(start, 616), (start + 84, 616), (start + 80, 622), (start - 4, 622)], (226, 226, 220))
    return canvas


def _window(canvas: _Canvas, x: int, y: int, wall: Colour) -> None:
    _polygon(canvas, [(x - 3, y - 3), (x + 33, y - 3), (x + 33, y + 51), (x - 3, y + 51)], _darker(wall, 1.07))
    _polygon(canvas, [(x, y), (x + 30, y), (x + 30, y + 48), (x, y + 48)], (128, 148, 166))
    _polygon(canvas, [(x, y), (x + 30, y), (x, y + 30)], (150, 170, 186))
    _polygon(canvas, [(x + 14, y), (x + 16, y), (x + 16, y + 48), (x + 14, y + 48)], _darker(wall, 1.07))


def _walker(canvas: _Canvas, person: _Person) -> None:
    """A figure from the front, in parts of its height."""
    tall = person.height

    def at(across: float, up: float) -> tuple[float, float]:
        return person.x + across * tall, person.y - up * tall

    _ellipse(canvas, at(0.03, 0.0), (0.2 * tall, 0.018 * tall), (150, 148, 146))
    reach = 0.035 + 0.04 * person.step
    for side in (-1, 1):
        forward = reach if side > 0 else reach * 0.8
        legs = _darker(person.trousers, 1.0 if side > 0 else 0.86)
        _polygon(canvas, [
            at(side * 0.004, 0.52), at(side * 0.085, 0.52), at(side * (forward + 0.045), 0.04),
            at(side * (forward - 0.005), 0.04),
        ], legs)  # fmt: skip
        _ellipse(canvas, at(side * (forward + 0.024), 0.022), (0.036 * tall, 0.022 * tall), (34, 30, 28))
        _polygon(canvas, [
            at(side * 0.085, 0.81), at(side * 0.128, 0.785), at(side * 0.152, 0.47), at(side * 0.108, 0.46),
        ], _darker(person.jacket, 0.84))  # fmt: skip
        _ellipse(canvas, at(side * 0.131, 0.445), (0.022 * tall, 0.03 * tall), person.skin)
    _polygon(canvas, [
        at(-0.05, 0.835), at(0.05, 0.835), at(0.125, 0.795), at(0.1, 0.6), at(0.1, 0.47), at(-0.1, 0.47),
        at(-0.1, 0.6), at(-0.125, 0.795),
    ], person.jacket)  # fmt: skip
    _polygon(
        canvas, [at(-0.006, 0.83), at(0.006, 0.83), at(0.006, 0.48), at(-0.006, 0.48)], _darker(person.jacket, 0.7)
    )
    _polygon(canvas, [at(-0.03, 0.88), at(0.03, 0.88), at(0.036, 0.825), at(-0.036, 0.825)], _darker(person.skin, 0.85))
    _head(canvas, at(0, 0.925), 0.056 * tall, person.skin, person.hair)


def _portrait(
    canvas: _Canvas, middle: tuple[float, float], radius: float, skin: Colour, hair: Colour, coat: Colour
) -> None:
    """Head and shoulders of someone who stands near."""
    x, y = middle
    r = radius

    def at(across: float, down: float) -> tuple[float, float]:
        return x + across * r, y + down * r

    _polygon(canvas, [
        at(-0.5, 1.25), at(0.5, 1.25), at(1.5, 1.62), at(1.95, 2.1), at(2.2, 4.4), at(-2.2, 4.4), at(-1.95, 2.1),
        at(-1.5, 1.62),
    ], coat)  # fmt: skip
    _polygon(canvas, [at(-0.45, 0.7), at(0.45, 0.7), at(0.5, 1.4), at(0, 1.9), at(-0.5, 1.4)], _darker(skin, 0.78))
    for side in (-1, 1):
        _polygon(canvas, [at(side * 0.46, 1.22), at(side * 0.68, 1.3), at(side * 0.16, 2.3)], _darker(coat, 0.75))
    _head(canvas, middle, radius, skin, hair)


def _head(canvas: _Canvas, middle: tuple[float, float], radius: float, skin: Colour, hair: Colour) -> None:
    """A face from the front; light comes from above."""
    x, y = middle
    r = radius

    def at(across: float, down: float) -> tuple[float, float]:
        return x + across * r, y + down * r

    _ellipse(canvas, at(0, -0.28), (0.96 * r, 1.02 * r), hair)
    for side in (-1, 1):
        _ellipse(canvas, at(side * 0.84, 0.08), (0.13 * r, 0.24 * r), _darker(skin, 0.86))
    _ellipse(canvas, at(0, 0.08), (0.82 * r, 1.1 * r), _darker(skin, 0.9))
    _ellipse(canvas, at(0, 0.02), (0.76 * r, 1.02 * r), skin)
    _ellipse(canvas, at(0, -0.48), (0.52 * r, 0.26 * r), _darker(skin, 1.05))  # forehead
    for side in (-1, 1):
        _ellipse(canvas, at(side * 0.45, 0.36), (0.23 * r, 0.2 * r), _darker(skin, 1.07))  # cheek
        _ellipse(canvas, at(side * 0.35, -0.06), (0.25 * r, 0.16 * r), _darker(skin, 0.62))  # eye socket
        _ellipse(canvas, at(side * 0.35, -0.02), (0.16 * r, 0.075 * r), (236, 234, 230))
        _ellipse(canvas, at(side * 0.35, -0.02), (0.075 * r, 0.08 * r), (46, 36, 30))
        _polygon(canvas, [
            at(side * 0.13, -0.2), at(side * 0.36, -0.32), at(side * 0.62, -0.21), at(side * 0.36, -0.24),
        ], hair)  # fmt: skip
        _ellipse(canvas, at(side * 0.11, 0.42), (0.07 * r, 0.05 * r), _darker(skin, 0.6))  # nostril
    _polygon(canvas, [at(-0.07, -0.12), at(0.07, -0.12), at(0.12, 0.34), at(-0.12, 0.34)], _darker(skin, 1.1))
    _ellipse(canvas, at(0, 0.66), (0.3 * r, 0.085 * r), (150, 84, 78))
    _polygon(canvas, [at(-0.29, 0.655), at(0, 0.635), at(0.29, 0.655), at(0, 0.68)], (92, 46, 44))
    _ellipse(canvas, at(0, 0.8), (0.18 * r, 0.045 * r), _darker(skin, 0.82))
    _polygon(canvas, [
        at(-0.8, -0.2), at(-0.72, -0.86), at(0, -1.2), at(0.72, -0.86), at(0.8, -0.2), at(0.62, -0.58), at(0, -0.74),
        at(-0.62, -0.58),
    ], hair)  # fmt: skip


def _filmed(canvas: _Canvas) -> _Canvas:
    """As a camera would give it: not quite sharp, with a little noise."""
    import cv2

    soft = cv2.GaussianBlur(canvas, (0, 0), 0.9).astype(np.float32)
    soft += np.random.default_rng(5).normal(0, 2.0, canvas.shape).astype(np.float32)
    return np.ascontiguousarray(np.clip(np.rint(soft), 0, 255).astype(np.uint8))


def _darker(colour: Colour, factor: float) -> Colour:
    red, green, blue = (min(255, round(value * factor)) for value in colour)
    return red, green, blue


def _polygon(canvas: _Canvas, corners: Sequence[tuple[float, float]], colour: Colour) -> None:
    import cv2

    points: Any = np.rint(np.array(corners) * 2**_SHIFT).astype(np.int32)
    cv2.fillPoly(canvas, [points], colour, cv2.LINE_AA, _SHIFT)


def _ellipse(canvas: _Canvas, middle: tuple[float, float], radii: tuple[float, float], colour: Colour) -> None:
    turn = np.linspace(0, 2 * math.pi, 48, endpoint=False)
    corners = np.stack([middle[0] + radii[0] * np.cos(turn), middle[1] + radii[1] * np.sin(turn)], 1)
    _polygon(canvas, [(float(x), float(y)) for x, y in corners], colour)
