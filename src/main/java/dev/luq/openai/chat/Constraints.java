package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import dev.luq.http.errors.ApiException.SchemaTooComplex;
import dev.luq.openai.generation.Check;
import dev.luq.protocol.PromptInput.Constraint;
import dev.luq.schema.SchemaCheck;
import java.util.stream.Stream;

/** What the answer to a prompt without a template has to follow. */
public final class Constraints {

    private static final String FORMAT = "response_format";
    private static final String SCHEMA = "json_schema";
    private static final String GRAMMAR = "grammar";
    /** Characters. */
    private static final int LONGEST_GRAMMAR = 256 * 1024;

    private Constraints() {}

    /**
     * At most one of {@code grammar} (GBNF), {@code json_schema} (a schema) and {@code response_format}.
     *
     * @return null when none is there
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    public static Constraint of(ObjectNode request) {
        String grammar = grammar(request);
        SchemaCheck schemas = new SchemaCheck();
        ObjectNode format = JsonNodeFactory.instance.objectNode();
        OutputRules.putSchema(format, request.get(FORMAT), schemas);
        JsonNode schema = request.get(SCHEMA);
        boolean ofSchema = !Check.isNull(schema);
        if (Stream.of(grammar != null, ofSchema, format.has(SCHEMA))
                        .filter(given -> given)
                        .count()
                > 1) {
            throw new InvalidRequest(
                    GRAMMAR, "Only one of " + GRAMMAR + ", " + SCHEMA + " and " + FORMAT + " can be followed");
        }
        if (grammar != null) {
            return new Constraint(GRAMMAR, grammar, null, null);
        }
        if (ofSchema) {
            return constraint(SCHEMA, OutputRules.schema(SCHEMA, schema, schemas, true), schemas);
        }
        return format.has(SCHEMA) ? constraint(FORMAT, format.get(SCHEMA), schemas) : null;
    }

    private static String grammar(ObjectNode request) {
        JsonNode value = request.get(GRAMMAR);
        if (Check.isNull(value)) {
            return null;
        }
        String grammar = Check.wellFormed(Check.text(GRAMMAR, value));
        if (grammar.length() > LONGEST_GRAMMAR) {
            throw new SchemaTooComplex(GRAMMAR, GRAMMAR + " is longer than " + LONGEST_GRAMMAR + " characters");
        }
        return grammar.isBlank() ? null : grammar;
    }

    private static Constraint constraint(String field, JsonNode schema, SchemaCheck schemas) {
        return new Constraint(field, null, Check.wellFormed(schema.toString()), schemas.patterns());
    }
}
