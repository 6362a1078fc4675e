package dev.luq.llama;

import dev.luq.gguf.GgmlType;
import dev.luq.gguf.GgufTensor;
import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import dev.luq.gguf.GgufWriter;
import dev.luq.gguf.Pooling;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** BERTs of two layers with random weights and a WordPiece vocabulary of letters and a few words. */
public final class TinyEncoder {

    /** Tokens that it was "trained" for: it has as many positions. */
    public static final int CONTEXT = 64;

    private static final int WIDTH = 64;
    private static final int FEED_FORWARD = 128;
    private static final int LAYERS = 2;
    private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]");
    private static final int UNKNOWN = 1;
    private static final int CLS = 2;
    private static final int SEP = 3;
    private static final int NORMAL_TYPE = 1;
    private static final int CONTROL_TYPE = 3;

    private TinyEncoder() {}

    /**
     * Writes its file.
     *
     * @param pooling what the file says; {@link Pooling#NONE} for a file that says nothing
     */
    public static Path write(Path file, Pooling pooling) throws IOException {
        List<String> vocabulary = vocabulary();
        return write(file, metadata(vocabulary, pooling), tensors(vocabulary.size()));
    }

    /** Writes the file of a reranker: with a classification head, and no word of pooling, as converters have it. */
    public static Path writeReranker(Path file) throws IOException {
        List<String> vocabulary = vocabulary();
        List<GgufTensor> tensors = tensors(vocabulary.size());
        addPair(tensors, "cls", WIDTH, WIDTH);
        addPair(tensors, "cls.output", WIDTH, 1);
        return write(file, metadata(vocabulary, Pooling.NONE), tensors);
    }

    /** Writes a file whose weights are random. */
    static Path write(Path file, Map<String, GgufValue> metadata, List<GgufTensor> tensors) throws IOException {
        Random random = new Random(11);
        try (GgufWriter writer = GgufWriter.create(file, metadata, tensors)) {
            for (GgufTensor tensor : tensors) {
                writer.begin(tensor.name());
                writer.write(numbers(tensor, random));
            }
            writer.commit();
        }
        return file;
    }

    /** As llama.cpp's files have it: the beginning of a word is marked, and not what continues one. */
    private static List<String> vocabulary() {
        List<String> tokens = new ArrayList<>(SPECIAL);
        for (String word : List.of("the", "cat", "dog", "sees", "a", "house", "and", "runs")) {
            tokens.add("\u2581" + word);
        }
        for (char c = 'b'; c <= 'z'; c++) {
            tokens.add("\u2581" + c);
        }
        for (char c = 'a'; c <= 'z'; c++) {
            tokens.add(String.valueOf(c));
        }
        return tokens;
    }

    private static Map<String, GgufValue> metadata(List<String> vocabulary, Pooling pooling) {
        Map<String, GgufValue> metadata = new LinkedHashMap<>();
        metadata.put("general.architecture", GgufValue.text("bert"));
        metadata.put("general.name", GgufValue.text("Tiny encoder"));
        metadata.put("bert.context_length", GgufValue.uint32(CONTEXT));
        metadata.put("bert.embedding_length", GgufValue.uint32(WIDTH));
        metadata.put("bert.feed_forward_length", GgufValue.uint32(FEED_FORWARD));
        metadata.put("bert.block_count", GgufValue.uint32(LAYERS));
        metadata.put("bert.attention.head_count", GgufValue.uint32(2));
        metadata.put("bert.attention.layer_norm_epsilon", GgufValue.float32(1e-12f));
        metadata.put("bert.attention.causal", GgufValue.bool(false));
        if (pooling != Pooling.NONE) {
            metadata.put("bert.pooling_type", GgufValue.uint32(pooling.ordinal()));
        }
        metadata.put("tokenizer.ggml.model", GgufValue.text("bert"));
        metadata.put("tokenizer.ggml.tokens", GgufValue.Array.ofStrings(vocabulary));
        List<GgufValue> types = new ArrayList<>();
        for (int i = 0; i < vocabulary.size(); i++) {
            types.add(new GgufValue.Int(GgufValueType.INT32, i < SPECIAL.size() ? CONTROL_TYPE : NORMAL_TYPE));
        }
        metadata.put("tokenizer.ggml.token_type", GgufValue.Array.of(GgufValueType.INT32, types));
        metadata.put("tokenizer.ggml.token_type_count", GgufValue.uint32(2));
        metadata.put("tokenizer.ggml.bos_token_id", GgufValue.uint32(CLS));
        metadata.put("tokenizer.ggml.eos_token_id", GgufValue.uint32(SEP));
        metadata.put("tokenizer.ggml.seperator_token_id", GgufValue.uint32(SEP));
        metadata.put("tokenizer.ggml.unknown_token_id", GgufValue.uint32(UNKNOWN));
        metadata.put("tokenizer.ggml.padding_token_id", GgufValue.uint32(0));
        return metadata;
    }

    private static List<GgufTensor> tensors(long vocabulary) {
        List<GgufTensor> tensors = new ArrayList<>();
        tensors.add(tensor("token_embd.weight", WIDTH, vocabulary));
        tensors.add(tensor("token_types.weight", WIDTH, 2));
        tensors.add(tensor("position_embd.weight", WIDTH, CONTEXT));
        addPair(tensors, "token_embd_norm", WIDTH);
        for (int layer = 0; layer < LAYERS; layer++) {
            String block = "blk." + layer + ".";
            for (String name : List.of("attn_q", "attn_k", "attn_v", "attn_output")) {
                addPair(tensors, block + name, WIDTH, WIDTH);
            }
            addPair(tensors, block + "attn_output_norm", WIDTH);
            addPair(tensors, block + "ffn_up", WIDTH, FEED_FORWARD);
            addPair(tensors, block + "ffn_down", FEED_FORWARD, WIDTH);
            addPair(tensors, block + "layer_output_norm", WIDTH);
        }
        return tensors;
    }

    /** Weight and bias. */
    private static void addPair(List<GgufTensor> tensors, String name, long... shape) {
        tensors.add(tensor(name + ".weight", shape));
        tensors.add(tensor(name + ".bias", shape[shape.length - 1]));
    }

    static GgufTensor tensor(String name, long... shape) {
        List<Long> extents = new ArrayList<>();
        for (long extent : shape) {
            extents.add(extent);
        }
        return new GgufTensor(name, GgmlType.F32, extents);
    }

    private static ByteBuffer numbers(GgufTensor tensor, Random random) {
        boolean scales = tensor.name().endsWith("norm.weight");
        ByteBuffer numbers =
                ByteBuffer.allocate((int) tensor.elements() * Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        while (numbers.hasRemaining()) {
            double number = random.nextGaussian() * 0.2;
            numbers.putFloat((float) (scales ? 1 + number : number));
        }
        return numbers.flip();
    }
}
