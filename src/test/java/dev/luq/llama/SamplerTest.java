package dev.luq.llama;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.luq.Integration;
import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Integration
class SamplerTest {

    private static final Model MODEL = TinyModels.model(TinyModels.QWEN);
    private static final int[] PROMPT = MODEL.vocabulary().tokenize("<|im_start|>user\nHi", false, true);

    private static SamplerOptions drawn(float temperature, long seed) {
        return new SamplerOptions(temperature, 1f, 0, 0f, 0f, 0f, 1f, seed, Map.of());
    }

    /** Generates until the model or the grammar ends the text. */
    private static List<Integer> generate(SamplerOptions options, GrammarOptions grammar, int limit) {
        List<Integer> generated = new ArrayList<>();
        try (Context context = TinyModels.context(TinyModels.QWEN, 1);
                Sampler sampler = Sampler.create(MODEL, options, grammar);
                TokenBatch batch = TokenBatch.create(64)) {
            int last = 0;
            for (int i = 0; i < PROMPT.length; i++) {
                last = batch.add(PROMPT[i], i, 0, i == PROMPT.length - 1);
            }
            for (int position = PROMPT.length; generated.size() < limit; position++) {
                context.decode(batch);
                int token = sampler.sample(context, last);
                if (MODEL.vocabulary().isEndOfGeneration(token)) {
                    break;
                }
                generated.add(token);
                batch.clear();
                last = batch.add(token, position, 0, true);
            }
        }
        return generated;
    }

