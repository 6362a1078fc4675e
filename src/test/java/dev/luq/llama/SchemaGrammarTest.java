package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.luq.Integration;
import dev.luq.schema.SchemaCheck;
import java.io.ByteArrayOutputStream;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Answers of a model of random weights, drawn at a temperature at which it says anything: what they keep to, the grammar
 * of the schema has enforced.
 */
@Integration
class SchemaGrammarTest {

    private static final Model MODEL = TinyModels.model(TinyModels.QWEN);
    private static final int[] PROMPT = MODEL.vocabulary().tokenize("<|im_start|>user\nHi", false, true);
    private static final int TOKENS = 400;

    private static String grammar(String schema) {
        SchemaCheck check = new SchemaCheck();
        check.check(Json.parse(schema), "schema", true);
        return Schemas.toGrammar(schema, check.patterns());
    }

    /** @return the answer, or null when it did not end within the context */
    private static String answer(String grammar, long seed) {
        SamplerOptions wild = new SamplerOptions(5f, 1f, 0, 0f, 0f, 0f, 1f, seed, Map.of());
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Context context = TinyModels.context(TinyModels.QWEN, 1);
                Sampler sampler = Sampler.create(MODEL, wild, GrammarOptions.of(grammar));
                TokenBatch batch = TokenBatch.create(64)) {
            int last = 0;
            for (int i = 0; i < PROMPT.length; i++) {
                last = batch.add(PROMPT[i], i, 0, i == PROMPT.length - 1);
            }
            for (int position = PROMPT.length; position < PROMPT.length + TOKENS; position++) {
                context.decode(batch);
                int token = sampler.sample(context, last);
                if (MODEL.vocabulary().isEndOfGeneration(token)) {
                    return bytes.toString(UTF_8);
                }
                bytes.writeBytes(MODEL.vocabulary().piece(token, false));
                batch.clear();
                last = batch.add(token, position, 0, true);
            }
        }
        return null;
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "^\\S{1,5}$",
                "^\\d+$",
                "^a\\/b$",
                "^[^a-c]{3}$",
                "^(foo|ba[rz])?!$",
                "^\"[\\\\\\w]\"$",
                "^[A-Z]{2}-\\d{1,4}$",
                "^.{0,20}$",
                "^\\u0041\\x42\\t$",
                "^(\\w+@\\w+)\\.com$"
            })
    void patternsAreEnforced(String pattern) {
        String grammar = grammar(
                Json.object().put("type", "string").put("pattern", pattern).toString());
        int answers = 0;
        for (int seed = 1; seed <= 4; seed++) {
            String answer = answer(grammar, seed);
            if (answer != null) {
                answers++;
                String value = Json.parse(answer).textValue();
                assertTrue(Pattern.compile(pattern).matcher(value).matches(), pattern + " gave " + answer);
            }
        }
        assertTrue(answers > 0, "no answer ended");
    }

    /** As OpenAI's documentation has it: a list that ends where the model likes. */
    @Test
    void aRecursiveSchemaIsEnforced() {
        String grammar = grammar(
                """
                {"type":"object","properties":{"value":{"type":"integer","minimum":1,"maximum":9},
                 "next":{"anyOf":[{"$ref":"#"},{"type":"null"}]}},"required":["value","next"],"additionalProperties":false}""");
        for (int seed = 1; seed <= 3; seed++) {
            String answer = answer(grammar, seed);
            for (JsonNode item = Json.parse(answer); !item.isNull(); item = item.get("next")) {
                assertEquals(2, item.size(), answer);
                assertTrue(item.get("value").isInt(), answer);
            }
        }
    }

    /** Two definitions whose names differ in a character that no rule's name may hold, and a property that is named like both. */
    @Test
    void definitionsAreToldApartByWhatTheyAre() {
        String grammar = grammar(
                """
                {"type":"object","properties":{"ref":{"const":"own"},"a":{"$ref":"#/$defs/x.y"},"b":{"$ref":"#/$defs/x-y"},
                 "c":{"$ref":"#/$defs/n/properties/m~1n"}},"required":["ref","a","b","c"],
                 "$defs":{"x.y":{"const":"dot"},"x-y":{"const":"dash"},"n":{"properties":{"m/n":{"const":[1]}}}}}""");
        JsonNode answer = Json.parse(answer(grammar, 1));
        assertEquals("own", answer.get("ref").textValue());
        assertEquals("dot", answer.get("a").textValue());
        assertEquals("dash", answer.get("b").textValue());
        assertEquals("[1]", answer.get("c").toString());
    }

    @Test
    void valuesOfAnyTypeAreEnforced() {
        String grammar = grammar("{\"enum\":[1,-2.5,\"a\\\"b\",null,true,[1,\"x\"],{\"k\":{}}]}");
        for (int seed = 1; seed <= 8; seed++) {
            String answer = answer(grammar, seed);
            assertTrue(
                    Set.of("1", "-2.5", "\"a\\\"b\"", "null", "true", "[1,\"x\"]", "{\"k\":{}}")
                            .contains(answer),
                    answer);
        }
    }

    @Test
    void countsAreEnforced() {
        assertEquals(
                "[]", answer(grammar("{\"type\":\"array\",\"maxItems\":0}"), 1).replaceAll("\\s", ""));
        assertEquals(
                3,
                Json.parse(answer(
                                grammar(
                                        """
                {"type":"array","items":{"type":"boolean"},"minItems":3,"maxItems":3}"""),
                                1))
                        .size());
        assertEquals(
                5,
                Json.parse(answer(grammar("""
                {"type":"string","minLength":5,"maxLength":5}"""), 1))
                        .textValue()
                        .codePointCount(0, 5));
        assertEquals(
                "{}",
                answer(
                                grammar(
                                        """
                {"type":"object","properties":{},"additionalProperties":false}"""),
                                1)
                        .replaceAll("\\s", ""));
    }

    @Test
    void stringsMayBeLongerThanAGrammarRepeats() {
        String grammar = grammar("{\"type\":\"string\",\"minLength\":1000,\"maxLength\":65536}");
        // 1000 + 252 * 256 + 24 = 65536
        assertTrue(
                grammar.contains("char{1000} (char-block{0,251} char{0,255} | char-block{252} (char{0,24}))"), grammar);
        Sampler.create(MODEL, SamplerOptions.GREEDY, GrammarOptions.of(grammar)).close();
    }

    /** Each took seconds to minutes or the process. */
    @Test
    void whatMultipliesIsConvertedAtOnce() {
        ObjectNode optional = Json.object().put("type", "object");
        for (int i = 0; i < 1000; i++) {
            optional.withObject("/properties").putObject("p" + i).put("type", "null");
        }
        ObjectNode alternating = Json.object().put("$ref", "#/$defs/a0");
        ObjectNode definitions = alternating.putObject("$defs");
        for (int i = 0; i < 60; i++) {
            definitions
                    .putObject("a" + i)
                    .putArray("anyOf")
                    .add(Json.object().put("$ref", "#/$defs/a" + (i + 1)))
                    .add(Json.object().put("$ref", "#/$defs/a" + (i + 1)));
        }
        definitions.putObject("a60").put("type", "null");
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            assertTrue(Json.parse(answer(grammar(optional.toString()), 1)).isObject());
            assertEquals("null", answer(grammar(alternating.toString()), 1));
        });
    }

    @ParameterizedTest
    @ValueSource(strings = {"^(a?){0,1999}b$", "^(a|a|aa){1,2000}$", "^(.*a){20}$", "^((a{0,50}){0,50}){0,50}b$"})
    void patternsWithManyWaysToReadATextAnswerOrAreRefusedSoon(String pattern) {
        assertTimeoutPreemptively(Duration.ofSeconds(20), () -> {
            String grammar = grammar(
                    Json.object().put("type", "string").put("pattern", pattern).toString());
            try {
                answer(grammar, 1);
            } catch (LlamaException.TooComplex refused) {
                assertTrue(refused.getMessage().contains("too complex"), refused.getMessage());
            }
        });
    }

    @Test
    void grammarsThatAreTooLargeAreRefused() {
        String rule = "root ::= " + "(\"" + "x".repeat(10_000) + "\"){2000}";
        String many = "root ::= a{2000}\n" + "a ::= \"" + "x".repeat(10_000) + "\"{1000}";
        for (String grammar : new String[] {many, "root ::= \"" + "y".repeat(2 << 20) + "\""}) {
            assertThrows(
                    LlamaException.TooComplex.class,
                    () -> Sampler.create(MODEL, SamplerOptions.GREEDY, GrammarOptions.of(grammar)));
        }
        Sampler.create(MODEL, SamplerOptions.GREEDY, GrammarOptions.of(rule)).close();
    }

    @Test
    void aPatternThatNobodyTranslatedIsRefused() {
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Schemas.toGrammar("{\"type\":\"string\",\"pattern\":\"^a$\"}", Map.of()));
    }
}
