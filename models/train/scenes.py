"""Scenes: what a picture shows, before it is drawn.

A scene is a pure function of (domain, index): training, calibration, evaluation and examples come from different
domains and so from different random streams. Lengths are pixels, y points downwards.
"""

import math
from dataclasses import dataclass

import numpy as np

import words

TRAIN, EVALUATION, CALIBRATION, EXAMPLES = 1, 2, 3, 4

COLORS = {
    "red": (214, 36, 40),
    "orange": (248, 140, 20),
    "yellow": (248, 224, 40),
    "green": (34, 158, 66),
    "blue": (38, 84, 214),
    "purple": (138, 52, 186),
    "pink": (250, 150, 196),
    "brown": (128, 74, 34),
    "black": (16, 16, 16),
    "white": (246, 246, 246),
}
PAINTS = tuple(COLORS)[:8]  # of shapes and bars; black and white are for printed text alone
KINDS = ("circle", "square", "triangle", "star", "diamond", "cross", "ring", "heart")
SIZES = ("small", "large")
PLACES = ("top left", "top", "top right", "left", "center", "right", "bottom left", "bottom", "bottom right")
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
MAX_SHAPES, MAX_LETTERS, MAX_BARS, MAX_VALUE = 9, 8, 6, 10

SIDE = 28  # pixels per side that one language-model token covers: patch 14, merged 2 x 2
MIN_PITCH = 13  # pixels of width per printed character


@dataclass(frozen=True)
class Shape:
    """One shape within the circle of `radius` about its centre; `turn` in radians."""

    kind: str
    color: str
    size: str
    x: float
    y: float
    radius: float
    turn: float


@dataclass(frozen=True)
class Shapes:
    """Up to nine shapes, none touching another, ordered from left to right."""

    width: int
    height: int
    shapes: tuple[Shape, ...]


@dataclass(frozen=True)
class Sign:
    """A printed word or number; `pitch` is the width per character, `turn` in degrees."""

    width: int
    height: int
    text: str
    color: str
    pitch: float
    turn: float

    @property
    def is_number(self):
        return self.text.isdigit()


@dataclass(frozen=True)
class Page:
    """Printed words and numbers all over the picture: many characters to see, and nothing to ask about.

    Each is (text, color, pitch, turn, x, y) with its centre at (x, y), and otherwise as in a Sign.
    """

    width: int
    height: int
    words: tuple[tuple[str, str, float, float, float, float], ...]


@dataclass(frozen=True)
class Chart:
    """A bar chart over an axis from 0 to 10, its bars named A, B, C ..."""

    width: int
    height: int
    values: tuple[int, ...]
    colors: tuple[str, ...]

    @property
    def names(self):
        return CHARACTERS[: len(self.values)]


@dataclass(frozen=True)
class Letter:
    """One printed character about (x, y), in a font of `size`."""

    character: str
    color: str
    size: float
    x: float
    y: float


@dataclass(frozen=True)
class Collage:
    """Shapes and characters side by side: much to see, and nothing to ask about."""

    width: int
    height: int
    items: tuple[Shape | Letter, ...]


def generator(domain, *numbers):
    """The random stream of what has these numbers: a scene, or a batch of one seed."""
    return np.random.default_rng(np.random.SeedSequence([domain, *numbers]))


def pick(rng, options):
    return options[int(rng.integers(len(options)))]


def random_grid(rng, mean_tokens=30):
    """(rows, columns) in tokens, from 3 to 16 a side and at most 3 : 1; small ones by far the most frequent."""
    while True:
        area = min(256.0, 9 + rng.exponential(mean_tokens - 9))
        ratio = math.exp(rng.normal(0.2, 0.45))
        rows, columns = round(math.sqrt(area / ratio)), round(math.sqrt(area * ratio))
        if 3 <= rows <= 16 and 3 <= columns <= 16 and max(rows, columns) <= 3 * min(rows, columns):
            return rows, columns


def random_scene(rng, grid, signs=0.24):
    """A scene whose picture is resized to `grid` tokens before the model sees it.

    `signs` is the share of printed texts, in place of shapes; narrow pictures have none.
    """
    rows, columns = grid
    height, width = (max(84, min(448, SIDE * side + int(rng.integers(-13, 14)))) for side in (rows, columns))
    draw = rng.random()
    if draw < 0.82 - signs or columns < 3 or rows < 3:
        return random_shapes(rng, width, height)
    if draw < 0.82 or width < 96:
        return random_sign(rng, width, height)
    return random_chart(rng, width, height)


