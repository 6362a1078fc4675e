package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.machine.Processors;
import dev.luq.preset.global.llama;
import dev.luq.preset.luq_encoder;
import dev.luq.preset.mtmd_bitmap;
import dev.luq.preset.mtmd_context;
import dev.luq.preset.mtmd_context_params;
import dev.luq.preset.mtmd_decoder_pos;
import dev.luq.preset.mtmd_image_tokens;
import dev.luq.preset.mtmd_input_chunk;
import dev.luq.preset.mtmd_input_chunks;
import dev.luq.preset.mtmd_input_part;
import dev.luq.preset.mtmd_input_text;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;
import org.bytedeco.javacpp.SizeTPointer;

/**
 * The vision encoder of a model. {@link #tokenize} is thread-safe, also while {@link #encode} runs; encoding is for
 * one thread at a time. Keeps its model in memory until it is closed.
 */
public final class Vision implements AutoCloseable {

    private final Model model;
    private final mtmd_context context;
    private final boolean mrope;
    private final int layers;
    /** Computes in pieces; null with a tap. */
    private final luq_encoder encoder;
    /** Called from C while the context lives; null without a tap. */
    private final TapCallback tap;

    private boolean closed;

    private Vision(Model model, mtmd_context context, int layers, luq_encoder encoder, TapCallback tap) {
        this.model = model;
        this.context = context;
        this.layers = layers;
        this.encoder = encoder;
        this.tap = tap;
        this.mrope = llama.mtmd_decode_use_mrope(context);
    }

    /**
     * @param mmproj the projector's GGUF
     * @throws LlamaException.VisionLoad the file is damaged, has no vision part, or belongs to another model
     */
    public static Vision open(Path mmproj, Model model, VisionOptions options) {
        return open(mmproj, model, options, null);
    }

    /**
     * A vision encoder whose computation is watched.
     *
     * @param mmproj the projector's GGUF
     * @param tap called on the thread that encodes; null for none
     * @throws LlamaException.VisionLoad the file is damaged, has no vision part, or belongs to another model
     */
    public static Vision open(Path mmproj, Model model, VisionOptions options, TensorTap tap) {
        Path file = mmproj.toAbsolutePath();
        model.use();
        mtmd_context context = null;
        int threads = Processors.threads(options.threads());
        TapCallback callback = tap == null ? null : new TapCallback(tap);
        luq_encoder encoder = tap == null ? llama.luq_encoder_init(threads) : null;
        boolean opened = false;
        Native.clearLoggedErrors();
        try (BytePointer name = Native.utf8(file.toString());
                mtmd_context_params params = llama.mtmd_context_params_default()) {
            params.use_gpu(false)
                    .print_timings(false)
                    .warmup(false)
                    .flash_attn_type(llama.LLAMA_FLASH_ATTN_TYPE_ENABLED)
                    .n_threads(threads);
            if (options.imageMaxTokens() > 0) {
                params.image_max_tokens(options.imageMaxTokens());
            }
            if (callback != null) {
                params.cb_eval(callback);
            } else if (encoder != null) {
                llama.luq_encoder_attach(encoder, params);
            } else {
                throw new LlamaException.VisionLoad("images cannot be encoded: " + Native.lastError());
            }
            context = llama.mtmd_init_from_file(name, model.pointer(), params);
            if (context == null) {
                throw new LlamaException.VisionLoad("the projector cannot be used with this model: "
                        + Native.loggedReason("llama.cpp gave no reason", List.of(file)));
            }
            if (!llama.mtmd_support_vision(context)) {
                throw new LlamaException.VisionLoad("the projector has no vision encoder");
            }
            Projector.check(file, model);
            opened = true;
            return new Vision(model, context, Projector.layers(file), encoder, callback);
        } finally {
            if (!opened) {
                free(context, encoder, callback);
                model.releaseUse();
            }
        }
    }

    private static void free(mtmd_context context, luq_encoder encoder, TapCallback tap) {
        if (context != null) {
            llama.mtmd_free(context);
        }
        if (encoder != null) {
            llama.luq_encoder_free(encoder);
        }
        if (tap != null) {
            tap.close();
        }
    }

    /** Whether the decoder gives image tokens two-dimensional positions. */
    public boolean mrope() {
        return mrope;
    }

