#!/usr/bin/env python3
"""Makes the tiny models of the tests and the answers that Hugging Face transformers gives for them.

    make_reference.py LLAMA_CPP_SOURCE [OUTPUT_DIRECTORY] [--demo MODEL_DIRECTORY]

Two vision-language models with random weights are built, LLaVA-1.5 and Qwen2.5-VL, and converted by the
converters of the given llama.cpp tree. Transformers then computes, in float32 on the CPU, what a correct
runtime must reproduce:

    MODEL-F16.gguf, mmproj-MODEL-F16.gguf   the language model and the vision tower with its projector
    MODEL.json                              prompts, token ids, shapes and the names of the files below
    MODEL.IMAGE.pixels.f32                  every PIXEL_STRIDE-th value of the resized, padded and normalized image,
                                            float[3][height][width], from the first
    MODEL.IMAGE.embeddings.f32              image embeddings as the language model receives them,
                                            float[n_image_tokens][n_embd]
    MODEL.IMAGE.logits.f32                  logits of the token after the prompt with the image, float[n_vocab]
    MODEL.text.logits.f32                   logits of the token after the prompt without an image, float[n_vocab]
    MODEL.PROMPT.greedy.f32                 logits before each of the first greedy tokens after a prompt with one image,
                                            with two and with none, float[n_tokens][n_vocab]
    IMAGE.png                               the images, 8-bit RGB

With --demo, the same prompts' greedy answers are computed for the trained model of models/demo, from its folder in the
Hugging Face layout and the pictures of models/demo/examples.

The .f32 files hold little-endian IEEE floats, row after row, and nothing else. In MODEL.json, `prompt` is the text
with llama.cpp's media marker for the image, and `tokens_before` and `tokens_after` are the ids around the image
embeddings that its tokenizer makes of it.

All weights are rounded to F16 before anything is computed, so both sides work with the same numbers and what
differs is the runtime alone. Hidden sizes of the language models are multiples of 256, so that every ggml
quantization type fits. The same seed and the same package versions (requirements.txt) give the same files.
"""

import argparse
import copy
import json
import os
import re
import runpy
import sys
import tempfile
from pathlib import Path
from unittest import mock

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
import sentencepiece
import tokenizers
import torch
import transformers
from PIL import Image
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

SEED = 77  # with it the best token of every prompt leads the second by 0.7 or more
N_VOCAB = 384
GREEDY = 16  # tokens
PIXEL_STRIDE = 61  # divides no width of an image, so that every column is met
EXAMPLES = Path(__file__).parents[4] / "models" / "demo" / "examples"
MEDIA_MARKER = "<__media__>"  # what llama.cpp's mtmd library replaces by the image

CLIP_MEAN = [0.48145466, 0.4578275, 0.40821073]
CLIP_STD = [0.26862954, 0.26130258, 0.27577711]

TEXT_SIZES = dict(
    hidden_size=256,
    intermediate_size=256,
    num_hidden_layers=2,
    num_attention_heads=8,
    num_key_value_heads=2,
    vocab_size=N_VOCAB,
    max_position_embeddings=4096,
    tie_word_embeddings=False,
)

CORPUS = """\
USER: Describe the picture. ASSISTANT: The picture shows a red square on a blue ground.
USER: What colour is the square? ASSISTANT: The square is red.
A chat between a curious user and an assistant. The assistant gives short and helpful answers.
user assistant system tool function name arguments parameters content type text image
You are a helpful assistant. What is in this image? There are three green and yellow squares in the image.
{"name": "weather", "arguments": {"city": "Paris", "unit": "celsius"}}
{"answer": 42, "ok": true, "list": [1, 2, 3], "none": null}
0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 100 1000
Hello! How are you today? I am fine, thank you. And you? Please count from one to ten.
The quick brown fox jumps over the lazy dog; the dog sleeps. Pack my box with five dozen liquor jugs.
"""

