"""What training minimizes: the answers, and what the vision tower should know of each part of a picture."""

import torch
from torch import nn
from torch.nn import functional as F

from dialogues import PLURALS
from model import MERGE
from pictures import LABEL_SIZES, PER_PATCH, SIXTHS, label_columns
from scenes import CHARACTERS, COLORS, KINDS

NOTHING = 0.25  # weight of a patch that shows nothing: most do
GROUPS = ("character", "kind", "color", "order", "center", "value", "row", "column")


class LabelHead(nn.Module):
    """Reads every label off an image token's features."""

    def __init__(self, width):
        super().__init__()
        self.sizes = list(LABEL_SIZES[:PER_PATCH]) * MERGE**2 + list(LABEL_SIZES[PER_PATCH:])
        self.linear = nn.Linear(width, sum(self.sizes))

    def loss(self, features, labels):
        """Mean cross-entropy, and by group the mean cross-entropy and the share right where there is something."""
        parts = self.linear(features).split(self.sizes, 1)
        losses, found = [], {}
        for group, name in enumerate(GROUPS):
            columns = label_columns(group)
            logits = torch.stack([parts[c] for c in columns], 1).flatten(0, 1)
            target = labels[:, columns].flatten()
            weights = torch.ones(LABEL_SIZES[group], device=logits.device)
            if name not in ("row", "column"):
                weights[0 if name == "center" else -1] = NOTHING
            losses.append(F.cross_entropy(logits, target, weights))
            there = target > 0 if name == "center" else (target >= 0) & ((weights == 1)[target.clamp(min=0)])
            right = (logits.argmax(1) == target) & there
            found[name] = right.sum() / there.sum().clamp(min=1)
        return sum(losses) / len(losses), found


class Words:
    """Lays what is seen and the word for it in one direction.

    An image token's features are read off by the embeddings of the words for what is in it, so that attention finds
    "circle" among the image tokens from the start; without it, comparing and searching stay at chance for long.
    """

    def __init__(self, tokenizer, device):
        def rows(*forms):
            ids = [tokenizer.encode(form) for form in forms]
            return [i[0] for i in ids if len(i) == 1]

        def thirds(*words):
            return [rows(word, " " + word) for word in words for _ in range(SIXTHS // 3)]

        kinds = [rows(kind, " " + kind, " " + PLURALS[kind]) for kind in KINDS]
        colors = [rows(color, " " + color) for color in COLORS]
        self.groups = [
            (0, self._average(list(map(rows, CHARACTERS)), device)),
            (1, self._average(kinds, device)),
            (2, self._average(colors, device)),
            (5, self._average(list(map(rows, "0123456789")), device)),
            (6, self._average(thirds("top", "center", "bottom"), device)),
            (7, self._average(thirds("left", "center", "right"), device)),
        ]

    @staticmethod
    def _average(rows, device):
        """(words, forms): the tokens of each word, the first repeated where it has fewer than another."""
        most = max(map(len, rows))
        return torch.tensor([row + row[:1] * (most - len(row)) for row in rows], device=device)

    def loss(self, embeddings, features, labels):
        losses = []
        for group, ids in self.groups:
            columns = label_columns(group)
            size = LABEL_SIZES[group]
            known = labels[:, columns]
            present = F.one_hot(known.where(known >= 0, size - 1), size).amax(1)[:, : len(ids)].float()
            something = present.sum(1) > 0
            present, logits = (
                present[something],
                features[something] @ embeddings[ids].mean(1).T * features.shape[1] ** -0.5,
            )
            losses.append(F.cross_entropy(logits, present / present.sum(1, keepdim=True)) if len(present) else 0.0)
        return sum(losses) / len(losses)


def answer_loss(quick, hidden, ids, weights):
    """Weighted cross-entropy of the answers, and the share of their tokens that is guessed right."""
    chosen = weights[:, 1:] > 0
    logits = quick.logits(hidden[:, :-1][chosen])
    target, weight = ids[:, 1:][chosen], weights[:, 1:][chosen]
    losses = F.cross_entropy(logits, target, reduction="none")
    return (losses * weight).sum() / weight.sum(), (logits.argmax(-1) == target).float().mean()
