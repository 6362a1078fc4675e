"""The model's shape, and a forward pass of its vision tower that is quick in training.

Every matrix of the language model has a multiple of 256 columns: each GGUF quantization type applies to it.
"""

import torch
from torch.nn import functional as F
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, Qwen2VLImageProcessorPil
from transformers.models.qwen2_5_vl import modeling_qwen2_5_vl as qwen

PATCH = 14
MERGE = 2
# What llama.cpp assumes for this architecture: 8 to 4096 tokens an image.
MIN_PIXELS = 8 * (PATCH * MERGE) ** 2
MAX_PIXELS = 4096 * (PATCH * MERGE) ** 2
MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)


def configuration(tokenizer):
    """A small Qwen2.5-VL."""
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in (
        "im_end", "endoftext", "vision_start", "vision_end", "image_pad", "video_pad")}
    return Qwen2_5_VLConfig(
        text_config=dict(
            vocab_size=(len(tokenizer) + 63) // 64 * 64,
            hidden_size=256,
            intermediate_size=512,
            num_hidden_layers=6,
            num_attention_heads=4,
            num_key_value_heads=2,
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
            depth=4,
            hidden_size=256,
            intermediate_size=512,
            num_heads=4,
            patch_size=PATCH,
            spatial_merge_size=MERGE,
            temporal_patch_size=2,
            window_size=112,
            fullatt_block_indexes=[1, 3],
            out_hidden_size=256,
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


def build(tokenizer):
    model = Qwen2_5_VLForConditionalGeneration(configuration(tokenizer))
    model.generation_config.eos_token_id = [model.config.text_config.eos_token_id]
    model.generation_config.pad_token_id = model.config.text_config.pad_token_id
    return model


def quicken():
    """Replaces two forward passes of the vision tower by equal ones that batch their work.

    The library runs attention window by window and embeds patches by a 3-D convolution; with the small
    windows of many small images, one call per distinct window size and one matrix product are far quicker.
    """

    def attention(self, hidden_states, cu_seqlens, position_embeddings=None, max_seqlen=None, **_):
        count = hidden_states.shape[0]
        query, key, value = self.qkv(hidden_states).reshape(count, 3, self.num_heads, -1).unbind(1)
        query, key = qwen.apply_rotary_pos_emb_vision(query, key, *position_embeddings)
        starts, lengths = cu_seqlens[:-1], cu_seqlens.diff()
        result = torch.empty_like(query)
        for length in lengths.unique().tolist():
            if length == 0:
                continue
            rows = starts[lengths == length][:, None] + torch.arange(length, device=starts.device)
            q, k, v = (t[rows].transpose(1, 2) for t in (query, key, value))
            result[rows] = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.proj(result.reshape(count, -1))

    def patch_embedding(self, pixels):
        return F.linear(pixels.to(self.proj.weight.dtype), self.proj.weight.flatten(1))

    qwen.Qwen2_5_VLVisionAttention.forward = attention
    qwen.Qwen2_5_VisionPatchEmbed.forward = patch_embedding