QWEN_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message.role + '\\n' -}}
{%- if message.content is string -%}
{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'text' -%}
{{- part.text -}}
{%- elif part.type == 'image' or part.type == 'image_url' -%}
{{- '<|vision_start|><|image_pad|><|vision_end|>' -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- endif -%}
"""

LLAVA_TEMPLATE = """\
{%- for message in messages -%}
{%- if message.role == 'user' -%}
{{- 'USER: ' -}}
{%- elif message.role == 'assistant' -%}
{{- 'ASSISTANT: ' -}}
{%- endif -%}
{%- if message.content is string -%}
{{- message.content -}}
{%- else -%}
{%- for part in message.content -%}
{%- if part.type == 'text' -%}
{{- part.text -}}
{%- elif part.type == 'image' or part.type == 'image_url' -%}
{{- '<image>\\n' -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- eos_token if message.role == 'assistant' else ' ' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- 'ASSISTANT:' -}}
{%- endif -%}
"""


# --- weights ---------------------------------------------------------------------------------------------------


def randomize(model, gains, seed):
    """Draws all weights anew, at scales at which every part of the model shows in its outputs.

    `gains` maps a regular expression on the parameter's name to a factor; the first that is found counts. Matrices
    have standard deviation gain / sqrt(inputs), embeddings gain, norms 1 +- 0.1, biases 0.1.
    """
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in sorted(model.named_parameters()):
            gain = next((factor for pattern, factor in gains if re.search(pattern, name)), 1.0)
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith(".bias"):
                value = 0.1 * noise
            elif "norm" in name or "ln_q" in name or "layrnorm" in name:
                value = 1 + 0.1 * noise
            elif "embed_tokens" in name or "position_embedding" in name or "class_embedding" in name:
                value = gain * noise
            else:
                value = gain * noise / parameter[0].numel() ** 0.5
                if "fc2" in name or "linear_2" in name or "merger.mlp.2" in name:
                    # GELU outputs have a positive mean, which would give all tokens one common direction.
                    value -= value.mean(dim=1, keepdim=True)
            parameter.copy_(value.half().float())
    return model.eval()


# Queries and keys with these gains have dot products with a standard deviation of about 2, so that attention looks
# at a few tokens instead of averaging over all; what it brings weighs as much as the token itself.
TEXT_GAINS = [
    (r"language_model.*[qk]_proj\.weight", 1.5),
    (r"language_model.*[vo]_proj\.weight", 2.0),
    (r"lm_head\.weight", 3.0),
]


def make_llava():
    n_vision_layers = 5
    model = transformers.LlavaForConditionalGeneration(
        transformers.LlavaConfig(
            text_config=transformers.LlamaConfig(
                **TEXT_SIZES, rms_norm_eps=1e-5, bos_token_id=1, eos_token_id=2, pad_token_id=N_VOCAB - 1
            ),
            vision_config=transformers.CLIPVisionConfig(
                hidden_size=64,
                intermediate_size=128,
                num_hidden_layers=n_vision_layers,
                num_attention_heads=2,
                projection_dim=256,
                image_size=70,
                patch_size=14,
                hidden_act="quick_gelu",
            ),
            image_token_id=N_VOCAB - 2,
            vision_feature_layer=-2,
            vision_feature_select_strategy="default",
            tie_word_embeddings=False,
        )
    )
    model.set_attn_implementation("eager")
    # Each layer adds about as much as all before it together, so that leaving one out is plain to see.
    growing = [(rf"vision_tower.*layers\.{i}\..*fc2\.weight", 2.0 ** (i + 1)) for i in range(n_vision_layers)]
    gains = (
        growing
        + TEXT_GAINS
        + [(r"vision_tower.*[qk]_proj\.weight", 1.5), (r"linear_1\.weight", 0.1), (r"linear_2\.weight", 1.5)]
    )
    return randomize(model, gains, SEED)


def make_qwen(tokenizer):
    token = tokenizer.token_to_id
    model = transformers.Qwen2_5_VLForConditionalGeneration(
        transformers.Qwen2_5_VLConfig(
            text_config=dict(
                **TEXT_SIZES,
                rms_norm_eps=1e-6,
                rope_parameters=dict(rope_type="default", rope_theta=1000000.0, mrope_section=[4, 6, 6]),
                bos_token_id=token("<|endoftext|>"),
                eos_token_id=token("<|im_end|>"),
            ),
            vision_config=dict(
                depth=4,
                hidden_size=64,
                intermediate_size=128,
                num_heads=2,
                patch_size=14,
                spatial_merge_size=2,
                temporal_patch_size=2,
                window_size=112,
                out_hidden_size=TEXT_SIZES["hidden_size"],
                fullatt_block_indexes=[1, 3],
            ),
            image_token_id=token("<|image_pad|>"),
            video_token_id=token("<|video_pad|>"),
            vision_start_token_id=token("<|vision_start|>"),
            vision_end_token_id=token("<|vision_end|>"),
            tie_word_embeddings=False,
        )
    )
    model.set_attn_implementation("eager")
    gains = [*TEXT_GAINS, (r"attn\.qkv\.weight", 1.5), (r"merger\.mlp\.2\.weight", 1.5)]
    return randomize(model, gains, SEED + 1)


# --- tokenizers ------------------------------------------------------------------------------------------------


def make_sentencepiece(directory):
    """A SentencePiece BPE vocabulary with byte fallback like LLaMA's; the last two ids are <image> and <pad>."""
    path = directory / "tokenizer.model"
    with path.open("wb") as file:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=iter(CORPUS.splitlines()),
            model_writer=file,
            vocab_size=N_VOCAB - 2,
            model_type="bpe",
            byte_fallback=True,
            character_coverage=1.0,
            normalization_rule_name="identity",
            remove_extra_whitespaces=False,
            split_digits=True,
            num_threads=1,
            minloglevel=2,
        )
    write_json(directory / "added_tokens.json", {"<image>": N_VOCAB - 2, "<pad>": N_VOCAB - 1})
    write_json(
        directory / "tokenizer_config.json",
        {
            "tokenizer_class": "LlamaTokenizer",
            "bos_token": "<s>",
            "eos_token": "</s>",
            "unk_token": "<unk>",
            "add_bos_token": True,
            "add_eos_token": False,
            "chat_template": LLAVA_TEMPLATE,
            "added_tokens_decoder": {
                str(N_VOCAB - 2): {"content": "<image>", "special": True},
                str(N_VOCAB - 1): {"content": "<pad>", "special": True},
            },
        },
    )
    return sentencepiece.SentencePieceProcessor(model_file=str(path))


