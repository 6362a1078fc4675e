"""The model's shape, and a forward pass for training that computes the same more quickly.

Every matrix of the language model has a multiple of 256 columns: each GGUF quantization type applies to it.
"""

import torch
from torch.nn import functional as F
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil
from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as qwen

PATCH = 14
MERGE = 2
WINDOW = 112  # pixels
# What llama.cpp assumes for this architecture: 8 to 4096 tokens an image.
MIN_PIXELS = 8 * (PATCH * MERGE) ** 2
MAX_PIXELS = 4096 * (PATCH * MERGE) ** 2
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
PRESETS = {
    "tiny": dict(layers=2, width=256, vision_layers=2),
    "demo": dict(layers=16, width=256, vision_layers=6),
    "large": dict(layers=16, width=512, vision_layers=8),
}


def configuration(tokenizer, preset):
    """A small Qwen2.5-VL."""
    shape = PRESETS[preset]
    ids = {
        name: tokenizer.convert_tokens_to_ids(f"<|{name}|>")
        for name in ("im_end", "endoftext", "vision_start", "vision_end", "image_pad", "video_pad")
    }
    return Qwen2_5_VLConfig(
        text_config=dict(
            vocab_size=(len(tokenizer) + 63) // 64 * 64,
            hidden_size=shape["width"],
            intermediate_size=2 * shape["width"],
            num_hidden_layers=shape["layers"],
            num_attention_heads=shape["width"] // 64,
            num_key_value_heads=shape["width"] // 128,
            max_position_embeddings=4096,
            rms_norm_eps=1e-6,
            rope_parameters=dict(rope_type="default", rope_theta=10000.0, mrope_section=[8, 12, 12]),
            use_sliding_window=False,
            tie_word_embeddings=False,
            bos_token_id=ids["endoftext"],
            eos_token_id=ids["im_end"],
            pad_token_id=ids["endoftext"],
        ),
        vision_config=dict(
            depth=shape["vision_layers"],
            hidden_size=256,
            intermediate_size=512,
            num_heads=4,
            patch_size=PATCH,
            spatial_merge_size=MERGE,
            temporal_patch_size=2,
            window_size=WINDOW,
            fullatt_block_indexes=list(range(1, shape["vision_layers"], 2)),
            out_hidden_size=shape["width"],
            hidden_act="silu",
        ),
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=ids["vision_end"],
        tie_word_embeddings=False,
    )


def image_processor():
    return Qwen2VLImageProcessorPil(
        patch_size=PATCH,
        merge_size=MERGE,
        temporal_patch_size=2,
        size={"shortest_edge": MIN_PIXELS, "longest_edge": MAX_PIXELS},
        image_mean=list(MEAN),
        image_std=list(STD),
    )


def build(tokenizer, preset="demo"):
    model = Qwen2_5_VLForConditionalGeneration(configuration(tokenizer, preset))
    model.generation_config.eos_token_id = [model.config.text_config.eos_token_id]
    model.generation_config.pad_token_id = model.config.text_config.pad_token_id
    return model


def prepare(model):
    """Initial values under which the language model sees what it is shown.

    Words begin as large as the features of pictures, and every layer begins by passing its input on: what the first
    layers add before they have learnt anything would otherwise drown both. It also lets training begin with every
    second layer alone.
    """
    language = model.model.language_model
    with torch.no_grad():
        language.embed_tokens.weight.normal_(0, 0.7)
        for layer in language.layers:
            layer.self_attn.o_proj.weight.zero_()
            layer.mlp.down_proj.weight.zero_()


def whiten(model, pixels):
    """Sets the patch embedding to the whitened principal components of `pixels` (patches, 2 * 3 * 14 * 14), for good.

    A patch is mostly its mean colour; edges, which tell shapes and letters, are a hundredth of its variance. Told
    apart from the start, they are learnt several times sooner (Jordan, 2024, arXiv 2404.00498, does so for CIFAR).
    """
    weight = model.model.visual.patch_embed.proj.weight
    frames = pixels.double().unflatten(1, (3, 2, -1))[:, :, 0].flatten(1)  # both frames of a picture are equal
    frames = frames[torch.randperm(len(frames))[:40_000]]
    values, vectors = torch.linalg.eigh(frames.T @ frames / len(frames))
    values, vectors = values.flip(0)[: len(weight)], vectors.flip(1)[:, : len(weight)]
    filters = (vectors / (values + 0.05).sqrt()).T
    with torch.no_grad():
        both = filters.unflatten(1, (3, 1, PATCH, PATCH)).expand(-1, -1, 2, -1, -1) / 2
        weight.copy_(0.5 * both)
    print("whitened", [round(v, 3) for v in values[[0, 1, 3, 10, 30, 100, 255]].tolist()])


def norm(x, weight):
    x = x.float()
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * weight


def rotate(x, cos, sin):
    first, second = x.chunk(2, -1)
    return x * cos + torch.cat((-second, first), -1) * sin


def attend(query, key, value, mask):
    """(batch, heads, length, size) of the values; a key head may serve several query heads.

    On a processor the products are written out: in bfloat16 the library's one function takes three times as long.
    """
    if query.is_cuda:
        return F.scaled_dot_product_attention(query, key, value, mask.to(query.dtype), enable_gqa=True)
    shared = query.shape[1] // key.shape[1]
    key, value = (t.repeat_interleave(shared, 1) if shared > 1 else t for t in (key, value))
    scores = (query @ key.mT).float() * query.shape[-1] ** -0.5 + mask
    return scores.softmax(-1).to(value.dtype) @ value


