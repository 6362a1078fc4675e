package dev.luq.llama;

import dev.luq.preset.global.llama;
import org.bytedeco.javacpp.BytePointer;

/** JSON schemas as grammars. */
public final class Schemas {

    private Schemas() {
    }

    /**
     * A GBNF grammar of the JSON texts that a schema admits, as far as llama.cpp supports the schema.
     *
     * @throws LlamaException.InvalidGrammar the schema is malformed or uses what a grammar cannot express
     */
    public static String toGrammar(String jsonSchema) {
        try (BytePointer schema = Native.utf8(jsonSchema)) {
            BytePointer grammar = llama.luq_schema_to_grammar(schema);
            if (grammar == null) {
                throw new LlamaException.InvalidGrammar("the JSON schema cannot be used: " + Native.lastError());
            }
            return Native.take(grammar);
        }
    }
}
