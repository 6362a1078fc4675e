"""The way back from a folder's two GGUF files into the Hugging Face model: the inverse of llama.cpp's converter.

    shipped.py --gguf ../demo --model RUN/model --llama-cpp LLAMA_CPP

checks that a model's GGUF files give back its very weights: matrices as rounded to F16, vectors to the bit.
"""

import argparse
import re
import sys
from pathlib import Path

import torch

# Per weight of a vision block, its name in GGUF; attn.qkv is three of them there.
BLOCK = {
    "norm1": "ln1",
    "norm2": "ln2",
    "attn.proj": "attn_out",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
MERGER = {"ln_q": "v.post_ln", "mlp.0": "mm.0", "mlp.2": "mm.2"}


def sources(name):
    """The GGUF names of a vision parameter's parts, and the dimension along which they lie; None: it is one part."""
    if name == "patch_embed.proj.weight":  # one two-dimensional convolution per frame
        return ["v.patch_embd.weight", "v.patch_embd.weight.1"], 2
    block = re.fullmatch(r"blocks\.(\d+)\.(.+)\.(weight|bias)", name)
    if block and block[2] == "attn.qkv":
        return [f"v.blk.{block[1]}.attn_{part}.{block[3]}" for part in "qkv"], 0
    if block:
        return [f"v.blk.{block[1]}.{BLOCK[block[2]]}.{block[3]}"], None
    _, module, kind = re.fullmatch(r"(merger)\.(.+)\.(weight|bias)", name).groups()
    return [f"{MERGER[module]}.{kind}"], None


def vision_value(name, values):
    names, dimension = sources(name)
    parts = [values[n] for n in names]
    if dimension is None:
        return parts[0]
    return torch.stack(parts, dimension) if name.startswith("patch_embed") else torch.cat(parts, dimension)


def names_of(model):
    """The tensors that the model's two files hold."""
    import quantized

    language = {quantized.gguf_name(name) for name, _ in model.model.language_model.named_parameters()}
    vision = {part for name, _ in model.model.visual.named_parameters() for part in sources(name)[0]}
    return language | {"output.weight"}, vision


def load(model, tokenizer, folder):
    """Puts the weights of the folder's two GGUF files into the model. gguf-py must be on the path.

    Raises ValueError unless the folder holds one pair, made of a model of this shape and vocabulary.
    """
    import quantized

    files = sorted(folder.glob("*.gguf"), key=lambda file: file.name.startswith("mmproj"))
    if [file.name.startswith("mmproj") for file in files] != [False, True]:
        raise ValueError(f"{folder} holds {len(files)} GGUF files where a model and its mmproj-*.gguf are wanted")
    words = quantized.vocabulary(files[0])
    if words[: len(tokenizer)] != tokenizer.convert_ids_to_tokens(range(len(tokenizer))):
        raise ValueError(f"{files[0]} has another vocabulary: its word embeddings mean other words")
    (language, _), (vision, _) = map(quantized.read, files)
    for file, values, wanted in zip(files, (language, vision), names_of(model)):
        if values.keys() != wanted:
            raise ValueError(f"{file} is of another preset: {min(values.keys() ^ wanted)}")
    quantized.insert(model, language)
    with torch.no_grad():
        for name, parameter in model.model.visual.named_parameters():
            parameter.copy_(vision_value(name, vision))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--gguf", type=Path, required=True, help="folder of the F16 GGUF files")
    parser.add_argument("--model", type=Path, required=True, help="the model they were made of, Hugging Face layout")
    parser.add_argument("--llama-cpp", type=Path, required=True, help="source tree of llama.cpp, for gguf-py")
    options = parser.parse_args()
    sys.path.insert(0, str(options.llama_cpp / "gguf-py"))
    import measure

    model, tokenizer = measure.load(options.model)
    wanted = {name: value.detach().clone() for name, value in model.named_parameters()}
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)  # what is forgotten shows
    load(model, tokenizer, options.gguf)
    for name, parameter in model.named_parameters():
        value = wanted[name].half().float() if parameter.ndim > 1 else wanted[name]
        if not torch.equal(parameter, value):
            raise SystemExit(f"{name} differs by up to {(parameter - value).abs().max().item()}")
    print(f"{len(wanted)} tensors, {sum(value.numel() for value in wanted.values())} weights: all the same")


if __name__ == "__main__":
    main()
