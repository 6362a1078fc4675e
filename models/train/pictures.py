"""From a picture to the vision tower's input.

The Hugging Face processor stretches a picture to the token grid, and `stretch` is the same. Stock llama.cpp keeps
the ratio of the sides and fills the rest of the grid with black: that is `fit`. Training mixes both.
"""

import numpy as np
from PIL import Image

from model import MAX_PIXELS, MEAN, MERGE, MIN_PIXELS, PATCH, STD

TOKEN_SIDE = PATCH * MERGE


def grid_of(width, height):
    """(rows, columns) in tokens of a picture of width x height pixels."""
    rows, columns = (max(1, int(side / TOKEN_SIDE + 0.5)) for side in (height, width))
    pixels = rows * columns * TOKEN_SIDE**2
    if pixels > MAX_PIXELS:
        shrink = (width * height / MAX_PIXELS) ** 0.5
        return tuple(max(1, int(side / shrink / TOKEN_SIDE)) for side in (height, width))
    if pixels < MIN_PIXELS:
        grow = (MIN_PIXELS / (width * height)) ** 0.5
        return tuple(int(np.ceil(side * grow / TOKEN_SIDE)) for side in (height, width))
    return rows, columns


def fit(picture):
    """The picture on a whole number of tokens, black where it does not reach."""
    rows, columns = grid_of(*picture.size)
    target = (columns * TOKEN_SIDE, rows * TOKEN_SIDE)
    if picture.size == target:
        return picture
    sides = np.array(picture.size, np.float32)
    scale = (np.array(target, np.float32) / sides).min()
    inner = tuple(int(side) for side in np.minimum(np.ceil(sides * scale), target))
    fitted = Image.new("RGB", target)
    fitted.paste(
        picture.resize(inner, Image.Resampling.BICUBIC), ((target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2)
    )
    return fitted


def stretch(picture):
    """The picture on a whole number of tokens, its sides' ratio given up."""
    rows, columns = grid_of(*picture.size)
    return picture.resize((columns * TOKEN_SIDE, rows * TOKEN_SIDE), Image.Resampling.BICUBIC)


def patches(picture):
    """A fitted picture as (patches, 3 * 2 * 14 * 14), in the order and scale of the Qwen2-VL image processor."""
    rows, columns = grid_of(*picture.size)
    pixels = (np.asarray(picture, np.float32) / 255 - np.float32(MEAN)) / np.float32(STD)
    tiles = pixels.reshape(rows, MERGE, PATCH, columns, MERGE, PATCH, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    tiles = tiles.reshape(-1, 3, 1, PATCH, PATCH).repeat(2, axis=2)
    return tiles.reshape(len(tiles), -1)