    /**
     * Tokenizes text and preprocesses images, in order. The model's own tokens around an image are added.
     *
     * @param addSpecial whether the model's begin and end tokens are added, where the model wants them
     * @return text and image chunks; the caller closes the images
     * @throws LlamaException.InvalidImage an image cannot be preprocessed
     */
    public List<PromptChunk> tokenize(List<PromptPart> parts, boolean addSpecial) {
        if (parts.isEmpty()) {
            return List.of();
        }
        Native.clearLoggedErrors();
        mtmd_input_chunks chunks = llama.mtmd_input_chunks_init();
        try (NativeParts input = new NativeParts(parts)) {
            int result = llama.mtmd_tokenize_from_parts(pointer(), chunks, input.pointers, parts.size(), addSpecial);
            if (result != 0) {
                throw new LlamaException.InvalidImage("the image cannot be preprocessed: "
                        + Native.loggedReason("llama.cpp gave no reason", List.of()));
            }
            return copy(chunks);
        } finally {
            llama.mtmd_input_chunks_free(chunks);
        }
    }

    private List<PromptChunk> copy(mtmd_input_chunks chunks) {
        int count = Math.toIntExact(llama.mtmd_input_chunks_size(chunks));
        List<PromptChunk> copies = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            mtmd_input_chunk chunk = llama.mtmd_input_chunks_get(chunks, i);
            if (llama.mtmd_input_chunk_get_type(chunk) == llama.MTMD_INPUT_CHUNK_TYPE_TEXT) {
                copies.add(new PromptChunk.TextChunk(tokens(chunk)));
            } else {
                boolean divisible = !llama.mtmd_decode_use_non_causal(context, chunk);
                copies.add(new ImageChunk(llama.mtmd_input_chunk_copy(chunk), divisible));
            }
        }
        return copies;
    }

    private static int[] tokens(mtmd_input_chunk chunk) {
        try (SizeTPointer count = new SizeTPointer(1)) {
            IntPointer pointer = llama.mtmd_input_chunk_get_tokens_text(chunk, count);
            int[] tokens = new int[Math.toIntExact(count.get())];
            if (tokens.length > 0) {
                pointer.get(tokens);
            }
            return tokens;
        }
    }

    /**
     * Computes the embeddings of an image: the expensive step.
     *
     * @return owned by the caller
     * @throws LlamaException.InvalidImage the image cannot be encoded
     */
    public ImageEmbedding encode(ImageChunk chunk) {
        return encode(chunk, EncodingListener.NONE);
    }

    /**
     * Computes the embeddings of an image piece by piece.
     *
     * @param listener hears nothing where a tap does
     * @return owned by the caller
     * @throws LlamaException.EncodingStopped the listener wanted no more
     * @throws LlamaException.InvalidImage the image cannot be encoded
     */
    public ImageEmbedding encode(ImageChunk chunk, EncodingListener listener) {
        Native.clearLoggedErrors();
        int result = tap == null ? encodeInPieces(chunk, listener) : encodeTapped(chunk);
        if (result == llama.LUQ_STOPPED) {
            throw new LlamaException.EncodingStopped();
        }
        if (result != 0) {
            String own = result == llama.LUQ_FAILED ? Native.lastError() : "llama.cpp gave no reason";
            throw new LlamaException.InvalidImage(
                    "the image cannot be encoded: " + Native.loggedReason(own, List.of()));
        }
        ImageEmbedding embedding = unfilled(chunk);
        Pointer.memcpy(embedding.floats(), llama.mtmd_get_output_embd(context), embedding.bytes());
        return embedding;
    }

    private int encodeTapped(ImageChunk chunk) {
        int result = llama.mtmd_encode_chunk(pointer(), chunk.pointer());
        tap.rethrow();
        return result;
    }

    private int encodeInPieces(ImageChunk chunk, EncodingListener listener) {
        if (listener == EncodingListener.NONE) {
            return llama.luq_encoder_encode(encoder, pointer(), chunk.pointer(), null);
        }
        try (EncodingCallback callback = new EncodingCallback(listener, layers)) {
            int result = llama.luq_encoder_encode(encoder, pointer(), chunk.pointer(), callback);
            callback.rethrow();
            return result;
        }
    }

    /**
     * An image whose embeddings were computed before, by an encoder of the same projector and options. Thread-safe, also
     * while {@link #encode} runs.
     *
     * @param fill writes all of them, as {@link ImageEmbedding#bytesView} showed them, or says that it cannot
     * @return owned by the caller; empty when they could not be filled in
     */
    public Optional<ImageEmbedding> restore(ImageChunk chunk, Predicate<ByteBuffer> fill) {
        ImageEmbedding embedding = unfilled(chunk);
        boolean filled = false;
        try {
            filled = fill.test(embedding.bytesView());
            return filled ? Optional.of(embedding) : Optional.empty();
        } finally {
            if (!filled) {
                embedding.close();
            }
        }
    }

    /** With the image's positions, which follow from its size in tokens. */
    private ImageEmbedding unfilled(ImageChunk chunk) {
        int[] offsets = positions(chunk, 0);
        int[] next = positions(chunk, 1);
        boolean[] moves = new boolean[offsets.length];
        for (int i = 0; i < offsets.length; i++) {
            moves[i] = next[i] != offsets[i];
        }
        int size = model.inputEmbeddingSize();
        FloatPointer floats = new FloatPointer((long) chunk.tokens() * size);
        return new ImageEmbedding(chunk, floats, size, mrope, offsets, moves);
    }

    /** Per token: time, height, width and the reserved axis, for an image at this position. */
    private static int[] positions(ImageChunk chunk, int imagePosition) {
        mtmd_image_tokens image = llama.mtmd_input_chunk_get_tokens_image(chunk.pointer());
        int[] positions = new int[chunk.tokens() * ImageEmbedding.AXES];
        try (mtmd_decoder_pos array = new mtmd_decoder_pos(chunk.tokens())) {
            llama.mtmd_helper_image_get_decoder_pos(image, imagePosition, array);
            for (int i = 0; i < chunk.tokens(); i++) {
                array.position(i);
                positions[i * ImageEmbedding.AXES] = array.t();
                positions[i * ImageEmbedding.AXES + 1] = array.y();
                positions[i * ImageEmbedding.AXES + 2] = array.x();
                positions[i * ImageEmbedding.AXES + 3] = array.z();
            }
            array.position(0);
        }
        return positions;
    }

    @Override
    public void close() {
        if (!closed) {
            closed = true;
            free(context, encoder, tap);
            model.releaseUse();
        }
    }

    private mtmd_context pointer() {
        if (closed) {
            throw new IllegalStateException("the vision encoder is closed");
        }
        return context;
    }

    /** Prompt parts as C structs. */
    private static final class NativeParts implements AutoCloseable {
        final PointerPointer<mtmd_input_part> pointers;
        private final List<AutoCloseable> owned = new ArrayList<>();

        NativeParts(List<PromptPart> parts) {
            mtmd_input_part[] array = new mtmd_input_part[parts.size()];
            for (int i = 0; i < array.length; i++) {
                array[i] = own(new mtmd_input_part());
                if (parts.get(i) instanceof PromptPart.Text text) {
                    array[i].text(text(text)).bitmap(null);
                } else {
                    array[i].text(null).bitmap(bitmap((PromptPart.Image) parts.get(i)));
                }
            }
            pointers = own(new PointerPointer<>(array));
        }

        private mtmd_input_text text(PromptPart.Text part) {
            BytePointer utf8 = own(Native.utf8(part.text()));
            return own(new mtmd_input_text())
                    .text(utf8)
                    .text_len(part.text().getBytes(UTF_8).length)
                    .add_special(false)
                    .parse_special(part.parseSpecial());
        }

        private mtmd_bitmap bitmap(PromptPart.Image image) {
            mtmd_bitmap bitmap = llama.mtmd_bitmap_init(image.width(), image.height(), image.rgb());
            owned.add(() -> llama.mtmd_bitmap_free(bitmap));
            try (BytePointer id = Native.utf8(image.id())) {
                llama.mtmd_bitmap_set_id(bitmap, id);
            }
            return bitmap;
        }

        private <T extends AutoCloseable> T own(T resource) {
            owned.add(resource);
            return resource;
        }

        @Override
        public void close() {
            for (AutoCloseable resource : owned) {
                try {
                    resource.close();
                } catch (Exception e) {
                    throw new IllegalStateException(e);
                }
            }
        }
    }
}
