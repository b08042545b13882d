"""The graph over notebooks, laid out: from left to right, each notebook right of those whose files it reads.

What goes in: the links of a migration. What comes out: boxes and lines with coordinates, which the page draws. The
layers and their order are grandalf's, the library that `dvc dag` uses. Equal links give an equal drawing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from nb2pkg.migrate.types import Link

WIDTH, HEIGHT = 210.0, 30.0
"""Of a box, in pixels."""
BETWEEN_LAYERS, BETWEEN_BOXES = 70.0, 14.0
ROW = 1100.0
"""Graphs that hang together are put side by side up to this width."""
CROSSINGS_FROM = 3_000
"""Up to so many lines, crossings are taken out; it takes time that grows with their square."""


@dataclass(frozen=True, slots=True)
class Box:
    """A notebook; `x` and `y` are its upper left corner."""

    notebook: str
    x: float
    y: float


@dataclass(frozen=True, slots=True)
class Line:
    """All files that one notebook writes and another reads."""

    producer: str
    consumer: str
    files: tuple[str, ...]
    points: tuple[tuple[float, float], ...]
    cyclic: bool
    """It goes back to a notebook that its own producer waits for."""

    @property
    def path(self) -> str:
        """As SVG has it: a curve that leaves and enters the boxes horizontally."""
        first, *others = self.points
        text, (x, y) = f"M{first[0]:.0f},{first[1]:.0f}", first
        for to_x, to_y in others:
            middle = (x + to_x) / 2
            text += f"C{middle:.0f},{y:.0f} {middle:.0f},{to_y:.0f} {to_x:.0f},{to_y:.0f}"
            x, y = to_x, to_y
        return text


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn, and how large it is."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def draw(links: Sequence[Link]) -> Drawing:
    """Lay out every notebook that is linked to another."""
    files: dict[tuple[str, str], set[str]] = defaultdict(set)
    for link in links:
        if link.producer != link.consumer:
            files[link.producer, link.consumer].add(link.file)
    edges = sorted(files)
    backward = _backward(edges)
    boxes: list[Box] = []
    lines: list[Line] = []
    x = y = row_height = width = 0.0
    for part in (_layout(connected, backward) for connected in _parts(edges)):
        if x and x + part.width > ROW:
            x, y, row_height = 0.0, y + row_height + 2 * BETWEEN_BOXES, 0.0
        boxes += (replace(box, x=box.x + x, y=box.y + y) for box in part.boxes)
        for line in part.lines:
            points = tuple((at_x + x, at_y + y) for at_x, at_y in line.points)
            named = tuple(sorted(files[line.producer, line.consumer]))
            lines.append(replace(line, points=points, files=named))
        width, x, row_height = max(width, x + part.width), x + part.width + BETWEEN_LAYERS, max(row_height, part.height)
    boxes.sort(key=lambda box: box.notebook)
    lines.sort(key=lambda line: (line.producer, line.consumer))
    return Drawing(width, y + row_height, tuple(boxes), tuple(lines))


def _backward(edges: Sequence[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    """Edges without which there is no cycle: those that a search in depth meets on its own way."""
    after: dict[str, list[str]] = defaultdict(list)
    for producer, consumer in edges:
        after[producer].append(consumer)
    found: set[tuple[str, str]] = set()
    done: set[str] = set()
    consumers = {consumer for _, consumer in edges}
    for start in sorted(after, key=lambda node: (node in consumers, node)):
        if start in done:
            continue
        way, below = {start: None}, [(start, iter(after[start]))]
        while below:
            node, rest = below[-1]
            child = next(rest, None)
            if child is None:
                below.pop()
                del way[node]
                done.add(node)
            elif child in way:
                found.add((node, child))
            elif child not in done:
                way[child] = None
                below.append((child, iter(after[child])))
    return frozenset(found)


@dataclass(slots=True)
class _Size:
    """What grandalf asks of a box. Its layers go down; ours go to the right, so width and height are exchanged."""

    w: float = HEIGHT
    h: float = WIDTH
    xy: tuple[float, float] = (0.0, 0.0)


@dataclass(slots=True)
class _Route:
    """What grandalf gives a line to."""

    points: list[tuple[float, float]] = field(default_factory=list)

    def setpath(self, points: list[tuple[float, float]]) -> None:
        """Keep the points."""
        self.points = points


def _parts(edges: Sequence[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """The edges of each graph that hangs together, the largest first."""
    part: dict[str, list[tuple[str, str]]] = {}
    for producer, consumer in edges:
        joined = part.setdefault(producer, [])
        other = part.setdefault(consumer, joined)
        if other is not joined:
            joined += other
            part |= dict.fromkeys({name for edge in other for name in edge}, joined)
        joined.append((producer, consumer))
    found = {id(one): sorted(one) for one in part.values()}.values()
    return sorted(found, key=lambda one: (-len(one), one[0]))


def _layout(edges: Sequence[tuple[str, str]], backward: frozenset[tuple[str, str]]) -> Drawing:
    """A drawing of one graph that hangs together."""
    from grandalf.graphs import Edge, Vertex, graph_core
    from grandalf.layouts import SugiyamaLayout
    from grandalf.routing import route_with_lines

    vertices = {name: Vertex(name) for name in sorted({name for edge in edges for name in edge})}
    for vertex in vertices.values():
        vertex.view = _Size()
    # A notebook may both read from another and write for it: one line for grandalf, which has no double edges.
    routes = {}
    for producer, consumer in edges:
        start, end = (consumer, producer) if (producer, consumer) in backward else (producer, consumer)
        routes[start, end] = Edge(vertices[start], vertices[end])
        routes[start, end].view = _Route()
    # Its `Graph` would put the edges into a set, whose order is another one in each process.
    layout = SugiyamaLayout(graph_core(list(vertices.values()), list(routes.values())))
    layout.xspace, layout.yspace = BETWEEN_BOXES, BETWEEN_LAYERS
    layout.route_edge = route_with_lines
    layout.init_all(optimize=len(routes) <= CROSSINGS_FROM)
    layout.draw(4 if len(routes) <= CROSSINGS_FROM else 1)

    places = {name: Box(name, vertex.view.xy[1], vertex.view.xy[0]) for name, vertex in vertices.items()}
    lines = []
    for producer, consumer in edges:
        cyclic = (producer, consumer) in backward
        route = routes[(consumer, producer) if cyclic else (producer, consumer)].view.points[1:-1]
        way = [(y + WIDTH / 2, x + HEIGHT / 2) for x, y in route]
        lines.append(_line(places[producer], places[consumer], way[::-1] if cyclic else way, cyclic))
    # Lines may be led around the boxes above and below.
    points = [point for line in lines for point in line.points]
    left = min(box.x for box in places.values())
    top = min(*(box.y for box in places.values()), *(y for _, y in points))
    right = max(box.x + WIDTH for box in places.values())
    bottom = max(*(box.y + HEIGHT for box in places.values()), *(y for _, y in points))
    boxes = tuple(replace(box, x=box.x - left, y=box.y - top) for box in places.values())
    moved = (replace(line, points=tuple((x - left, y - top) for x, y in line.points)) for line in lines)
    return Drawing(right - left, bottom - top, boxes, tuple(moved))


def _line(start: Box, end: Box, way: list[tuple[float, float]], cyclic: bool) -> Line:
    first = (start.x if cyclic else start.x + WIDTH, start.y + HEIGHT / 2)
    last = (end.x + WIDTH if cyclic else end.x, end.y + HEIGHT / 2)
    return Line(start.notebook, end.notebook, (), (first, *way, last), cyclic)
