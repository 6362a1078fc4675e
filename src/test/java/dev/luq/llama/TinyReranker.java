package dev.luq.llama;

import dev.luq.gguf.Gguf;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Qwen3-Reranker of two layers with random weights: a model whose tokens attend to earlier ones alone. */
public final class TinyReranker {

    /** Of its file, with special tokens of its vocabulary. */
    public static final String TEMPLATE =
            "<|im_start|>user\nQuery: {query}\nDocument: {document}<|im_end|>\n<|im_start|>assistant\n";

    private static final int WIDTH = 64;
    private static final int FEED_FORWARD = 128;
    private static final int LAYERS = 2;
    private static final int HEADS = 2;
    private static final String ARCHITECTURE = "qwen3";

    private TinyReranker() {}

    /** Writes its file, with the vocabulary of the tiny Qwen2.5-VL. */
    public static Path write(Path file) throws IOException {
        return write(file, TEMPLATE);
    }

    /** Writes its file with another template. */
    public static Path write(Path file, String template) throws IOException {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text(ARCHITECTURE));
        metadata.put("general.name", GgufValue.text("Tiny reranker"));
        put(metadata, "context_length", GgufValue.uint32(256));
        put(metadata, "embedding_length", GgufValue.uint32(WIDTH));
        put(metadata, "feed_forward_length", GgufValue.uint32(FEED_FORWARD));
        put(metadata, "block_count", GgufValue.uint32(LAYERS));
        put(metadata, "attention.head_count", GgufValue.uint32(HEADS));
        put(metadata, "attention.layer_norm_rms_epsilon", GgufValue.float32(1e-6f));
        put(metadata, "classifier.output_labels", GgufValue.Array.ofStrings(List.of("yes", "no")));
        put(metadata, "pooling_type", GgufValue.uint32(Pooling.RANK.ordinal()));
        Gguf tokenizer = Gguf.read(TinyModels.modelFile(TinyModels.QWEN));
        tokenizer.metadata().forEach((key, value) -> {
            if (key.startsWith("tokenizer.ggml.")) {
                metadata.put(key, value);
            }
        });
        metadata.put("tokenizer.chat_template.rerank", GgufValue.text(template));
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
        tensors.add(TinyEncoder.tensor("cls.output.weight", WIDTH, 2));
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                tensors.add(TinyEncoder.tensor(block + name + ".weight", WIDTH, WIDTH));
            }
            for (String name : List.of("attn_q_norm", "attn_k_norm")) {
                tensors.add(TinyEncoder.tensor(block + name + ".weight", WIDTH / HEADS));
            }
            for (String name : List.of("attn_norm", "ffn_norm")) {
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
