"""Scenes drawn with Pillow, with a map of which part of the picture shows what."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scenes import CHARACTERS, COLORS, KINDS, MAX_VALUE, Chart, Collage, Letter, Page, Shape, Shapes, pick

FONT_FOLDER = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FONTS = (
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "DejaVuSansMono",
    "DejaVuSansMono-Bold",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    None,  # None: Pillow's own
)
NONE = -1
UNTOLD = -100  # a label that does not count
COLOR_NAMES = tuple(COLORS)


@dataclass(frozen=True)
class Mark:
    """One thing in a picture: indices into KINDS, COLORS and CHARACTERS, NONE or UNTOLD; its centre in pixels."""

    x: float
    y: float
    kind: int = NONE
    color: int = NONE
    character: int = NONE
    order: int = NONE  # of a character in its word
    value: int = NONE  # of a bar


@dataclass(frozen=True)
class Drawing:
    """A picture; a map of the same size whose pixels are 0 or 1 + the index of a mark; and the marks."""

    picture: Image.Image
    map: Image.Image
    marks: list[Mark]


def draw(scene, rng):
    if isinstance(scene, (Shapes, Collage)):
        return _free(scene, rng)
    if isinstance(scene, Page):
        return _page(scene, rng)
    return _chart(scene, rng) if isinstance(scene, Chart) else _sign(scene, rng)


@cache
def font(name, size):
    if name is None:
        return ImageFont.load_default(size)
    return ImageFont.truetype(str(FONT_FOLDER / f"{name}.ttf"), size)


def outlines(shape):
    """Polygons of the shape, alternately filled and cut out."""
    unit = UNIT_OUTLINES[shape.kind]
    cos, sin = math.cos(shape.turn), math.sin(shape.turn)
    return [
        [
            (shape.x + shape.radius * (x * cos - y * sin), shape.y + shape.radius * (x * sin + y * cos))
            for x, y in polygon
        ]
        for polygon in unit
    ]


def _regular(corners, start, radius=1.0):
    angles = [start + 2 * math.pi * i / corners for i in range(corners)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def _heart():
    angles = [2 * math.pi * i / 40 for i in range(40)]
    points = [
        (16 * math.sin(a) ** 3, -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)))
        for a in angles
    ]
    return [(x / 17.5, (y - 2) / 17.5) for x, y in points]


UNIT_OUTLINES = {
    "circle": [_regular(40, 0, 0.92)],
    "square": [_regular(4, math.pi / 4)],
    "triangle": [_regular(3, -math.pi / 2)],
    "star": [
        [
            (s * math.cos(a), s * math.sin(a))
            for s, a in ((1 if i % 2 == 0 else 0.42, -math.pi / 2 + i * math.pi / 5) for i in range(10))
        ]
    ],
    "diamond": [[(0, -1), (0.62, 0), (0, 1), (-0.62, 0)]],
    "cross": [
        [
            (-0.3, -0.93),
            (0.3, -0.93),
            (0.3, -0.3),
            (0.93, -0.3),
            (0.93, 0.3),
            (0.3, 0.3),
            (0.3, 0.93),
            (-0.3, 0.93),
            (-0.3, 0.3),
            (-0.93, 0.3),
            (-0.93, -0.3),
            (-0.3, -0.3),
        ]
    ],
    "ring": [_regular(40, 0, 0.96), _regular(40, 0, 0.54)],
    "heart": [_heart()],
}


def paint(color, rng):
    return tuple(int(v) for v in np.clip(np.array(COLORS[color]) + rng.integers(-13, 14, 3), 0, 255))


def distance(first, second):
    return float(np.abs(np.asarray(first, float) - np.asarray(second, float)).max())


def background(width, height, rng, away_from=()):
    """Near-grey, so that no background is mistaken for a colour, and not too like the colours given."""
    while True:
        base = rng.uniform(20, 240) + rng.uniform(-8, 8, 3)
        if all(distance(base, color) > 70 for color in away_from):
            break
    other = base + rng.uniform(-40, 40) * (0.6 if away_from else 1)
    texture = rng.integers(5)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    if texture == 0:
        mix = np.zeros((height, width), np.float32)
    elif texture == 1:
        angle = rng.uniform(0, 2 * math.pi)
        ramp = x / width * math.cos(angle) + y / height * math.sin(angle)
        mix = (ramp - ramp.min()) / (np.ptp(ramp) + 1e-6)
    elif texture == 2:
        mix = rng.standard_normal((height, width), np.float32) * 0.35
    elif texture == 3:
        angle, period = rng.uniform(0, math.pi), rng.uniform(6, 24)
        mix = (np.sin((x * math.cos(angle) + y * math.sin(angle)) * 2 * math.pi / period) > 0).astype(np.float32)
    else:
        period = rng.uniform(6, 24)
        mix = ((x // period + y // period) % 2).astype(np.float32)
    pixels = base + mix[..., None] * (other - base)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _free(scene, rng):
    """Shapes and characters where the scene puts them."""
    picture = background(scene.width, scene.height, rng)
    mean = np.asarray(picture, float).mean((0, 1))
    scale = 3 if scene.width * scene.height < 60000 else 2
    large = (scene.width * scale, scene.height * scale)
    map = Image.new("L", (scene.width, scene.height))
    on_map = ImageDraw.Draw(map)
    colored = picture.resize(large, Image.Resampling.NEAREST)
    on_colored = ImageDraw.Draw(colored)
    marks = []
    items = scene.shapes if isinstance(scene, Shapes) else scene.items
    ground = colored.copy() if any(isinstance(i, Shape) and i.kind == "ring" for i in items) else None
    for item in items:
        fill = paint(item.color, rng)
        color = COLOR_NAMES.index(item.color)
        if isinstance(item, Letter):
            if distance(mean, fill) < 60:
                continue
            used = font(pick(rng, FONTS), int(item.size * scale))
            box = on_colored.textbbox((item.x * scale, item.y * scale), item.character, font=used, anchor="mm")
            on_colored.text((item.x * scale, item.y * scale), item.character, fill=fill, font=used, anchor="mm")
            on_map.rectangle([v / scale for v in box], fill=len(marks) + 1)
            center = (box[0] + box[2]) / 2 / scale, (box[1] + box[3]) / 2 / scale
            marks.append(Mark(*center, color=color, character=CHARACTERS.index(item.character), order=UNTOLD))
            continue
        polygons = outlines(item)
        on_map.polygon(polygons[0], fill=len(marks) + 1)
        on_colored.polygon([(x * scale, y * scale) for x, y in polygons[0]], fill=fill)
        if len(polygons) > 1:
            hole = Image.new("1", large)
            ImageDraw.Draw(hole).polygon([(x * scale, y * scale) for x, y in polygons[1]], fill=1)
            colored.paste(ground, mask=hole)
        marks.append(Mark(item.x, item.y, kind=KINDS.index(item.kind), color=color))
    return Drawing(colored.reduce(scale), map, marks)


def _sign(scene, rng):
    width, height = scene.width, scene.height
    fill = paint(scene.color, rng)
    picture = background(width, height, rng, [fill])
    name = pick(rng, FONTS)
    used = _fitting(name, scene.text, scene.pitch, 0.75 * height)
    length = used.getlength(scene.text)
    if length > 0.96 * width:
        used = font(name, max(9, int(used.size * 0.96 * width / length)))
        length = used.getlength(scene.text)
    _left, top, _right, bottom = used.getbbox(scene.text)
    text_height = bottom - top
    lean = abs(math.sin(math.radians(scene.turn))) * length / 2 + text_height / 2
    x0 = rng.uniform(0.02 * width, max(0.02 * width, 0.98 * width - length) + 0.01)
    center_y = rng.uniform(min(lean + 3, height / 2), max(height - lean - 3, height / 2) + 0.01)
    y0 = center_y - text_height / 2
    center = (x0 + length / 2, center_y)
    if rng.random() < 0.35:
        _plate(picture, (x0, y0, x0 + length, y0 + text_height), fill, rng)
    map = Image.new("L", (width, height))
    area = (0, 0, width, height)
    return Drawing(picture, map, _print(picture, map, area, scene.text, used, (fill, scene.color), center, scene.turn))


def _fitting(name, text, pitch, largest=math.inf):
    """The font in the size that gives each character `pitch` pixels of width, within what is legible."""
    target = pitch * len(text)
    size = int(min(40 * target / max(font(name, 40).getlength(text), 1), 1.7 * pitch + 4, largest))
    return font(name, max(size, 11))


def _page(scene, rng):
    fills = {word[1]: paint(word[1], rng) for word in scene.words}
    picture = background(scene.width, scene.height, rng, list(fills.values()))
    map = Image.new("L", (scene.width, scene.height))
    marks = []
    for text, color, pitch, turn, x, y in scene.words:
        if len(marks) + len(text) > 255:
            break
        name = pick(rng, FONTS)
        used = _fitting(name, text, pitch)
        half = used.getlength(text) / 2 + 8, 1.1 * pitch + 14
        area = int(x - half[0]), int(y - half[1]), int(x + half[0]), int(y + half[1])
        marks += _print(picture, map, area, text, used, (fills[color], color), (x, y), turn, len(marks))
    return Drawing(picture, map, marks)


def _print(picture, map, area, text, used, colors, center, turn, before=0):
    """Prints a text, in colors = (its paint, the paint's name), about its centre, leaning by `turn` degrees.

    All of it lies within `area`. Returns the marks of its characters; on the map they follow the `before` ones there.
    """
    length = used.getlength(text)
    _left, top, _right, bottom = used.getbbox(text)
    middle = center[0] - area[0], center[1] - area[1]
    x0, y0 = middle[0] - length / 2, middle[1] - (bottom - top) / 2
    size = area[2] - area[0], area[3] - area[1]
    cover, on_cover = Image.new("L", size), Image.new("L", size)
    ImageDraw.Draw(cover).text((x0, y0 - top), text, fill=255, font=used)
    rectangles = ImageDraw.Draw(on_cover)
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    marks = []
    for order, character in enumerate(text):
        start, end = x0 + used.getlength(text[:order]), x0 + used.getlength(text[: order + 1])
        rectangles.rectangle((start, y0, max(start, end - 1), y0 + bottom - top), fill=before + order + 1)
        along = (start + end) / 2 - middle[0]
        marks.append(
            Mark(
                center[0] + along * cos,
                center[1] - along * sin,
                color=COLOR_NAMES.index(colors[1]),
                character=CHARACTERS.index(character),
                order=order,
            )
        )
    if turn:
        cover = cover.rotate(turn, Image.Resampling.BICUBIC, center=middle)
        on_cover = on_cover.rotate(turn, Image.Resampling.NEAREST, center=middle)
    picture.paste(colors[0], area[:2], cover)
    map.paste(on_cover, area[:2], on_cover.point(lambda value: 255 * (value > 0)))
    return marks


def _plate(picture, box, fill, rng):
    """A plain board behind the text, or a frame around it, upright even where the text leans."""
    pad = rng.uniform(4, 10)
    box = (
        max(0, box[0] - pad),
        max(0, box[1] - pad),
        min(picture.width - 1, box[2] + pad),
        min(picture.height - 1, box[3] + pad),
    )
    draw = ImageDraw.Draw(picture)
    if rng.random() < 0.5:
        draw.rectangle(box, outline=fill, width=int(rng.integers(1, 4)))
        return
    grey = int(rng.integers(10, 246))
    if distance((grey,) * 3, fill) > 80:
        draw.rounded_rectangle(box, radius=rng.uniform(0, 8), fill=(grey,) * 3)


def chart_layout(scene):
    """(left, top, right, bottom) of the plot within the picture: a share of it, never less than labels need."""
    return (
        max(14, 0.09 * scene.width),
        max(5, 0.05 * scene.height),
        scene.width - max(4, 0.03 * scene.width),
        scene.height - max(17, 0.13 * scene.height),
    )


def _chart(scene, rng):
    scale = 2
    ink = (20, 20, 20) if rng.random() < 0.8 else (240, 240, 240)
    light = ink[0] < 100
    base = np.array((1, 1, 1)) * (rng.uniform(205, 252) if light else rng.uniform(20, 60))
    picture = Image.new("RGB", (scene.width * scale, scene.height * scale), tuple(int(v) for v in base))
    map = Image.new("L", (scene.width, scene.height))
    on, on_map = ImageDraw.Draw(picture), ImageDraw.Draw(map)
    left, top, right, bottom = chart_layout(scene)
    unit = (bottom - top) / MAX_VALUE
    name = pick(rng, FONTS[:12])
    tick_font = font(name, int(scale * max(7.5, min(0.05 * scene.height, 13))))
    step = 1 if unit > 13 else 2 if unit > 5.5 else 5
    grid = rng.random() < 0.7
    line = tuple(int(v) for v in base + (-32 if light else 32))
    for value in range(0, MAX_VALUE + 1, step):
        y = (bottom - value * unit) * scale
        if grid:
            on.line((left * scale, y, right * scale, y), fill=line, width=scale)
        on.text(((left - 2) * scale, y), str(value), fill=ink, font=tick_font, anchor="rm")
    pitch = (right - left) / len(scene.values)
    thickness = pitch * rng.uniform(0.5, 0.8)
    letter_font = font(name, int(scale * min(max(13, 0.09 * scene.height), 26, 1.1 * pitch)))
    marks = []
    for index, (value, color) in enumerate(zip(scene.values, scene.colors)):
        x = left + (index + 0.5) * pitch
        common = dict(value=value)
        center = (x, (bottom + scene.height) / 2)
        marks.append(Mark(-1, -1, **common))
        marks.append(Mark(-1, -1, color=COLOR_NAMES.index(color), **common))
        marks.append(Mark(*center, character=index, color=COLOR_NAMES.index(color), **common))
        on_map.rectangle((x - 0.42 * pitch, 0, x + 0.42 * pitch, scene.height), fill=len(marks) - 2)
        box = (x - thickness / 2, bottom - value * unit, x + thickness / 2, bottom)
        if value:
            on.rectangle([v * scale for v in box], fill=paint(color, rng))
            on_map.rectangle(box, fill=len(marks) - 1)
        else:
            on.line(
                (box[0] * scale, bottom * scale, box[2] * scale, bottom * scale), fill=paint(color, rng), width=scale
            )
        on.text((center[0] * scale, center[1] * scale), CHARACTERS[index], fill=ink, font=letter_font, anchor="mm")
        on_map.rectangle((x - 7, bottom + 2, x + 7, scene.height), fill=len(marks))
    on.line((left * scale, bottom * scale, right * scale, bottom * scale), fill=ink, width=scale)
    on.line((left * scale, top * scale, left * scale, bottom * scale), fill=ink, width=scale)
    return Drawing(picture.reduce(scale), map, marks)
