package dev.luq.openai.chat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.openai.generation.Check;
import dev.luq.protocol.PromptInput.Constraint;
import dev.luq.schema.SchemaCheck;
import java.util.Map;
import java.util.TreeMap;

/** What the answer to a prompt without a template has to follow. */
public final class Constraints {

    private static final String FORMAT = "response_format";
    private static final String SCHEMA = "json_schema";
    private static final String GRAMMAR = "grammar";

    private Constraints() {}

    /**
     * At most one of {@code grammar} (GBNF), {@code json_schema} (a schema) and {@code response_format}.
     *
     * @return null when none is there
     * @throws dev.luq.http.errors.ApiException naming the field at fault
     */
    public static Constraint of(ObjectNode request) {
        SchemaCheck schemas = new SchemaCheck();
        ObjectNode rules = JsonNodeFactory.instance.objectNode();
        JsonNode schema = request.get(SCHEMA);
        OutputRules.putSchema(rules, request.get(FORMAT), schema, schemas);
        JsonNode grammar = request.get(GRAMMAR);
        OutputRules.putGrammar(rules, Check.isNull(grammar) ? null : Check.text(GRAMMAR, grammar));
        if (rules.has(GRAMMAR)) {
            return new Constraint(GRAMMAR, Check.wellFormed(rules.get(GRAMMAR).textValue()), null, null);
        }
        if (!rules.has(SCHEMA)) {
            return null;
        }
        String field = Check.isNull(schema) ? FORMAT : SCHEMA;
        String text = Check.wellFormed(rules.get(SCHEMA).toString());
        Map<String, String> patterns = new TreeMap<>();
        schemas.patterns().forEach((pattern, meaning) -> patterns.put(Check.wellFormed(pattern), meaning));
        return new Constraint(field, null, text, patterns);
    }
}
