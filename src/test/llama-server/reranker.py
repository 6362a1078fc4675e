"""A stand-in for the reranker that the tests download: a BERT with random weights and a classification head."""

import struct
from pathlib import Path

import numpy as np

WIDTH = 64
FEED_FORWARD = 128
LAYERS = 2
CONTEXT = 512
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
ALIGNMENT = 32

# Types of values in GGUF files.
UINT32, INT32, FLOAT32, BOOL, STRING, ARRAY = 4, 5, 6, 7, 8, 9


def write_reranker(file: Path) -> Path:
    vocabulary = words()
    tensors = weights(len(vocabulary))
    fields = metadata(vocabulary)
    head = struct.pack("<4sIQQ", b"GGUF", 3, len(tensors), len(fields))
    for key, (kind, value) in fields.items():
        head += text(key) + struct.pack("<I", kind) + encoded(kind, value)
    offset = 0
    for name, tensor in tensors.items():
        extents = tensor.shape[::-1]
        head += text(name) + struct.pack(f"<I{len(extents)}QIQ", len(extents), *extents, 0, offset)
        offset += padded(tensor.nbytes)
    with file.open("wb") as out:
        out.write(head.ljust(padded(len(head)), b"\0"))
        for tensor in tensors.values():
            out.write(tensor.tobytes().ljust(padded(tensor.nbytes), b"\0"))
    return file


def words() -> list[str]:
    """Letters, digits and marks: those that begin a word are marked so, those within one are not."""
    characters = [chr(code) for code in range(ord("!"), ord("A"))] + [chr(code) for code in range(ord("a"), ord("{"))]
    return SPECIAL + ["\u2581" + character for character in characters] + characters


def metadata(vocabulary: list[str]) -> dict[str, tuple[int, object]]:
    types = [3 if word in SPECIAL else 1 for word in vocabulary]
    return {
        "general.architecture": (STRING, "bert"),
        "general.name": (STRING, "Random reranker"),
        "bert.context_length": (UINT32, CONTEXT),
        "bert.embedding_length": (UINT32, WIDTH),
        "bert.feed_forward_length": (UINT32, FEED_FORWARD),
        "bert.block_count": (UINT32, LAYERS),
        "bert.attention.head_count": (UINT32, 2),
        "bert.attention.layer_norm_epsilon": (FLOAT32, 1e-12),
        "bert.attention.causal": (BOOL, False),
        "tokenizer.ggml.model": (STRING, "bert"),
        "tokenizer.ggml.tokens": (ARRAY, (STRING, vocabulary)),
        "tokenizer.ggml.token_type": (ARRAY, (INT32, types)),
        "tokenizer.ggml.token_type_count": (UINT32, 2),
        "tokenizer.ggml.bos_token_id": (UINT32, SPECIAL.index("[CLS]")),
        "tokenizer.ggml.eos_token_id": (UINT32, SPECIAL.index("[SEP]")),
        "tokenizer.ggml.seperator_token_id": (UINT32, SPECIAL.index("[SEP]")),
        "tokenizer.ggml.unknown_token_id": (UINT32, SPECIAL.index("[UNK]")),
        "tokenizer.ggml.padding_token_id": (UINT32, SPECIAL.index("[PAD]")),
    }


def weights(vocabulary: int) -> dict[str, np.ndarray]:
    shapes = {
        "token_embd.weight": (vocabulary, WIDTH),
        "token_types.weight": (2, WIDTH),
        "position_embd.weight": (CONTEXT, WIDTH),
        "token_embd_norm": (WIDTH,),
        "cls": (WIDTH, WIDTH),
        "cls.output": (1, WIDTH),
    }
    for layer in range(LAYERS):
        block = f"blk.{layer}."
        shapes |= {block + name: (WIDTH, WIDTH) for name in ("attn_q", "attn_k", "attn_v", "attn_output")}
        shapes |= {block + name: (WIDTH,) for name in ("attn_output_norm", "layer_output_norm")}
        shapes |= {block + "ffn_up": (FEED_FORWARD, WIDTH), block + "ffn_down": (WIDTH, FEED_FORWARD)}
    random = np.random.default_rng(11)
    found = {}
    for name, shape in shapes.items():
        numbers = random.normal(1 if name.endswith("norm") else 0, 0.2, shape).astype("<f4")
        if name.endswith(".weight"):
            found[name] = numbers
        else:
            found[name + ".weight"] = numbers
            found[name + ".bias"] = random.normal(0, 0.2, shape[0]).astype("<f4")
    return found


def encoded(kind: int, value) -> bytes:
    if kind == STRING:
        return text(value)
    if kind == ARRAY:
        element, values = value
        return struct.pack("<IQ", element, len(values)) + b"".join(encoded(element, each) for each in values)
    return struct.pack({UINT32: "<I", INT32: "<i", FLOAT32: "<f", BOOL: "<?"}[kind], value)


def text(value: str) -> bytes:
    encoded_text = value.encode()
    return struct.pack("<Q", len(encoded_text)) + encoded_text


def padded(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
