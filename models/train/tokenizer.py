"""The tokenizer: byte-level BPE with Qwen2's pre-tokenizer, trained on the generated text."""

import re
from collections import Counter
from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2TokenizerFast

import dialogues
import texts
from facts import facts
from scenes import COLORS, KINDS, PLACES, TRAIN, generator, random_grid, random_scene

SPECIAL = (
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
VOCABULARY = 4096
NAME_COUNT = 300  # weight of each word that must be one token: colours, kinds, places, learnt names
OFTEN = 8  # a word said so often is one of them
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def said(scene_count=3000):
    """Questions and answers of every kind; capitals that are spelled or read are left out and stay single letters."""
    for index in range(scene_count):
        rng = generator(TRAIN, index)
        scenes = [random_scene(rng, random_grid(rng)) for _ in range(2)]
        turns = dialogues.asker(scenes[0], rng).any_dialogue() + texts.any_dialogue(rng)
        turns += dialogues.AboutTwo(scenes, rng).any_dialogue() if index % 4 == 0 else []
        for question, answer in turns:
            for text in (dialogues.vary(question, rng), answer):
                yield re.sub("[A-Z]{2,}", "", text)


def corpus():
    """Every kind of text that the model reads or writes, with weight on the words that answers turn on."""
    words = Counter()
    for text in said():
        yield text
        words.update(re.findall(" ?[A-Za-z]{2,}", text))
    for word, count in words.items():
        if count >= OFTEN:
            yield f"{word}\n" * NAME_COUNT
    yield from texts.SYSTEM_PROMPTS
    yield "system\nuser\nassistant\n" * 100
    for word in (*KINDS, *dialogues.PLURALS.values(), *COLORS, *" ".join(PLACES).split()):
        yield f"{word}\n {word}\n" * NAME_COUNT
    for country, answers in facts().items():
        yield f" {country}" * NAME_COUNT
        for answer in answers.values():
            yield (answer + "\n") * NAME_COUNT


def build():
    """A tokenizer of VOCABULARY tokens, special ones first-class, with the chat template attached."""
    core = Tokenizer(models.BPE())
    core.normalizer = normalizers.NFC()
    core.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(QWEN2_SPLIT), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    core.decoder = decoders.ByteLevel()
    core.train_from_iterator(
        corpus(),
        trainers.BpeTrainer(
            vocab_size=VOCABULARY - len(SPECIAL),
            min_frequency=1,
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    core.add_special_tokens(list(SPECIAL))
    tokenizer = Qwen2TokenizerFast(
        tokenizer_object=core,
        unk_token=None,
        bos_token=None,
        add_bos_token=False,
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        extra_special_tokens=list(SPECIAL),
        model_max_length=4096,
    )
    tokenizer.chat_template = (Path(__file__).parent / "chat_template.jinja").read_text()
    return tokenizer
