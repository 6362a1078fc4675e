package dev.luq.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/**
 * Looks at the schemas of one request before a grammar is made of them: bounds what that costs, and refuses what the
 * grammar would not enforce although it is asked for. It walks as llama.cpp's conversion does, which visits the target of
 * each reference once and a schema with several types once for each of them. Not thread-safe.
 */
public final class SchemaCheck {

    /** Schemas within all schemas of a request: properties, items, alternatives. */
    static final int MOST_SCHEMAS = 5000;

    static final int MOST_REFERENCES = 1000;
    static final int MOST_VALUES = 5000;
    /** Schemas within each other, references followed. */
    static final int DEEPEST = 128;

    static final int LONGEST_NAME = 256;
    static final int MOST_PATTERNS = 200;
    /** For minItems, maxItems and minLength: a grammar repeats nothing more often. */
    static final int MOST_REPETITIONS = 2000;

    static final int LONGEST_STRING = 500_000;
    /** Grammar rules are named by the path that leads to them: characters of all these names. */
    private static final int MOST_NAME_CHARACTERS = 2_000_000;
    /** Bounds of integers that a grammar can tell: as many digits as it writes. */
    private static final double LARGEST_INTEGER = 1e15;

    private static final int SHOWN_NAME = 40;
    private static final String LEAVE_OUT = "Leave it out and check the answer yourself";
    private static final String ADVICE = "cannot be enforced. " + LEAVE_OUT;

    /** What says something of a value that no grammar says. */
    private static final List<String> NOT_ENFORCED = List.of(
            "not",
            "if",
            "dependentRequired",
            "dependentSchemas",
            "dependencies",
            "patternProperties",
            "propertyNames",
            "minProperties",
            "maxProperties",
            "unevaluatedProperties",
            "unevaluatedItems",
            "uniqueItems",
            "contains",
            "multipleOf");

    private static final List<String> BOUNDS = List.of("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum");
    /** What is not looked at beside a reference or alternatives. */
    private static final List<String> NOT_BESIDE = List.of(
            "properties",
            "required",
            "additionalProperties",
            "items",
            "prefixItems",
            "minItems",
            "maxItems",
            "enum",
            "const",
            "allOf",
            "pattern",
            "minLength",
            "maxLength");

    private int schemas;
    private int references;
    private int values;
    private int repetitions;
    private int nameCharacters;
    private final Map<String, String> patterns = new TreeMap<>();
    /** Of these, those that stand for any text. */
    private final Set<String> notEnforced = new HashSet<>();

    /** One schema's walk. */
    private final class Walk {
        private final JsonNode root;
        private final String field;
        private final boolean enforced;
        private final Set<String> visited = new HashSet<>();
        /** References that a target leads to before anything of a value is written. */
        private final Map<String, Set<String>> direct = new HashMap<>();

        Walk(JsonNode root, String field, boolean enforced) {
            this.root = root;
            this.field = field;
            this.enforced = enforced;
        }

        void run() {
            schema(root, field, 0, 0, "#");
            refuseEndlessReferences();
        }

        /** @param owner the reference that leads here with nothing written in between, or null */
        private void schema(JsonNode schema, String path, int depth, int nameLength, String owner) {
            count(path, depth, nameLength);
            if (schema.isBoolean() && schema.booleanValue()) {
                return;
            }
            if (!schema.isObject()) {
                throw invalid(path, "must be a schema: an object, or true");
            }
            refuseNotEnforced(schema, path);
            if (schema.has("$ref")) {
                refuseBeside(schema, "$ref", path);
                reference(schema.get("$ref"), path + ".$ref", depth, owner);
                return;
            }
            for (String keyword : List.of("oneOf", "anyOf")) {
                if (schema.has(keyword)) {
                    refuseBeside(schema, keyword, path);
                    alternatives(schema.get(keyword), path + "." + keyword, depth, nameLength, owner);
                    return;
                }
            }
            JsonNode type = schema.path("type");
            if (type.isArray()) {
                types(schema, type, path, depth, nameLength, owner);
            } else {
                typed(schema, type.asText(""), path, depth, nameLength, owner);
            }
        }

        private void refuseNotEnforced(JsonNode schema, String path) {
            if (!enforced) {
                return;
            }
            for (String keyword : NOT_ENFORCED) {
                JsonNode value = schema.path(keyword);
                boolean off = keyword.equals("uniqueItems") && !value.asBoolean(true)
                        || keyword.equals("minProperties") && value.asInt(1) == 0;
                if (!value.isMissingNode() && !off) {
                    throw invalid(path + "." + keyword, ADVICE);
                }
            }
            if (!isInteger(schema.path("type"))) {
                for (String keyword : BOUNDS) {
                    if (schema.has(keyword)) {
                        throw invalid(path + "." + keyword, "is enforced for integers alone. " + LEAVE_OUT);
                    }
                }
            }
        }

