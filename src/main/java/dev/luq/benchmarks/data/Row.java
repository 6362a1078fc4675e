package dev.luq.benchmarks.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * One row, whatever its file's format. Fields have different names in different releases: methods take all of them.
 *
 * @param file its name
 * @param number in its file, from 1
 * @param position over all files of the benchmark, from 1
 */
record Row(String file, long number, long position, ObjectNode json) {

    /** Lists in TSV files are written as Python writes them. */
    private static final JsonMapper PYTHON = JsonMapper.builder()
            .enable(JsonReadFeature.ALLOW_SINGLE_QUOTES, JsonReadFeature.ALLOW_BACKSLASH_ESCAPING_ANY_CHARACTER)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();
    /** Escapes, of which JSON does not know those with digits here. */
    private static final Pattern ESCAPE =
            Pattern.compile("\\\\(?:x([0-9a-fA-F]{2})|U(000[0-9a-fA-F]{5}|0010[0-9a-fA-F]{4})|.)");
    /** What pandas makes of an empty field. */
    private static final String NOTHING = "nan";

    private static final String ELEMENT_TEXT = "answer";

    /** One of the only file, or before {@link FileRows} counts it. */
    Row(String file, long number, ObjectNode json) {
        this(file, number, number, json);
    }

    /** Its file and number, for people. */
    String place() {
        return file + ", row " + number;
    }

    BenchmarkDataException fault(String message) {
        return new BenchmarkDataException(place() + ": " + message);
    }

    /** The first field that is there and not empty. */
    Optional<JsonNode> find(String... names) {
        return Stream.of(names)
                .map(json::path)
                .filter(value -> !value.isMissingNode() && !value.isNull())
                .filter(value -> !value.isTextual()
                        || !value.textValue().isEmpty() && !value.textValue().equals(NOTHING))
                .findFirst();
    }

    /** A text or a number as text. */
    Optional<String> optional(String... names) {
        return find(names).map(value -> {
            if (!value.isValueNode()) {
                throw fault("\"" + names[0] + "\" is no text.");
            }
            return value.asText();
        });
    }

    String text(String... names) {
        return optional(names).orElseThrow(() -> missing(names));
    }

    BenchmarkDataException missing(String... names) {
        return fault("there is no \"" + String.join("\" or \"", names)
                + "\"; take the split whose answers are published, as its makers publish it.");
    }

    long integer(String... names) {
        String text = text(names);
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw fault("\"" + names[0] + "\" is no whole number: " + text + ".");
        }
    }

    /** A list of texts or of objects with an answer; what is no list is a list of one. */
    List<String> texts(String... names) {
        JsonNode value = find(names).orElseThrow(() -> missing(names));
        if (file.endsWith(".tsv") && value.asText().startsWith("[")) {
            value = list(value.asText()).orElse(value);
        }
        if (!value.isArray()) {
            return List.of(text(names));
        }
        List<String> texts = new ArrayList<>();
        for (JsonNode element : value) {
            JsonNode text = element.isObject() ? element.path(ELEMENT_TEXT) : element;
            if (!text.isValueNode() || text.isNull()) {
                throw fault("\"" + names[0] + "\" holds something that is no text.");
            }
            texts.add(text.asText());
        }
        return List.copyOf(texts);
    }

    private static Optional<JsonNode> list(String text) {
        try {
            return Optional.of(PYTHON.readTree(inJson(text))).filter(JsonNode::isArray);
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    /** With JSON's escapes in place of Python's. */
    private static String inJson(String text) {
        return ESCAPE.matcher(text).replaceAll(escape -> {
            String digits = escape.group(1) == null ? escape.group(2) : escape.group(1);
            String escapes = digits == null
                    ? escape.group()
                    : Character.toString(Integer.parseInt(digits, 16))
                            .chars()
                            .mapToObj(unit -> String.format(Locale.ROOT, "\\u%04x", unit))
                            .collect(Collectors.joining());
            return Matcher.quoteReplacement(escapes);
        });
    }
}
