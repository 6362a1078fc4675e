"""Models of several sizes as replicas, one on a machine like those of docs/measured.md: two processors."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from replica import Costs, Shape

DEMO = Path(__file__).parent / "demo.json"
"""Costs of the demo model, as scale calibrate writes them."""

DISK = 1e9
"""Bytes that are read in a second, of a model at its start and of a prompt's file: assumed."""
POD = 20.0
"""Seconds from a pod's creation to its first process, and to the readiness probe after the start: assumed, the image is
on the node."""


@dataclass(frozen=True)
class Model:
    name: str
    costs: Costs
    shape: Shape
    memory: int
    """Bytes of a replica with its processes."""
    file_bytes: int
    start: float
    """Seconds that the processes take to be ready, the model's file in memory."""
    context: int = Shape.context
    """Tokens that its slots share. Replicas of the simulation have those of shape: conversations fit into either."""

    def seconds_to_ready(self) -> float:
        return POD + self.start + self.file_bytes / DISK


def demo() -> Model:
    """
    Memory: the chart's estimate. Start: 1.8 s (bench first-answer). Keys and values of 16 layers, 2 heads of 64, take
    8 KiB a token at F16, the embeddings of a picture 1 KiB.
    """
    return Model(
        name="demo model, F16",
        costs=Costs(**json.loads(DEMO.read_text())),
        shape=Shape(picture_bytes=100 << 10, cell_bytes=8 << 10),
        memory=400 << 20,
        file_bytes=34 << 20,
        start=1.8,
        context=4096,
    )


def seven_billion(name: str, tokens: float, prompt_tokens: float, memory: float) -> Model:
    """
    Qwen2.5-VL-7B's shape.

    tokens: of one stream in a second (bench decode --shape qwen2.5-vl-7b); prompt_tokens: in a second, of prompts of
    512 (bench prefill); memory: GiB resident, measured with them

    A token of a batch takes what a token of a prompt takes; what is left of a step of one token is the step's own. A
    picture of 256 tokens takes 0.43 s of 8 of 32 layers (bench image-growth). Keys and values take 56 KiB a token,
    embeddings of a picture 14 KiB (docs/configuration.md). What a request takes beside
    is assumed, and small. Steps vary as the quartiles of bench decode do.
    """
    prefill = 1 / prompt_tokens
    return Model(
        name=name,
        costs=Costs(
            request=0.005,
            latency=0.01,
            step=1 / tokens - prefill,
            decode=prefill,
            prefill=prefill,
            encode=0.43 * 32 / 8,
            picture=0.05,
            restore=(56 << 10) / DISK,
            spread=0.07,
        ),
        shape=Shape(picture_bytes=256 * (14 << 10), cell_bytes=56 << 10),
        memory=int(memory * 2**30),
        file_bytes=int((memory - 0.4) * 2**30),
        start=1.8,
    )


def luq() -> Model:
    return seven_billion("7B, 12 of 28 layers at IQ1_M", 11.1, 69.4, 3.75)


def q4_k_m() -> Model:
    """With our kernels: 1.15 times the tokens of stock llama.cpp's 7.9, and 2.62 times its 23.6 of prompts."""
    return seven_billion("7B, Q4_K_M", 1.15 * 7.9, 2.62 * 23.6, 4.54)