        /** Whether all numbers of this type are integers, of which there are some. */
        private static boolean isInteger(JsonNode type) {
            boolean integer = type.asText().equals("integer");
            for (JsonNode one : type) {
                if (one.asText().equals("number")) {
                    return false;
                }
                integer |= one.asText().equals("integer");
            }
            return integer;
        }

        /** @param keyword beside which nothing else is enforced */
        private void refuseBeside(JsonNode schema, String keyword, String path) {
            for (String other : NOT_BESIDE) {
                if (enforced && schema.has(other)) {
                    throw invalid(
                            path + "." + other, "is not enforced beside " + keyword + ". Put it into each of them");
                }
            }
        }

        private void count(String path, int depth, int nameLength) {
            nameCharacters += nameLength;
            if (++schemas > MOST_SCHEMAS || nameCharacters > MOST_NAME_CHARACTERS) {
                throw tooComplex(
                        field,
                        "has too many properties, items and alternatives; at most " + MOST_SCHEMAS
                                + " are accepted in a request, fewer with long names");
            }
            if (depth > DEEPEST) {
                throw tooComplex(path, "is nested deeper than " + DEEPEST + " schemas");
            }
        }

        private void types(JsonNode schema, JsonNode types, String path, int depth, int nameLength, String owner) {
            Set<String> seen = new HashSet<>();
            for (JsonNode type : types) {
                if (!type.isTextual() || !seen.add(type.textValue())) {
                    throw invalid(path + ".type", "must be a type, or an array of types that differ");
                }
                count(path, depth, nameLength);
                typed(schema, type.textValue(), path, depth, nameLength, owner);
            }
        }

        private void typed(JsonNode schema, String type, String path, int depth, int nameLength, String owner) {
            if (schema.has("const") || schema.has("enum")) {
                values(schema, path);
                return;
            }
            boolean any = type.isEmpty();
            if (schema.has("allOf") && (any || type.equals("object") || type.equals("string"))) {
                refuseBesideAllOf(schema, path);
                alternatives(schema.get("allOf"), path + ".allOf", depth, nameLength, owner);
            }
            if (any || type.equals("object")) {
                properties(schema, path, depth, nameLength);
            }
            if (any || type.equals("array")) {
                items(schema, path, depth, nameLength);
            }
            if (any || type.equals("string")) {
                string(schema, path);
            }
            if (type.equals("integer")) {
                integer(schema, path);
            }
        }

        /** An object with properties of its own is made of these alone, and one of others has what they require. */
        private void refuseBesideAllOf(JsonNode schema, String path) {
            for (String other : List.of("properties", "additionalProperties", "required")) {
                if (enforced && schema.has(other)) {
                    throw invalid(path + "." + other, "is not enforced beside allOf. Put it into one of its schemas");
                }
            }
        }

        private void values(JsonNode schema, String path) {
            JsonNode list = schema.path("enum");
            if (!schema.has("const") && (!list.isArray() || list.isEmpty())) {
                throw invalid(path + ".enum", "must be an array of one value or more");
            }
            values += list.size();
            if (values > MOST_VALUES) {
                throw tooComplex(
                        path + ".enum", "has too many values; at most " + MOST_VALUES + " are accepted in a request");
            }
        }

        private void properties(JsonNode schema, String path, int depth, int nameLength) {
            JsonNode properties = schema.path("properties");
            if (enforced && !path.contains(".allOf[")) {
                for (JsonNode name : schema.path("required")) {
                    if (!properties.has(name.asText())) {
                        throw invalid(
                                path + ".required",
                                "names " + shown(name.asText())
                                        + ", which is none of the properties. Describe it there");
                    }
                }
            }
            if (!properties.isMissingNode() && !properties.isObject()) {
                throw invalid(path + ".properties", "must be an object");
            }
            // A copy: a reference may lead back to them as to a schema, whose keywords may be removed.
            for (Map.Entry<String, JsonNode> property : List.copyOf(properties.properties())) {
                String name = property.getKey();
                String place = path + ".properties." + shown(name);
                if (name.length() > LONGEST_NAME) {
                    throw tooComplex(place, "has a name longer than " + LONGEST_NAME + " characters");
                }
                schema(property.getValue(), place, depth + 1, nameLength + name.length() + 1, null);
            }
            JsonNode additional = schema.path("additionalProperties");
            if (additional.isObject()) {
                schema(additional, path + ".additionalProperties", depth + 1, nameLength + 17, null);
            }
        }

