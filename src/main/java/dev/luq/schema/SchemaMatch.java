package dev.luq.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.math.BigDecimal;
import java.util.Map;

/**
 * Whether a JSON value is one that a schema describes, by the keywords that a grammar enforces; a {@code pattern} or a
 * {@code format} counts as met. Not thread-safe.
 */
public final class SchemaMatch {

    /** Values compared with schemas and with values, of one value: alternatives within alternatives multiply. */
    private static final int MOST_STEPS = 100_000;
    /** Values and references within each other. */
    private static final int DEEPEST = 512;

    private final JsonNode root;
    private int steps;

    private SchemaMatch(JsonNode root) {
        this.root = root;
    }

    /**
     * @param schema that {@link SchemaCheck} accepts
     * @return false also when finding out takes too long
     */
    public static boolean fits(JsonNode value, JsonNode schema) {
        return new SchemaMatch(schema).fits(value, schema, 0);
    }

    private boolean fits(JsonNode value, JsonNode schema, int depth) {
        if (++steps > MOST_STEPS || depth > DEEPEST) {
            return false;
        }
        if (!schema.isObject()) {
            return schema.asBoolean(true);
        }
        return (!schema.has("$ref") || fits(value, target(schema.get("$ref").asText()), depth + 1))
                && hasType(value, schema.path("type"))
                && (!schema.has("const") || equal(value, schema.get("const")))
                && (!schema.has("enum") || anyEqual(value, schema.get("enum")))
                && fitsAny(value, schema.path("anyOf"), depth)
                && fitsAny(value, schema.path("oneOf"), depth)
                && fitsAll(value, schema.path("allOf"), depth)
                && (!value.isObject() || hasProperties(value, schema, depth))
                && (!value.isArray() || hasItems(value, schema, depth))
                && (!value.isTextual() || hasLength(value, schema))
                && (!value.isNumber() || isInRange(value.decimalValue(), schema));
    }

    private JsonNode target(String reference) {
        boolean isPointer = reference.equals("#") || reference.startsWith("#/");
        return isPointer ? root.at(reference.substring(1)) : MissingNode.getInstance();
    }

    private static boolean hasType(JsonNode value, JsonNode type) {
        if (!type.isArray()) {
            return type.isMissingNode() || isOfType(value, type.asText());
        }
        for (JsonNode one : type) {
            if (isOfType(value, one.asText())) {
                return true;
            }
        }
        return false;
    }

    private static boolean isOfType(JsonNode value, String type) {
        return switch (type) {
            case "object" -> value.isObject();
            case "array" -> value.isArray();
            case "string" -> value.isTextual();
            case "number" -> value.isNumber();
            case "integer" ->
                value.isNumber() && value.decimalValue().stripTrailingZeros().scale() <= 0;
            case "boolean" -> value.isBoolean();
            case "null" -> value.isNull();
            default -> false;
        };
    }

    private boolean equal(JsonNode a, JsonNode b) {
        return ++steps <= MOST_STEPS && a.equals(this::compareLeaves, b);
    }

    /** @return 0 for equal ones; not for others, nor when finding out takes too long */
    private int compareLeaves(JsonNode a, JsonNode b) {
        if (++steps > MOST_STEPS) {
            return 1;
        }
        if (a.isNumber() && b.isNumber()) {
            return a.decimalValue().compareTo(b.decimalValue());
        }
        return a.equals(b) ? 0 : 1;
    }

    private boolean anyEqual(JsonNode value, JsonNode list) {
        for (JsonNode one : list) {
            if (equal(value, one)) {
                return true;
            }
        }
        return false;
    }

    private boolean fitsAny(JsonNode value, JsonNode schemas, int depth) {
        for (JsonNode one : schemas) {
            if (fits(value, one, depth + 1)) {
                return true;
            }
        }
        return schemas.isMissingNode();
    }

    private boolean fitsAll(JsonNode value, JsonNode schemas, int depth) {
        for (JsonNode one : schemas) {
            if (!fits(value, one, depth + 1)) {
                return false;
            }
        }
        return true;
    }

    private boolean hasProperties(JsonNode object, JsonNode schema, int depth) {
        for (JsonNode name : schema.path("required")) {
            if (!object.has(name.asText())) {
                return false;
            }
        }
        JsonNode properties = schema.path("properties");
        JsonNode others = schema.path("additionalProperties");
        for (Map.Entry<String, JsonNode> field : object.properties()) {
            JsonNode own = properties.path(field.getKey());
            if (!fits(field.getValue(), own.isMissingNode() ? others : own, depth + 1)) {
                return false;
            }
        }
        return true;
    }

    private boolean hasItems(JsonNode array, JsonNode schema, int depth) {
        JsonNode items = schema.has("items") ? schema.get("items") : schema.path("prefixItems");
        for (int i = 0; i < array.size(); i++) {
            if (!fits(array.get(i), items.isArray() ? items.path(i) : items, depth + 1)) {
                return false;
            }
        }
        return isBetween(array.size(), schema.path("minItems"), schema.path("maxItems"));
    }

    private static boolean hasLength(JsonNode text, JsonNode schema) {
        String value = text.textValue();
        return isBetween(value.codePointCount(0, value.length()), schema.path("minLength"), schema.path("maxLength"));
    }

    private static boolean isBetween(int count, JsonNode least, JsonNode most) {
        return count >= least.asInt(0) && count <= most.asInt(Integer.MAX_VALUE);
    }

    private static boolean isInRange(BigDecimal value, JsonNode schema) {
        return value.compareTo(bound(schema, "minimum", value)) >= 0
                && value.compareTo(bound(schema, "maximum", value)) <= 0
                && (!schema.has("exclusiveMinimum") || value.compareTo(bound(schema, "exclusiveMinimum", value)) > 0)
                && (!schema.has("exclusiveMaximum") || value.compareTo(bound(schema, "exclusiveMaximum", value)) < 0);
    }

    private static BigDecimal bound(JsonNode schema, String keyword, BigDecimal absent) {
        JsonNode bound = schema.path(keyword);
        return bound.isNumber() ? bound.decimalValue() : absent;
    }
}
