package dev.luq.llama;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Gemma 2 of two layers with random weights: the first one looks at the latest positions alone. */
public final class TinyWindow {

    /** Positions that it looks at. */
    public static final int WINDOW = 32;

    private static final int WIDTH = 64;
    private static final int FEED_FORWARD = 128;
    private static final int LAYERS = 2;
    private static final String ARCHITECTURE = "gemma2";

    private TinyWindow() {}

    /** Writes its file, with the vocabulary of the tiny Qwen2.5-VL. */
    public static Path write(Path file) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text(ARCHITECTURE));
        metadata.put("general.name", GgufValue.text("Tiny window"));
        put(metadata, "context_length", GgufValue.uint32(1024));
        put(metadata, "embedding_length", GgufValue.uint32(WIDTH));
        put(metadata, "feed_forward_length", GgufValue.uint32(FEED_FORWARD));
        put(metadata, "block_count", GgufValue.uint32(LAYERS));
        put(metadata, "attention.head_count", GgufValue.uint32(2));
        put(metadata, "attention.layer_norm_rms_epsilon", GgufValue.float32(1e-6f));
        put(metadata, "attention.sliding_window", GgufValue.uint32(WINDOW));
        Gguf tokenizer = Gguf.read(TinyModels.modelFile(TinyModels.QWEN));
        tokenizer.metadata().forEach((key, value) -> {
            if (key.startsWith("tokenizer.ggml.")) {
                metadata.put(key, value);
            }
        });
        return TinyEncoder.write(
                file,
                metadata,
                tensors(tokenizer.tensor("token_embd.weight").orElseThrow().extent(1)));
    }

    private static void put(Map<String, GgufValue> metadata, String key, GgufValue value) {
        metadata.put(ARCHITECTURE + "." + key, value);
    }

    private static List<GgufTensor> tensors(long vocabulary) {
        List<GgufTensor> tensors = new ArrayList<>();
        tensors.add(TinyEncoder.tensor("token_embd.weight", WIDTH, vocabulary));
        tensors.add(TinyEncoder.tensor("output_norm.weight", WIDTH));
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                tensors.add(TinyEncoder.tensor(block + name + ".weight", WIDTH, WIDTH));
            }
            for (String name : List.of("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")) {
                tensors.add(TinyEncoder.tensor(block + name + ".weight", WIDTH));
            }
            for (String name : List.of("ffn_gate", "ffn_up")) {
                tensors.add(TinyEncoder.tensor(block + name + ".weight", WIDTH, FEED_FORWARD));
            }
            tensors.add(TinyEncoder.tensor(block + "ffn_down.weight", FEED_FORWARD, WIDTH));
        }
        return tensors;
    }
}