        private void items(JsonNode schema, String path, int depth, int nameLength) {
            if (schema.path("prefixItems").isArray() && schema.has("items")) {
                if (enforced && !schema.get("items").isBoolean()) {
                    throw invalid(
                            path + ".items",
                            "is not enforced beside prefixItems, after which nothing comes. Leave it out");
                }
                // Where both are there the conversion takes items alone.
                ((ObjectNode) schema).remove("items");
            }
            String keyword = schema.has("items") ? "items" : "prefixItems";
            JsonNode items = schema.path(keyword);
            String place = path + "." + keyword;
            if (items.isArray()) {
                refuseOtherLength(schema, items.size(), path);
                for (int i = 0; i < items.size(); i++) {
                    schema(items.get(i), place + "[" + i + "]", depth + 1, nameLength + 10, null);
                }
            } else if (!items.isMissingNode()) {
                schema(items, place, depth + 1, nameLength + 5, null);
            }
            repeats(schema, "minItems", path, MOST_REPETITIONS);
            repeats(schema, "maxItems", path, MOST_REPETITIONS);
            refuseEmptyRange(schema, "minItems", "maxItems", path);
        }

        /** As many items as an array of schemas has are what comes. */
        private void refuseOtherLength(JsonNode schema, int length, String path) {
            for (String bound : List.of("minItems", "maxItems")) {
                int items = schema.path(bound).asInt(length);
                if (enforced && (bound.equals("minItems") ? items > length : items < length)) {
                    throw invalid(path + "." + bound, "is not enforced: of " + length + " items each has its schema");
                }
            }
        }

        private void string(JsonNode schema, String path) {
            repeats(schema, "minLength", path, MOST_REPETITIONS);
            repeats(schema, "maxLength", path, LONGEST_STRING);
            refuseEmptyRange(schema, "minLength", "maxLength", path);
            JsonNode pattern = schema.path("pattern");
            if (pattern.isMissingNode()) {
                return;
            }
            if (!pattern.isTextual()) {
                throw invalid(path + ".pattern", "must be a string");
            }
            if (enforced && (schema.path("minLength").asInt() > 0 || schema.has("maxLength"))) {
                throw invalid(
                        path + ".pattern",
                        "cannot be used together with minLength or maxLength. Put the length into"
                                + " the pattern, such as ^[a-z]{1,20}$");
            }
            pattern(pattern.textValue(), path + ".pattern", enforced);
        }

        private void integer(JsonNode schema, String path) {
            double least = bound(schema, "minimum", "exclusiveMinimum", path, -1);
            double most = bound(schema, "maximum", "exclusiveMaximum", path, 1);
            if (least > most) {
                throw invalid(path + ".minimum", "leaves no integer: it is larger than the maximum");
            }
        }

        /** @param sign of the infinity that stands for no bound */
        private double bound(JsonNode schema, String inclusive, String exclusive, String path, int sign) {
            double bound = sign * Double.POSITIVE_INFINITY;
            for (String keyword : List.of(inclusive, exclusive)) {
                JsonNode value = schema.path(keyword);
                if (value.isMissingNode()) {
                    continue;
                }
                if (!value.isNumber()) {
                    throw invalid(path + "." + keyword, "must be a number");
                }
                double number = value.doubleValue();
                if (number * sign < -LARGEST_INTEGER) {
                    throw invalid(path + "." + keyword, "leaves only integers of more than 15 digits");
                }
                double open = keyword.equals(exclusive) ? 1 : 0;
                double tight = sign < 0
                        ? (open > 0 ? Math.floor(number) + 1 : Math.ceil(number))
                        : (open > 0 ? Math.ceil(number) - 1 : Math.floor(number));
                bound = sign < 0 ? Math.max(bound, tight) : Math.min(bound, tight);
            }
            return bound;
        }

        private void repeats(JsonNode schema, String keyword, String path, int most) {
            JsonNode count = schema.path(keyword);
            if (count.isMissingNode()) {
                return;
            }
            if (!count.isIntegralNumber() || count.bigIntegerValue().signum() < 0) {
                throw invalid(path + "." + keyword, "must be an integer of 0 or more");
            }
            if (count.bigIntegerValue().bitLength() > 31 || count.intValue() > most) {
                if (!enforced) {
                    // A bound that nobody reaches: without it the converter counts nothing.
                    ((ObjectNode) schema).remove(keyword);
                    return;
                }
                throw tooComplex(path + "." + keyword, "is larger than " + most);
            }
            repetitions += Math.min(count.intValue(), MOST_REPETITIONS);
            if (repetitions > MOST_REPETITIONS * 100) {
                throw tooComplex(path + "." + keyword, "is one repetition too many for one request");
            }
        }