def random_collage(rng, grid):
    height, width = (SIDE * side + int(rng.integers(-13, 14)) for side in grid)
    cell = max(rng.uniform(18, 40), (width * height / 200) ** 0.5)
    items = []
    for row in range(int(height / cell)):
        for column in range(int(width / cell)):
            draw = rng.random()
            x, y = (column + 0.5) * cell, (row + 0.5) * cell
            if draw < 0.5:
                dx, dy = rng.uniform(-0.15, 0.15, 2) * cell
                size = cell * rng.uniform(0.75, 1.1)
                items.append(Letter(pick(rng, CHARACTERS), pick(rng, list(COLORS)), size, x + dx, y + dy))
            elif draw < 0.8:
                radius = cell * rng.uniform(0.33, 0.48)
                dx, dy = rng.uniform(-1, 1, 2) * (0.49 * cell - radius)
                turn = rng.uniform(-0.12, 0.12)
                items.append(Shape(pick(rng, KINDS), pick(rng, PAINTS), "", x + dx, y + dy, radius, turn))
    return Collage(width, height, tuple(items))


def random_page(rng, grid):
    """Rows of words, each in a size of its own; most as small as signs print them."""
    height, width = (SIDE * side + int(rng.integers(-13, 14)) for side in grid)
    colors = [pick(rng, list(COLORS)) for _ in range(2)]
    found, top = [], 3.0
    while True:
        pitch = MIN_PITCH + 18 * rng.random() ** 3
        row, x = 1.5 * pitch + 4, 3.0
        if top + row > height - 2:
            return Page(width, height, tuple(found))
        while (longest := int((width - x - 3) / pitch)) >= 1:
            text = words.random_text(rng, min(longest, MAX_LETTERS))
            turn = float(np.clip(rng.normal(0, 1.5), -4, 4))
            length = pitch * len(text)
            found.append((text, pick(rng, colors), pitch, turn, x + length / 2, top + row / 2))
            x += length + pitch * rng.uniform(0.6, 1.2)
        top += row


def random_shapes(rng, width, height):
    kinds, colors = list(KINDS), list(PAINTS)
    if rng.random() < 0.5:
        # Few kinds and colours: equal shapes become common, which counting needs.
        kinds = [str(k) for k in rng.choice(kinds, size=int(rng.integers(1, 4)), replace=False)]
        colors = [str(c) for c in rng.choice(colors, size=int(rng.integers(1, 4)), replace=False)]
    wanted = int(rng.choice(10, p=(0.03, 0.12, 0.17, 0.17, 0.14, 0.11, 0.08, 0.07, 0.06, 0.05)))
    side = min(width, height)
    crowded = 0.5 if wanted < 5 else 0.22
    placed = []
    for attempt in range(12 * wanted):
        if len(placed) == wanted:
            break
        size = SIZES[int(rng.random() < crowded and attempt < 6 * wanted)]
        radius = max(7.5, side * (rng.uniform(0.155, 0.20) if size == "large" else rng.uniform(0.082, 0.104)))
        x, y = rng.uniform(radius + 1, width - radius - 1), rng.uniform(radius + 1, height - radius - 1)
        if all(math.hypot(x - s.x, y - s.y) > radius + s.radius + 2 for s in placed):
            turn = rng.uniform(-0.12, 0.12)
            placed.append(Shape(pick(rng, kinds), pick(rng, colors), size, x, y, radius, turn))
    return Shapes(width, height, tuple(sorted(placed, key=lambda s: s.x)))


def random_sign(rng, width, height):
    longest = min(MAX_LETTERS, int(0.92 * width / MIN_PITCH))
    text = words.random_text(rng, longest)
    pitch = rng.uniform(MIN_PITCH, max(MIN_PITCH + 0.5, min(0.92 * width / len(text), 0.55 * height, 44)))
    return Sign(width, height, text, pick(rng, list(COLORS)), pitch, float(np.clip(rng.normal(0, 2.5), -6, 6)))


def random_chart(rng, width, height):
    count = int(rng.integers(2, max(2, min(MAX_BARS, (width - 24) // 18)) + 1))
    values = tuple(int(v) for v in rng.integers(0, MAX_VALUE + 1, count))
    colors = [str(c) for c in rng.choice(list(PAINTS), size=count, replace=False)]
    if rng.random() < 0.3:
        colors = [colors[0]] * count
    return Chart(width, height, values, tuple(colors))


def place_of(shape, scene):
    """The ninth of the picture in which the shape's centre lies, or None where that is not clear."""
    column, x = divmod(3 * shape.x / scene.width, 1)
    row, y = divmod(3 * shape.y / scene.height, 1)
    margin = 0.14
    clear_x = (column == 0 or x > margin) and (column == 2 or x < 1 - margin)
    clear_y = (row == 0 or y > margin) and (row == 2 or y < 1 - margin)
    return PLACES[int(3 * row + column)] if clear_x and clear_y else None
