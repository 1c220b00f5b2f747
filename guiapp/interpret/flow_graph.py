"""The graph of a network: layers and blocks with the ways between them, blocks open or closed, laid out in rows.

Rows follow the longest way from the input (Sugiyama, Tagawa, Toda 1981): a long way gets a place in each row it passes,
rows are ordered by the mean place of their neighbours, and places are the nearest to that mean that keep the order.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from guiapp.interpret.cost_run import Measured

INPUT, OUTPUT = "(input)", "(output)"
WIDTH, HEIGHT, SIGN = 168.0, 48.0, 20.0
"""Width and height of a layer, and of a sign, in units of the drawing."""
_ACROSS, _DOWN, _WAY = 18.0, 26.0, 8.0  # between neighbours, between rows, width of a long way
_PAD, _TITLE = 10.0, 18.0  # of the frame around an open block
_SWEEPS = 4
_OPENED = 60  # nodes up to which blocks are open at first


@dataclass
class Node:
    """What is drawn as one.

    Attributes:
        name: Name of the layer or block, or of a sign; of a layer that is called again with the number of the call.
        kind: ``"layer"``, ``"block"`` (closed), ``"sign"``, ``"input"`` or ``"output"``.
        text: What a sign is, such as ``"+"``.
        x, y: Its middle; ``width``, ``height``: its size.
        within: Open blocks that it lies in, outermost first.
    """

    name: str
    kind: str
    text: str = ""
    x: float = 0.0
    y: float = 0.0
    width: float = WIDTH
    height: float = HEIGHT
    within: tuple[str, ...] = ()


@dataclass
class Frame:
    """The frame around an open block: left, top, width, height."""

    name: str
    area: tuple[float, float, float, float]


@dataclass
class Drawing:
    """A graph with its places.

    Attributes:
        nodes: By name, in the order of the run.
        ways: From, to, and the points in between.
        frames: Of the open blocks, outermost first.
        size: Width and height of all of it.
    """

    nodes: dict[str, Node]
    ways: list[tuple[str, str, list[tuple[float, float]]]]
    frames: list[Frame]
    size: tuple[float, float]


@dataclass
class Architecture:
    """Who feeds whom in a network.

    Attributes:
        parents: Name of the module that holds each layer, by name; ``""`` for the network.
        blocks: Those that hold others.
        edges: From and to, in the order of the run; ``signs``: where each sign is, and what.
    """

    parents: Mapping[str, str]
    blocks: frozenset[str]
    edges: Sequence[tuple[str, str]]
    signs: Mapping[str, tuple[str, str]] = field(default_factory=dict)

    @staticmethod
    def layer(name: str) -> str:
        """The layer of a call: ``"relu"`` for ``"relu#2"``."""
        return name if name.startswith("(") else name.partition("#")[0]

    @classmethod
    def of(cls, measured: Measured) -> Architecture:
        """That of a measured network."""
        names = {layer.name for layer in measured.layers}
        parents = {layer.name: layer.parent if layer.parent in names else "" for layer in measured.layers}
        return cls(parents, frozenset(parents.values()) - {""}, measured.edges, measured.signs)

    def way_to(self, name: str) -> tuple[str, ...]:
        """The listed modules that hold a layer, outermost first, and itself at the end."""
        names: list[str] = []
        while name:
            if name in self.parents:
                names.append(name)
            name = name.rpartition(".")[0]
        return tuple(reversed(names))

    def start(self) -> frozenset[str]:
        """Blocks to open at first: outer ones, while what is seen is not too much."""
        opened: set[str] = set()
        used = {name for edge in self.edges for name in self.way_to(self.layer(edge[1]))}
        held: dict[str, list[str]] = {}
        for name, parent in self.parents.items():
            if name in used:
                held.setdefault(parent, []).append(name)
        seen = len(held.get("", ()))
        level = [name for name in held.get("", ()) if name in self.blocks]
        while level:
            for block in level:
                more = len(held.get(block, ())) - 1
                if seen + more <= _OPENED:
                    opened.add(block)
                    seen += more
            level = [name for block in level if block in opened for name in held.get(block, ()) if name in self.blocks]
        return frozenset(opened)

    def shown(self, name: str, opened: Collection[str]) -> tuple[str, tuple[str, ...]]:
        """What stands for a layer or sign while some blocks are open, and the open blocks around that."""
        if name in (INPUT, OUTPUT):
            return name, ()
        sign = self.signs.get(name)
        way = self.way_to(sign[0] if sign is not None else self.layer(name))
        for place, holder in enumerate(way):
            if holder not in self.blocks:
                return (name if sign is None else holder), way[:place]
            if holder not in opened:
                return holder, way[:place]
        return name, way

    def draw(self, opened: Collection[str]) -> Drawing:
        """Lay the graph out.

        Args:
            opened: Blocks whose inside is seen; those in closed ones do not matter.
        """
        nodes: dict[str, Node] = {}
        ways: dict[tuple[str, str], None] = {}
        for start, end in self.edges:
            pair = []
            for name in (start, end):
                shown, within = self.shown(name, opened)
                if shown not in nodes:
                    nodes[shown] = self._node(shown, within)
                pair.append(shown)
            if pair[0] != pair[1]:
                ways[pair[0], pair[1]] = None
        return _laid_out(nodes, list(ways))

    def _node(self, name: str, within: tuple[str, ...]) -> Node:
        if name in (INPUT, OUTPUT):
            return Node(name, name.strip("()"), name.strip("()"), width=90, height=26)
        if name in self.signs:
            text = self.signs[name][1]
            wide = SIGN if len(text) == 1 else 14.0 + 7.0 * len(text)
            return Node(name, "sign", text, width=wide, height=SIGN, within=within)
        return Node(name, "block" if name in self.blocks else "layer", within=within)


@dataclass
class _Place:
    """A node, or a long way passing through a row."""

    width: float
    within: tuple[str, ...]
    x: float = 0.0
    above: list[_Place] = field(default_factory=list)
    below: list[_Place] = field(default_factory=list)


def _laid_out(nodes: dict[str, Node], ways: list[tuple[str, str]]) -> Drawing:
    ranks = _ranks(nodes, ways)
    rows: list[list[_Place]] = [[] for _ in range(max(ranks.values(), default=0) + 1)]
    places = {name: _Place(node.width, node.within) for name, node in nodes.items()}
    for name, place in places.items():
        rows[ranks[name]].append(place)
    bends = _long_ways(nodes, ways, ranks, rows, places)
    for _ in range(_SWEEPS):
        for row in rows:
            _sort(row, above=True)
        for row in reversed(rows):
            _sort(row, above=False)
    for row in rows:
        _spread(row)
    for turn in range(2 * _SWEEPS):
        for row in rows if turn % 2 == 0 else reversed(rows):
            for place in row:
                around = place.above if turn % 2 == 0 else place.below
                around = around or place.above or place.below
                if around:
                    place.x = sum(other.x for other in around) / len(around)
            _spread(row)
    return _drawing(nodes, ways, ranks, rows, places, bends)


def _ranks(nodes: Mapping[str, Node], ways: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The longest way to each from the input; ways back to what came earlier, in loops, do not count."""
    order = {name: number for number, name in enumerate(nodes)}
    before: dict[str, list[str]] = {}
    for start, end in ways:
        if order[start] < order[end]:
            before.setdefault(end, []).append(start)
    ranks: dict[str, int] = {}
    for name in nodes:
        ranks[name] = max((ranks[other] + 1 for other in before.get(name, ())), default=0)
    return ranks


