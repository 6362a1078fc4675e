package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.gguf_context;
import dev.luq.preset.gguf_init_params;
import dev.luq.preset.global.llama;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;
import org.bytedeco.javacpp.BytePointer;

/**
 * What a projector's file says: which decoders it was made for, and its layers. llama.cpp only compares the sizes of the embeddings: a projector of another
 * family with the same size would be accepted and give nonsense.
 */
final class Projector {

    /** Types whose image tokens have two-dimensional positions. */
    private static final Set<String> MROPE =
            Set.of("qwen2vl_merger", "qwen2.5vl_merger", "qwen3vl_merger", "paddleocr");
    /** Types whose image tokens follow each other like text. */
    private static final Set<String> SEQUENTIAL = Set.of(
            "mlp",
            "ldp",
            "ldpv2",
            "resampler",
            "adapter",
            "gemma3",
            "idefics3",
            "pixtral",
            "internvl",
            "llama4",
            "phi4");

    /**
     * Types whose images have other positions or embeddings in another place of a prompt: the number of the image is one
     * of the positions, or it is filled up to where it begins. An image is encoded once for all its places here.
     */
    private static final Set<String> OF_THEIR_PLACE = Set.of("hunyuanvl", "deepseek4v");

    private Projector() {}

    /** @throws LlamaException.VisionLoad the projector's positions are not those of the model, or not supported */
    static void check(Path mmproj, Model model) {
        int rope = llama.llama_model_rope_type(model.pointer());
        boolean mrope = rope == llama.GGML_ROPE_TYPE_MROPE || rope == llama.GGML_ROPE_TYPE_IMROPE;
        String type = type(mmproj);
        if (OF_THEIR_PLACE.contains(type)) {
            throw new LlamaException.VisionLoad("projectors of type " + type
                    + " are not supported: what they make of an image depends on its place in the prompt");
        }
        if (mrope ? SEQUENTIAL.contains(type) : MROPE.contains(type)) {
            throw new LlamaException.VisionLoad("the projector belongs to another model: a projector of type " + type
                    + " does not fit a model of architecture " + model.architecture());
        }
    }

    /** The file's {@code clip.projector_type}, or empty when it cannot be read. */
    private static String type(Path mmproj) {
        return read(mmproj, "", file -> {
            for (String key : new String[] {"clip.vision.projector_type", "clip.projector_type"}) {
                long id = llama.gguf_find_key(file, key);
                if (id >= 0 && llama.gguf_get_kv_type(file, id) == llama.GGUF_TYPE_STRING) {
                    return llama.gguf_get_val_str(file, id).getString(UTF_8);
                }
            }
            return "";
        });
    }

    /** The encoder's layers, at least 1. */
    static int layers(Path mmproj) {
        return read(mmproj, 1, file -> {
            long id = llama.gguf_find_key(file, "clip.vision.block_count");
            return id >= 0 && llama.gguf_get_kv_type(file, id) == llama.GGUF_TYPE_UINT32
                    ? Math.max(1, llama.gguf_get_val_u32(file, id))
                    : 1;
        });
    }

    private static <T> T read(Path mmproj, T unreadable, Function<gguf_context, T> reader) {
        try (BytePointer name = Native.utf8(mmproj.toString());
                gguf_init_params params = new gguf_init_params().no_alloc(true)) {
            gguf_context file = llama.gguf_init_from_file(name, params);
            if (file == null) {
                return unreadable;
            }
            try {
                return reader.apply(file);
            } finally {
                llama.gguf_free(file);
            }
        }
    }
}