def block(
    x,
    cos,
    sin,
    mask,
    dtype,
    heads,
    kv_heads,
    norm1,
    qkv,
    qkv_bias,
    out,
    out_bias,
    norm2,
    gate_up,
    gate_up_bias,
    down,
    down_bias,
):
    """A transformer block, of the language model or of the vision tower: products in `dtype`, the rest in float32."""

    def linear(value, weight, bias):
        return F.linear(value.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype))

    batch, length, width = x.shape
    both = linear(norm(x, norm1), qkv, qkv_bias).unflatten(-1, (heads + 2 * kv_heads, -1))
    query, key, value = both.split((heads, kv_heads, kv_heads), 2)
    query = rotate(query.float(), cos, sin).to(dtype).transpose(1, 2)
    key = rotate(key.float(), cos, sin).to(dtype).transpose(1, 2)
    value = value.transpose(1, 2)
    mixed = attend(query, key, value, mask)
    mixed = mixed.transpose(1, 2).reshape(batch, length, width)
    x = x + linear(mixed, out, out_bias).float()
    gate, up = linear(norm(x, norm2), gate_up, gate_up_bias).chunk(2, -1)
    return x + linear(F.silu(gate.float()) * up.float(), down, down_bias).float()


class Quick:
    """The model's two forward passes for batches whose pictures have one token grid.

    Windows become a mask over the picture's patches, and the blocks are one function that can be compiled: with
    matrices this small the library spends its time between the products.
    """

    def __init__(self, model, dtype=torch.bfloat16, compiled=False):
        self.model = model
        self.dtype = dtype
        self.block = torch.compile(block, dynamic=True) if compiled else block
        self.language = model.model.language_model
        self.visual = model.model.visual
        self.layers = list(self.language.layers)  # those that run

    def features(self, pixels, grid):
        """(pictures * tokens, width): what the language model gets of pictures of `grid` = (rows, columns) tokens."""
        rows, columns = grid
        visual, device = self.visual, pixels.device
        config = visual.config
        x = F.linear(pixels.to(self.dtype), visual.patch_embed.proj.weight.flatten(1).to(self.dtype)).float()
        x = x.unflatten(0, (-1, rows * columns * MERGE**2))
        sizes = torch.tensor([(1, rows * MERGE, columns * MERGE)], device=device)
        positions = qwen.get_vision_position_ids(sizes, MERGE, kwargs={})
        cos, sin = (t.float()[None, :, None, :] for t in visual.rotary_pos_emb(x[0], positions))
        side = WINDOW // (PATCH * MERGE)
        y, x_ = torch.meshgrid(torch.arange(rows), torch.arange(columns), indexing="ij")
        window = (y // side * columns + x_ // side).flatten().repeat_interleave(MERGE**2).to(device)
        apart = torch.zeros(len(window), len(window), device=device)
        everywhere = apart.clone()
        apart.masked_fill_(window[:, None] != window, -1e30)
        for index, layer in enumerate(visual.blocks):
            mlp = layer.mlp
            x = self.block(
                x,
                cos,
                sin,
                everywhere if index in config.fullatt_block_indexes else apart,
                self.dtype,
                config.num_heads,
                config.num_heads,
                layer.norm1.weight,
                layer.attn.qkv.weight,
                layer.attn.qkv.bias,
                layer.attn.proj.weight,
                layer.attn.proj.bias,
                layer.norm2.weight,
                torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight)),
                torch.cat((mlp.gate_proj.bias, mlp.up_proj.bias)),
                mlp.down_proj.weight,
                mlp.down_proj.bias,
            )
        x = norm(x, visual.merger.ln_q.weight).to(self.dtype).reshape(-1, MERGE**2 * x.shape[-1])
        first, last = visual.merger.mlp[0], visual.merger.mlp[2]
        x = F.gelu(F.linear(x, first.weight.to(self.dtype), first.bias.to(self.dtype)))
        return F.linear(x, last.weight.to(self.dtype), last.bias.to(self.dtype)).float()

    def hidden(self, ids, positions, seen, features):
        """(batch, length, width) after the last norm; `seen` is (batch, 1, length, length), true where attended.

        The first features are those of the ids' pictures; further ones are not used.
        """
        config = self.language.config
        x = self.language.embed_tokens(ids).float()
        if features is not None:
            pictures = (ids == self.model.config.image_token_id).flatten().nonzero()[:, 0]
            x = x.flatten(0, 1).index_copy(0, pictures, features[: len(pictures)]).unflatten(0, ids.shape)
        cos, sin = (t[:, :, None, :] for t in self.language.rotary_emb(x, positions))
        mask = torch.zeros(seen.shape, device=x.device).masked_fill_(~seen, -1e30)
        for layer in self.layers:
            attention, mlp = layer.self_attn, layer.mlp
            three = (attention.q_proj, attention.k_proj, attention.v_proj)
            x = self.block(
                x,
                cos,
                sin,
                mask,
                self.dtype,
                config.num_attention_heads,
                config.num_key_value_heads,
                layer.input_layernorm.weight,
                torch.cat([p.weight for p in three]),
                torch.cat([p.bias for p in three]),
                attention.o_proj.weight,
                None,
                layer.post_attention_layernorm.weight,
                torch.cat((mlp.gate_proj.weight, mlp.up_proj.weight)),
                None,
                mlp.down_proj.weight,
                None,
            )
        return norm(x, self.language.norm.weight)

    def logits(self, hidden):
        return F.linear(hidden.to(self.dtype), self.model.lm_head.weight.to(self.dtype)).float()
