package dev.luq.protocol;

import com.fasterxml.jackson.annotation.JsonSubTypes;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** What a worker makes a prompt of. The server has checked it; images are beside it, in the order of their places. */
@JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
@JsonSubTypes({
    @JsonSubTypes.Type(value = PromptInput.Chat.class, name = "chat"),
    @JsonSubTypes.Type(value = PromptInput.Raw.class, name = "raw")
})
public sealed interface PromptInput {

    /** Bytes that it takes in memory: a character takes two, a token's id four. */
    long bytes();

    /**
     * A conversation, which the model's chat template turns into a prompt. Special tokens in its texts stay text.
     *
     * @param json what the chat template takes, as the JSON text that llama.cpp's {@code common/chat.h} reads: messages,
     *     tools, {@code tool_choice}, {@code parallel_tool_calls}, {@code add_generation_prompt}, the
     *     {@code json_schema} or {@code grammar} that the answer follows, and what the {@code patterns} of all schemas
     *     mean; {@code reasoning_format} where thoughts are told from the answer; {@code enable_thinking} and {@code
     *     chat_template_kwargs}, further variables of the template; {@code continue_final_message} where the answer
     *     continues the last message; and {@code own_messages}, how many in front are the server's and count in no name of
     *     a field. The server made it of a request that it checked; the worker has to know neither
     *     roles nor formats. An image's place is a part {@code {"type":"media_marker"}} of a message
     */
    record Chat(String json) implements PromptInput {
        @Override
        public long bytes() {
            return 2L * json.length();
        }
    }

    /**
     * A prompt as the model gets it, without a chat template. Special tokens in its texts are read as such.
     *
     * @param pieces in order, possibly empty
     * @param constraint what the answer has to follow; null for nothing
     */
    record Raw(List<Piece> pieces, Constraint constraint) implements PromptInput {

        /** Nothing but this text. */
        public static Raw of(String text) {
            return new Raw(List.of(new Piece.Text(text)), null);
        }

        /** Nothing but these tokens, which are not copied. */
        public static Raw of(int... tokens) {
            return new Raw(List.of(new Piece.Tokens(tokens)), null);
        }

        @Override
        public long bytes() {
            return pieces.stream().mapToLong(Piece::bytes).sum() + (constraint == null ? 0 : constraint.bytes());
        }
    }

    /** A part of a raw prompt. */
    @JsonTypeInfo(use = JsonTypeInfo.Id.NAME, property = "type")
    @JsonSubTypes({
        @JsonSubTypes.Type(value = Piece.Text.class, name = "text"),
        @JsonSubTypes.Type(value = Piece.Tokens.class, name = "tokens"),
        @JsonSubTypes.Type(value = Piece.Media.class, name = "media"),
        @JsonSubTypes.Type(value = Piece.Pair.class, name = "pair")
    })
    sealed interface Piece {

        /** See {@link PromptInput#bytes}. */
        default long bytes() {
            return 0;
        }

        record Text(String text) implements Piece {
            @Override
            public long bytes() {
                return 2L * text.length();
            }
        }

        /** @param tokens ids; the worker knows which there are */
        record Tokens(int[] tokens) implements Piece {
            @Override
            public long bytes() {
                return 4L * tokens.length;
            }
        }

        /** The place of an image. */
        record Media() implements Piece {}

        /** A document whose relevance to a query is asked for: all of a prompt. Special tokens in both stay text. */
        record Pair(String query, String document) implements Piece {
            @Override
            public long bytes() {
                return 2L * (query.length() + document.length());
            }
        }
    }

    /**
     * What an answer has to follow from its first token on: a grammar or a schema.
     *
     * @param field the request's field that it comes from
     * @param grammar GBNF with the start symbol {@code root}; null if there is a schema
     * @param schema JSON schema as text; null if there is a grammar
     * @param patterns what the regular expressions in the schema mean, in GBNF; null for none
     */
    record Constraint(String field, String grammar, String schema, Map<String, String> patterns) {
        long bytes() {
            long characters = length(grammar) + length(schema);
            for (String pattern : Objects.requireNonNullElse(patterns, Map.<String, String>of())
                    .keySet()) {
                characters += length(pattern) + length(patterns.get(pattern));
            }
            return 2 * characters;
        }

        private static long length(String text) {
            return text == null ? 0 : text.length();
        }
    }
}
