package dev.luq.llama;

import dev.luq.preset.global.llama;
import java.util.Map;
import org.bytedeco.javacpp.BytePointer;

/** JSON schemas as grammars. Large ones take stack: some hundred bytes for each schema that is nested in another. */
public final class Schemas {

    private Schemas() {}

    /**
     * A GBNF grammar of the JSON texts that a schema admits, as far as llama.cpp supports the schema.
     *
     * @param patterns what the regular expressions in it mean: lines of GBNF rules and an expression as the last line, for
     *        what may stand between the quotes of the JSON string; {@code char} is any character there
     * @throws LlamaException.InvalidGrammar the schema is malformed, uses what a grammar cannot express, or a pattern
     *         that is not given
     * @throws LlamaException.TooComplex the grammar would be too large
     */
    public static String toGrammar(String jsonSchema, Map<String, String> patterns) {
        try (BytePointer schema = Native.utf8(jsonSchema);
                BytePointer known = Native.utf8(Json.of(patterns))) {
            BytePointer grammar = llama.luq_schema_to_grammar(schema, known);
            if (grammar == null) {
                String reason = "the JSON schema cannot be used: " + Native.lastError();
                throw Native.lastErrorIsLimit()
                        ? new LlamaException.TooComplex(reason)
                        : new LlamaException.InvalidGrammar(reason);
            }
            return Native.take(grammar);
        }
    }
}
