package dev.luq.prompt;

import dev.luq.llama.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** From texts to tokens and back, in a time that grows linearly with their length. Thread-safe. */
public final class Tokenizer {

    /**
     * Characters that are tokenized at once. Without spaces in the text, tokenizers take more than linear time, and some a
     * stack frame for each character.
     */
    static final int LONGEST_PIECE = 64 * 1024;

    private static final String SOME_TEXT = "a";

    private final Vocabulary vocabulary;
    /** Special tokens that the model wants before a text, and after it. */
    private final int[] front;

    private final int[] behind;

    Tokenizer(Vocabulary vocabulary) {
        this.vocabulary = vocabulary;
        int[] bare = vocabulary.tokenize(SOME_TEXT, false, false);
        int[] whole = vocabulary.tokenize(SOME_TEXT, true, false);
        int before = Math.max(0, Collections.indexOfSubList(boxed(whole), boxed(bare)));
        this.front = Arrays.copyOf(whole, before);
        this.behind = Arrays.copyOfRange(whole, Math.min(whole.length, before + bare.length), whole.length);
    }

    private static List<Integer> boxed(int[] tokens) {
        return Arrays.stream(tokens).boxed().toList();
    }

    /** The special tokens that the model wants before a text; a new array. */
    int[] front() {
        return front.clone();
    }

    /** The special tokens that the model wants after a text; a new array. */
    int[] behind() {
        return behind.clone();
    }

    /**
     * The tokens of texts. Tokens among them stay what they are.
     *
     * @param addSpecial whether the model's begin and end tokens are added where a text comes first and where one comes
     *        last, if the model wants them
     * @param parseSpecial whether the text of a control token becomes that token
     * @throws PromptException.InvalidRequest a token that the model does not have, or media
     */
    public int[] tokenize(PromptContent.Raw content, boolean addSpecial, boolean parseSpecial) {
        List<int[]> runs = new ArrayList<>();
        List<PromptContent.Piece> pieces = content.pieces();
        boolean special = addSpecial && !pieces.isEmpty() && pieces.get(0) instanceof PromptContent.Piece.Text;
        if (special) {
            runs.add(front);
        }
        for (PromptContent.Piece piece : pieces) {
            if (piece instanceof PromptContent.Piece.Text text) {
                split(text.text()).forEach(part -> runs.add(tokens(part, parseSpecial)));
            } else if (piece instanceof PromptContent.Piece.Tokens tokens) {
                runs.add(known(tokens.tokens(), "content"));
            } else {
                throw new PromptException.InvalidRequest("content", "Images have no tokens of text.", null);
            }
        }
        if (special && pieces.get(pieces.size() - 1) instanceof PromptContent.Piece.Text) {
            runs.add(behind);
        }
        return runs.stream().flatMapToInt(Arrays::stream).toArray();
    }

    /** The tokens of one of the pieces of {@link #split}, without those around a text. */
    int[] tokens(String piece, boolean parseSpecial) {
        return vocabulary.tokenize(piece, false, parseSpecial);
    }

    /**
     * The same tokens.
     *
     * @throws PromptException.InvalidRequest the model does not have one of them
     */
    int[] known(int[] tokens, String field) {
        for (int token : tokens) {
            if (token < 0 || token >= vocabulary.size()) {
                throw new PromptException.InvalidRequest(
                        field,
                        "The model has no token " + token + ". Its tokens are 0 to " + (vocabulary.size() - 1) + ".",
                        null);
            }
        }
        return tokens;
    }

    /**
     * The bytes of tokens.
     *
     * @param bytes of all, one after the other; those of one token may be an incomplete UTF-8 sequence
     * @param lengths how many of them each token has
     */
    public record Pieces(byte[] bytes, int[] lengths) {}

    /**
     * The bytes of each token.
     *
     * @param tokens of {@link #tokenize}
     * @param mostBytes more of all together are refused
     * @throws PromptException.InvalidRequest they are more
     */
    public Pieces pieces(int[] tokens, int mostBytes) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        int[] lengths = new int[tokens.length];
        for (int i = 0; i < tokens.length; i++) {
            byte[] piece = vocabulary.piece(tokens[i], true);
            bytes.writeBytes(piece);
            lengths[i] = piece.length;
            if (bytes.size() > mostBytes) {
                throw new PromptException.InvalidRequest(
                        "content",
                        "The pieces of its tokens have more than " + mostBytes + " bytes. Send less at once.",
                        null);
            }
        }
        return new Pieces(bytes.toByteArray(), lengths);
    }

    /**
     * The text of tokens, also of control tokens; malformed UTF-8 is replaced.
     *
     * @param mostBytes longer texts are refused
     * @throws PromptException.InvalidRequest the model does not have one of them, or their text is too long
     */
    public String text(int[] tokens, int mostBytes) {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        for (int token : known(tokens, "tokens")) {
            text.writeBytes(vocabulary.piece(token, true));
            if (text.size() > mostBytes) {
                throw new PromptException.InvalidRequest(
                        "tokens",
                        "The tokens have more than " + mostBytes + " bytes of text. Send fewer at once.",
                        null);
            }
        }
        return text.toString(StandardCharsets.UTF_8);
    }

    /** Pieces of a text that are tokenized one by one. */
    static List<String> split(String text) {
        List<String> pieces = new ArrayList<>();
        int from = 0;
        while (from < text.length()) {
            int end = pieceEnd(text, from);
            pieces.add(text.substring(from, end));
            from = end;
        }
        return pieces;
    }

    /** Where a piece that begins here ends: with the text, else before a space, or before what may be a special token. */
    private static int pieceEnd(String text, int from) {
        int most = from + LONGEST_PIECE;
        if (most >= text.length()) {
            return text.length();
        }
        for (int end = most; end > from + LONGEST_PIECE / 2; end--) {
            if (Character.isWhitespace(text.charAt(end))) {
                return end;
            }
        }
        int mark = text.lastIndexOf('<', most);
        if (mark > from + LONGEST_PIECE / 2) {
            return mark;
        }
        return Character.isLowSurrogate(text.charAt(most)) ? most - 1 : most;
    }
}
