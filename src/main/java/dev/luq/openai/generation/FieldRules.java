package dev.luq.openai.generation;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.NullNode;
import dev.luq.http.errors.ApiException.InvalidRequest;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Predicate;

/**
 * Fields of other servers that would change the answer and that an endpoint has not: each is accepted with the value that
 * changes nothing, and refused by name otherwise. Fields without a rule are ignored. Not thread-safe until all rules are
 * there.
 */
public final class FieldRules {

    private static final String LEAVE_OUT = "Leave it out";

    /**
     * @param neutral which values change nothing
     * @param advice what to do instead of another one
     */
    private record Rule(Predicate<JsonNode> neutral, String advice) {}

    private final Map<String, Rule> rules = new LinkedHashMap<>();

    /**
     * @param neutral which values change nothing; null never does
     * @param advice what to do instead of another one
     */
    public FieldRules rule(String field, Predicate<JsonNode> neutral, String advice) {
        rules.put(field, new Rule(neutral, advice));
        return this;
    }

    public FieldRules number(String field, double neutral) {
        return number(field, neutral, LEAVE_OUT);
    }

    public FieldRules number(String field, double neutral, String advice) {
        return rule(field, value -> value.isNumber() && value.doubleValue() == neutral, advice);
    }

    public FieldRules upTo(String field, double most) {
        return rule(field, value -> value.isNumber() && value.doubleValue() <= most, LEAVE_OUT);
    }

    public FieldRules flag(String field, boolean neutral) {
        return flag(field, neutral, LEAVE_OUT);
    }

    public FieldRules flag(String field, boolean neutral, String advice) {
        return rule(field, value -> value.isBoolean() && value.booleanValue() == neutral, advice);
    }

    /** An empty text, array or object changes nothing. */
    public FieldRules empty(String field) {
        return empty(field, LEAVE_OUT);
    }

    public FieldRules empty(String field, String advice) {
        return rule(
                field,
                value -> value.isTextual() ? value.textValue().isEmpty() : value.isContainerNode() && value.isEmpty(),
                advice);
    }

    /** Those that are looked at, of a request's fields that have no other place; the rest goes, whatever its size. */
    public Map<String, JsonNode> known(Map<String, JsonNode> fields) {
        Map<String, JsonNode> known = new HashMap<>();
        if (fields != null) {
            fields.forEach((name, value) -> {
                if (rules.containsKey(name)) {
                    known.put(name, value == null ? NullNode.instance : value);
                }
            });
        }
        return Collections.unmodifiableMap(known);
    }

    /** @throws InvalidRequest naming a field that asks for something */
    public void check(Map<String, JsonNode> fields) {
        rules.forEach((name, rule) -> {
            JsonNode value = fields.get(name);
            if (!Check.isNull(value) && !rule.neutral().test(value)) {
                throw new InvalidRequest(name, name + " is not supported. " + rule.advice());
            }
        });
    }
}
