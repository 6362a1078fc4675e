"""GGUF files of other precisions: importance matrices, llama.cpp's quantizer, and the way back into torch.

gguf-py must be on the path; the quantizer is libllama's own llama_model_quantize, which llama-quantize wraps too.
"""

import ctypes
import re

import gguf
import numpy as np
import torch

# Per weight of the Hugging Face layout, its name in GGUF.
NAMES = {
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
    "input_layernorm": "attn_norm",
    "post_attention_layernorm": "ffn_norm",
}
# llama_ftype of llama.h. The last two put the seven matrices of every layer into the one type, as a low layer of a
# layered model has them; the others are the recipes of those names.
FILE_TYPES = {"Q8_0": 7, "Q4_K_M": 15, "IQ3_M": 27, "Q2_K": 10, "IQ2_XXS": 19, "IQ1_M": 31}
PURE = ("IQ2_XXS", "IQ1_M")


class _Imatrix(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("data", ctypes.POINTER(ctypes.c_float)), ("size", ctypes.c_size_t)]


class _Parameters(ctypes.Structure):
    """llama_model_quantize_params"""

    _fields_ = [
        ("nthread", ctypes.c_int32),
        ("ftype", ctypes.c_int),
        ("output_tensor_type", ctypes.c_int),
        ("token_embedding_type", ctypes.c_int),
        ("allow_requantize", ctypes.c_bool),
        ("quantize_output_tensor", ctypes.c_bool),
        ("only_copy", ctypes.c_bool),
        ("pure", ctypes.c_bool),
        ("keep_split", ctypes.c_bool),
        ("dry_run", ctypes.c_bool),
        ("imatrix", ctypes.POINTER(_Imatrix)),
        ("kv_overrides", ctypes.c_void_p),
        ("tt_overrides", ctypes.c_void_p),
        ("prune_layers", ctypes.c_void_p),
        ("max_buf_size", ctypes.c_size_t),
    ]


def quantize(libllama, source, target, name, importance, threads=2):
    """Writes `source` in the file type `name`; `importance` is {tensor: mean squares of its inputs}."""
    library = ctypes.CDLL(str(libllama))
    library.llama_model_quantize_default_params.restype = _Parameters
    library.llama_backend_init()
    parameters = library.llama_model_quantize_default_params()
    parameters.nthread, parameters.ftype = threads, FILE_TYPES[name]
    if name in PURE:
        parameters.pure = True
        parameters.output_tensor_type = parameters.token_embedding_type = int(gguf.GGMLQuantizationType.Q6_K)
    arrays = [(tensor.encode(), np.ascontiguousarray(values, np.float32)) for tensor, values in importance.items()]
    table = (_Imatrix * (len(arrays) + 1))()  # ended by a null name
    for entry, (tensor, values) in zip(table, arrays):
        entry.name, entry.size = tensor, values.size
        entry.data = values.ctypes.data_as(ctypes.POINTER(ctypes.c_float))
    parameters.imatrix = table
    code = library.llama_model_quantize(str(source).encode(), str(target).encode(), ctypes.byref(parameters))
    if code:
        raise RuntimeError(f"llama_model_quantize gave {code} for {name}")


def gguf_name(name):
    """The GGUF name of a language model's parameter, or None."""
    layer = re.fullmatch(r"layers\.(\d+)\.(.+)\.(weight|bias)", name)
    if layer:
        return f"blk.{layer[1]}.{NAMES[layer[2]]}.{layer[3]}"
    return {"embed_tokens.weight": "token_embd.weight", "norm.weight": "output_norm.weight"}.get(name)


def read(path):
    """{tensor: float32 tensor} of a GGUF file, dequantized, and {tensor: type}."""
    reader = gguf.GGUFReader(path)
    values = {
        t.name: torch.from_numpy(np.array(gguf.dequantize(t.data, t.tensor_type), np.float32)) for t in reader.tensors
    }
    return values, {t.name: t.tensor_type.name for t in reader.tensors}


def vocabulary(path):
    """The tokens of a language model's GGUF file."""
    return gguf.GGUFReader(path).fields["tokenizer.ggml.tokens"].contents()


def insert(model, values, layers=None):
    """Puts the values of a GGUF file into the language model; with `layers`, into these alone."""
    with torch.no_grad():
        for name, parameter in model.model.language_model.named_parameters():
            target = gguf_name(name)
            if layers is None or any(target.startswith(f"blk.{i}.") for i in layers):
                parameter.copy_(values[target].reshape(parameter.shape))
        if layers is None:
            model.lm_head.weight.copy_(values["output.weight"])


@torch.inference_mode()
def importance(measure, model):
    """{tensor: (sums of the squares of its inputs, count)} over every token of the measure's lines."""
    sums, hooks = {}, []

    def watch(name):
        def hook(module, inputs):
            x = inputs[0].flatten(0, -2)
            total, count = sums.get(name, (0.0, 0))
            sums[name] = (total + x.double().square().sum(0), count + len(x))

        return hook

    for name, module in model.model.language_model.named_modules():
        if isinstance(module, torch.nn.Linear):
            hooks.append(module.register_forward_pre_hook(watch(gguf_name(name + ".weight"))))
    for line, sequence in zip(measure.lines, measure.sequences):
        ids = torch.tensor([sequence.ids])
        x = model.model.language_model.embed_tokens(ids)
        if line.images:
            x[ids == measure.token] = torch.cat([measure.features[name] for name in line.images])
        positions = torch.tensor(sequence.positions).T[:, None]
        model.model.language_model(inputs_embeds=x, position_ids=positions, use_cache=False)
    for hook in hooks:
        hook.remove()
    return {name: (total.float().numpy(), count) for name, (total, count) in sums.items()}


def added(first, second):
    """The importance matrix of both data sets, each with the same weight per token."""
    return {name: (first[name][0] + second[name][0], first[name][1] + second[name][1]) for name in first}


def write_importance(path, sums, dataset, chunks):
    """llama.cpp's GGUF importance matrix."""
    writer = gguf.GGUFWriter(path, "imatrix")
    writer.add_type("imatrix")
    writer.add_array("imatrix.datasets", [dataset])
    writer.add_uint32("imatrix.chunk_count", chunks)
    writer.add_uint32("imatrix.chunk_size", 1)
    for name, (total, count) in sums.items():
        writer.add_tensor(f"{name}.in_sum2", total[None])
        writer.add_tensor(f"{name}.counts", np.array([[count]], np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def means(sums):
    return {name: total / count for name, (total, count) in sums.items()}
