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

/** Decoders of two layers with random weights and the vocabulary of the tiny Qwen2.5-VL, less what tells them apart. */
final class TinyDecoder {

    static final int WIDTH = 64;
    static final int HEADS = 2;

    private static final int FEED_FORWARD = 128;
    private static final int LAYERS = 2;

    private final String architecture;
    private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
    private final List<GgufTensor> tensors = new ArrayList<>();

    TinyDecoder(String architecture, String name, int contextLength) throws IOException {
        this.architecture = architecture;
        metadata.put("general.architecture", GgufValue.text(architecture));
        metadata.put("general.name", GgufValue.text(name));
        put("context_length", GgufValue.uint32(contextLength));
        put("embedding_length", GgufValue.uint32(WIDTH));
        put("feed_forward_length", GgufValue.uint32(FEED_FORWARD));
        put("block_count", GgufValue.uint32(LAYERS));
        put("attention.head_count", GgufValue.uint32(HEADS));
        put("attention.layer_norm_rms_epsilon", GgufValue.float32(1e-6f));
        Gguf tokenizer = Gguf.read(TinyModels.modelFile(TinyModels.QWEN));
        tokenizer.metadata().forEach((key, value) -> {
            if (key.startsWith("tokenizer.ggml.")) {
                metadata.put(key, value);
            }
        });
        long vocabulary = tokenizer.tensor("token_embd.weight").orElseThrow().extent(1);
        add("token_embd.weight", WIDTH, vocabulary);
        add("output_norm.weight", WIDTH);
    }

    /** Of the architecture. */
    void put(String key, GgufValue value) {
        putWhole(architecture + "." + key, value);
    }

    void putWhole(String key, GgufValue value) {
        metadata.put(key, value);
    }

    void add(String name, long... shape) {
        tensors.add(TinyEncoder.tensor(name, shape));
    }

    /** @param norms of a layer, with their widths, in the file's order */
    void addLayers(Map<String, Integer> norms) {
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                add(block + name + ".weight", WIDTH, WIDTH);
            }
            norms.forEach((name, width) -> add(block + name + ".weight", width));
            for (String name : List.of("ffn_gate", "ffn_up")) {
                add(block + name + ".weight", WIDTH, FEED_FORWARD);
            }
            add(block + "ffn_down.weight", FEED_FORWARD, WIDTH);
        }
    }

    Path write(Path file) throws IOException {
        return TinyEncoder.write(file, metadata, tensors);
    }
}