def make_bpe(directory):
    """A byte-level BPE vocabulary with the pre-tokenizer and the special tokens of Qwen2."""
    specials = [
        "<|endoftext|>",
        "<|im_start|>",
        "<|im_end|>",
        "<|vision_start|>",
        "<|vision_end|>",
        "<|image_pad|>",
        "<|video_pad|>",
    ]
    words = (
        r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )
    tokenizer = tokenizers.Tokenizer(tokenizers.models.BPE())
    tokenizer.normalizer = tokenizers.normalizers.NFC()
    tokenizer.pre_tokenizer = tokenizers.pre_tokenizers.Sequence(
        [
            tokenizers.pre_tokenizers.Split(tokenizers.Regex(words), "isolated"),
            tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = tokenizers.decoders.ByteLevel()
    tokenizer.train_from_iterator(
        CORPUS.splitlines(keepends=True),
        tokenizers.trainers.BpeTrainer(
            vocab_size=N_VOCAB - len(specials),
            initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        ),
    )
    tokenizer.add_special_tokens([tokenizers.AddedToken(token, special=True, normalized=False) for token in specials])
    assert tokenizer.get_vocab_size() == N_VOCAB
    tokenizer.save(str(directory / "tokenizer.json"))
    write_json(
        directory / "tokenizer_config.json",
        {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "add_bos_token": False,
            "chat_template": QWEN_TEMPLATE,
        },
    )
    return tokenizer


# --- conversion by llama.cpp's own scripts ---------------------------------------------------------------------


def run_script(script, *arguments):
    """Runs a script in this process, where its library functions can be replaced."""
    with mock.patch.object(sys, "argv", [str(script), *map(str, arguments)]):
        runpy.run_path(str(script), run_name="__main__")


def convert(llama_cpp, model_directory, outfile, *options):
    from conversion.base import TextModel

    # The converter knows pre-tokenizers by a hash over their vocabulary; it cannot know ours.
    with mock.patch.object(TextModel, "get_vocab_base_pre", lambda self, tokenizer: "qwen2"):
        run_script(
            llama_cpp / "convert_hf_to_gguf.py", model_directory, "--outtype", "f16", "--outfile", outfile, *options
        )


def convert_clip(llama_cpp, model, work, outfile):
    """The converter that made the published LLaVA-1.5 projector files. It writes all vision layers but the last."""
    directory = work / "clip-tiny"
    vision_tower = model.model.vision_tower
    vision_tower.save_pretrained(directory)
    # The converter reads values that transformers leaves out of config.json where they are its defaults.
    vision_tower.config.to_json_file(directory / "config.json", use_diff=False)
    projector = directory / "llava.projector"
    torch.save(
        {
            f"multi_modal_projector.{name}": value
            for name, value in model.model.multi_modal_projector.state_dict().items()
        },
        projector,
    )
    # The converter expects the tower under the name `vision_model`, as up to transformers 4, and drops its last layer.
    nested = torch.nn.Module()
    nested.vision_model = copy.deepcopy(vision_tower)
    with mock.patch.object(transformers.CLIPVisionModel, "from_pretrained", lambda directory: nested):
        run_script(
            llama_cpp / "tools/mtmd/legacy-models/convert_image_encoder_to_gguf.py",
            "--model-dir",
            directory,
            "--clip-model-is-vision",
            "--llava-projector",
            projector,
        )
    (directory / "mmproj-model-f16.gguf").replace(outfile)


# --- images ----------------------------------------------------------------------------------------------------


def make_image(directory, name, width, height, seed):
    """Patches of 7 by 7 pixels in random colours: any two 14 by 14 patches of the vision tower differ widely."""
    generator = np.random.default_rng(seed)
    colours = generator.integers(0, 256, size=((height + 6) // 7, (width + 6) // 7, 3), dtype=np.uint8)
    pixels = np.ascontiguousarray(colours.repeat(7, axis=0).repeat(7, axis=1)[:height, :width])
    Image.fromarray(pixels).save(directory / f"{name}.png")
    return Image.fromarray(pixels)


resize = Image.Image.resize


def resize_horizontally_first(image, size, resample=None, box=None, reducing_gap=None):
    """Always in the order in which Pillow resized before version 13, as when the models were trained.

    Since then it begins vertically where the height shrinks more than the width (python-pillow/Pillow#9549); rounding
    and clipping in between make that another image.
    """
    assert box is None and reducing_gap is None
    return resize(resize(image, (size[0], image.height), resample), size, resample)


# --- references ------------------------------------------------------------------------------------------------


def write_json(path, value):
    text = json.dumps(value, indent=2)
    text = re.sub(r"\[[\d,\s]+\]", lambda numbers: " ".join(numbers[0].split()), text)  # token ids on one line
    path.write_text(text + "\n", encoding="utf-8")


def pixels(inputs):
    """The preprocessed image of a model's inputs, float[3][height][width]."""
    values = inputs["pixel_values"]
    if "image_grid_thw" not in inputs:
        return values[0]
    _, rows, columns = inputs["image_grid_thw"][0].tolist()
    # Patches come in the order of merged ones; a picture's two frames are equal.
    patches = values.reshape(rows // 2, columns // 2, 2, 2, 3, 2, 14, 14)[:, :, :, :, :, 0]
    return patches.permute(4, 0, 2, 5, 1, 3, 6).reshape(3, rows * 14, columns * 14)


def write_pixels(path, values):
    write_floats(path, values.flatten()[::PIXEL_STRIDE])
    return {"file": path.name, "shape": list(values.shape), "every": PIXEL_STRIDE}


def write_floats(path, values):
    array = values.detach().numpy().astype("<f4")
    assert np.isfinite(array).all()
    array.tofile(path)
    return {"file": path.name, "shape": list(array.shape)}


def reference(out, name, model, prompts, image_inputs, image_token, needs_token_types, between):
    """Computes and writes the references of one model.

    `prompts` is (prompt, ids) for text alone and (prompt, ids before, ids after) with an image;
    `image_inputs` maps an image's name to (image, the model's inputs that stand for it).
    """
    (text_prompt, text_ids), (image_prompt, before, after) = prompts
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([text_ids])).logits[0, -1]
        text = {
            "prompt": text_prompt,
            "tokens": text_ids,
            "logits": write_floats(out / f"{name}.text.logits.f32", logits),
        }
        images = []
        for image_name, (image, inputs) in image_inputs.items():
            features = model.model.get_image_features(**inputs, **feature_options(model)).pooler_output
            embeddings = torch.cat(list(features), dim=0)
            ids = torch.tensor([before + [image_token] * len(embeddings) + after])
            types = {"mm_token_type_ids": (ids == image_token).int()} if needs_token_types else {}
            logits = model(input_ids=ids, **inputs, **types).logits[0, -1]
            images.append(
                {
                    "image": f"{image_name}.png",
                    "width": image.width,
                    "height": image.height,
                    "prompt": image_prompt,
                    "tokens_before": before,
                    "tokens_after": after,
                    "pixels": write_pixels(out / f"{name}.{image_name}.pixels.f32", pixels(inputs)),
                    "embeddings": write_floats(out / f"{name}.{image_name}.embeddings.f32", embeddings),
                    "logits": write_floats(out / f"{name}.{image_name}.logits.f32", logits),
                }
            )
    greedy_answers = []
    shown = list(image_inputs)[-2:]
    for prompt_name, names in (("one", shown[:1]), ("two", shown), ("text", [])):
        # Between two images nothing but what mtmd puts there; the last part follows all of them.
        parts = [text_ids] if not names else [before, *[between] * (len(names) - 1), after]
        prompt = text_prompt if not names else image_prompt.replace(MEDIA_MARKER, MEDIA_MARKER * len(names))
        greedy_answers.append(
            greedy(
                out,
                name,
                model,
                prompt_name,
                prompt,
                [f"{n}.png" for n in names],
                parts,
                [image_inputs[n][1] for n in names],
                image_token,
                needs_token_types,
            )
        )
    write_json(
        out / f"{name}.json",
        {
            "model": f"{name}-F16.gguf",
            "mmproj": f"mmproj-{name}-F16.gguf",
            "n_embd": TEXT_SIZES["hidden_size"],
            "n_vocab": N_VOCAB,
            "n_layer": TEXT_SIZES["num_hidden_layers"],
            "media_marker": MEDIA_MARKER,
            "made_with": {"torch": torch.__version__.partition("+")[0], "transformers": transformers.__version__},
            "text": text,
            "images": images,
            "greedy": greedy_answers,
        },
    )


def greedy(out, name, model, prompt_name, prompt, images, parts, inputs, image_token, needs_token_types, end=None):
    """Writes the logits before each of the first GREEDY tokens, up to `end`, and returns their description.

    `parts` are the ids between the images' embeddings, one list more than there are images; `inputs` is the model's
    input for each image.
    """
    keywords = {key: torch.cat([i[key] for i in inputs]) for key in (inputs[0] if inputs else ())}
    ids = list(parts[0])
    with torch.no_grad():
        for part, one in zip(parts[1:], inputs):
            features = model.model.get_image_features(**one, **feature_options(model)).pooler_output
            ids += [image_token] * sum(map(len, features)) + part
        tokens, rows = [], []
        while len(tokens) < GREEDY and (not tokens or tokens[-1] != end):
            input_ids = torch.tensor([ids + tokens])
            types = {"mm_token_type_ids": (input_ids == image_token).int()} if needs_token_types and inputs else {}
            rows.append(model(input_ids=input_ids, **keywords, **types).logits[0, -1])
            tokens.append(int(rows[-1].argmax()))
    return {
        "name": prompt_name,
        "prompt": prompt,
        "images": images,
        "tokens": tokens,
        "logits": write_floats(out / f"{name}.{prompt_name}.greedy.f32", torch.stack(rows)),
    }


def demo(out, directory):
    """Greedy answers of the trained model to questions about pictures of its examples."""
    name = "luq-demo"
    model = transformers.Qwen2_5_VLForConditionalGeneration.from_pretrained(directory, dtype=torch.float32).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.half().float())
    tokenizer = transformers.AutoTokenizer.from_pretrained(directory)
    processor = Qwen2VLImageProcessorPil.from_pretrained(directory)
    prompts = [
        ("one", ["describe.png"], "Describe the image."),
        ("two", ["word.png", "describe.png"], "What is in the second image?"),
        ("text", [], "Spell HOUSE backwards."),
    ]
    descriptions = []
    for prompt_name, images, question in prompts:
        marked = f"<|vision_start|>{MEDIA_MARKER}<|vision_end|>" * len(images)
        text = f"<|im_start|>user\n{marked}{question}<|im_end|>\n<|im_start|>assistant\n"
        inputs = []
        for image in images:
            with Image.open(EXAMPLES / image) as picture:
                inputs.append(dict(processor(picture.convert("RGB"), return_tensors="pt")))
        parts = [tokenizer.encode(part, add_special_tokens=False) for part in text.split(MEDIA_MARKER)]
        # mtmd itself puts an image between the tokens of its start and end.
        prompt = text.replace(f"<|vision_start|>{MEDIA_MARKER}<|vision_end|>", MEDIA_MARKER)
        descriptions.append(
            greedy(
                out,
                name,
                model,
                prompt_name,
                prompt,
                images,
                parts,
                inputs,
                model.config.image_token_id,
                True,
                tokenizer.eos_token_id,
            )
        )
    write_json(out / f"{name}.json", {"greedy": descriptions})


def feature_options(model):
    """LLaVA's get_image_features takes the layer and the selection from its caller, not from the configuration."""
    if isinstance(model, transformers.LlavaForConditionalGeneration):
        return {
            "vision_feature_layer": model.config.vision_feature_layer,
            "vision_feature_select_strategy": model.config.vision_feature_select_strategy,
        }
    return {}


def llava(llama_cpp, out, work):
    name = "llava-tiny"
    directory = work / name
    directory.mkdir()
    tokenizer = make_sentencepiece(directory)
    model = make_llava()
    model.save_pretrained(directory)
    convert(llama_cpp, directory, out / f"{name}-F16.gguf")
    convert_clip(llama_cpp, model, work, out / f"mmproj-{name}-F16.gguf")

    # Squares of the tower's own size need no preprocessing. An image whose longer side has that size is padded to
    # a square with the mean colour, as in LLaVA-1.5's own evaluation, and needs no resampling.
    # Larger and smaller squares are scaled, bicubically; 150 by 100 and 72 by 90 pixels need both, padding first.
    images = {
        "large-154x154": make_image(out, "large-154x154", 154, 154, 6),
        "odd-100x100": make_image(out, "odd-100x100", 100, 100, 10),
        "odd-150x100": make_image(out, "odd-150x100", 150, 100, 5),
        "small-42x42": make_image(out, "small-42x42", 42, 42, 7),
        "small-72x90": make_image(out, "small-72x90", 72, 90, 9),
        "square-70x70": make_image(out, "square-70x70", 70, 70, 1),
        "wide-70x42": make_image(out, "wide-70x42", 70, 42, 2),
    }
    processor = LlavaImageProcessorPil(
        do_pad=True,
        size={"shortest_edge": 70},
        crop_size={"height": 70, "width": 70},
        image_mean=CLIP_MEAN,
        image_std=CLIP_STD,
    )
    inputs = {
        key: (image, {"pixel_values": processor(image, return_tensors="pt")["pixel_values"]})
        for key, image in images.items()
    }

    bos = [tokenizer.bos_id()]
    before, after = "USER: ", "\nDescribe the picture. ASSISTANT:"
    text = "USER: What colour is the square? ASSISTANT:"
    prompts = (
        (text, bos + tokenizer.encode(text)),
        (before + MEDIA_MARKER + after, bos + tokenizer.encode(before), tokenizer.encode(after)),
    )
    reference(out, name, model, prompts, inputs, N_VOCAB - 2, needs_token_types=False, between=[])


def qwen(llama_cpp, out, work):
    name = "qwen2.5-vl-tiny"
    directory = work / name
    directory.mkdir()
    tokenizer = make_bpe(directory)
    model = make_qwen(tokenizer)
    model.save_pretrained(directory)
    processor = Qwen2VLImageProcessorPil(image_mean=CLIP_MEAN, image_std=CLIP_STD)
    processor.save_pretrained(directory)
    convert(llama_cpp, directory, out / f"{name}-F16.gguf")
    convert(llama_cpp, directory, out / f"mmproj-{name}-F16.gguf", "--mmproj")

    # Sides that are multiples of 28 need no resampling; the others are stretched.
    # Attention windows are 112 pixels wide: each image has several.
    images = {
        "small-72x90": make_image(out, "small-72x90", 72, 90, 9),
        "large-333x219": make_image(out, "large-333x219", 333, 219, 8),
        "square-140x140": make_image(out, "square-140x140", 140, 140, 3),
        "tall-84x196": make_image(out, "tall-84x196", 84, 196, 4),
        "odd-150x100": make_image(out, "odd-150x100", 150, 100, 5),
    }
    inputs = {key: (image, dict(processor(image, return_tensors="pt"))) for key, image in images.items()}

    def encode(text):
        return tokenizer.encode(text).ids

    before, after = "<|im_start|>user\n", "Describe the picture.<|im_end|>\n<|im_start|>assistant\n"
    text = "<|im_start|>user\nWhat colour is the square?<|im_end|>\n<|im_start|>assistant\n"
    prompts = (
        (text, encode(text)),
        (before + MEDIA_MARKER + after, encode(before + "<|vision_start|>"), encode("<|vision_end|>" + after)),
    )
    reference(
        out,
        name,
        model,
        prompts,
        inputs,
        model.config.image_token_id,
        needs_token_types=True,
        between=encode("<|vision_end|><|vision_start|>"),
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("llama_cpp", type=Path, help="source tree of llama.cpp")
    parser.add_argument("out", type=Path, nargs="?", default=Path(__file__).parent, help="default: beside this file")
    parser.add_argument("--demo", type=Path, help="folder of the trained demo model; makes its references alone")
    options = parser.parse_args()
    if options.demo:
        demo(options.out, options.demo)
        return
    llama_cpp = options.llama_cpp.resolve()
    sys.path[:0] = [str(llama_cpp), str(llama_cpp / "gguf-py")]
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    resized = mock.patch.object(Image.Image, "resize", resize_horizontally_first)
    with tempfile.TemporaryDirectory() as work, resized:
        llava(llama_cpp, options.out, Path(work))
        qwen(llama_cpp, options.out, Path(work))


if __name__ == "__main__":
    main()
