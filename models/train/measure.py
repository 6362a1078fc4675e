"""Exact match and next-token distributions of a model on the lines of a data set, in batches.

An answer is right if every one of its tokens, the end of the turn included, is the most probable one after the
tokens before it: then, and only then, does greedy decoding give it.
"""

import json
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from batches import Sequence
from pictures import grid_of, lay, patches, tiles


@dataclass(frozen=True)
class Line:
    """One line of a data set; `turns` are earlier questions with their answers."""

    category: str
    images: tuple
    question: str
    answer: str
    turns: tuple = ()


def read(folder):
    """The lines of all *.jsonl of a folder, and their pictures by name."""
    lines, pictures = [], {}
    for file in sorted(Path(folder).glob("*.jsonl")):
        for text in file.read_text(encoding="utf-8").splitlines():
            record = json.loads(text)
            image = record["image"]
            names = () if image is None else (image,) if isinstance(image, str) else tuple(image)
            for name in names:
                if name not in pictures:
                    with Image.open(Path(folder) / name) as picture:
                        pictures[name] = picture.convert("RGB")
            lines.append(Line(record.get("category", "all"), names, record["question"], record["answer"]))
    return lines, pictures


class Measure:
    """Lines made ready for a model: tokens, positions, and what the vision tower makes of the pictures.

    `quick` is a model.Quick in float32. The vision tower is never quantized, so its features are computed once.
    """

    BATCH = 32

    def __init__(self, quick, tokenizer, lines, pictures):
        self.quick = quick
        self.lines = lines
        self.token = quick.model.config.image_token_id
        self.pad = tokenizer.pad_token_id
        core = tokenizer.backend_tokenizer
        self.encode = lambda text: core.encode(text, add_special_tokens=False).ids
        self.grids = {name: grid_of(*picture.size) for name, picture in pictures.items()}
        self.features = self._features(pictures)
        self.sequences = [self._sequence(line) for line in lines]

    @torch.inference_mode()
    def _features(self, pictures):
        by_grid, features = {}, {}
        for name, grid in self.grids.items():
            by_grid.setdefault(grid, []).append(name)
        for grid, names in by_grid.items():
            for start in range(0, len(names), 8):
                some = names[start : start + 8]
                pixels = np.concatenate([tiles(lay(pictures[name], keep_ratio=False)) for name in some])
                found = self.quick.features(patches(torch.from_numpy(pixels)), grid)
                features.update(zip(some, found.chunk(len(some))))
        return features

    def _sequence(self, line):
        sequence = Sequence()
        sequence.text(self.encode("<|im_start|>user\n"))
        for name in line.images:
            sequence.text(self.encode("<|vision_start|>"))
            sequence.image(self.token, self.grids[name])
            sequence.text(self.encode("<|vision_end|>"))
        opening = ""
        for question, answer in (*line.turns, (line.question, line.answer)):
            sequence.weights = [0.0] * len(sequence.weights)  # only the last answer counts
            sequence.text(self.encode(f"{opening}{question}<|im_end|>\n<|im_start|>assistant\n"))
            sequence.text(self.encode(answer + "<|im_end|>"), weight=1.0)
            opening = "\n<|im_start|>user\n"
        return sequence

    def batches(self, every):
        """(indices of lines, ids, positions, mask, features, chosen) with chosen true before an answer's tokens."""
        order = sorted(range(0, len(self.lines), every), key=lambda i: len(self.sequences[i].ids))
        for start in range(0, len(order), self.BATCH):
            some = order[start : start + self.BATCH]
            length = max(len(self.sequences[i].ids) for i in some)
            ids = torch.full((len(some), length), self.pad)
            positions = torch.zeros((3, len(some), length), dtype=torch.long)
            chosen = torch.zeros((len(some), length), dtype=torch.bool)
            for row, i in enumerate(some):
                sequence = self.sequences[i]
                used = len(sequence.ids)
                ids[row, :used] = torch.tensor(sequence.ids)
                positions[:, row, :used] = torch.tensor(sequence.positions).T
                chosen[row, : used - 1] = torch.tensor(sequence.weights)[1:] > 0
            mask = torch.ones(length, length, dtype=torch.bool).tril()[None, None].expand(len(some), -1, -1, -1)
            found = [self.features[name] for i in some for name in self.lines[i].images]
            yield some, ids, positions, mask, torch.cat(found) if found else None, chosen

    @torch.inference_mode()
    def distributions(self, every=1):
        """Of every so-manieth line, (tokens of the answer, vocabulary) log-probabilities, and whether it is right."""
        logs, right = [None] * len(self.lines), [None] * len(self.lines)
        for some, ids, positions, mask, features, chosen in self.batches(every):
            hidden = self.quick.hidden(ids, positions, mask, features)
            log = self.quick.logits(hidden[chosen]).log_softmax(-1)
            target = ids.roll(-1, 1)[chosen]
            counts = chosen.sum(1).tolist()
            for i, part, wanted in zip(some, log.split(counts), target.split(counts)):
                logs[i], right[i] = part.clone(), bool((part.argmax(-1) == wanted).all())
        return logs[::every], right[::every]

    def by_category(self, right, every=1):
        """{category: (right, asked)} and the same of all."""
        asked, good = Counter(), Counter()
        for line, ok in zip(self.lines[::every], right):
            asked[line.category] += 1
            good[line.category] += ok
        table = {category: (good[category], asked[category]) for category in asked}
        return table | {"all": (good.total(), asked.total())}


def divergences(base, other):
    """Mean KL divergence from the base's distribution to the other's, per line, in nats."""
    return [float((p.exp() * (p - q)).sum(-1).mean()) for p, q in zip(base, other)]


def load(folder):
    """(model, tokenizer) of a trained model's folder, in float32."""
    from transformers import AutoTokenizer, Qwen2_5_VLForConditionalGeneration

    model = Qwen2_5_VLForConditionalGeneration.from_pretrained(folder, dtype=torch.float32).eval()
    return model, AutoTokenizer.from_pretrained(folder)
