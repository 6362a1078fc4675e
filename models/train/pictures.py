"""From a drawing to the vision tower's input and to what each image token should know.

The Hugging Face processor stretches a picture to the token grid, and `stretch` is the same. Stock llama.cpp keeps
the ratio of the sides and fills the rest of the grid with black: that is `fit`. Training mixes both.
"""

import numpy as np
import torch
from PIL import Image

from drawing import NONE, UNTOLD
from model import MAX_PIXELS, MEAN, MERGE, MIN_PIXELS, PATCH, STD
from scenes import CHARACTERS, COLORS, KINDS, MAX_LETTERS, MAX_VALUE

TOKEN_SIDE = PATCH * MERGE
# Classes of the labels; the last of the first six is "none". The first five come for each of a token's four patches,
# the others, the bar's value and the sixth of the picture by rows and by columns, for the token.
SIXTHS = 6
LABEL_SIZES = (len(CHARACTERS) + 1, len(KINDS) + 1, len(COLORS) + 1, MAX_LETTERS + 1, 2, MAX_VALUE + 2, SIXTHS, SIXTHS)
PER_PATCH = 5


def label_columns(group):
    """Columns of the labels' table that hold one group of LABEL_SIZES."""
    if group < PER_PATCH:
        return [group + PER_PATCH * i for i in range(MERGE**2)]
    return [PER_PATCH * MERGE**2 + group - PER_PATCH]


SAMPLES = 7  # samples of the map per side of a patch


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


def target_box(width, height, keep_ratio):
    """Where the picture lies on its token grid: (width, height) of the grid's picture, and the box within it."""
    rows, columns = grid_of(width, height)
    target = (columns * TOKEN_SIDE, rows * TOKEN_SIDE)
    if not keep_ratio:
        return target, (0, 0, *target)
    scale = min(target[0] / width, target[1] / height)
    inner = (min(target[0], int(np.ceil(width * scale))), min(target[1], int(np.ceil(height * scale))))
    left, top = (target[0] - inner[0]) // 2, (target[1] - inner[1]) // 2
    return target, (left, top, left + inner[0], top + inner[1])


def lay(picture, keep_ratio, resample=Image.Resampling.BICUBIC):
    """The picture on a whole number of tokens."""
    target, box = target_box(*picture.size, keep_ratio)
    if box == (0, 0, *target):
        return picture if picture.size == target else picture.resize(target, resample)
    laid = Image.new(picture.mode, target)
    laid.paste(picture.resize((box[2] - box[0], box[3] - box[1]), resample), box[:2])
    return laid


def tiles(picture):
    """A laid picture as bytes, (patches, 3, 14, 14), in the order of the Qwen2-VL image processor."""
    columns, rows = (side // TOKEN_SIDE for side in picture.size)
    pixels = np.asarray(picture).reshape(rows, MERGE, PATCH, columns, MERGE, PATCH, 3)
    return pixels.transpose(0, 3, 1, 4, 6, 2, 5).reshape(-1, 3, PATCH, PATCH)


def patches(tiles):
    """A tensor of tiles as the vision tower wants it: (patches, 3 * 2 * 14 * 14), in that processor's scale."""
    mean, deviation = (torch.tensor(v, device=tiles.device)[:, None, None] for v in (MEAN, STD))
    frame = (tiles.float() / 255 - mean) / deviation
    return torch.stack((frame, frame), 2).flatten(1)


def labels(drawing, keep_ratio):
    """(tokens, labels): per patch the character, kind, colour, place in the word and whether a centre lies there; per
    token the value of the bar in whose column it lies, and where in the picture it lies."""
    target, box = target_box(*drawing.picture.size, keep_ratio)
    columns, rows = (side // PATCH for side in target)
    laid = lay(drawing.map, keep_ratio, Image.Resampling.NEAREST)
    fine = np.asarray(laid.resize((columns * SAMPLES, rows * SAMPLES), Image.Resampling.NEAREST))
    fine = fine.reshape(rows, SAMPLES, columns, SAMPLES)
    shares = np.stack(
        [(fine == i).sum((1, 3)) for i in range(1, len(drawing.marks) + 1)] or [np.zeros((rows, columns))]
    )
    none = np.array([size - 1 for size in LABEL_SIZES[:6]])
    table = np.array(
        [[mark.character, mark.kind, mark.color, mark.order, 1, mark.value] for mark in drawing.marks], np.int64
    ).reshape(-1, 6)
    table = np.where(table == NONE, none, table)
    table = np.concatenate([table, none[None]])
    chosen = np.where(shares.max(0) >= 0.12 * SAMPLES**2, shares.argmax(0), len(drawing.marks))
    known = table[chosen]
    known[..., 4] = 0
    centers = []
    for mark in drawing.marks:
        if mark.x >= 0:
            x = (box[0] + mark.x * (box[2] - box[0]) / drawing.picture.width) / PATCH
            y = (box[1] + mark.y * (box[3] - box[1]) / drawing.picture.height) / PATCH
            centers.append((min(max(int(y), 0), rows - 1), min(max(int(x), 0), columns - 1), mark))
    # A character is told where its centre lies: other patches hold too little of it.
    partly = known[..., 0] != none[0]
    known[partly, 0] = known[partly, 3] = UNTOLD
    for row, column, mark in centers:
        known[row, column, 4] = 1
        if mark.character != NONE:
            known[row, column, 0] = mark.character
            known[row, column, 3] = mark.order if mark.order != NONE else none[3]
    known = known.reshape(rows // MERGE, MERGE, columns // MERGE, MERGE, 6).transpose(0, 2, 1, 3, 4)
    known = known.reshape(-1, MERGE**2, 6)
    values = known[..., 5].min(1)  # "none" is the largest
    y, x = np.mgrid[0 : rows // MERGE, 0 : columns // MERGE]
    y, x = SIXTHS * y.flatten() // (rows // MERGE), SIXTHS * x.flatten() // (columns // MERGE)
    return np.concatenate([known[..., :PER_PATCH].reshape(len(known), -1), values[:, None], y[:, None], x[:, None]], 1)
