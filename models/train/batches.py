"""Training batches: one picture, many questions.

A sequence is a prefix (the picture) and several suffixes (a dialogue each). Every suffix sees the prefix and
itself, never another suffix, and its positions start where the prefix ends: to the model each is an ordinary
conversation, at a fraction of the cost of repeating the picture. Sequences of suffixes alone, without a picture,
fill a share of each batch. So do collages and pages, which only the vision tower sees.
"""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch.utils.data import Dataset

import dialogues
import texts
from drawing import draw
from pictures import labels, lay, tiles
from scenes import TRAIN, generator, pick, random_collage, random_grid, random_page, random_scene

TEXT_TOKENS = 125  # a sequence is filled with suffixes up to one picture and this much text
VISION_COST = 1.7  # of an image token in the vision tower, in tokens of the language model
PAGES = 0.6  # of the pictures that only the vision tower sees; the others are collages
LARGEST_OF_TWO = 56  # tokens of a picture that may be one of two


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

    def drop_suffix(self, length):
        """Takes back the last suffix, which began after `length` tokens."""
        for values in (self.ids, self.positions, self.segments, self.weights):
            del values[length:]
        self.segment -= 1


class Batches(Dataset):
    """Batch `i` is a function of i and the seed alone; all its pictures have one grid, so that little is padding."""

    def __init__(self, tokenizer, steps, tokens, mean_tokens, text_share, collages, signs, seed):
        self.core = tokenizer.backend_tokenizer
        self.steps = steps
        self.tokens = tokens
        self.mean_tokens = mean_tokens
        self.text_share = text_share
        self.collages = collages
        self.signs = signs
        self.seed = seed
        self.image_token = tokenizer.convert_tokens_to_ids("<|image_pad|>")
        self.pad = tokenizer.pad_token_id
        self.cache = {}

    def __len__(self):
        return self.steps

    def __getitem__(self, index):
        rng = generator(TRAIN, self.seed, index)
        grid = random_grid(rng, self.mean_tokens)
        area = grid[0] * grid[1]
        length = area + TEXT_TOKENS
        count = max(2, round(self.tokens / (length / (1 - self.text_share) + (1 + self.collages) * VISION_COST * area)))
        sequences, pixels, targets = [], [], []
        for _ in range(count):
            scenes, sequence = self._about_pictures(rng, grid, length)
            sequences.append(sequence)
            for scene in scenes:
                # Both ways in which a client may bring a picture to the grid.
                keep_ratio = rng.random() < 0.2
                drawing = draw(scene, rng)
                pixels.append(tiles(lay(drawing.picture, keep_ratio)))
                targets.append(labels(drawing, keep_ratio))
        for _ in range(round(count * self.collages)):
            keep_ratio = rng.random() < 0.2
            scene = (random_page if rng.random() < PAGES else random_collage)(rng, grid)
            drawing = draw(scene, rng)
            pixels.append(tiles(lay(drawing.picture, keep_ratio)))
            targets.append(labels(drawing, keep_ratio))
        text_count = round(count * self.text_share / (1 - self.text_share))
        sequences += [self._without_picture(rng, length) for _ in range(max(1, text_count))]
        batch = self._pad(sequences)
        batch["pixels"] = torch.from_numpy(np.concatenate(pixels))
        batch["grid"] = torch.tensor(grid)
        batch["labels"] = torch.from_numpy(np.concatenate(targets))
        batch["with_picture"] = torch.tensor(count)  # the first so many sequences
        return batch

    def _encode(self, text):
        if len(self.cache) > 20000:
            self.cache.clear()
        if text not in self.cache:
            self.cache[text] = self.core.encode(text, add_special_tokens=False).ids
        return self.cache[text]

    def _start(self, rng):
        sequence = Sequence()
        if rng.random() < 0.08:
            sequence.text(self._encode(f"<|im_start|>system\n{pick(rng, texts.SYSTEM_PROMPTS)}<|im_end|>\n"))
        sequence.text(self._encode("<|im_start|>user\n"))
        return sequence

    def _about_pictures(self, rng, grid, length):
        """Scenes, and the sequence about them."""
        sequence = self._start(rng)
        scenes = [random_scene(rng, grid, self.signs)]
        draw = rng.random()
        if draw < 0.16 and grid[0] * grid[1] <= LARGEST_OF_TWO:
            scenes.append(random_scene(rng, grid, self.signs))
            asker = dialogues.AboutTwo(scenes, rng)
        else:
            asker = dialogues.asker(scenes[0], rng)
        if draw > 0.95:
            self._question_first(sequence, asker, grid, rng)
            return scenes, sequence
        for _ in scenes:
            self._picture(sequence, grid)
        self._fill(sequence, length, asker.any_dialogue, rng)
        return scenes, sequence

    def _without_picture(self, rng, length):
        sequence = self._start(rng)
        self._fill(sequence, length, lambda: texts.any_dialogue(rng), rng)
        return sequence

    def _fill(self, sequence, length, dialogue, rng):
        misses = 0
        while len(sequence.ids) < length - 12 and misses < 3:
            before = len(sequence.ids)
            sequence.start_suffix()
            self._turns(sequence, dialogue(), rng)
            if len(sequence.ids) > length and sequence.segment > 1:
                sequence.drop_suffix(before)
                misses += 1

    def _picture(self, sequence, grid):
        sequence.text(self._encode("<|vision_start|>"))
        sequence.image(self.image_token, grid)
        sequence.text(self._encode("<|vision_end|>"))

    def _question_first(self, sequence, asker, grid, rng):
        """Clients may send the text before the picture."""
        question, answer = asker.any_dialogue()[0]
        sequence.text(self._encode(dialogues.vary(question, rng)))
        self._picture(sequence, grid)
        sequence.start_suffix()
        sequence.text(self._encode("<|im_end|>\n<|im_start|>assistant\n"))
        self._answer(sequence, answer)

    def _turns(self, sequence, turns, rng):
        opening = ""
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
