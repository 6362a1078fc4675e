package dev.luq.schema;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.luq.fuzz.FuzzTarget;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A schema is refused with the place at fault, or its patterns have their meaning. */
public final class SchemaCheckFuzz implements FuzzTarget {

    private static final ObjectMapper JSON = new ObjectMapper();

    @Override
    public String name() {
        return "schema-check";
    }

    @Override
    public List<byte[]> seeds() {
        return List.of(
                        "{\"type\":\"object\",\"properties\":{\"a\":{\"type\":\"string\",\"pattern\":\"^a+$\"},\"b\":{\"type\":"
                                + "\"integer\",\"minimum\":1,\"maximum\":9},\"c\":{\"enum\":[1,null,\"x\"]}},\"required\":[\"a\"]}",
                        "{\"type\":\"object\",\"properties\":{\"next\":{\"anyOf\":[{\"$ref\":\"#\"},{\"type\":\"null\"}]}}}",
                        "{\"$ref\":\"#/$defs/a\",\"$defs\":{\"a\":{\"allOf\":[{\"$ref\":\"#/$defs/b\"}]},\"b\":{\"$ref\":\"#/$defs/a\"}}}",
                        "{\"type\":[\"array\",\"null\"],\"items\":{\"oneOf\":[{\"const\":1},{\"not\":{}}]},\"minItems\":1,"
                                + "\"maxItems\":3,\"prefixItems\":[true]}")
                .stream()
                .map(schema -> schema.getBytes(StandardCharsets.UTF_8))
                .toList();
    }

    @Override
    public void run(byte[] input) {
        JsonNode schema;
        try {
            schema = JSON.readTree(new String(input, StandardCharsets.UTF_8));
        } catch (JsonProcessingException e) {
            return;
        }
        SchemaCheck check = new SchemaCheck();
        try {
            check.check(schema, "schema", true);
        } catch (SchemaException refused) {
            assertTrue(refused.path().startsWith("schema"), refused.path());
            return;
        }
        check.patterns().values().forEach(grammar -> assertFalse(grammar.isEmpty()));
    }
}
