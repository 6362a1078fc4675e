package dev.luq.llama;

import dev.luq.gguf.GgufValue;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A Gemma 2 of two layers with random weights: the first one looks at the latest positions alone. */
public final class TinyWindow {

    /** Positions that it looks at. */
    public static final int WINDOW = 32;

    private TinyWindow() {}

    /** Writes its file, with the vocabulary of the tiny Qwen2.5-VL. */
    public static Path write(Path file) throws IOException {
        TinyDecoder model = new TinyDecoder("gemma2", "Tiny window", 1024);
        model.put("attention.sliding_window", GgufValue.uint32(WINDOW));
        Map<String, Integer> norms = new LinkedHashMap<>();
        for (String name : List.of("attn_norm", "post_attention_norm", "ffn_norm", "post_ffw_norm")) {
            norms.put(name, TinyDecoder.WIDTH);
        }
        model.addLayers(norms);
        return model.write(file);
    }
}