def _long_ways(
    nodes: Mapping[str, Node],
    ways: Sequence[tuple[str, str]],
    ranks: Mapping[str, int],
    rows: list[list[_Place]],
    places: Mapping[str, _Place],
) -> dict[tuple[str, str], list[_Place]]:
    """Give long ways their places; join neighbours in rows."""
    shared: dict[tuple[str, int], _Place] = {}  # ways from one node run together until each turns off
    bends: dict[tuple[str, str], list[_Place]] = {}
    joined: set[tuple[int, int]] = set()
    for start, end in sorted(ways, key=lambda way: ranks[way[1]]):
        chain = [places[start]]
        common = _common(nodes[start].within, nodes[end].within)
        for rank in range(ranks[start] + 1, ranks[end]):
            passing = shared.get((start, rank))
            if passing is None:
                passing = shared[start, rank] = _Place(_WAY, common)
                rows[rank].append(passing)
            chain.append(passing)
        bends[start, end] = chain[1:]
        if ranks[end] > ranks[start]:
            chain.append(places[end])
            for upper, lower in itertools.pairwise(chain):
                if (id(upper), id(lower)) not in joined:
                    joined.add((id(upper), id(lower)))
                    upper.below.append(lower)
                    lower.above.append(upper)
    return bends


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    count = 0
    for a, b in zip(first, second, strict=False):
        if a != b:
            break
        count += 1
    return first[:count]


def _sort(row: list[_Place], above: bool) -> None:
    """Order a row by the mean place of the neighbours in the row above or below."""
    for place in row:
        around = place.above if above else place.below
        if around:
            place.x = sum(other.x for other in around) / len(around)
    row.sort(key=lambda place: place.x)
    for number, place in enumerate(row):
        place.x = number - (len(row) - 1) / 2