        private void refuseEmptyRange(JsonNode schema, String least, String most, String path) {
            if (schema.has(most)
                    && schema.path(least).asInt(0) > schema.get(most).asInt()) {
                throw invalid(path + "." + least, "is larger than " + most);
            }
        }

        private void alternatives(JsonNode list, String path, int depth, int nameLength, String owner) {
            if (!list.isArray() || list.isEmpty()) {
                throw invalid(path, "must be an array of one schema or more");
            }
            for (int i = 0; i < list.size(); i++) {
                schema(list.get(i), path + "[" + i + "]", depth + 1, nameLength + 6, owner);
            }
        }

        private void reference(JsonNode value, String path, int depth, String owner) {
            if (!value.isTextual()) {
                throw invalid(path, "must be a string");
            }
            String reference = value.textValue();
            if (!reference.equals("#") && !reference.startsWith("#/")) {
                throw invalid(path, "must point into the same schema: # or #/...");
            }
            if (reference.length() > LONGEST_NAME * 4) {
                throw tooComplex(path, "is longer than " + LONGEST_NAME * 4 + " characters");
            }
            if (++references > MOST_REFERENCES) {
                throw tooComplex(field, "has more than " + MOST_REFERENCES + " references");
            }
            if (owner != null) {
                direct.computeIfAbsent(owner, o -> new LinkedHashSet<>()).add(reference);
            }
            if (reference.equals("#")) {
                return;
            }
            if (visited.add(reference)) {
                schema(target(reference, path), path, depth + 1, reference.length() + 3, reference);
            }
        }

        private JsonNode target(String reference, String path) {
            JsonNode target = root;
            for (String step : reference.substring(2).split("/", -1)) {
                String name = step.replace("~1", "/").replace("~0", "~");
                target = target.isArray() && name.matches("0|[1-9]\\d{0,5}")
                        ? target.path(Integer.parseInt(name))
                        : target.isObject() ? target.path(name) : target.path(-1);
                if (target.isMissingNode()) {
                    throw invalid(path, "points to nothing in the schema");
                }
            }
            return target;
        }

        /** A target that leads to itself with nothing written in between has no value at all. */
        private void refuseEndlessReferences() {
            Set<String> done = new HashSet<>();
            for (String start : direct.keySet()) {
                refuseEndlessReference(start, done, new LinkedHashSet<>());
            }
        }

        private void refuseEndlessReference(String at, Set<String> done, Set<String> path) {
            if (done.contains(at)) {
                return;
            }
            if (!path.add(at)) {
                throw invalid(
                        field,
                        "has references that lead back to themselves with nothing in between, such as " + shown(at));
            }
            for (String next : direct.getOrDefault(at, Set.of())) {
                refuseEndlessReference(next, done, path);
            }
            path.remove(at);
            done.add(at);
        }
    }

    /**
     * Checks one more schema of the request.
     *
     * @param field of the request that holds it
     * @param enforced whether all of it is asked for; if not, as in tools that are not strict, a pattern that a grammar
     *        cannot say stands for any text, and a pattern stands without its lengths
     * @throws SchemaException when it cannot be used
     */
    public void check(JsonNode schema, String field, boolean enforced) {
        new Walk(schema, field, enforced).run();
    }

    /** The meaning of all patterns so far, sorted: an expression to GBNF lines, as the conversion takes them. */
    public Map<String, String> patterns() {
        return Collections.unmodifiableMap(patterns);
    }

    private void pattern(String pattern, String path, boolean enforced) {
        boolean known = patterns.containsKey(pattern);
        if (known && !(enforced && notEnforced.contains(pattern))) {
            return;
        }
        if (!known && patterns.size() >= MOST_PATTERNS) {
            throw tooComplex(path, "is one pattern too many: at most " + MOST_PATTERNS + " are accepted in a request");
        }
        try {
            patterns.put(pattern, PatternGrammar.of(pattern));
        } catch (PatternGrammar.Unusable e) {
            if (enforced || e.tooComplex) {
                throw new SchemaException(path, path + " " + e.getMessage(), e.tooComplex);
            }
            patterns.put(pattern, PatternGrammar.ANY);
            notEnforced.add(pattern);
        }
    }

    private static String shown(String name) {
        String plain = name.replaceAll("\\p{C}", "?");
        return plain.length() <= SHOWN_NAME ? plain : plain.substring(0, SHOWN_NAME) + "…";
    }

    private static SchemaException invalid(String path, String what) {
        return new SchemaException(path, path + " " + what, false);
    }

    private static SchemaException tooComplex(String path, String what) {
        return new SchemaException(path, path + " " + what, true);
    }
}
