package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.luq.preset.global.llama;
import dev.luq.preset.llama_vocab;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.bytedeco.javacpp.BytePointer;

/** The tokens of a model. Thread-safe; usable until the model is closed. */
public final class Vocabulary {

    /** Most pieces fit; longer ones are asked for twice. */
    private static final int PIECE_BYTES = 64;

    private final Model model;
    private final int size;
    private final llama_vocab vocab;
    private List<String> specialTexts;
    private int[] endsOfGeneration;

    Vocabulary(Model model) {
        this.model = model;
        this.vocab = llama.llama_model_get_vocab(model.pointer());
        this.size = llama.llama_vocab_n_tokens(vocab);
    }

    /** Number of tokens; ids are 0 to size - 1. */
    public int size() {
        return size;
    }

    /**
     * Splits text into tokens.
     *
     * @param addSpecial whether the model's begin and end tokens are added, where the model wants them
     * @param parseSpecial whether the text of a control token becomes that token; false for what users write
     */
    public int[] tokenize(String text, boolean addSpecial, boolean parseSpecial) {
        byte[] bytes = text.getBytes(UTF_8);
        try (BytePointer utf8 = new BytePointer(Math.max(bytes.length, 1L))) {
            utf8.put(bytes, 0, bytes.length);
            int[] tokens = new int[bytes.length + 2];
            int count = tokenize(utf8, bytes.length, tokens, addSpecial, parseSpecial);
            if (count < 0) {
                tokens = new int[-count];
                count = tokenize(utf8, bytes.length, tokens, addSpecial, parseSpecial);
            }
            return Arrays.copyOf(tokens, count);
        }
    }

    private int tokenize(BytePointer utf8, int length, int[] tokens, boolean addSpecial, boolean parseSpecial) {
        return llama.llama_tokenize(open(), utf8, length, tokens, tokens.length, addSpecial, parseSpecial);
    }

    /**
     * A token's bytes, possibly an incomplete UTF-8 sequence.
     *
     * @param special whether control tokens give their text; otherwise they give nothing
     */
    public byte[] piece(int token, boolean special) {
        checkToken(token);
        byte[] buffer = new byte[PIECE_BYTES];
        int length = llama.llama_token_to_piece(open(), token, buffer, buffer.length, 0, special);
        if (length < 0) {
            buffer = new byte[-length];
            length = llama.llama_token_to_piece(open(), token, buffer, buffer.length, 0, special);
        }
        return Arrays.copyOf(buffer, length);
    }

    /** Bytes of the longest text of a token. */
    public int longestPiece() {
        int longest = 0;
        for (int token = 0; token < size; token++) {
            longest = Math.max(longest, piece(token, true).length);
        }
        return longest;
    }

    /** The text of the token that begins a text; empty where the model has none. */
    public Optional<String> beginText() {
        return text(llama.llama_vocab_bos(open()));
    }

    /** The text of the token that ends a text; empty where the model has none. */
    public Optional<String> endText() {
        return text(llama.llama_vocab_eos(open()));
    }

    private Optional<String> text(int token) {
        return token < 0 ? Optional.empty() : Optional.of(new String(piece(token, true), UTF_8));
    }

    /**
     * The tokens of a query and a document as rerankers read them that have no template: those of both texts, between
     * the tokens that begin, separate and end texts where the model wants and has them ({@code format_prompt_rerank} of
     * llama-server).
     *
     * @param query tokens without special ones
     * @param document tokens without special ones
     */
    public int[] pair(int[] query, int[] document) {
        llama_vocab open = open();
        int endOfText = llama.llama_vocab_eos(open);
        int separatorToken = llama.llama_vocab_sep(open);
        int[] end = oneIf(llama.llama_vocab_get_add_eos(open), endOfText < 0 ? separatorToken : endOfText);
        int[] separator = oneIf(llama.llama_vocab_get_add_sep(open), separatorToken);
        return Stream.of(begin(), query, end, separator, document, end)
                .flatMapToInt(Arrays::stream)
                .toArray();
    }

    /** The token that the model wants before a text; none where it wants none. */
    public int[] begin() {
        return oneIf(llama.llama_vocab_get_add_bos(open()), llama.llama_vocab_bos(vocab));
    }

    /** The token that the model wants after a text; none where it wants none. */
    public int[] end() {
        return oneIf(llama.llama_vocab_get_add_eos(open()), llama.llama_vocab_eos(vocab));
    }

    private static int[] oneIf(boolean wanted, int token) {
        return wanted && token >= 0 ? new int[] {token} : new int[0];
    }

    /** The token that ends an answer: the end of a turn, or of the text where the model knows no turns. */
    public int endOfAnswer() {
        int token = llama.llama_vocab_eot(open());
        return token >= 0 ? token : llama.llama_vocab_eos(vocab);
    }

    /** Whether the model ends its answer with this token. */
    public boolean isEndOfGeneration(int token) {
        checkToken(token);
        return llama.llama_vocab_is_eog(open(), token);
    }

    /** All tokens with which the model ends its answer, in order. */
    public synchronized int[] endsOfGeneration() {
        if (endsOfGeneration == null) {
            endsOfGeneration =
                    IntStream.range(0, size).filter(this::isEndOfGeneration).toArray();
        }
        return endsOfGeneration.clone();
    }

    /** The texts of all control and user-defined tokens. Unmodifiable. */
    public synchronized List<String> specialTexts() {
        if (specialTexts == null) {
            int special = llama.LLAMA_TOKEN_ATTR_CONTROL
                    | llama.LLAMA_TOKEN_ATTR_USER_DEFINED
                    | llama.LLAMA_TOKEN_ATTR_UNKNOWN;
            List<String> texts = new ArrayList<>();
            for (int token = 0; token < size; token++) {
                if ((llama.llama_vocab_get_attr(open(), token) & special) != 0) {
                    texts.add(llama.llama_vocab_get_text(vocab, token).getString(UTF_8));
                }
            }
            specialTexts = List.copyOf(texts);
        }
        return specialTexts;
    }

    private llama_vocab open() {
        model.pointer();
        return vocab;
    }

    private void checkToken(int token) {
        if (token < 0 || token >= size) {
            throw new IndexOutOfBoundsException("token " + token + " of a vocabulary of " + size);
        }
    }
}
