"""The graph keeps who feeds whom, whatever is open, and nothing in it lies on anything else."""

import itertools

import pytest

from guiapp.interpret.cost import measure_published
from guiapp.interpret.flow_graph import INPUT, OUTPUT, Architecture
from guiapp.models.zoo import find_model
from guiapp.models.zoo.bare import open_shape


def unit():
    """A residual unit beside a stem: stem → (a → b, skip) → + → head."""
    parents = {"stem": "", "unit": "", "unit.a": "unit", "unit.b": "unit", "head": ""}
    sign = "(unit#0)"
    edges = [
        (INPUT, "stem"), ("stem", "unit.a"), ("unit.a", "unit.b"), ("unit.b", sign), ("stem", sign), (sign, "head"),
        ("head", OUTPUT),
    ]  # fmt: skip
    return Architecture(parents, frozenset({"unit"}), edges, {sign: ("unit", "+")})


def test_a_closed_block_stands_for_what_is_in_it():
    drawing = unit().draw(frozenset())
    assert list(drawing.nodes) == [INPUT, "stem", "unit", "head", OUTPUT]
    assert [way[:2] for way in drawing.ways] == [
        (INPUT, "stem"), ("stem", "unit"), ("unit", "head"), ("head", OUTPUT)
    ]  # fmt: skip
    assert drawing.nodes["unit"].kind == "block"
    assert not drawing.frames


def test_an_open_block_shows_the_skip_and_gets_a_frame():
    drawing = unit().draw(frozenset({"unit"}))
    sign = next(node for node in drawing.nodes.values() if node.kind == "sign")
    assert sign.text == "+"
    assert ("stem", sign.name) in [way[:2] for way in drawing.ways]
    skip = next(points for start, end, points in drawing.ways if (start, end) == ("stem", sign.name))
    assert len(skip) == 2  # it passes the rows of a and b, beside them
    a = drawing.nodes["unit.a"]
    assert abs(skip[0][0] - a.x) > a.width / 2
    (frame,) = drawing.frames
    left, top, width, height = frame.area
    for name in ("unit.a", "unit.b", sign.name):
        node = drawing.nodes[name]
        assert left < node.x - node.width / 2 and node.x + node.width / 2 < left + width
        assert top < node.y - node.height / 2 and node.y + node.height / 2 < top + height
    stem, head = drawing.nodes["stem"], drawing.nodes["head"]
    assert stem.y + stem.height / 2 < top and top + height < head.y - head.height / 2


def test_a_loop_is_drawn_and_does_not_hang():
    architecture = Architecture({"a": "", "b": ""}, frozenset(), [(INPUT, "a"), ("a", "b"), ("b", "a"), ("b", OUTPUT)])
    drawing = architecture.draw(frozenset())
    assert ("b", "a") in [way[:2] for way in drawing.ways]
    assert drawing.nodes["a"].y < drawing.nodes["b"].y


@pytest.mark.parametrize("name", ["googlenet", "resnet50", "densenet121", "swin_t", "ssdlite320"])
def test_nothing_overlaps_and_ways_lead_down(name):
    architecture = Architecture.of(measure_published(open_shape(find_model(name))))
    for opened in (frozenset(), architecture.start(), architecture.blocks):
        drawing = architecture.draw(opened)
        assert len(drawing.nodes) > 2
        rows = {}
        for node in drawing.nodes.values():
            rows.setdefault(node.y, []).append(node)
            assert node.x - node.width / 2 >= 0 and node.x + node.width / 2 <= drawing.size[0]
            assert node.y - node.height / 2 >= 0 and node.y + node.height / 2 <= drawing.size[1]
        for row in rows.values():
            for left, right in itertools.pairwise(sorted(row, key=lambda node: node.x)):
                assert right.x - left.x > (left.width + right.width) / 2
        order = list(drawing.nodes)
        for start, end, points in drawing.ways:
            if order.index(start) < order.index(end):
                heights = [drawing.nodes[start].y, *(y for _, y in points), drawing.nodes[end].y]
                assert heights == sorted(set(heights))
    assert len(architecture.draw(architecture.start()).nodes) <= 100