def _spread(row: list[_Place]) -> None:
    """Move the places of a row as little as keeps them apart, in their order (isotonic regression)."""
    if not row:
        return
    offsets = [0.0]
    for left, right in itertools.pairwise(row):
        apart = len(left.within) + len(right.within) - 2 * len(_common(left.within, right.within))
        gap = _ACROSS if max(left.width, right.width) > _WAY else 0.0
        offsets.append(offsets[-1] + (left.width + right.width) / 2 + gap + _PAD * apart)
    blocks: list[tuple[float, int]] = []  # mean and count of places that touch
    for place, offset in zip(row, offsets, strict=True):
        mean, count = place.x - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, size = blocks.pop()
            mean, count = (mean * count + other * size) / (count + size), count + size
        blocks.append((mean, count))
    number = 0
    for mean, count in blocks:
        for _ in range(count):
            row[number].x = mean + offsets[number]
            number += 1


def _drawing(
    nodes: dict[str, Node],
    ways: Sequence[tuple[str, str]],
    ranks: Mapping[str, int],
    rows: Sequence[Sequence[_Place]],
    places: Mapping[str, _Place],
    bends: Mapping[tuple[str, str], Sequence[_Place]],
) -> Drawing:
    heights = [0.0] * len(rows)
    begins, ends = _first_and_last(nodes, ranks)
    for name, node in nodes.items():
        heights[ranks[name]] = max(heights[ranks[name]], node.height)
    levels, y = [], 0.0
    for rank, height in enumerate(heights):
        y += sum(_TITLE + _PAD for first in begins.values() if first == rank)
        levels.append(y + height / 2)
        y += height + _DOWN + sum(_PAD for last in ends.values() if last == rank)
    for name, node in nodes.items():
        node.x, node.y = places[name].x, levels[ranks[name]]
    number_of = {id(place): rank for rank, row in enumerate(rows) for place in row}
    drawn = []
    for start, end in ways:
        points = [(place.x, levels[number_of[id(place)]]) for place in bends[start, end]]
        drawn.append((start, end, points))
    frames = _frames(nodes)
    return _moved(nodes, drawn, frames)


def _first_and_last(nodes: Mapping[str, Node], ranks: Mapping[str, int]) -> tuple[dict[str, int], dict[str, int]]:
    """The first and the last row of each open block."""
    begins: dict[str, int] = {}
    ends: dict[str, int] = {}
    for name, node in nodes.items():
        for block in node.within:
            begins[block] = min(begins.get(block, ranks[name]), ranks[name])
            ends[block] = max(ends.get(block, ranks[name]), ranks[name])
    return begins, ends


def _frames(nodes: Mapping[str, Node]) -> list[Frame]:
    """Frames around what is in each open block, wider by one step for each block inside."""
    inside: dict[str, list[Node]] = {}
    depth: dict[str, int] = {}
    for node in nodes.values():
        for place, block in enumerate(node.within):
            inside.setdefault(block, []).append(node)
            depth[block] = max(depth.get(block, 0), len(node.within) - place)
    frames = []
    for block, held in inside.items():
        pad, title = _PAD * depth[block], _TITLE * depth[block]
        left = min(node.x - node.width / 2 for node in held) - pad
        right = max(node.x + node.width / 2 for node in held) + pad
        top = min(node.y - node.height / 2 for node in held) - pad / 2 - title
        bottom = max(node.y + node.height / 2 for node in held) + pad
        frames.append(Frame(block, (left, top, right - left, bottom - top)))
    return sorted(frames, key=lambda frame: -frame.area[2] * frame.area[3])


def _moved(
    nodes: dict[str, Node], ways: list[tuple[str, str, list[tuple[float, float]]]], frames: list[Frame]
) -> Drawing:
    """Everything moved so that it begins at (0, 0)."""
    lefts = [node.x - node.width / 2 for node in nodes.values()] + [frame.area[0] for frame in frames]
    tops = [node.y - node.height / 2 for node in nodes.values()] + [frame.area[1] for frame in frames]
    rights = [node.x + node.width / 2 for node in nodes.values()] + [f.area[0] + f.area[2] for f in frames]
    bottoms = [node.y + node.height / 2 for node in nodes.values()] + [f.area[1] + f.area[3] for f in frames]
    for way in ways:
        lefts += [x for x, _ in way[2]]
        rights += [x for x, _ in way[2]]
    left, top = min(lefts, default=0.0) - _PAD, min(tops, default=0.0) - _PAD
    for node in nodes.values():
        node.x, node.y = node.x - left, node.y - top
    for frame in frames:
        frame.area = (frame.area[0] - left, frame.area[1] - top, *frame.area[2:])
    moved = [(start, end, [(x - left, y - top) for x, y in points]) for start, end, points in ways]
    size = max(rights, default=0.0) - left + _PAD, max(bottoms, default=0.0) - top + _PAD
    return Drawing(nodes, moved, frames, size)
