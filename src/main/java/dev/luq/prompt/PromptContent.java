package dev.luq.prompt;

import java.util.List;
import java.util.Map;

/** What a prompt is made of, beside its images. */
public sealed interface PromptContent {

    /** Its length, in characters and tokens: what the time that it takes depends on. */
    long length();

    /**
     * A conversation.
     *
     * @param json what the chat template takes, see {@link dev.luq.llama.ChatTemplates#apply}, as the user wrote it: special
     *        tokens in its texts stay text. The place of an image is a content part {@code {"type":"media_marker"}}
     */
    record Chat(String json) implements PromptContent {
        @Override
        public long length() {
            return json.length();
        }
    }

    /**
     * A prompt as the model gets it, without a chat template. Special tokens in its texts are read as such.
     *
     * @param pieces in order
     * @param constraint what the answer has to follow; null for nothing
     */
    record Raw(List<Piece> pieces, Constraint constraint) implements PromptContent {
        @Override
        public long length() {
            return pieces.stream().mapToLong(Piece::length).sum() + (constraint == null ? 0 : constraint.length());
        }
    }

    /** A part of a raw prompt. */
    sealed interface Piece {

        /** In characters or tokens. */
        default long length() {
            return 0;
        }

        record Text(String text) implements Piece {
            @Override
            public long length() {
                return text.length();
            }
        }

        /** @param tokens not copied */
        record Tokens(int[] tokens) implements Piece {
            @Override
            public long length() {
                return tokens.length;
            }
        }

        /** The place of an image. */
        record Media() implements Piece {}

        /** A document to be ranked by a query: all of a prompt. Special tokens in both stay text. */
        record Pair(String query, String document) implements Piece {
            @Override
            public long length() {
                return (long) query.length() + document.length();
            }
        }
    }

    /**
     * What an answer has to follow from its first token on: a grammar or a schema.
     *
     * @param field the request's field that it comes from
     * @param grammar GBNF with the start symbol {@code root}; null if there is a schema
     * @param schema JSON schema as text; null if there is a grammar
     * @param patterns what the regular expressions in the schema mean, see {@link dev.luq.llama.Schemas}
     */
    record Constraint(String field, String grammar, String schema, Map<String, String> patterns) {

        /** In characters. */
        long length() {
            long meanings = patterns == null
                    ? 0
                    : patterns.entrySet().stream()
                            .mapToLong(each -> length(each.getKey()) + length(each.getValue()))
                            .sum();
            return length(grammar) + length(schema) + meanings;
        }

        private static long length(String text) {
            return text == null ? 0 : text.length();
        }
    }
}
