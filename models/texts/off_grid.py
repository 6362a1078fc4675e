"""Writes the same function with weights that lie on no grid of blocks.

    pip install numpy gguf
    python3 off_grid.py MODEL-F16.gguf OFF-GRID-F16.gguf

A base that was quantized once lies on the grid of its type, which meets it again without an error: a comparison of
types would be about the past of the weights. So each input channel of a matrix is multiplied by a number between 0.8
and 1.25, drawn once, and what feeds it is divided by that: the weights of the norm before queries, keys, values, gate
and up; the rows of up before down; the rows of values before the output of attention. In the numbers of F16 nothing
else changes. Embeddings stay as they are. For models of the architectures llama and qwen2.
"""

import shutil
import sys
from pathlib import Path

import gguf
import numpy as np

MOST = 1.25
TYPES = (gguf.GGMLQuantizationType.F32, gguf.GGMLQuantizationType.F16)


def main(source, target):
    base = gguf.GGUFReader(source)
    architecture = base.fields["general.architecture"].contents()
    if architecture not in ("llama", "qwen2") or any(tensor.tensor_type not in TYPES for tensor in base.tensors):
        sys.exit(f"{source} is no F16 model of the architecture llama or qwen2; llama-quantize makes F16")
    if Path(target).exists() and Path(target).samefile(source):
        sys.exit(f"{target} is the model itself; name another file")
    heads = base.fields[architecture + ".attention.head_count"].contents()
    unfinished = Path(target + ".unfinished")
    shutil.copyfile(source, unfinished)
    reader = gguf.GGUFReader(unfinished, "r+")
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    random = np.random.default_rng(1)

    def factors(count):
        return np.exp(random.uniform(-np.log(MOST), np.log(MOST), count)).astype(np.float32)

    def multiply(name, by):
        if name.endswith(".bias") and name not in tensors:
            return
        tensors[name][:] = (tensors[name].astype(np.float32) * by).astype(tensors[name].dtype)

    layer = 0
    while f"blk.{layer}.attn_norm.weight" in tensors:
        at = f"blk.{layer}."
        for norm, readers in (("attn_norm", ("attn_q", "attn_k", "attn_v")), ("ffn_norm", ("ffn_gate", "ffn_up"))):
            channels = factors(len(tensors[at + norm + ".weight"]))
            multiply(at + norm + ".weight", 1 / channels)
            for matrix in readers:
                multiply(f"{at}{matrix}.weight", channels)

        hidden = factors(len(tensors[at + "ffn_up.weight"]))
        multiply(at + "ffn_up.weight", 1 / hidden[:, None])
        multiply(at + "ffn_up.bias", 1 / hidden)
        multiply(at + "ffn_down.weight", hidden)

        values = len(tensors[at + "attn_v.weight"])
        width = tensors[at + "attn_output.weight"].shape[1] // heads
        read = factors(values)
        multiply(at + "attn_v.weight", 1 / read[:, None])
        multiply(at + "attn_v.bias", 1 / read)
        shared = heads * width // values  # heads that read the same values
        multiply(at + "attn_output.weight", np.repeat(read.reshape(-1, width), shared, axis=0).ravel())
        layer += 1
    reader.data.flush()
    unfinished.replace(target)
    print(f"{layer} layers")


if __name__ == "__main__":
    main(*sys.argv[1:])
