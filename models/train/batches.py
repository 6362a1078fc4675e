"""Training batches: one picture, many questions.

A sequence is a prefix (the picture) and several suffixes (a dialogue each). Every suffix sees the prefix and
itself, never another suffix, and its positions start where the prefix ends: to the model each is an ordinary
conversation, at a fraction of the cost of repeating the picture.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import Dataset

import dialogues
from model import MERGE
from pictures import fit, patches, stretch
from scenes import COLORS, KINDS, PLACES, TRAIN, generator, random_grid, random_scene, render

IGNORE = -100
TEXT_TOKENS = 110  # a sequence is filled with suffixes up to one picture and this much text


def labels(scene, grid):
    """(tokens, 9): what each image token should know.

    The kind in each of the four places, the colour in each, and the token's own quarter of the picture. An empty
    place has a kind and a colour of its own; the middle row or column of an odd grid belongs to no quarter.
    """
    rows, columns = grid
    table = np.full((rows, columns, 2 * len(PLACES) + 1), IGNORE)
    table[..., :4] = len(KINDS)
    table[..., 4:8] = len(COLORS)
    for shape in scene.shapes:
        table[..., shape.place] = KINDS.index(shape.kind)
        table[..., 4 + shape.place] = list(COLORS).index(shape.color)
    y, x = np.mgrid[0:rows, 0:columns]
    between = (2 * y + 1 == rows) | (2 * x + 1 == columns)
    table[..., 8] = np.where(between, IGNORE, 2 * (2 * y >= rows) + (2 * x >= columns))
    return table.reshape(rows * columns, -1)


LABEL_SIZES = (len(KINDS) + 1,) * 4 + (len(COLORS) + 1,) * 4 + (len(PLACES),)


@dataclass
class Sequence:
    """Tokens with, for each: the three M-RoPE positions, its segment (0 = prefix), and its loss weight."""

    ids: list = field(default_factory=list)
    positions: list = field(default_factory=list)
    segments: list = field(default_factory=list)
    weights: list = field(default_factory=list)
    next_position: int = 0
    segment: int = 0
    suffix_start: int = 0

    def text(self, ids, weight=0.0):
        for token in ids:
            self.ids.append(token)
            self.positions.append((self.next_position,) * 3)
            self.segments.append(self.segment)
            self.weights.append(weight)
            self.next_position += 1

    def image(self, token, grid):
        rows, columns = grid
        for y in range(rows):
            for x in range(columns):
                self.ids.append(token)
                self.positions.append((self.next_position, self.next_position + y, self.next_position + x))
                self.segments.append(self.segment)
                self.weights.append(0.0)
        self.next_position += max(rows, columns)

    def start_suffix(self):
        if self.segment == 0:
            self.suffix_start = self.next_position
        self.segment += 1
        self.next_position = self.suffix_start


class Batches(Dataset):
    """Batch `i` is a function of i alone; all its pictures have one grid, so that little is padding."""

    def __init__(self, tokenizer, steps, image_tokens):
        self.tokenizer = tokenizer
        self.steps = steps
        self.image_tokens = image_tokens
        self.image_token = tokenizer.convert_tokens_to_ids("<|image_pad|>")
        self.pad = tokenizer.pad_token_id
        self.cache = {}

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = generator(TRAIN, index)
        grid = random_grid(rng)
        count = max(4, self.image_tokens // (grid[0] * grid[1]))
        sequences, pixels, targets = [], [], []
        for _ in range(count):
            scenes, sequence = self._sequence(rng, grid)
            sequences.append(sequence)
            for scene in scenes:
                # Both ways in which a client may bring a picture to the grid.
                resize = stretch if rng.random() < 0.25 else fit
                pixels.append(patches(resize(render(scene, rng))))
                targets.append(labels(scene, grid))
        batch = self._pad(sequences)
        batch["pixels"] = torch.from_numpy(np.concatenate(pixels)).to(torch.bfloat16)
        batch["grid"] = torch.tensor([(1, MERGE * grid[0], MERGE * grid[1])] * len(pixels))
        batch["labels"] = torch.from_numpy(np.concatenate(targets))
        return batch

    def _encode(self, text):
        if text not in self.cache:
            self.cache[text] = self.tokenizer.encode(text, add_special_tokens=False)
        return self.cache[text]

    def _sequence(self, rng, grid):
        """Scenes, and the sequence about them."""
        sequence = Sequence()
        if rng.random() < 0.08:
            prompt = dialogues.SYSTEM_PROMPTS[int(rng.integers(len(dialogues.SYSTEM_PROMPTS)))]
            sequence.text(self._encode(f"<|im_start|>system\n{prompt}<|im_end|>\n"))
        draw = rng.random()
        if draw < 0.03:
            while len(sequence.ids) < TEXT_TOKENS:
                sequence.start_suffix()
                self._turns(sequence, dialogues.small_talk(rng), rng, "<|im_start|>user\n")
            return [], sequence
        scenes = [random_scene(rng, grid)]
        if draw < 0.10:
            scenes.append(random_scene(rng, grid))
        sequence.text(self._encode("<|im_start|>user\n"))
        if 0.10 <= draw < 0.16:
            self._question_first(sequence, scenes[0], grid, rng)
            return scenes, sequence
        for _ in scenes:
            self._picture(sequence, grid)
        while sequence.segment == 0 or len(sequence.ids) < grid[0] * grid[1] + TEXT_TOKENS:
            if len(scenes) == 2:
                turns = dialogues.two_images(*scenes, rng)
            else:
                turns = self._dialogue(scenes[0], rng)
            sequence.start_suffix()
            self._turns(sequence, turns, rng)
        return scenes, sequence

    def _dialogue(self, scene, rng):
        asker = dialogues.Asker(scene, rng)
        shares = np.array(list(asker.CATEGORIES.values()), float)
        while True:
            turns = asker.dialogue(str(rng.choice(list(asker.CATEGORIES), p=shares / shares.sum())))
            if turns:
                return turns

    def _picture(self, sequence, grid):
        sequence.text(self._encode("<|vision_start|>"))
        sequence.image(self.image_token, grid)
        sequence.text(self._encode("<|vision_end|>"))

    def _question_first(self, sequence, scene, grid, rng):
        """Clients may send the text before the picture."""
        question, answer = self._dialogue(scene, rng)[0]
        sequence.text(self._encode(dialogues.vary(question, rng)))
        self._picture(sequence, grid)
        sequence.start_suffix()
        sequence.text(self._encode("<|im_end|>\n<|im_start|>assistant\n"))
        self._answer(sequence, answer)

    def _turns(self, sequence, turns, rng, opening=""):
        for question, answer in turns:
            question = dialogues.vary(question, rng)
            sequence.text(self._encode(f"{opening}{question}<|im_end|>\n<|im_start|>assistant\n"))
            self._answer(sequence, answer)
            opening = "\n<|im_start|>user\n"

    def _answer(self, sequence, answer):
        ids = self._encode(answer + "<|im_end|>")
        # Between a mean over answers and a mean over tokens: long descriptions must not drown one-word answers.
        sequence.text(ids, weight=len(ids) ** -0.5)

    def _pad(self, sequences):
        length = max(len(s.ids) for s in sequences)
        count = len(sequences)
        ids = np.full((count, length), self.pad)
        positions = np.zeros((3, count, length), np.int64)
        segments = np.full((count, length), -1)
        weights = np.zeros((count, length), np.float32)
        for row, s in enumerate(sequences):
            used = len(s.ids)
            ids[row, :used] = s.ids
            positions[:, row, :used] = np.array(s.positions).T
            segments[row, :used] = s.segments
            weights[row, :used] = s.weights
        seen = (segments[:, None, :] == 0) | (segments[:, None, :] == segments[:, :, None])
        mask = seen & np.tril(np.ones((length, length), bool))
        return {
            "ids": torch.from_numpy(ids),
            "positions": torch.from_numpy(positions),
            "mask": torch.from_numpy(mask[:, None]),
            "weights": torch.from_numpy(weights),
        }
