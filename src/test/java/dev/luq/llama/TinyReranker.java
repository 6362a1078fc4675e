package dev.luq.llama;

import dev.luq.gguf.GgufValue;
import dev.luq.gguf.Pooling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Qwen3-Reranker of two layers with random weights: a model whose tokens attend to earlier ones alone. */
public final class TinyReranker {

    /** Of its file, with special tokens of its vocabulary. */
    public static final String TEMPLATE =
            "<|im_start|>user\nQuery: {query}\nDocument: {document}<|im_end|>\n<|im_start|>assistant\n";

    private TinyReranker() {}

    /** Writes its file, with the vocabulary of the tiny Qwen2.5-VL. */
    public static Path write(Path file) throws IOException {
        return write(file, TEMPLATE);
    }

    /** Writes its file with another template. */
    public static Path write(Path file, String template) throws IOException {
        TinyDecoder model = new TinyDecoder("qwen3", "Tiny reranker", 256);
        model.put("classifier.output_labels", GgufValue.Array.ofStrings(List.of("yes", "no")));
        model.put("pooling_type", GgufValue.uint32(Pooling.RANK.ordinal()));
        model.putWhole("tokenizer.chat_template.rerank", GgufValue.text(template));
        model.add("cls.output.weight", TinyDecoder.WIDTH, 2);
        Map<String, Integer> norms = new LinkedHashMap<>();
        for (String name : List.of("attn_q_norm", "attn_k_norm")) {
            norms.put(name, TinyDecoder.WIDTH / TinyDecoder.HEADS);
        }
        for (String name : List.of("attn_norm", "ffn_norm")) {
            norms.put(name, TinyDecoder.WIDTH);
        }
        model.addLayers(norms);
        return model.write(file);
    }
}