    private static String text(List<Integer> tokens) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        tokens.forEach(token -> bytes.writeBytes(MODEL.vocabulary().piece(token, false)));
        return bytes.toString(UTF_8);
    }

    @Test
    void temperatureZeroTakesTheLikeliestToken() {
        try (Context context = TinyModels.context(TinyModels.QWEN, 1);
                Sampler fast = Sampler.create(MODEL, SamplerOptions.GREEDY, null);
                Sampler slow = Sampler.create(MODEL, withCandidates(Map.of()), null)) {
            float[] logits = TinyModels.logits(context, PROMPT, 0);
            int best = IntStream.range(0, logits.length)
                    .reduce((a, b) -> logits[b] > logits[a] ? b : a)
                    .orElseThrow();
            assertEquals(best, fast.sample(context, PROMPT.length - 1));
            assertEquals(best, slow.sample(context, PROMPT.length - 1));
        }
    }

    /** Temperature zero, but a penalty that changes nothing: llama.cpp chooses from its list of candidates. */
    private static SamplerOptions withCandidates(Map<Integer, Float> biases) {
        return new SamplerOptions(0f, 1f, 40, 0f, 0f, 1e-9f, 1f, 7, biases);
    }

    @Test
    void theLikeliestTokenIsThatOfTheBiasedLogits() {
        Random random = new Random(1);
        try (Context context = TinyModels.context(TinyModels.QWEN, 1)) {
            int tokens = TinyModels.logits(context, PROMPT, 0).length;
            Set<Integer> chosen = new HashSet<>();
            for (int i = 0; i < 50; i++) {
                Map<Integer, Float> biases = new HashMap<>();
                biases.put(0, random.nextFloat());
                biases.put(tokens - 1, random.nextFloat());
                random.ints(tokens / 2, 0, tokens).forEach(token -> biases.put(token, 2 * random.nextFloat() - 1));
                SamplerOptions greedy = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 7, biases);
                try (Sampler fast = Sampler.create(MODEL, greedy, null);
                        Sampler slow = Sampler.create(MODEL, withCandidates(biases), null)) {
                    int token = fast.sample(context, PROMPT.length - 1);
                    assertEquals(slow.sample(context, PROMPT.length - 1), token);
                    chosen.add(token);
                }
            }
            assertTrue(chosen.size() > 1);
        }
    }

    @Test
    void equalSeedsDrawEqually() {
        assertEquals(generate(drawn(1.5f, 1), null, 20), generate(drawn(1.5f, 1), null, 20));
        Set<List<Integer>> different = new HashSet<>();
        for (long seed : new long[] {1, -1, 1L << 40, Long.MIN_VALUE, 0xffffffffL}) {
            different.add(generate(drawn(2f, seed), null, 20));
        }
        assertTrue(different.size() > 1);
    }

    @Test
    void truncationLeavesOnlyLikelyTokens() {
        try (Context context = TinyModels.context(TinyModels.QWEN, 1)) {
            float[] logits = TinyModels.logits(context, PROMPT, 0);
            Set<Integer> best = IntStream.range(0, logits.length)
                    .boxed()
                    .sorted((a, b) -> Float.compare(logits[b], logits[a]))
                    .limit(3)
                    .collect(Collectors.toSet());
            Set<Integer> seen = new HashSet<>();
            for (int seed = 0; seed < 200; seed++) {
                try (Sampler sampler =
                        Sampler.create(MODEL, new SamplerOptions(5f, 1f, 3, 0f, 0f, 0f, 1f, seed, Map.of()), null)) {
                    seen.add(sampler.sample(context, PROMPT.length - 1));
                }
            }
            assertEquals(best, seen, "top-k of 3 at a high temperature");
            int likeliest = generate(SamplerOptions.GREEDY, null, 1).get(0);
            for (SamplerOptions narrow : List.of(
                    new SamplerOptions(5f, 1e-6f, 0, 0f, 0f, 0f, 1f, 3, Map.of()),
                    new SamplerOptions(5f, 1f, 0, 1f, 0f, 0f, 1f, 3, Map.of()))) {
                assertEquals(likeliest, generate(narrow, null, 1).get(0));
            }
        }
    }

    @Test
    void biasForbidsAndForces() {
        int best = generate(SamplerOptions.GREEDY, null, 1).get(0);
        assertNotEquals(
                best,
                generate(new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(best, -100f)), null, 1)
                        .get(0));
        assertEquals(
                List.of(100, 100, 100),
                generate(new SamplerOptions(1f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(100, 1000f)), null, 3));
    }

    @Test
    void aTextsBiasIsThatOfItsTokens() {
        String text = "no";
        int[] tokens = MODEL.vocabulary().tokenize(text, false, false);
        SamplerOptions forced = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(), Map.of(text, 1000f), false);
        for (int token : generate(forced, null, 3)) {
            assertTrue(Arrays.stream(tokens).anyMatch(known -> known == token), () -> token + " is none of it");
        }
    }

    @Test
    void penaltiesSeeTheGenerationAndThePrompt() {
        SamplerOptions always = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(100, 50f, 101, 45f));
        assertEquals(List.of(100, 100), generate(always, null, 2));
        SamplerOptions presence = new SamplerOptions(0f, 1f, 0, 0f, 0f, 20f, 1f, 0, always.logitBias());
        assertEquals(List.of(100, 101), generate(presence, null, 2));
        try (Context context = TinyModels.context(TinyModels.QWEN, 1);
                Sampler sampler = Sampler.create(MODEL, presence, null)) {
            TinyModels.logits(context, PROMPT, 0);
            sampler.acceptPrompt(100);
            assertEquals(101, sampler.sample(context, PROMPT.length - 1));
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0f, 1f, 3f})
    void aGrammarIsObeyed(float temperature) {
        GrammarOptions grammar = GrammarOptions.of("root ::= (\"red\" | \"green\" | \"blue\") \" circle\"");
        String text = text(generate(drawn(temperature, 5), grammar, 50));
        assertTrue(Set.of("red circle", "green circle", "blue circle").contains(text), text);
    }

    @Test
    void aSchemaIsObeyed() {
        String grammar = Schemas.toGrammar(
                """
                {"type":"object","properties":{"shape":{"enum":["circle","square"]},"count":{"type":"integer",
                 "minimum":1,"maximum":4}},"required":["shape","count"],"additionalProperties":false}""",
                Map.of());
        JsonNode json = Json.parse(text(generate(drawn(2f, 11), GrammarOptions.of(grammar), 200)));
        assertEquals(2, json.size());
        assertTrue(Set.of("circle", "square").contains(json.get("shape").textValue()), json.toString());
        assertTrue(Set.of(1, 2, 3, 4).contains(json.get("count").intValue()), json.toString());
    }

    @Test
    void aLazyGrammarWaitsForItsTrigger() {
        // Type 1 is a word. The first token is forced to be "!" by bias, which is the trigger.
        int trigger = MODEL.vocabulary().tokenize("!", false, false)[0];
        GrammarOptions lazy =
                new GrammarOptions("root ::= \"!\" \"abc\"", true, "[{\"type\":1,\"value\":\"!\"}]", List.of(), "");
        SamplerOptions forced = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(trigger, 100f));
        assertEquals("!abc", text(generate(forced, lazy, 20)));
        SamplerOptions never = new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(trigger, -100f));
        assertEquals(text(generate(never, null, 20)), text(generate(never, lazy, 20)));
    }

    @Test
    void aSchemasGrammarIsFollowed() {
        String grammar = Schemas.toGrammar(
                """
                {"type":"object","properties":{"ok":{"type":"boolean"}},"required":["ok"]}""",
                Map.of());
        JsonNode json = Json.parse(text(generate(drawn(1f, 3), GrammarOptions.of(grammar), 100)));
        assertTrue(json.get("ok").isBoolean(), json.toString());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "nonsense",
                "root ::= undefined",
                "other ::= \"a\"",
                "%llguidance {}",
                "root ::= root",
                "root ::= \"unterminated"
            })
    void grammarsThatMakeNoSenseAreRefused(String grammar) {
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Sampler.create(MODEL, SamplerOptions.GREEDY, GrammarOptions.of(grammar)));
    }

    /** Also behind a quote that begins no text: in a class, an escape there, or a comment, which a carriage return ends. */
    @ParameterizedTest
    @ValueSource(strings = {"", "[\"] ", "[\\]\"] ", "# \"\n", "# \\\r"})
    void grammarsNestedTooDeeplyAreRefused(String before) {
        String grammar = "root ::= " + before + "(".repeat(100_000) + "\"a\"" + ")".repeat(100_000);
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Sampler.create(MODEL, SamplerOptions.GREEDY, GrammarOptions.of(grammar)));
    }

    @Test
    void optionsThatMakeNoSenseAreRefused() {
        GrammarOptions noTrigger = new GrammarOptions("root ::= \"a\"", true, "[]", List.of(), "");
        assertThrows(
                LlamaException.InvalidGrammar.class, () -> Sampler.create(MODEL, SamplerOptions.GREEDY, noTrigger));
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Sampler.create(MODEL, new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of(384, 1f)), null));
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Sampler.create(MODEL, new SamplerOptions(0f, 1f, 0, 0f, 0f, 0f, 0f, 0, Map.of()), null));
        assertThrows(
                LlamaException.InvalidGrammar.class,
                () -> Sampler.create(MODEL, new SamplerOptions(Float.NaN, 1f, 0, 0f, 0f, 0f, 1f, 0, Map.of()), null));
    }

    @Test
    void schemasThatMakeNoSenseAreRefused() {
        for (String schema : new String[] {
            "", "{", "{\"type\":\"nothing\"}", "{\"$ref\":\"#/definitions/absent\"}", "[".repeat(100_000)
        }) {
            String message = assertThrows(
                            LlamaException.InvalidGrammar.class, () -> Schemas.toGrammar(schema, Map.of()), schema)
                    .getMessage();
            assertFalse(message.isBlank());
        }
        assertTrue(Schemas.toGrammar("{}", Map.of()).contains("root ::="));
    }

    @Test
    void samplingWithoutLogitsIsRefused() {
        try (Context context = TinyModels.context(TinyModels.QWEN, 1);
                Sampler sampler = Sampler.create(MODEL, SamplerOptions.GREEDY, null)) {
            assertThrows(LlamaException.DecodeFailed.class, () -> sampler.sample(context, 0));
            TinyModels.logits(context, PROMPT, 0);
            assertThrows(LlamaException.DecodeFailed.class, () -> sampler.sample(context, 0));
            assertThrows(LlamaException.DecodeFailed.class, () -> sampler.sample(context, 1000));
        }
    }

    @Test
    void closingTwiceIsHarmless() {
        Sampler sampler = Sampler.create(MODEL, SamplerOptions.GREEDY, null);
        sampler.close();
        sampler.close();
        assertThrows(IllegalStateException.class, () -> sampler.acceptPrompt(1));
    }
}
