package dev.luq.bench;

import dev.luq.gguf.GgufValue;
import dev.luq.gguf.GgufValueType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A byte-level BPE vocabulary that needs no training: all bytes, then syllables of two to four letters, with and
 * without a space before them, then three special tokens.
 */
final class BenchmarkVocabulary {

    /** How byte-level BPE writes a space: byte 32 is the 33rd that needs a substitute from U+0100 on. */
    private static final String SPACE = "\u0120";

    private static final String LETTERS = "abcdefghijklmnopqrstuvwxyz";
    private static final List<String> SPECIALS = List.of("<|endoftext|>", "<|im_start|>", "<|im_end|>");
    private static final int NORMAL = 1;
    private static final int CONTROL = 3;

    private final List<String> tokens = new ArrayList<>();
    private final List<String> merges = new ArrayList<>();

    /** @param size number of tokens, from 259 to 950741 */
    BenchmarkVocabulary(int size) {
        int ordinary = size - SPECIALS.size();
        addBytes();
        List<String> syllables = new ArrayList<>();
        for (String start : List.of("", SPACE)) {
            for (String first : LETTERS.split("")) {
                if (!start.isEmpty()) {
                    merge(start, first, ordinary);
                }
                for (String second : LETTERS.split("")) {
                    merge(start + first, second, ordinary);
                    syllables.add(start + first + second);
                }
            }
        }
        lengthen(lengthen(syllables, ordinary), ordinary);
        if (tokens.size() != ordinary) {
            throw new IllegalArgumentException("no vocabulary of " + size + " tokens");
        }
        tokens.addAll(SPECIALS);
    }

    /** GPT-2's table: printable Latin-1 characters stand for themselves, other bytes for U+0100 and up. */
    private void addBytes() {
        int substitute = 0x100;
        for (int b = 0; b < 256; b++) {
            boolean printable = b >= '!' && b <= '~' || b >= 0xa1 && b <= 0xac || b >= 0xae;
            tokens.add(Character.toString(printable ? b : substitute++));
        }
    }

    /**
     * Adds every syllable with every letter behind it.
     *
     * @return what was added
     */
    private List<String> lengthen(List<String> syllables, int limit) {
        List<String> longer = new ArrayList<>();
        for (String syllable : syllables) {
            for (String letter : LETTERS.split("")) {
                if (tokens.size() < limit) {
                    merge(syllable, letter, limit);
                    longer.add(syllable + letter);
                }
            }
        }
        return longer;
    }

    private void merge(String left, String right, int limit) {
        if (tokens.size() < limit) {
            tokens.add(left + right);
            merges.add(left + " " + right);
        }
    }

    /** Whether a token is text of its own: neither a control token nor a byte that may be part of a character. */
    boolean isPrintable(int token) {
        return token >= 256 && token < tokens.size() - SPECIALS.size() || LETTERS.contains(tokens.get(token));
    }

    /** Adds the tokenizer's keys. */
    void describe(Map<String, GgufValue> metadata) {
        int end = tokens.size() - 1;
        int firstSpecial = tokens.size() - SPECIALS.size();
        List<GgufValue> types = new ArrayList<>();
        for (int token = 0; token < tokens.size(); token++) {
            types.add(new GgufValue.Int(GgufValueType.INT32, token < firstSpecial ? NORMAL : CONTROL));
        }
        metadata.put("tokenizer.ggml.model", GgufValue.text("gpt2"));
        metadata.put("tokenizer.ggml.pre", GgufValue.text("qwen2"));
        metadata.put("tokenizer.ggml.tokens", GgufValue.Array.ofStrings(tokens));
        metadata.put("tokenizer.ggml.token_type", GgufValue.Array.of(GgufValueType.INT32, types));
        metadata.put("tokenizer.ggml.merges", GgufValue.Array.ofStrings(merges));
        metadata.put("tokenizer.ggml.eos_token_id", GgufValue.uint32(end));
        metadata.put("tokenizer.ggml.padding_token_id", GgufValue.uint32(firstSpecial));
        metadata.put("tokenizer.ggml.add_bos_token", GgufValue.bool(false));
    }
}
