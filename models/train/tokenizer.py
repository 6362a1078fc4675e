"""The tokenizer: byte-level BPE with Qwen2's pre-tokenizer, trained on the generated text."""

from pathlib import Path

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
from transformers import Qwen2TokenizerFast

import dialogues
from scenes import TRAIN, generator, random_scene

SPECIAL = (
    "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>",
    "<|video_pad|>",
)
VOCABULARY = 1024
QWEN2_SPLIT = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


def corpus(scene_count=4000):
    """Every kind of text that the model reads or writes."""
    for index in range(scene_count):
        rng = generator(TRAIN, index)
        scene = random_scene(rng)
        asker = dialogues.Asker(scene, rng)
        turns = [t for c in asker.CATEGORIES for t in asker.dialogue(c) or ()]
        turns += dialogues.small_talk(rng) + dialogues.two_images(scene, random_scene(rng), rng)
        for question, answer in turns:
            yield dialogues.vary(question, rng)
            yield answer
    for prompt in dialogues.SYSTEM_PROMPTS:
        yield prompt
    yield "system\nuser\nassistant\n"


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
