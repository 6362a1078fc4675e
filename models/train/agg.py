"""Scenes drawn with matplotlib's Agg, to see whether the model learnt the things or the training's renderer."""

import math

import matplotlib
import matplotlib.ticker

matplotlib.use("Agg")
import numpy as np
from matplotlib import font_manager, patches
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath
from matplotlib.transforms import Affine2D
from PIL import Image

from drawing import distance
from scenes import COLORS, MAX_VALUE, Chart, Shapes, pick

DPI = 100
FAMILIES = ("DejaVu Sans", "DejaVu Serif", "DejaVu Sans Mono", "STIXGeneral")


def draw(scene, rng):
    figure = Figure(figsize=(scene.width / DPI, scene.height / DPI), dpi=DPI)
    canvas = FigureCanvasAgg(figure)
    if isinstance(scene, Chart):
        _chart(figure, scene, rng)
    else:
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, scene.width), ylim=(scene.height, 0))
        axes.axis("off")
        if isinstance(scene, Shapes):
            _ground(axes, scene, rng)
            for shape in scene.shapes:
                _shape(axes, shape)
        else:
            _sign(axes, scene, rng)
    canvas.draw()
    return Image.fromarray(np.asarray(canvas.buffer_rgba())[..., :3].copy())


def _rgb(color):
    return tuple(v / 255 for v in COLORS[color])


def _ground(axes, scene, rng, away_from=()):
    while True:
        grey = rng.uniform(30, 235)
        if all(distance((grey,) * 3, color) > 75 for color in away_from):
            break
    other = float(np.clip(grey + rng.uniform(-25, 25), 0, 255))
    ramp = np.linspace(grey, other, 64)[None] if rng.random() < 0.5 else np.linspace(grey, other, 64)[:, None]
    axes.imshow(
        ramp,
        cmap="gray",
        vmin=0,
        vmax=255,
        extent=(0, scene.width, scene.height, 0),
        aspect="auto",
        interpolation="bilinear",
    )


def _shape(axes, shape):
    axes.add_patch(_patch(shape, facecolor=_rgb(shape.color), edgecolor="none"))


def _patch(shape, **style):
    center, radius, turn = (shape.x, shape.y), shape.radius, shape.turn
    match shape.kind:
        case "circle":
            return patches.Circle(center, 0.92 * radius, **style)
        case "ring":
            return patches.Annulus(center, 0.96 * radius, 0.42 * radius, **style)
        case "square":
            return patches.RegularPolygon(center, 4, radius=radius, orientation=math.pi / 4 + turn, **style)
        case "triangle":
            return patches.RegularPolygon(center, 3, radius=radius, orientation=math.pi + turn, **style)
        case "star":
            outline = Outline.unit_regular_star(5, innerCircle=0.42)
        case "diamond":
            outline = Outline([(0, 1), (0.62, 0), (0, -1), (-0.62, 0), (0, 1)])
        case "cross":
            a, b = 0.3, 0.93
            outline = Outline(
                [
                    (-a, b),
                    (a, b),
                    (a, a),
                    (b, a),
                    (b, -a),
                    (a, -a),
                    (a, -b),
                    (-a, -b),
                    (-a, -a),
                    (-b, -a),
                    (-b, a),
                    (-a, a),
                    (-a, b),
                ]
            )
        case "heart":
            m, c = Outline.MOVETO, Outline.CURVE4
            points = [
                (0, -0.85),
                (-0.5, -0.45),
                (-0.92, -0.1),
                (-0.92, 0.35),
                (-0.92, 0.95),
                (-0.15, 0.95),
                (0, 0.4),
                (0.15, 0.95),
                (0.92, 0.95),
                (0.92, 0.35),
                (0.92, -0.1),
                (0.5, -0.45),
                (0, -0.85),
            ]
            outline = Outline(points, [m] + [c] * 12)
    place = Affine2D().scale(radius, -radius).rotate(turn).translate(*center)
    return patches.PathPatch(outline.transformed(place), **style)


def _sign(axes, scene, rng):
    color = COLORS[scene.color]
    _ground(axes, scene, rng, [color])
    properties = font_manager.FontProperties(
        family=pick(rng, FAMILIES), weight=pick(rng, ("normal", "bold")), style=pick(rng, ("normal", "italic"))
    )
    outline = TextPath((0, 0), scene.text, size=100, prop=properties)
    box = outline.get_extents()
    scale = min(scene.pitch * len(scene.text) / box.width, 1.1 * scene.pitch / 75, 0.6 * scene.height / box.height)
    width, height = box.width * scale, box.height * scale
    x = rng.uniform(0.03, 0.97) * (scene.width - width)
    x = min(max(x, 0.03 * scene.width), max(0.03 * scene.width, 0.97 * scene.width - width))
    y = rng.uniform(0.2, 0.8) * (scene.height - height)
    if rng.random() < 0.3:
        axes.add_patch(
            patches.FancyBboxPatch(
                (x, y), width, height, boxstyle="round,pad=4", fill=False, edgecolor=_rgb(scene.color), linewidth=1
            )
        )
    place = (
        Affine2D()
        .translate(-box.x0 - box.width / 2, -box.y0 - box.height / 2)
        .scale(scale, -scale)
        .rotate_deg(-scene.turn)
        .translate(x + width / 2, y + height / 2)
    )
    axes.add_patch(patches.PathPatch(outline.transformed(place), facecolor=_rgb(scene.color), edgecolor="none"))


def _chart(figure, scene, rng):
    left, bottom = max(18, 0.1 * scene.width) / scene.width, max(18, 0.13 * scene.height) / scene.height
    axes = figure.add_axes((left, bottom, 0.97 - left, 0.95 - bottom))
    axes.bar(
        list(scene.names), scene.values, color=[_rgb(c) for c in scene.colors], width=rng.uniform(0.5, 0.8), zorder=2
    )
    axes.set_ylim(0, MAX_VALUE)
    axes.set_xlim(-0.6, len(scene.values) - 0.4)
    axes.yaxis.set_major_locator(matplotlib.ticker.MultipleLocator(2 if scene.height > 120 else 5))
    axes.tick_params(axis="y", labelsize=6.5, length=2, pad=1)
    axes.tick_params(axis="x", labelsize=min(18, max(10, 0.065 * scene.height)), length=0, pad=2)
    if rng.random() < 0.6:
        axes.grid(axis="y", color="0.85", zorder=0)
