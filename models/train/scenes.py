"""Scenes: up to four coloured shapes, one to a quadrant, and their pictures.

A scene is a pure function of (domain, index): training and held-out scenes come from different domains
and so from different random streams.
"""

import math
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

TRAIN, HELD_OUT = 1, 2

COLORS = {
    "red": (218, 38, 42),
    "orange": (246, 138, 22),
    "yellow": (246, 220, 40),
    "green": (36, 160, 66),
    "blue": (40, 88, 216),
    "purple": (142, 56, 190),
}
KINDS = ("circle", "square", "triangle", "star", "diamond", "cross")
PLACES = ("top left", "top right", "bottom left", "bottom right")

SUPERSAMPLING = 3
TOKEN_SIDE = 28  # pixels per side that one language-model token covers: patch 14, merged 2 x 2
SIDES = (3, 4, 5, 6)
SIDE_WEIGHTS = (0.38, 0.40, 0.15, 0.07)


@dataclass(frozen=True)
class Shape:
    """One shape. `place` indexes PLACES; centre and radius are in pixels; `turn` in radians."""

    kind: str
    color: str
    place: int
    x: float
    y: float
    radius: float
    turn: float


@dataclass(frozen=True)
class Scene:
    """Shapes in reading order on a picture of width x height pixels."""

    width: int
    height: int
    shapes: tuple[Shape, ...]


def random_grid(rng):
    """(rows, columns) in tokens, sides at most 2 : 1."""
    while True:
        rows, columns = rng.choice(SIDES, size=2, p=SIDE_WEIGHTS)
        if max(rows, columns) <= 2 * min(rows, columns):
            return int(rows), int(columns)


def random_scene(rng, grid=None):
    """A scene whose picture is resized to `grid` tokens before the model sees it."""
    rows, columns = grid or random_grid(rng)
    height, width = (TOKEN_SIDE * side + int(rng.integers(-13, 14)) for side in (rows, columns))
    count = rng.choice((1, 2, 3, 4), p=(0.2, 0.3, 0.3, 0.2))
    places = sorted(rng.choice(4, size=count, replace=False))
    kinds = list(KINDS)
    colors = list(COLORS)
    if rng.random() < 0.5:
        # Few kinds and colours: equal shapes become common, which counting needs.
        kinds = list(rng.choice(kinds, size=2, replace=False))
        colors = list(rng.choice(colors, size=2, replace=False))
    shapes = []
    for place in places:
        cell_width, cell_height = width / 2, height / 2
        radius = rng.uniform(0.30, 0.47) * min(cell_width, cell_height)
        x = (place % 2) * cell_width + rng.uniform(radius, cell_width - radius)
        y = (place // 2) * cell_height + rng.uniform(radius, cell_height - radius)
        shapes.append(
            Shape(str(rng.choice(kinds)), str(rng.choice(colors)), int(place), x, y, radius, rng.uniform(-0.12, 0.12))
        )
    return Scene(width, height, tuple(shapes))


def render(scene, rng):
    """The scene as an RGB picture: background, then antialiased shapes."""
    canvas = Image.fromarray(_background(scene.height, scene.width, rng))
    canvas = canvas.resize((scene.width * SUPERSAMPLING, scene.height * SUPERSAMPLING), Image.Resampling.NEAREST)
    draw = ImageDraw.Draw(canvas)
    for shape in scene.shapes:
        fill = tuple(int(v) for v in np.clip(np.array(COLORS[shape.color]) + rng.integers(-14, 15, 3), 0, 255))
        if shape.kind == "circle":
            box = (shape.x - shape.radius, shape.y - shape.radius, shape.x + shape.radius, shape.y + shape.radius)
            draw.ellipse([v * SUPERSAMPLING for v in box], fill=fill)
        else:
            draw.polygon([(x * SUPERSAMPLING, y * SUPERSAMPLING) for x, y in _outline(shape)], fill=fill)
    return canvas.reduce(SUPERSAMPLING)


def _outline(shape):
    """Corner points of every kind but the circle."""
    unit = {
        "square": _regular(4, math.pi / 4),
        "diamond": [(0, -1), (0.68, 0), (0, 1), (-0.68, 0)],
        "triangle": _regular(3, -math.pi / 2),
        "star": [
            (s * math.cos(a), s * math.sin(a))
            for s, a in ((1 if i % 2 == 0 else 0.42, -math.pi / 2 + i * math.pi / 5) for i in range(10))
        ],
        "cross": [
            (x, y)
            for x, y in (
                (-0.3, -0.95), (0.3, -0.95), (0.3, -0.3), (0.95, -0.3), (0.95, 0.3), (0.3, 0.3),
                (0.3, 0.95), (-0.3, 0.95), (-0.3, 0.3), (-0.95, 0.3), (-0.95, -0.3), (-0.3, -0.3),
            )
        ],
    }[shape.kind]
    cos, sin = math.cos(shape.turn), math.sin(shape.turn)
    return [
        (shape.x + shape.radius * (x * cos - y * sin), shape.y + shape.radius * (x * sin + y * cos)) for x, y in unit
    ]


def _regular(corners, start):
    return [
        (math.cos(start + 2 * math.pi * i / corners), math.sin(start + 2 * math.pi * i / corners))
        for i in range(corners)
    ]


def _background(height, width, rng):
    """Near-grey, so that no background is mistaken for a shape's colour."""
    base = rng.uniform(20, 240) + rng.uniform(-10, 10, 3)
    other = base + rng.uniform(-45, 45)
    kind = rng.integers(4)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if kind == 0:
        mix = np.zeros((height, width), np.float32)
    elif kind == 1:
        angle = rng.uniform(0, 2 * math.pi)
        ramp = x / width * math.cos(angle) + y / height * math.sin(angle)
        mix = (ramp - ramp.min()) / (np.ptp(ramp) + 1e-6)
    elif kind == 2:
        mix = rng.normal(0, 0.35, (height, width)).astype(np.float32)
    else:
        angle, period = rng.uniform(0, math.pi), rng.uniform(6, 24)
        mix = (np.sin((x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / period) > 0).astype(np.float32)
    pixels = base + mix[..., None] * (other - base)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def generator(domain, index):
    """The random stream of one scene."""
    return np.random.default_rng(np.random.SeedSequence([domain, index]))
